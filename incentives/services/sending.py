"""Many payouts into payment and back, in a few statements: what a batch does, and `payments` for one.

Whoever calls has the payouts' rows, has looked whether each may make the move, and writes the trail.
"""

from datetime import datetime

from django.db.models import F

from core import audit
from core.actors import Actor
from core.models import Note
from incentives import ledger, notices
from incentives.models import Decision, PaymentBatch, Payout, Posting
from incentives.services.desk import told
from incentives.states import Account, DecisionKind, PayoutState


def send(*, actor: Actor, payouts: list[Payout], batch: PaymentBatch, at: datetime) -> list[audit.Entry]:
    """Bring approved payouts into payment. Returns what the trail has to tell of it."""
    decisions = _move(actor, payouts, PayoutState.IN_PAYMENT, DecisionKind.START_PAYMENT, None, at, batch)
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


def take_back(*, actor: Actor, payouts: list[Payout], note: Note, at: datetime) -> list[audit.Entry]:
    """Bring payouts in payment back: they are approved and owed again. Returns what the trail has to tell of it."""
    decisions = _move(actor, payouts, PayoutState.APPROVED, DecisionKind.REFUSE, note, at, None)
    sent = Posting.objects.filter(
        payout__in=payouts, reverses=None, reversed_by=None, entries__account=Account.IN_TRANSIT
    ).prefetch_related("entries")
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


def _move(
    actor: Actor,
    payouts: list[Payout],
    state: PayoutState,
    kind: DecisionKind,
    note: Note | None,
    at: datetime,
    batch: PaymentBatch | None,
) -> list[Decision]:
    """Bring all of `payouts`, which are locked and may make this move, into a state, in a few statements."""
    before = {payout.pk: payout.state for payout in payouts}
    Payout.objects.filter(pk__in=before).update(state=state, version=F("version") + 1)
    for payout in payouts:
        payout.state, payout.version = state, payout.version + 1
    notices.tell_of(kind, payouts, at=at)
    return Decision.objects.bulk_create(
        Decision(
            payout=payout,
            kind=kind,
            actor_id=actor.user_id,
            at=at,
            reason=note,
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
