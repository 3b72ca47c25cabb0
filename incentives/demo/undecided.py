"""What the demo's operators have begun and left to somebody else: batches, adjustments, a policy's next version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.actors import Actor
from core.models import Program
from core.services import save_policy_draft
from incentives.models import PaymentBatch, Payout, Run
from incentives.services import (
    create_payment_batch,
    export_payment_batch,
    load_bank_result,
    lock_payment_batch,
    propose_adjustment,
)
from incentives.services.obstacles import in_the_way
from incentives.states import PayoutState

# How many payouts the bank has answered for, are with it, are in a batch that is locked, and in one that is still put
# together. The others that can be paid wait beside them: the largest, which whoever looks at the list sees first.
ANSWERED, WITH_THE_BANK, LOCKED, IN_THE_DRAFT = 2, 3, 1, 2


def leave_undecided(*, run: Run, running: Program, people: Mapping[str, Actor], now: datetime) -> None:
    """Leave work for a second person, once the payouts of `run` have met their fates; `running` gets a draft."""
    _put_into_batches(people["fiona"], run, now)
    _propose(people, run, now)
    _draft_policy(people["olga"], running, at=now - timedelta(hours=2))


def _put_into_batches(finance: Actor, run: Run, now: datetime) -> None:
    """A batch that the bank has answered, one whose file it has since yesterday, one to export, and one to lock."""
    approved = list(Payout.objects.filter(run=run, state=PayoutState.APPROVED).order_by("payable", "pk"))
    stopped = in_the_way(approved)
    ready = [payout for payout in approved if payout.pk not in stopped]
    decided: datetime = max(payout.approved_at for payout in ready if payout.approved_at)

    def made(count: int, at: datetime) -> PaymentBatch:
        chosen = [ready.pop(0) for _ in range(count)]
        return create_payment_batch(actor=finance, payouts=chosen, at=at).batch

    def ago(hours: float) -> datetime:
        # Nothing is put together before it was approved; on the first day all is decided now.
        return max(decided, now - timedelta(hours=hours))

    for count, hours in ((ANSWERED, 8 * 24), (WITH_THE_BANK, 26)):
        batch = lock_payment_batch(actor=finance, batch=made(count, ago(hours)), at=ago(hours))
        export_payment_batch(actor=finance, batch=batch, at=ago(hours))
        if count == ANSWERED:
            load_bank_result(actor=finance, content=_answer(batch), at=ago(hours - 46))
    lock_payment_batch(actor=finance, batch=made(LOCKED, ago(4)), at=ago(4))
    made(IN_THE_DRAFT, ago(3))


def _answer(batch: PaymentBatch) -> bytes:
    """What the bank says of a batch: it paid all but the last, whose account is closed."""
    *paid, refused = batch.items.order_by("reference")
    rows = [f"{item.reference},paid,EXAMPLE-{item.reference},{item.amount}," for item in paid]
    rows.append(f"{refused.reference},refused,,{refused.amount},账户已注销 The account is closed.")
    return "\n".join(("reference,result,bank_reference,amount,reason", *rows)).encode()


def _propose(people: Mapping[str, Actor], run: Run, now: datetime) -> None:
    """Two adjustments, by two people: neither may confirm their own."""
    paid = Payout.objects.filter(run=run, state=PayoutState.PAID).select_related("partner", "program")
    proposals = (
        (
            "olga",
            Decimal("2000.00"),
            "一家商家的结算数据晚到，补计一家。One merchant's settlements came late: it counts after all.",
        ),
        (
            "fiona",
            Decimal("-35.00"),
            "银行退回手续费由服务商承担。The bank's fee for a returned payment is the partner's.",
        ),
    )
    for payout, (who, amount, reason) in zip(paid.order_by("partner__code"), proposals, strict=False):
        propose_adjustment(
            actor=people[who],
            partner=payout.partner,
            program=payout.program,
            amount=amount,
            reason=reason,
            at=now - timedelta(hours=5),
        )


def _draft_policy(reviewer: Actor, program: Program, *, at: datetime) -> None:
    """A lower threshold for the running quarter: whoever opens it sees whom it would help, and what it costs."""
    rules = program.current_policy.rules
    easier = replace(rules, activation=replace(rules.activation, gmv_above=Decimal("800.00")))
    save_policy_draft(actor=reviewer, program_code=program.code, policy=easier, revision=0, at=at)
