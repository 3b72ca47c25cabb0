"""What a partner is or would be paid: the statement with its lines, its discount, and its life (POLICY 5 and 6)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Case, When
from django.utils.translation import gettext as _

from core.actors import Actor
from core.models import PolicyVersion, Program
from incentives.models import Decision, Payout, PayoutLine, PayoutPreview, Result, Run
from incentives.queries.discounts import DiscountView, discount_view
from incentives.queries.rows import BACKSTAGE
from incentives.querysets import PayoutQuerySet
from incentives.states import PROVISIONAL, DecisionKind, LineState, PayoutState, Verdict
from partners.models import Partner

ZERO = Decimal(0)
# What a preview's lines are: a submission makes payout lines of them (see PayoutLine).
COMPONENT = "incentive"


@dataclass(frozen=True, slots=True)
class LineView:
    """One shop's part of a payout."""

    shop_code: str
    merchant_name: str
    brand: str | None
    amount: Decimal
    state: str
    state_label: str
    note: str
    component: str
    withheld_for: str


@dataclass(frozen=True, slots=True)
class StepView:
    """One decision in a payout's life, as both sides read it. `who` stays empty towards partners."""

    kind: str
    label: str
    at: datetime
    reason: str
    who: str


@dataclass(frozen=True, slots=True)
class Sibling:
    """A payout of the same partner and program: each submission after a return or a void makes another."""

    payout_id: int
    state: str
    state_label: str
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Statement:
    """A partner's amount for one program: of its payout, or of the latest run's preview while there is none."""

    program: Program
    partner: Partner
    payout_id: int | None
    state: str
    state_label: str
    provisional: bool
    held: bool
    run_id: int
    as_of: datetime
    policy: PolicyVersion
    digest: str
    currency: str
    base: Decimal
    factor: Decimal
    net: Decimal
    adjustments: Decimal
    payable: Decimal
    lines: tuple[LineView, ...]
    steps: tuple[StepView, ...]
    discount: DiscountView
    # Whether it is the program's own: false for a payout that another one has taken the place of.
    counts: bool = True
    siblings: tuple[Sibling, ...] = ()
    submitted_at: datetime | None = None
    approved_at: datetime | None = None
    paid_at: datetime | None = None
    reference: str = ""

    @property
    def deducted(self) -> Decimal:
        """What the discount took."""
        return self.base - self.net


def statement_of(*, actor: Actor, run: Run, partner_id: int, payout_id: int | None = None) -> Statement | None:
    """The partner's statement in the run's program: its payout where one was submitted, else the run's preview.

    None where there is neither, or this actor may not see it. Of several payouts the one in life counts, else
    the latest; `payout_id` asks for another of them.
    """
    payouts = list(_payouts(actor, partner_id).filter(program=run.program_id))
    if payouts or payout_id is not None:
        asked = [payout for payout in payouts if payout_id in (None, payout.pk)]
        return _of_payout(asked[-1], payouts, names=actor.is_operator) if asked else None
    preview = (
        PayoutPreview.objects.visible_to(actor).filter(run=run, partner=partner_id).select_related("partner").first()
    )
    return _of_preview(preview, run) if preview is not None else None


def _payouts(actor: Actor, partner_id: int) -> PayoutQuerySet:
    """The partner's payouts, the one that counts for its program last: the one in life, else the latest."""
    return (
        Payout.objects.visible_to(actor)
        .filter(partner=partner_id)
        .select_related("run", "policy", "partner", "program")
        .order_by(Case(When(state__in=BACKSTAGE, then=0), default=1), "pk")
    )


def standing_payouts(*, actor: Actor, partner_id: int) -> dict[int, Payout]:
    """By program the partner's payout that counts: the one in life, else the latest. One query."""
    return {payout.program_id: payout for payout in _payouts(actor, partner_id)}


