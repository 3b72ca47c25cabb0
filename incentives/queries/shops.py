"""A run's shops in words: the verdict, what is missing and until when, the condition card (POLICY 8)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Case, F, Value, When

from core.actors import Actor
from core.policy import Policy
from core.values import local_date
from incentives.engine.conditions import CONDITION_KEYS, ConditionLine, explain
from incentives.models import FrozenShop, Result, Run
from incentives.queries.deadlines import run_date, until_expression, winnable_until
from incentives.queries.rows import facts_of
from incentives.states import Outcome, Verdict

# While the shop is not certified these wait for nothing else: naming the certification says it all.
_FOLLOW_CERTIFICATION = frozenset({"first_entity", "partner_certified", "activated", "shop_normal"})

# What a verdict is explained by: the condition that decides it (POLICY 3, Verdict).
_DECIDES = {
    Verdict.NOT_ELIGIBLE: Outcome.NOT_MET,
    Verdict.NEEDS_DATA: Outcome.UNKNOWN,
    Verdict.PENDING: Outcome.PENDING,
}

_FACTS = Result._meta.get_field("facts")


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


def shop_views(results: Collection[Result], *, whole: bool = True) -> list[ShopView]:
    """Put these results into words, in their order. One query for all the frozen facts that weren't fetched with them.

    Fetch them with their shop, partner and `run__program`, and perhaps `facts__entry`. Long lists show no more than
    why each stands as it does: not `whole`, a view has no other lines, and takes half the time.
    """
    runs = {result.run_id: result.run for result in results}
    rules = {run.pk: run.rules for run in runs.values()}
    frozen = facts_of(results)
    return [
        _view(result, frozen[result.run_id, result.shop_id], runs[result.run_id], rules[result.run_id], whole=whole)
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


def urgent_shops(*, actor: Actor, run: Run, partner_id: int, by: date, most: int) -> list[ShopView]:
    """The partner's winnable shops to see to first, of those whose deadline is no later than `by`.

    The nearest deadline, then the fewest steps left, then most sold: all are worth the same in one program, so whoever
    is nearest to it is worth the next step most. Two queries: the first sorts with nothing but what sorts them, as a
    long list with all its columns doesn't fit into the memory for it. Index judgement_of_partner.
    """
    lacking = sum((Case(When(**{key: Outcome.PENDING}, then=1), default=0) for key in CONDITION_KEYS), start=Value(0))
    found = Result.objects.visible_to(actor).filter(run=run, partner=partner_id, verdict=Verdict.PENDING)
    if by < run.program.ends_on:
        # Nothing else ends so early; and few of the facts need to be joined.
        found = found.filter(activated=Outcome.PENDING, facts__window_ends_on__range=(run_date(run), by))
    found = found.annotate(until=until_expression(run), lacking=lacking).filter(until__lte=by)
    first = list(
        found.order_by("until", "lacking", F("facts__gmv").desc(nulls_last=True), "shop_id").values_list(
            "shop_id", flat=True
        )[:most]
    )
    whole = Result.objects.visible_to(actor).filter(run=run, shop__in=first)
    results = {row.shop_id: row for row in whole.select_related("shop", "partner", "run__program", "facts__entry")}
    return shop_views([results[shop] for shop in first])


def _view(result: Result, frozen: FrozenShop, run: Run, rules: Policy, *, whole: bool) -> ShopView:
    verdict = Verdict(result.verdict)
    outcomes = {key: getattr(result, key) for key in CONDITION_KEYS}
    deciding = [
        key
        for key, outcome in outcomes.items()
        if outcome == _DECIDES.get(verdict)
        and not (verdict == Verdict.PENDING and frozen.certified_at is None and key in _FOLLOW_CERTIFICATION)
    ]
    lines = tuple(explain(frozen, result, rules, run, keys=CONDITION_KEYS if whole else deciding))
    why = tuple(line for line in lines if line.key in deciding)
    # Not `run_date(run)`: that reads the whole policy anew, for each shop.
    today = local_date(run.as_of, rules.zone) if run.as_of else run.program.ends_on
    until = (
        winnable_until(
            outcomes,
            window_ends_on=frozen.window_ends_on,
            today=today,
            period_last=run.program.ends_on,
        )
        if verdict == Verdict.PENDING
        else None
    )
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
