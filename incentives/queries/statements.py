"""What a partner is or would be paid: the statement with its lines, its discount, and one closure more (POLICY 5)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from core.actors import Actor
from core.policy import Policy
from core.values import round_money
from incentives.models import Decision, Payout, PayoutLine, PayoutPreview, Result, Run
from incentives.queries.rows import BACKSTAGE
from incentives.states import PROVISIONAL, DecisionKind, LineState, PayoutState, Verdict

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class TierStep:
    """One step of the discount ladder. `start` is a share or a count, as the policy says."""

    start: Decimal | None
    pay: Decimal
    here: bool
    after_next: bool


@dataclass(frozen=True, slots=True)
class DiscountView:
    """Where a partner stands on the ladder, and where one more closed shop would put it."""

    introduced: int
    high_risk: int
    factor: Decimal
    factor_after: Decimal
    net: Decimal
    net_after: Decimal
    by_share: bool
    example: bool
    steps: tuple[TierStep, ...]

    @property
    def loss(self) -> Decimal:
        """What one more closure would cost."""
        return self.net - self.net_after


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


@dataclass(frozen=True, slots=True)
class StepView:
    """One decision in a payout's life, as both sides read it. `who` stays empty towards partners."""

    kind: str
    label: str
    at: datetime
    reason: str
    who: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A partner's amount for one program: of its payout, or of the latest run's preview while there is none."""

    payout_id: int | None
    state: str
    state_label: str
    provisional: bool
    held: bool
    run_id: int
    as_of: datetime
    policy_number: int
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
    paid_at: datetime | None
    reference: str

    @property
    def deducted(self) -> Decimal:
        """What the discount took."""
        return self.base - self.net


def discount_view(rules: Policy, *, introduced: int, high_risk: int, base: Decimal) -> DiscountView:
    """The discount now, and with one more of the introduced shops closed (POLICY 8.5).

    The base stays as it is: what the discount takes is shown alone, not the closed shop's own amount.
    """
    factor = rules.discount.factor(high_risk=high_risk, introduced=introduced)
    after = rules.discount.factor(high_risk=high_risk + 1, introduced=max(introduced, 1))
    tiers: list[tuple[Decimal | None, Decimal]] = [(None, ONE)]
    tiers += [(tier.start, tier.pay) for tier in rules.discount.tiers]
    here, there = _rung(rules, high_risk, introduced), _rung(rules, high_risk + 1, max(introduced, 1))
    return DiscountView(
        introduced=introduced,
        high_risk=high_risk,
        factor=factor,
        factor_after=after,
        net=round_money(base * factor),
        net_after=round_money(base * after),
        by_share=rules.discount.basis == "share",
        example=rules.discount.example,
        steps=tuple(
            TierStep(start, pay, number == here, number == there and there != here)
            for number, (start, pay) in enumerate(tiers)
        ),
    )


def _rung(rules: Policy, high_risk: int, introduced: int) -> int:
    """The place on the ladder, 0 being the undiscounted one."""
    if not high_risk:
        return 0
    scale = introduced if rules.discount.basis == "share" else 1
    return sum(tier.start * scale <= high_risk for tier in rules.discount.tiers)


def statement_of(*, actor: Actor, run: Run, partner_id: int) -> Statement | None:
    """The partner's statement in the run's program: its payout where one was submitted, else the run's preview.

    None where there is neither, or this actor may not see it. Of several payouts the one in life counts, else
    the latest.
    """
    payout = standing_payouts(actor=actor, partner_id=partner_id).get(run.program_id)
    if payout is not None:
        return _of_payout(payout, names=actor.is_operator)
    preview = (
        PayoutPreview.objects.visible_to(actor).filter(run=run, partner=partner_id).select_related("partner").first()
    )
    return _of_preview(preview, run) if preview is not None else None


def standing_payouts(*, actor: Actor, partner_id: int) -> dict[int, Payout]:
    """By program the partner's payout that counts: the one in life, else the latest. One query."""
    payouts = Payout.objects.visible_to(actor).filter(partner=partner_id).select_related("run", "policy", "partner")
    ranked = sorted(payouts, key=lambda payout: (payout.state not in BACKSTAGE, payout.pk))
    return {payout.program_id: payout for payout in ranked}


def _of_payout(payout: Payout, *, names: bool) -> Statement:
    run, rules = payout.run, payout.run.rules
    if run.as_of is None:
        raise ValueError(f"run {run.pk} has no moment")
    lines = payout.lines.select_related("shop").order_by("shop__code")
    return Statement(
        payout_id=payout.pk,
        state=payout.state,
        state_label=payout.get_state_display(),
        provisional=payout.state in PROVISIONAL,
        held=payout.held,
        run_id=run.pk,
        as_of=run.as_of,
        policy_number=payout.policy.number,
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
        paid_at=payout.paid_at,
        reference=payout.payment_reference,
    )


def payout_steps(payout: Payout, *, names: bool) -> tuple[StepView, ...]:
    """The decisions in a payout's life, oldest first. One query.

    Partners read what was decided and why it hurt them; the operators' names and the reasons that were given
    among operators (of a submission, a release) are not theirs.
    """
    hurting = (DecisionKind.RETURN, DecisionKind.HOLD, DecisionKind.VOID, DecisionKind.VOID_LINE)
    told = {*hurting, DecisionKind.REFUSE, DecisionKind.CLAW_BACK, DecisionKind.UNDO_VOID}
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
        payout_id=None,
        state=PayoutState.COMPUTED,
        state_label=str(PayoutState.COMPUTED.label),
        provisional=True,
        held=False,
        run_id=run.pk,
        as_of=run.as_of,
        policy_number=run.policy.number,
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
                "",
            )
            for result in eligible
        ),
        steps=(),
        discount=discount_view(
            run.rules, introduced=preview.introduced, high_risk=preview.high_risk, base=preview.base_amount
        ),
        paid_at=None,
        reference="",
    )