def _of_payout(payout: Payout, payouts: list[Payout], *, names: bool) -> Statement:
    run, rules = payout.run, payout.run.rules
    if run.as_of is None:
        raise ValueError(f"run {run.pk} has no moment")
    lines = payout.lines.select_related("shop").order_by("shop__code")
    return Statement(
        program=payout.program,
        partner=payout.partner,
        payout_id=payout.pk,
        state=payout.state,
        state_label=payout.get_state_display(),
        provisional=payout.state in PROVISIONAL,
        held=payout.held,
        run_id=run.pk,
        as_of=run.as_of,
        policy=payout.policy,
        digest=run.digest,
        currency=payout.currency,
        base=payout.base_amount,
        factor=payout.factor,
        net=payout.net_amount,
        adjustments=payout.adjustments,
        payable=payout.payable,
        lines=tuple(_line(line) for line in lines),
        steps=payout_steps(payout, names=names),
        discount=discount_view(
            rules, introduced=payout.introduced, high_risk=payout.high_risk, base=payout.base_amount
        ),
        counts=payout is payouts[-1],
        siblings=tuple(
            Sibling(other.pk, other.state, other.get_state_display(), other.submitted_at)
            for other in reversed(payouts)
            if other.pk != payout.pk
        ),
        submitted_at=payout.submitted_at,
        approved_at=payout.approved_at,
        paid_at=payout.paid_at,
        reference=payout.payment_reference,
    )


def payout_steps(payout: Payout, *, names: bool) -> tuple[StepView, ...]:
    """The decisions in a payout's life, oldest first. One query.

    Partners read what was decided and why it hurt them; the operators' names and the reasons that were given
    among operators (of a submission, a release) are not theirs.
    """
    hurting = (DecisionKind.RETURN, DecisionKind.HOLD, DecisionKind.VOID, DecisionKind.VOID_LINE)
    told = {*hurting, DecisionKind.REFUSE, DecisionKind.CLAW_BACK, DecisionKind.UNDO_VOID, DecisionKind.ADJUST}
    decisions = Decision.objects.filter(payout=payout).select_related("reason", "actor", "line__shop").order_by("pk")
    return tuple(
        StepView(
            kind=decision.kind,
            label=decision.get_kind_display() + (f" · {decision.line.shop.code}" if decision.line else ""),
            at=decision.at,
            reason=(decision.reason.text or "") if decision.reason and (names or decision.kind in told) else "",
            who=decision.actor.get_full_name() if names and decision.actor else "",
        )
        for decision in decisions
    )


def _line(line: PayoutLine) -> LineView:
    return LineView(
        shop_code=line.shop.code,
        merchant_name=line.shop.merchant_name,
        brand=line.shop.brand_name,
        amount=line.amount,
        state=line.state,
        state_label=_("Counts") if line.state == LineState.LIVE else line.get_state_display(),
        note=line.get_withheld_for_display() if line.state == LineState.WITHHELD else "",
        component=line.component,
        withheld_for=line.withheld_for,
    )


def _of_preview(preview: PayoutPreview, run: Run) -> Statement:
    if run.as_of is None or run.policy is None:
        raise ValueError(f"run {run.pk} has no moment")
    eligible = (
        Result.objects.filter(run=run, partner=preview.partner_id, verdict=Verdict.ELIGIBLE)
        .select_related("shop")
        .order_by("shop__code")
    )
    return Statement(
        program=run.program,
        partner=preview.partner,
        payout_id=None,
        state=PayoutState.COMPUTED,
        state_label=str(PayoutState.COMPUTED.label),
        provisional=True,
        held=False,
        run_id=run.pk,
        as_of=run.as_of,
        policy=run.policy,
        digest=run.digest,
        currency=preview.currency,
        base=preview.base_amount,
        factor=preview.factor,
        net=preview.net_amount,
        adjustments=ZERO,
        payable=preview.net_amount,
        lines=tuple(
            LineView(
                result.shop.code,
                result.shop.merchant_name,
                result.shop.brand_name,
                result.amount,
                PayoutState.COMPUTED,
                str(PayoutState.COMPUTED.label),
                note="",
                component=COMPONENT,
                withheld_for="",
            )
            for result in eligible
        ),
        steps=(),
        discount=discount_view(
            run.rules, introduced=preview.introduced, high_risk=preview.high_risk, base=preview.base_amount
        ),
    )
