"""Accounts for a list: narrowed, with their roles, second factors and where they are signed in."""

from collections.abc import Iterator, Sequence
from typing import Any

import django_filters
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from core.actors import OPERATOR_ROLES, Actor, Capability
from core.forms import ROLE_NAMES
from core.models import RoleGrant, User

COLUMNS = ("id", "name", "email", "open", "roles", "second_factor", "devices", "last_sign_in")
# How each sorting is asked for, and what it sorts by; by name is the list's own.
SORTS: dict[str, tuple[OrderBy | str, ...]] = {
    "lately": (F("last_login").desc(nulls_last=True), "pk"),
    "long-ago": (F("last_login").asc(nulls_first=True), "pk"),
    "newest": ("-joined_at", "-pk"),
}
SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def people(actor: Actor) -> QuerySet[User]:
    """Accounts by name, each with `roles`, `has_second` and `devices`; none for whoever isn't an operator."""
    rows = User.objects.order_by("name", "pk")
    if not actor.can(Capability.VIEW_EVERYTHING):
        return rows.none()
    devices = UserSession.objects.filter(user=OuterRef("pk")).order_by().values("user").annotate(n=Count("pk"))
    return rows.prefetch_related(Prefetch("role_grants", RoleGrant.objects.order_by("role"), to_attr="roles")).annotate(
        has_second=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)),
        devices=Coalesce(devices.values("n")[:1], 0),
    )


class PeopleFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """What the list of accounts is narrowed by."""

    q = django_filters.CharFilter(label=_("Name or address"), method="named")
    role = django_filters.ChoiceFilter(
        label=_("Role"),
        method="with_role",
        choices=[("any", _("Any operator")), *((role.value, ROLE_NAMES[role]) for role in sorted(OPERATOR_ROLES))],
        empty_label=_("Everybody"),
    )
    sort = django_filters.ChoiceFilter(
        label=_("Sorted by"),
        method="sorted_by",
        choices=[
            ("lately", _("Last sign-in, latest first")),
            ("long-ago", _("Last sign-in, longest ago first")),
            ("newest", _("Newest account first")),
        ],
        empty_label=_("Name, A to Z"),
    )

    class Meta:
        model = User
        fields: Sequence[str] = ()

    def named(self, rows: QuerySet[User], _name: str, value: str) -> QuerySet[User]:
        """Anywhere in the name or the address."""
        return rows.filter(Q(name__icontains=value) | Q(email__icontains=value))

    def with_role(self, rows: QuerySet[User], _name: str, value: str) -> QuerySet[User]:
        """Whoever has this operator role, or any."""
        grants = RoleGrant.objects.filter(user=OuterRef("pk"))
        return rows.filter(Exists(grants if value == "any" else grants.filter(role=value)))

    def sorted_by(self, rows: QuerySet[User], _name: str, value: str) -> QuerySet[User]:
        """As `SORTS` say."""
        return rows.order_by(*SORTS[value])


def as_rows(found: QuerySet[User]) -> Iterator[Sequence[Any]]:
    """The list as `COLUMNS` name it: what a review of everybody's access is done on. Roles joined by ``|``."""
    for row in found.iterator(chunk_size=2000):
        yield (
            row.pk,
            row.get_full_name(),
            row.email,
            _yes_or_no(row.is_active),
            "|".join(grant.role for grant in row.roles),  # type: ignore[attr-defined]
            _yes_or_no(row.has_second),  # type: ignore[attr-defined]
            row.devices,  # type: ignore[attr-defined]
            row.last_login,
        )


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"
