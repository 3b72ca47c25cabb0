"""A partner's programs at a glance: what is won, what can still be won, what it would be paid (UX, Overview)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.actors import Actor
from incentives.models import Payout, PayoutPreview, Run
from incentives.queries.discounts import DiscountView, discount_view
from incentives.queries.programs import ProgramOverview, latest_runs, program_overviews
from incentives.queries.shops import ShopView, pending_shops
from incentives.queries.statements import standing_payouts
from incentives.states import PROVISIONAL, PayoutState

WEEK = 7


@dataclass(frozen=True, slots=True)
class PartnerProgram:
    """One program as one partner sees it. `payout_state` is `computed` while nothing was submitted, and `payable`
    then what the run comes to.

    `winnable` can still be won by somebody's doing, the nearest deadline first; `waiting` pending shops can't:
    settlements or a review decide. `this_week` of the winnable end within seven days.
    """

    program: ProgramOverview
    shops: int
    eligible: int
    pending: int
    needs_data: int
    not_eligible: int
    base: Decimal
    payable: Decimal
    at_stake: Decimal
    payout_state: str
    payout_state_label: str
    provisional: bool
    discount: DiscountView
    winnable: tuple[ShopView, ...]
    waiting: int
    this_week: int
    this_week_amount: Decimal

    @property
    def urgent(self) -> tuple[ShopView, ...]:
        """The five nearest deadlines."""
        return self.winnable[:5]


def partner_programs(
    *, actor: Actor, partner_id: int, now: datetime | None = None
) -> tuple[list[PartnerProgram], list[ProgramOverview]]:
    """The programs in which the partner has a shop, and the others. A constant number of queries."""
    runs = {run.program_id: run for run in latest_runs()}
    previews = {
        preview.run_id: preview
        for preview in PayoutPreview.objects.visible_to(actor).filter(run__in=list(runs.values()), partner=partner_id)
    }
    payouts = standing_payouts(actor=actor, partner_id=partner_id)
    pending: dict[int, list[ShopView]] = defaultdict(list)
    for view in pending_shops(actor=actor, runs=runs.values(), partner_id=partner_id):
        pending[view.run_id].append(view)
    mine: list[PartnerProgram] = []
    others: list[ProgramOverview] = []
    for program in program_overviews(now=now):
        run = runs.get(program.id)
        preview = previews.get(run.pk) if run else None
        if run is None or preview is None:
            others.append(program)
        else:
            mine.append(
                _of(
                    program,
                    preview,
                    pending[run.pk],
                    run.rules.incentive.amount,
                    _discount(preview, run),
                    payouts.get(program.id),
                )
            )
    return mine, others


def _discount(preview: PayoutPreview, run: Run) -> DiscountView:
    return discount_view(
        run.rules, introduced=preview.introduced, high_risk=preview.high_risk, base=preview.base_amount
    )


def _of(
    program: ProgramOverview,
    preview: PayoutPreview,
    pending: list[ShopView],
    each: Decimal,
    discount: DiscountView,
    payout: Payout | None,
) -> PartnerProgram:
    winnable = tuple(view for view in pending if view.winnable)
    soon = sum(1 for view in winnable if view.days_left is not None and view.days_left < WEEK)
    state = PayoutState(payout.state) if payout else PayoutState.COMPUTED
    return PartnerProgram(
        program=program,
        shops=preview.eligible + preview.pending + preview.needs_data + preview.not_eligible,
        eligible=preview.eligible,
        pending=preview.pending,
        needs_data=preview.needs_data,
        not_eligible=preview.not_eligible,
        base=preview.base_amount,
        payable=payout.payable if payout else preview.net_amount,
        at_stake=each * len(winnable),
        payout_state=state.value,
        payout_state_label=str(state.label),
        provisional=state in PROVISIONAL,
        discount=discount,
        winnable=winnable,
        waiting=len(pending) - len(winnable),
        this_week=soon,
        this_week_amount=each * soon,
    )
