"""A run's shops in words: the verdict, what is missing and until when, the condition card (POLICY 8)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.actors import Actor
from core.policy import Policy
from core.values import local_date
from incentives.engine.conditions import ConditionLine, explain
from incentives.models import FrozenShop, Result, Run
from incentives.states import Outcome, Verdict

# While the shop is not certified these wait for nothing else: naming the certification says it all.
_FOLLOW_CERTIFICATION = frozenset({"first_entity", "partner_certified", "activated", "shop_normal"})

# What a verdict is explained by: the condition that decides it (POLICY 3, Verdict).
_DECIDES = {
    Verdict.NOT_ELIGIBLE: Outcome.NOT_MET,
    Verdict.NEEDS_DATA: Outcome.UNKNOWN,
    Verdict.PENDING: Outcome.PENDING,
}


@dataclass(frozen=True, slots=True)
class ShopView:
    """One shop of a run as a partner or operator reads it. `why` are the lines that decide the verdict.

    `until` is the last day on which something can still be won, `days_left` counts to it from the run's date;
    both None where nothing can: the shop is through, lost, or only waits (for settlements, a review, data).
    """

    run_id: int
    code: str
    merchant_name: str
    brand: str | None
    market: str
    partner_code: str
    verdict: str
    verdict_label: str
    amount: Decimal
    registered_at: datetime
    certified_at: datetime | None
    lines: tuple[ConditionLine, ...]
    why: tuple[ConditionLine, ...]
    until: date | None
    days_left: int | None
    high_risk: bool
    today: date

    @property
    def winnable(self) -> bool:
        """Somebody can still do something for it."""
        return self.days_left is not None

    @property
    def met(self) -> int:
        """How many of the conditions that apply are met."""
        return sum(line.outcome == Outcome.MET for line in self.lines)

    @property
    def applicable(self) -> int:
        """How many conditions apply."""
        return sum(line.outcome != Outcome.NOT_APPLICABLE for line in self.lines)


def shop_views(results: Collection[Result]) -> list[ShopView]:
    """Put these results into words, in their order. One query for all the frozen facts.

    Fetch them with their shop, partner and `run__program`.
    """
    runs = {result.run_id: result.run for result in results}
    rules = {run.pk: run.rules for run in runs.values()}
    frozen = {
        (shop.run_id, shop.shop_id): shop
        for shop in FrozenShop.objects.filter(
            run__in=runs, shop__in=[result.shop_id for result in results]
        ).select_related("entry")
    }
    return [
        _view(result, frozen[result.run_id, result.shop_id], runs[result.run_id], rules[result.run_id])
        for result in results
    ]


def shop_view(*, actor: Actor, run: Run, shop_code: str) -> ShopView | None:
    """One shop of a run, or None where there is none or this actor may not see it."""
    found = Result.objects.visible_to(actor).filter(run=run, shop__code=shop_code)
    return next(iter(shop_views(list(found.select_related("shop", "partner", "run__program")))), None)


def pending_shops(*, actor: Actor, runs: Iterable[Run], partner_id: int) -> list[ShopView]:
    """The partner's pending shops in these runs: what can still be won first, the nearest deadline first."""
    pending = (
        Result.objects.visible_to(actor)
        .filter(run__in=list(runs), partner=partner_id, verdict=Verdict.PENDING)
        .select_related("shop", "partner", "run__program")
    )
    return sorted(shop_views(list(pending)), key=lambda view: (view.until or date.max, view.code))


def _view(result: Result, frozen: FrozenShop, run: Run, rules: Policy) -> ShopView:
    lines = tuple(explain(frozen, result, rules, run))
    verdict = Verdict(result.verdict)
    why = tuple(
        line
        for line in lines
        if line.outcome == _DECIDES.get(verdict)
        and not (verdict == Verdict.PENDING and frozen.certified_at is None and line.key in _FOLLOW_CERTIFICATION)
    )
    today = local_date(run.as_of, rules.zone) if run.as_of else run.program.ends_on
    until = _winnable_until(frozen, lines, today) if verdict == Verdict.PENDING else None
    return ShopView(
        run_id=run.pk,
        code=result.shop.code,
        merchant_name=result.shop.merchant_name,
        brand=frozen.brand_name,
        market=frozen.market,
        partner_code=result.partner.code,
        verdict=verdict.value,
        verdict_label=str(verdict.label),
        amount=result.amount,
        registered_at=frozen.registered_at,
        certified_at=frozen.certified_at,
        lines=lines,
        why=why,
        until=until,
        days_left=(until - today).days if until else None,
        high_risk=frozen.high_risk,
        today=today,
    )


def _winnable_until(frozen: FrozenShop, lines: Iterable[ConditionLine], today: date) -> date | None:
    """The nearest deadline of what is still to be done; None where all that is left is to wait (UX 7)."""
    deadlines = []
    for line in lines:
        if line.outcome != Outcome.PENDING or line.until is None:
            continue
        if line.key == "activated" and (frozen.window_ends_on is None or today > frozen.window_ends_on):
            return None  # nothing more can be sold: settlements decide
        deadlines.append(line.until)
    return min(deadlines, default=None)
