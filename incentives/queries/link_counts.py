"""What links brought, counted: visits, registrations, certified and eligible shops. Two queries for however many.

Shops count where the partner has them now: one that another partner's claim won is not told apart from one that never
came. A registration stays one whoever has its shop: the merchant did register here.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Count, Max, Q, QuerySet, Sum, Value

from core.actors import Actor
from incentives.models import Result, Run
from incentives.states import Verdict
from merchants.models import Registration, Shop
from partners.models import LinkVisits


@dataclass(frozen=True, slots=True)
class Counts:
    """What links brought. `registrations` are forms, and shops that named a link without one."""

    visits: int = 0
    registrations: int = 0
    certified: int = 0
    eligible: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.visits + other.visits,
            self.registrations + other.registrations,
            self.certified + other.certified,
            self.eligible + other.eligible,
        )


NOTHING = Counts()
_ZERO = Value(0, output_field=BigIntegerField())


def link_counts(*, actor: Actor, of: Q) -> dict[int, Counts]:
    """The counts by link, of the links that `of` chooses (`Q(link__partner=…)`, `Q(link__in=…)`) and the actor sees."""
    newest = Run.objects.published().values("program").annotate(newest=Max("pk")).values_list("newest", flat=True)
    shops = Shop.objects.filter(of)
    results = Result.objects.visible_to(actor).filter(run__in=list(newest), verdict=Verdict.ELIGIBLE)
    parts = (
        _part(LinkVisits.objects.filter(of), "link", visits=Sum("visits")),
        _part(Registration.objects.visible_to(actor).filter(of), "link", registrations=Count("pk")),
        # The index on shop.link.
        _part(
            shops.visible_to(actor),
            "link",
            registrations=Count("pk", filter=Q(registration=None)),
            certified=Count("pk", filter=Q(certified_at__isnull=False)),
        ),
        _part(
            results.filter(shop__in=shops.values("pk")),
            "shop__link",
            eligible=Count("shop", distinct=True),
        ),
    )
    found: dict[int, Counts] = {}
    for link, *counts in parts[0].union(*parts[1:], all=True):
        found[link] = found.get(link, NOTHING) + Counts(*counts)
    return found


def _part(rows: QuerySet[Any], link: str, **counted: Any) -> QuerySet[Any]:
    """Rows by link, with the four counts as columns; those that aren't counted here are zero."""
    names = {f"n_{name}": counted.get(name, _ZERO) for name in ("visits", "registrations", "certified", "eligible")}
    found: QuerySet[Any] = rows.order_by().values(link).annotate(**names).values_list(link, *names)
    return found
