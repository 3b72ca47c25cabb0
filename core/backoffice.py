"""What the back office (Django's admin) shares: who may look, and that nothing is changed past the services.

Every table here is for looking. Whoever may view everything sees it; what changes something is an action that
calls a service, which checks for itself.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from core.actors import Actor, Capability, Role
from core.models import User

if TYPE_CHECKING:
    _Table = admin.ModelAdmin[Any]
    _Rows = admin.TabularInline[Any, Any]
else:  # Django's own classes take no parameters
    _Table = admin.ModelAdmin
    _Rows = admin.TabularInline


def operator_of(request: HttpRequest) -> Actor:
    """The operator behind a request, by its roles; asked once in a request. Partner roles don't count here."""
    known = getattr(request, "_operator", None)
    if isinstance(known, Actor):
        return known
    user = request.user
    roles = user.role_grants.values_list("role", flat=True) if isinstance(user, User) and user.is_active else ()
    actor = Actor(user_id=user.pk, roles=frozenset(Role(role) for role in roles))
    request._operator = actor  # type: ignore[attr-defined]  # kept for this request
    return actor


def may_look(request: HttpRequest) -> bool:
    """Operators by their role; superusers may open every page. Neither decides anything by it."""
    return bool(request.user.is_superuser) or operator_of(request).can(Capability.VIEW_EVERYTHING)


class LookOnly:
    """Permissions of a table that is read and never written here."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may view everything."""
        return may_look(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The same."""
        return may_look(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: rows come from feeds, runs and services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, as above."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: what happened stays."""
        return False


class LookOnlyAdmin(LookOnly, _Table):
    """A table to look at. Counts of a million rows are not worth their wait."""

    show_full_result_count = False
    list_per_page = 50
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)


class LookOnlyInline(LookOnly, _Rows):
    """Rows of a table to look at, on the page of what they belong to."""

    extra = 0
    can_delete = False
    show_change_link = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Every column: nothing here is a form."""
        return tuple(str(field) for field in self.fields or ())


def look(*models_: type[models.Model]) -> None:
    """Register plain tables that need no more than their columns."""
    for model in models_:
        columns = tuple(
            field.name for field in model._meta.fields if not isinstance(field, models.JSONField | models.TextField)
        )
        related = tuple(field.name for field in model._meta.fields if isinstance(field, models.ForeignKey))
        admin.site.register(
            model,
            type(
                f"{model.__name__}Admin",
                (LookOnlyAdmin,),
                {"list_display": columns, "list_select_related": related, "__doc__": f"{model.__name__}: plain."},
            ),
        )
