"""The ground floor's back office: people, programs, policies, batches of facts, the audit trail."""

import json
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth import admin as _auth_admin  # noqa: F401 (registers groups, so that they can be taken out)
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core import services
from core.actors import Capability, Role
from core.backoffice import LookOnlyAdmin, LookOnlyInline, operator_of
from core.errors import DomainError
from core.forms import ROLE_NAMES, NewUserForm, UserForm
from core.models import AuditEvent, FactBatch, PolicyVersion, Program, RoleGrant, User

# Roles are ours (core.actors); Django's groups would be a second place to look for them.
admin.site.unregister(Group)
admin.site.site_header = _("Dingyao back office")
admin.site.site_title = _("Dingyao back office")
admin.site.index_title = _("Everything there is")


class RoleInline(LookOnlyInline):
    """A user's operator roles."""

    model = RoleGrant
    fields = ("role", "granted_at")


@admin.register(User)
class UserAdmin(LookOnlyAdmin):
    """People and their roles. Whoever manages users makes, closes and opens accounts here, through the services."""

    list_display = ("email", "name", "language", "is_active", "is_staff", "joined_at")
    search_fields = ("email", "name")
    list_filter = ("role_grants__role", "is_active")
    inlines: ClassVar = [RoleInline]
    told = ("email", "name", "language", "is_staff", "is_superuser", "joined_at", "last_login")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever manages users."""
        return operator_of(request).can(Capability.MANAGE_USERS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The same, but never one's own account."""
        return self.has_add_permission(request) and (obj is None or obj.pk != request.user.pk)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new account's form; else what may change, then what is told."""
        if obj is None:
            return ("email", "name", "language", "password", "again", "roles")
        changes = ("is_active", "roles") if self.has_change_permission(request, obj) else ("is_active",)
        return (*changes, *self.told)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is told, not asked."""
        return () if obj is None else self.told

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Another form for a new account than for one that is there."""
        return super().get_form(request, obj, change, form=NewUserForm if obj is None else UserForm, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new account has no roles to show yet."""
        return [] if obj is None else self.inlines

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The page; where a service refuses, nothing was changed and the reason stands on it."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Each difference through its service."""
        actor, wanted = operator_of(request), form.wanted()
        if not change:
            given = {key: form.cleaned_data[key] for key in ("email", "name", "language", "password")}
            obj.pk = services.create_user(actor=actor, **given).pk
        elif "is_active" in form.changed_data:
            (services.reactivate_user if obj.is_active else services.deactivate_user)(actor=actor, user=obj)
        has = frozenset(Role(role) for role in obj.role_grants.values_list("role", flat=True))
        for role in sorted(wanted - has):
            services.grant_role(actor=actor, user=obj, role=role)
        for role in sorted(has - wanted):
            services.revoke_role(actor=actor, user=obj, role=role)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Not here: the audit trail has it, and Django's log would keep the address."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """As above."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Say what was made, and show it."""
        messages.success(request, _("%(who)s has an account now.") % {"who": obj})
        return HttpResponseRedirect(reverse("admin:core_user_change", args=[obj.pk]))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Say what holds now."""
        roles = [
            str(ROLE_NAMES[Role(role)]) for role in obj.role_grants.order_by("role").values_list("role", flat=True)
        ]
        said = {"who": obj, "roles": ", ".join(roles) or _("none")}
        messages.success(
            request,
            (_("%(who)s: the account is open; roles: %(roles)s.") % said)
            if obj.is_active
            else (_("%(who)s: the account is closed; roles: %(roles)s.") % said),
        )
        return HttpResponseRedirect(request.get_full_path())


class PolicyInline(LookOnlyInline):
    """A program's policy versions."""

    model = PolicyVersion
    fields = ("number", "published_at", "published_by", "fingerprint")


@admin.register(Program)
class ProgramAdmin(LookOnlyAdmin):
    """Programs."""

    list_display = ("code", "starts_on", "ends_on", "created_at")
    search_fields = ("code",)
    inlines: ClassVar = [PolicyInline]


@admin.register(PolicyVersion)
class PolicyVersionAdmin(LookOnlyAdmin):
    """Published policies, whole."""

    list_display = ("program", "number", "published_at", "published_by", "fingerprint")
    list_filter = ("program",)
    list_select_related = ("program", "published_by")
    fields = ("program", "number", "published_at", "published_by", "fingerprint", "text")
    readonly_fields = ("text",)

    @admin.display(description=_("document"))
    def text(self, version: PolicyVersion) -> str:
        """The document, indented."""
        return format_html("<pre>{}</pre>", json.dumps(version.document, ensure_ascii=False, indent=2))


@admin.register(FactBatch)
class FactBatchAdmin(LookOnlyAdmin):
    """What was recorded when."""

    list_display = ("pk", "source", "recorded_at", "sequence", "backdated", "actor")
    list_filter = ("source", "backdated")
    list_select_related = ("actor",)


@admin.register(AuditEvent)
class AuditEventAdmin(LookOnlyAdmin):
    """The audit trail."""

    list_display = ("at", "who", "action", "subject_type", "subject_id", "request_id")
    list_filter = ("action", "at")
    list_select_related = ("actor",)
    search_fields = ("=subject_id", "=request_id", "actor__email")
    fields = ("at", "who", "action", "subject_type", "subject_id", "text", "request_id", "prev", "hash")
    readonly_fields = ("who", "text")

    @admin.display(description=_("who"))
    def who(self, event: AuditEvent) -> str:
        """The person, or the part of the product that acted."""
        return str(event.actor) if event.actor else event.actor_label

    @admin.display(description=_("details"))
    def text(self, event: AuditEvent) -> str:
        """The details, readable."""
        return format_html("<pre>{}</pre>", json.dumps(event.details, ensure_ascii=False, indent=2))
