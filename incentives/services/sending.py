"""Many payouts into payment, paid, and back, in a few statements: for a batch, the bank's answer, and `payments`' one.

Whoever calls has locked the payouts' rows, has looked whether each may make the move, and writes the trail.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Case, F, Value, When

from core import audit
from core.actors import Actor
from core.models import Note
from incentives import ledger, notices
from incentives.models import Decision, PaymentBatch, PaymentItem, Payout, Posting
from incentives.services.desk import told
from incentives.states import Account, DecisionKind, ItemState, PayoutState


def send(*, actor: Actor, payouts: list[Payout], batch: PaymentBatch, at: datetime) -> list[audit.Entry]:
    """Bring approved payouts into payment. Returns what the trail has to tell of it."""
    decisions = _move(actor, payouts, PayoutState.IN_PAYMENT, DecisionKind.START_PAYMENT, at, batch=batch)
    ledger.post_all(
        [
            ledger.movement(
                cause=f"decision:{decision.pk}",
                payout=decision.payout,
                entries={
                    Account.PARTNER_PAYABLE: decision.payout.payable,
                    Account.IN_TRANSIT: -decision.payout.payable,
                },
            )
            for decision in decisions
        ],
        at=at,
    )
    details = {"payouts": [payout.pk for payout in payouts], "currency": batch.currency}
    return [
        audit.Entry("payments.locked", batch, details),
        *(
            audit.Entry("payout.sent_to_payment", decision.payout, told(decision, decision.payout))
            for decision in decisions
        ),
    ]


def pay(*, actor: Actor, references: Mapping[Payout, str], at: datetime) -> list[audit.Entry]:
    """Record that the bank has paid payouts, each under its reference. Returns what the trail has to tell of it."""
    for payout, reference in references.items():
        payout.paid_at, payout.payment_reference = at, reference
    each_its_own = Case(*(When(pk=payout.pk, then=Value(reference)) for payout, reference in references.items()))
    also = {"paid_at": at, "payment_reference": each_its_own}
    decisions = _move(actor, references.keys(), PayoutState.PAID, DecisionKind.PAY, at, also=also)
    _settle(references.keys(), ItemState.PAID, at)
    ledger.post_all(
        [
            ledger.movement(
                cause=f"decision:{decision.pk}",
                payout=decision.payout,
                entries={Account.IN_TRANSIT: decision.payout.payable, Account.CASH: -decision.payout.payable},
            )
            for decision in decisions
        ],
        at=at,
    )
    return [audit.Entry("payout.paid", decision.payout, told(decision, decision.payout)) for decision in decisions]


def refuse(*, actor: Actor, reasons: Mapping[Payout, str], at: datetime) -> list[audit.Entry]:
    """Record that the bank refused payouts, each for its reason. Returns what the trail has to tell of it."""
    notes = Note.objects.bulk_create(Note(text=reason) for reason in reasons.values())
    entries = take_back(actor=actor, notes=dict(zip(reasons, notes, strict=True)), at=at)
    _settle(reasons.keys(), ItemState.REFUSED, at)
    return entries


def take_back(*, actor: Actor, notes: Mapping[Payout, Note], at: datetime) -> list[audit.Entry]:
    """Bring payouts in payment back, each for what its note says: they are approved and owed again.

    Returns what the trail has to tell of it.
    """
    decisions = _move(actor, notes.keys(), PayoutState.APPROVED, DecisionKind.REFUSE, at, notes=notes)
    sent = (
        Posting.objects.filter(payout__in=notes, reverses=None, reversed_by=None, entries__account=Account.IN_TRANSIT)
        .prefetch_related("entries")
        .order_by("pk")
    )
    if len(sent) != len(notes):
        raise RuntimeError("a payout in payment has one posting that brought it there")
    ledger.post_all(
        [
            ledger.Movement(
                cause=f"reverse:{posting.pk}",
                program_id=posting.program_id,
                partner_id=posting.partner_id,
                currency=posting.entries.all()[0].currency,
                entries={Account(entry.account): -entry.amount for entry in posting.entries.all()},
                payout_id=posting.payout_id,
                reverses_id=posting.pk,
            )
            for posting in sent
        ],
        at=at,
    )
    return [
        audit.Entry("payout.payment_refused", decision.payout, told(decision, decision.payout))
        for decision in decisions
    ]


def _settle(payouts: Collection[Payout], state: ItemState, at: datetime) -> None:
    """What is said of a payout is said of its payment in a batch too, if there is one."""
    PaymentItem.objects.filter(payout__in=payouts, state=ItemState.WAITING).update(state=state, settled_at=at)


def _move(
    actor: Actor,
    payouts: Collection[Payout],
    state: PayoutState,
    kind: DecisionKind,
    at: datetime,
    *,
    notes: Mapping[Payout, Note] | None = None,
    batch: PaymentBatch | None = None,
    also: Mapping[str, Any] | None = None,
) -> list[Decision]:
    """Bring all of `payouts`, which are locked and may make this move, into a state, in a few statements.

    `also`: what else is stored with the state, as an update takes it.
    """
    before = {payout.pk: payout.state for payout in payouts}
    Payout.objects.filter(pk__in=before).update(state=state, version=F("version") + 1, **(also or {}))
    for payout in payouts:
        payout.state, payout.version = state, payout.version + 1
    notices.tell_of(kind, payouts, at=at)
    return Decision.objects.bulk_create(
        Decision(
            payout=payout,
            kind=kind,
            actor_id=actor.user_id,
            at=at,
            reason=notes[payout] if notes is not None else None,
            state_before=before[payout.pk],
            state_after=state,
            details={
                "version": payout.version,
                "payable": str(payout.payable),
                **({"batch": batch.pk} if batch is not None else {}),
            },
        )
        for payout in payouts
    )
