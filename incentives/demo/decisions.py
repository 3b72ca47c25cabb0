"""What the demo's operators decided on the closed program's payouts: one in every state, by the usual two people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.actors import Actor
from incentives.demo.cast import ALICE, CHARLIE, OVERTURNED, TIER_0, TIER_50, TIER_70
from incentives.demo.payees import Accounts, hand_in_invoices, leave_some_waiting
from incentives.models import Payout, PayoutLine, Run
from incentives.services import (
    approve_payout,
    claw_back,
    hold_payout,
    mark_paid,
    refuse_payment,
    return_payout,
    start_payment,
    submit_run,
    undo_void,
    void_line,
    void_payout,
)
from incentives.states import LineState
from partners.models import Partner

# Submitted although some of their shops wait for data. The other partners with such shops stay `computed`.
SUBMITTED_WITH_A_REASON = (ALICE, CHARLIE, TIER_70, TIER_50, TIER_0, OVERTURNED)
# What happens to whom; the partners that nobody names here take what is left, in the order of their codes.
NAMED_FATES = {
    ALICE: "paid",
    CHARLIE: "in_review",
    TIER_70: "held",
    TIER_50: "approved",
    TIER_0: "approved",  # nothing is left to pay: it closes
    OVERTURNED: "approved",
}
# The first of each first, so that even few partners show every state.
FATES = (
    "returned",
    "payable",
    "clawed_back",
    "void",
    "paid",
    "in_review",
    "payable",
    "line_voided",
    "line_clawed_back",
    "refused",
    "approved_and_held",
    "void_undone",
    "payable",
    "payable",
    "in_review",
)


@dataclass(frozen=True, slots=True)
class Desk:
    """The people who decide, and the moments at which they do: none later than now."""

    people: Mapping[str, Actor]
    opened_at: datetime
    now: datetime
    accounts: Accounts

    def at(self, days: float) -> datetime:
        """A moment so many days after the run."""
        return min(self.opened_at + timedelta(days=days), self.now)


def decide_payouts(*, run: Run, people: Mapping[str, Actor], now: datetime) -> None:
    """Submit `run` and let every payout meet its fate. `now`: no decision is dated later."""
    assert run.as_of is not None  # noqa: S101 - a finished run has one
    desk = Desk(people, run.as_of, now, Accounts(people, run.as_of))
    early = "" if now >= run.rules.closes_at(run.program.period) else "The quarter's figures are needed for the demo. "
    first = submit_run(actor=people["olga"], run=run, reason=early or None, at=desk.at(0.2))
    waiting = Partner.objects.filter(code__in=SUBMITTED_WITH_A_REASON).exclude(
        pk__in=[payout.partner_id for payout in first.payouts]
    )
    second = submit_run(
        actor=people["olga"],
        run=run,
        partners=list(waiting),
        reason=f"{early}少数店铺仍缺数据。Some shops lack data; what turns eligible is adjusted later.",
        at=desk.at(0.3),
    )
    for payout, fate in _fates((*first.payouts, *second.payouts)):
        STEPS[fate](desk, payout)
    hand_in_invoices(people=people, now=now)
    leave_some_waiting(accounts=desk.accounts, now=now)


def _fates(payouts: Iterable[Payout]) -> Iterator[tuple[Payout, str]]:
    unnamed = 0
    for payout in sorted(payouts, key=lambda payout: payout.partner.code):
        fate = NAMED_FATES.get(payout.partner.code)
        if fate is None:
            fate, unnamed = FATES[unnamed % len(FATES)], unnamed + 1
        yield payout, fate


def _approve(desk: Desk, payout: Payout) -> Payout:
    return approve_payout(actor=desk.people["omar"], payout=payout, at=desk.at(2.1))


def _approve_with_account(desk: Desk, payout: Payout) -> Payout:
    desk.accounts.ensure_confirmed(payout.partner)
    return _approve(desk, payout)


def _send(desk: Desk, payout: Payout) -> Payout:
    desk.accounts.ensure_confirmed(payout.partner)
    return start_payment(actor=desk.people["fiona"], payout=_approve(desk, payout), at=desk.at(4))


def _pay(desk: Desk, payout: Payout) -> Payout:
    sent = _send(desk, payout)
    reference = f"DEMO-{payout.program.code}-{payout.partner.code}".upper()
    return mark_paid(actor=desk.people["fiona"], payout=sent, reference=reference, at=desk.at(6.2))


def _refuse(desk: Desk, payout: Payout) -> Payout:
    reason = "收款账户名称不符。The payee's name doesn't match the account."
    return refuse_payment(actor=desk.people["fiona"], payout=_send(desk, payout), reason=reason, at=desk.at(5))


def _return(desk: Desk, payout: Payout) -> Payout:
    reason = "请复核两家店铺的归属后重新提交。Check who brought two of the shops in, then submit again."
    return return_payout(actor=desk.people["omar"], payout=payout, reason=reason, at=desk.at(1.5))


def _hold(desk: Desk, payout: Payout) -> Payout:
    reason = "两家店铺因严重违规被关闭，核查中。Two shops were closed for serious violations; being looked into."
    return hold_payout(actor=desk.people["olga"], payout=payout, reason=reason, at=desk.at(2.5))


def _void(desk: Desk, payout: Payout) -> Payout:
    reason = "伪造入驻材料，取消本季激励。Forged papers: the quarter's incentive is void."
    return void_payout(actor=desk.people["olga"], payout=payout, reason=reason, at=desk.at(1.8))


def _undo_void(desk: Desk, payout: Payout) -> Payout:
    voided = _void(desk, payout)
    decision = voided.decisions.order_by("-pk")[0]
    reason = "申诉成立，材料属实。The papers were genuine after all."
    return undo_void(actor=desk.people["olga"], decision=decision, reason=reason, at=desk.at(3))


def _void_line(desk: Desk, payout: Payout) -> Payout:
    reason = "商家与服务商为同一实际控制人。Merchant and partner are under one control."
    voided = void_line(actor=desk.people["olga"], line=_live_line(payout), reason=reason, at=desk.at(1.8))
    return _approve(desk, voided)


def _claw_back(desk: Desk, payout: Payout) -> Payout:
    reason = "事后校验：店铺由服务商自行下单刷量。Post-audit: the orders were the partner's own."
    return claw_back(actor=desk.people["olga"], payout=_pay(desk, payout), reason=reason, at=desk.at(20))


def _claw_back_line(desk: Desk, payout: Payout) -> Payout:
    reason = "事后校验：一家商家使用虚假主体。Post-audit: one merchant was a sham."
    paid = _pay(desk, payout)
    return claw_back(actor=desk.people["olga"], payout=paid, lines=[_live_line(payout)], reason=reason, at=desk.at(20))


def _live_line(payout: Payout) -> PayoutLine:
    return payout.lines.filter(state=LineState.LIVE).order_by("pk")[0]


STEPS: dict[str, Callable[[Desk, Payout], Payout]] = {
    "in_review": lambda _, payout: payout,
    "held": _hold,
    "returned": _return,
    "approved": _approve,
    "payable": _approve_with_account,
    "approved_and_held": lambda desk, payout: _hold(desk, _approve(desk, payout)),
    "paid": _pay,
    "refused": _refuse,
    "clawed_back": _claw_back,
    "line_clawed_back": _claw_back_line,
    "line_voided": _void_line,
    "void": _void,
    "void_undone": _undo_void,
}
