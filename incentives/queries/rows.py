"""Results and payouts as rows: the columns and cells of CONTRACT.md's exports, for whatever an actor may see."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce

from core.values import plain, round_money
from incentives.engine.conditions import CONDITION_KEYS
from incentives.models import FrozenShop, Payout, PayoutPreview, Result
from incentives.querysets import PreviewQuerySet
from incentives.states import Outcome, PayoutState

# As in the export: the payout in life, else the latest one.
BACKSTAGE = (PayoutState.VOID, PayoutState.RETURNED, PayoutState.CLAWED_BACK)


def result_rows(results: Collection[Result]) -> list[dict[str, Any]]:
    """The export's columns for these results, in their order.

    Fetch the results with their shop, partner and `run__program`; one query gets the facts that weren't fetched.
    """
    frozen = facts_of(results)
    zones = {run.pk: run.rules.zone for run in {result.run_id: result.run for result in results}.values()}
    return [_row(result, frozen[result.run_id, result.shop_id], zones[result.run_id]) for result in results]


def facts_of(results: Collection[Result]) -> dict[tuple[int, int], FrozenShop]:
    """The frozen facts of these results, by run and shop: those fetched with them, and one query for the others."""
    known = {(result.run_id, result.shop_id): result.facts for result in results if Result.facts.is_cached(result)}
    apart = [result for result in results if (result.run_id, result.shop_id) not in known]
    if apart:
        found = FrozenShop.objects.filter(
            run__in={result.run_id for result in apart}, shop__in=[result.shop_id for result in apart]
        ).select_related("entry")
        known |= {(shop.run_id, shop.shop_id): shop for shop in found}
    return known


def _row(result: Result, shop: FrozenShop, zone: Any) -> dict[str, Any]:
    def local(moment: datetime | None) -> str | None:
        return moment.astimezone(zone).isoformat() if moment else None

    gmv: Decimal | None = None if result.activated == Outcome.UNKNOWN else shop.gmv
    return {
        "program": result.run.program.code,
        "run": result.run_id,
        "shop_code": result.shop.code,
        "partner_code": result.partner.code,
        "merchant_name": result.shop.merchant_name,
        "brand": shop.brand_name,
        "market": shop.market,
        "track": shop.track,
        "target_code": shop.entry.code if shop.entry else None,
        "registered_at": local(shop.registered_at),
        "certified_at": local(shop.certified_at),
        "verdict": result.verdict,
        "amount": f"{result.amount:.2f}",
        **{key: getattr(result, key) for key in CONDITION_KEYS},
        "gmv_cny": f"{round_money(gmv):f}" if gmv is not None else None,
        "window_ends_on": shop.window_ends_on,
        "settles_by": shop.settles_by,
        "stock_countries": "|".join(shop.stock_countries),
    }


def with_state(previews: PreviewQuerySet) -> PreviewQuerySet:
    """Annotate each preview with the state of its partner's payout; `computed` where there is none."""
    payouts = (
        Payout.objects.filter(program=OuterRef("run__program"), partner=OuterRef("partner"))
        .annotate(rank=Case(When(state__in=BACKSTAGE, then=Value(1)), default=Value(0)))
        .order_by("rank", "-pk")
        .values("state")[:1]
    )
    annotated: PreviewQuerySet = previews.annotate(state=Coalesce(Subquery(payouts), Value(PayoutState.COMPUTED.value)))
    return annotated


def payout_rows(previews: Collection[PayoutPreview]) -> list[dict[str, Any]]:
    """The export's columns for these previews (of `with_state`, fetched with partner and `run__program`)."""
    return [
        {
            "program": preview.run.program.code,
            "run": preview.run_id,
            "partner_code": preview.partner.code,
            "eligible": preview.eligible,
            "pending": preview.pending,
            "needs_data": preview.needs_data,
            "not_eligible": preview.not_eligible,
            "introduced": preview.introduced,
            "high_risk": preview.high_risk,
            "base_amount": f"{preview.base_amount:.2f}",
            "factor": plain(preview.factor),
            "net_amount": f"{preview.net_amount:.2f}",
            "currency": preview.currency,
            "state": preview.state,  # type: ignore[attr-defined]  # annotated by with_state
        }
        for preview in previews
    ]
