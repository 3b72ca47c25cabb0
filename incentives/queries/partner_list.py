"""Partners for operators: a list with where each stands, and what a decision on one's standing would stop."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import django_filters
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.actors import Actor, Capability
from incentives import policies
from incentives.models import Payout
from partners.links import live_links
from partners.models import Certification, Joining, Membership, Partner, Payee, Suspension
from partners.states import Category, PayeeState

COLUMNS = (
    "partner_code",
    "name",
    "category",
    "country",
    "registration_no",
    "standing",
    "commitment",
    "programs",
    "colleagues",
    "payee",
    "payouts_under_way",
)
STANDINGS = {
    "certified": pgettext_lazy("partner", "Certified"),
    "upcoming": _("Certified later"),
    "lapsed": _("Not certified"),
    "suspended": _("Suspended"),
    "terminated": _("Terminated"),
}
PAYEES = {
    "waiting": _("Waits for confirmation"),
    "confirmed": pgettext_lazy("payee", "Confirmed"),
    "none": pgettext_lazy("payee", "None"),
}
# Money that can still be stopped.
UNDER_WAY = policies.STEPS["hold"]


def partners(actor: Actor, *, today: date) -> QuerySet[Partner]:
    """Every partner by code, each with its `standing`, `payee`, `programs`, `colleagues` and `payouts`.

    None for whoever is no operator. `standing` is one of `STANDINGS`, as `partners.queries.standing_of` says it; of
    the payees, a change that waits counts before a confirmed account.
    """
    rows: QuerySet[Partner] = Partner.objects.visible_to(actor)
    rows = rows if actor.can(Capability.VIEW_EVERYTHING) else rows.none()
    stopped = Suspension.objects.filter(partner=OuterRef("pk"), during__upper_inf=True)
    certified = Certification.objects.filter(partner=OuterRef("pk")).order_by("-days")
    payees = Payee.objects.filter(partner=OuterRef("pk"))
    return rows.annotate(
        certified_from=Subquery(certified.values("days__startswith")[:1]),
        certified_to=Subquery(certified.values("days__endswith")[:1]),
        standing=Case(
            When(Exists(stopped.filter(terminal=True)), then=Value("terminated")),
            When(Exists(stopped), then=Value("suspended")),
            When(certified_from=None, then=Value("lapsed")),
            When(certified_from__gt=today, then=Value("upcoming")),
            When(certified_to__lte=today, then=Value("lapsed")),
            default=Value("certified"),
            output_field=CharField(),
        ),
        payee=Case(
            When(Exists(payees.filter(state=PayeeState.WAITING)), then=Value("waiting")),
            When(Exists(payees.filter(state=PayeeState.CONFIRMED)), then=Value("confirmed")),
            default=Value("none"),
            output_field=CharField(),
        ),
        programs=_counted(Joining.objects.all(), "program"),
        colleagues=_counted(Membership.objects.all(), "user"),
        payouts_under_way=_counted(Payout.objects.filter(state__in=UNDER_WAY), "pk"),
    ).order_by("code")


def _counted(rows: QuerySet[Any], what: str) -> Coalesce:
    """How many different ones of the partner's there are. A subquery, so that counts don't multiply each other."""
    counted = rows.filter(partner=OuterRef("pk")).order_by().values("partner").annotate(n=Count(what, distinct=True))
    return Coalesce(Subquery(counted.values("n")[:1], output_field=IntegerField()), 0)


class PartnerFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """What the list of partners is narrowed and sorted by."""

    q = django_filters.CharFilter(label=_("Name, code or number"), method="named")
    standing = django_filters.ChoiceFilter(label=_("Standing"), choices=list(STANDINGS.items()), empty_label=_("All"))
    category = django_filters.ChoiceFilter(label=_("Category"), choices=Category, empty_label=_("All"))
    payee = django_filters.ChoiceFilter(label=_("Account"), choices=list(PAYEES.items()), empty_label=_("All"))
    sort = django_filters.ChoiceFilter(
        label=_("Sorted by"),
        method="sorted_by",
        choices=[("name", _("Name")), ("-payouts_under_way", _("Payouts under way")), ("-programs", _("Programs"))],
        empty_label=_("Code"),
    )

    class Meta:
        model = Partner
        fields: Sequence[str] = ()

    def named(self, rows: QuerySet[Partner], _name: str, value: str) -> QuerySet[Partner]:
        """Anywhere in the name, the code or the registration number."""
        asked = value.strip()
        return rows.filter(Q(name__icontains=asked) | Q(code__icontains=asked) | Q(registration_no__icontains=asked))

    def sorted_by(self, rows: QuerySet[Partner], _name: str, value: str) -> QuerySet[Partner]:
        """By the column, then by code."""
        return rows.order_by(value, "code")


def as_rows(found: QuerySet[Any]) -> Iterator[Sequence[Any]]:
    """The list as `COLUMNS` name it."""
    yield from found.values_list(
        "code",
        "name",
        "category",
        "country",
        "registration_no",
        "standing",
        "commitment",
        "programs",
        "colleagues",
        "payee",
        "payouts_under_way",
    ).iterator(chunk_size=2000)


@dataclass(frozen=True, slots=True)
class Stops:
    """What suspending or terminating a partner now would stop.

    `links` work now; `payouts` are unpaid and not held yet, `amounts` what they come to, by currency; `held` are held
    already.
    """

    links: int
    payouts: int
    held: int
    amounts: tuple[tuple[str, Decimal], ...]


def stops_of(partner: Partner, *, at: datetime) -> Stops:
    """Count what a decision on the partner's standing would stop. Two queries."""
    amounts: dict[str, Decimal] = {}
    payouts = held = 0
    unpaid = Payout.objects.filter(partner=partner, state__in=UNDER_WAY).order_by("pk")
    for is_held, currency, payable in unpaid.values_list("held", "currency", "payable"):
        if is_held:
            held += 1
            continue
        payouts += 1
        amounts[currency] = amounts.get(currency, Decimal(0)) + payable
    return Stops(
        links=live_links(at).filter(partner=partner).count(),
        payouts=payouts,
        held=held,
        amounts=tuple(sorted(amounts.items())),
    )
