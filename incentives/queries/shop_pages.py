"""Everything that a partner, and an operator alike, is told about one shop of a run."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from core.actors import Actor
from incentives.models import FrozenShop, Result, Run
from incentives.queries.sales import Sales, sales_of
from incentives.queries.shops import ShopView, shop_views
from incentives.queries.since_run import SinceRun, since_run
from incentives.queries.stock_seen import Stock, stock_of
from incentives.queries.timelines import Happening, timeline
from merchants.models import Attribution, Claim
from merchants.states import Cause

# So many facts are shown under a condition; all of them stand in the timeline.
FACTS = 4


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim of this partner on an entry that names the merchant or its brand."""

    entry: str
    claimed_at: datetime
    expires_at: datetime
    status: str
    status_label: str


@dataclass(frozen=True, slots=True)
class Came:
    """How the shop came to the partner. `conflict`: another partner's link lost to this partner's claim.

    `link_name` and `receipt` are the partner's own; of another's link nothing is said.
    """

    cause: str
    cause_label: str
    since: datetime | None
    conflict: bool
    link_code: str
    link_name: str
    link_valid: bool | None
    receipt: str
    claims: tuple[ClaimView, ...]


@dataclass(frozen=True, slots=True)
class ShopPage:
    """One shop: the card, what its conditions rest on, what changed, its sales, stock and history."""

    shop: ShopView
    registration_no: str
    country: str
    lines: int
    since: SinceRun | None
    sales: Sales | None
    stock: tuple[Stock, ...]
    happenings: tuple[Happening, ...]
    came: Came

    @property
    def facts(self) -> dict[str, list[Happening]]:
        """What each condition rests on, the latest first."""
        found: dict[str, list[Happening]] = defaultdict(list)
        for happening in self.happenings:
            if happening.condition and len(found[happening.condition]) < FACTS:
                found[happening.condition].append(happening)
        return dict(found)

    def context(self) -> dict[str, Any]:
        """What the templates are given."""
        return {"shop": self.shop, "about": self, "card_facts": self.facts}


def shop_page(*, actor: Actor, run: Run, shop_code: str, partner_id: int | None = None) -> ShopPage | None:
    """One shop of a run, of this partner if one is named; None where there is none or this actor may not see it.

    A constant number of queries, however much happened.
    """
    results = Result.objects.visible_to(actor).filter(run=run, shop__code=shop_code)
    if partner_id is not None:
        results = results.filter(partner=partner_id)
    result = results.select_related(
        "shop__link", "shop__registration", "shop__merchant", "partner", "run__program", "facts__entry"
    ).first()
    if result is None:
        return None
    view = shop_views([result])[0]
    frozen: FrozenShop = result.facts
    stock = stock_of(actor=actor, run=run, frozen=frozen, partner_code=view.partner_code)
    return ShopPage(
        shop=view,
        registration_no=result.shop.merchant.registration_no,
        country=result.shop.merchant.country,
        lines=frozen.lines,
        since=since_run(run, result, frozen, view.lines),
        sales=sales_of(run, frozen),
        stock=stock,
        happenings=timeline(result=result, frozen=frozen, run=run, stock=stock),
        came=_came(result, frozen),
    )


def _came(result: Result, frozen: FrozenShop) -> Came:
    shop = result.shop
    own_link = shop.link if shop.link is not None and shop.link.partner_id == result.partner_id else None
    attribution = (
        Attribution.objects.filter(shop=shop.pk, partner=result.partner_id, batch__recorded_at__isnull=False)
        .select_related("batch")
        .order_by("-batch__recorded_at", "-pk")
        .first()
    )
    names = Q(entry__merchant=frozen.merchant_id)
    if frozen.brand_id is not None:
        names |= Q(entry__brand=frozen.brand_id)
    claims = Claim.objects.filter(names, partner=result.partner_id, entry__program=result.run.program_id)
    return Came(
        cause=frozen.cause,
        cause_label=str(Cause(frozen.cause).label),
        since=attribution.batch.recorded_at if attribution else None,
        conflict=bool(attribution and attribution.lost_by_id is not None),
        link_code=own_link.code if own_link else "",
        link_name=(own_link.label or own_link.code) if own_link else "",
        link_valid=shop.link_valid if own_link else None,
        receipt=shop.registration.receipt if own_link and shop.registration else "",
        claims=tuple(
            ClaimView(claim.entry.code, claim.claimed_at, claim.expires_at, claim.status, claim.get_status_display())
            for claim in claims.select_related("entry").order_by("-claimed_at")[:10]
        ),
    )
