"""Payment batches: put together, locked, exported or cancelled (POLICY 6). The bank's answer: `bank_results`."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import BadInput, Conflict, DomainError, NotFound
from core.models import Note
from core.states import IllegalTransition
from incentives import policies
from incentives.models import PaymentBatch, PaymentItem, Payout
from incentives.services.desk import lock_payouts, needed_reason
from incentives.services.obstacles import obstacles_to_payment
from incentives.services.sending import send, take_back
from incentives.states import BatchState, ItemState, PayoutState
from partners.models import Payee
from partners.states import PayeeState


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A payout that isn't paid now, and why: `code` is stable, `why` for people."""

    payout_id: int
    partner_code: str
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class BatchReport:
    """A batch as it was put together, with what was asked for and left out."""

    batch: PaymentBatch
    items: int
    total: Decimal
    left_out: tuple[LeftOut, ...]


@transaction.atomic
def create_payment_batch(*, actor: Actor, payouts: Collection[Payout], at: datetime | None = None) -> BatchReport:
    """Put approved payouts of one currency together, to be paid in one file. Nothing is sent by it.

    What can't be paid is left out with its reason: not approved, held, in another batch, without a confirmed payee,
    without the invoice that a setting asks for, one's own partner's. Raises NotAllowed; BadInput where nothing is left
    or the currencies differ.
    """
    at = at or timezone.now()
    policies.ensure(policies.can_prepare_payment(actor))
    found = lock_payouts([payout.pk for payout in payouts])
    confirmed = _confirmed_payees(found)
    left_out = obstacles_to_payment(actor, found)
    chosen = [payout for payout in found if payout.pk not in left_out]
    if not chosen:
        why = next(iter(left_out.values())).message if left_out else _("No payout was named.")
        raise BadInput(_("None of these payouts can be paid now: %(why)s") % {"why": why}, code="nothing_to_pay")
    if len({payout.currency for payout in chosen}) > 1:
        raise BadInput(_("A batch has one currency; make one for each."), code="currencies")
    batch = PaymentBatch.objects.create(currency=chosen[0].currency, created_by_id=_person(actor), created_at=at)
    try:
        with transaction.atomic():
            PaymentItem.objects.bulk_create(
                PaymentItem(
                    batch=batch,
                    payout=payout,
                    payee=confirmed.get(payout.partner_id),
                    reference=f"DY-{batch.pk:06d}-{payout.pk:06d}",
                    amount=payout.payable,
                )
                for payout in chosen
            )
    except IntegrityError:
        raise Conflict(_("One of these payouts was put into another batch just now."), code="in_a_batch") from None
    total = sum((payout.payable for payout in chosen), Decimal(0))
    audit.record(
        actor=actor,
        action="payments.batch_made",
        subject=batch,
        details={"payouts": [payout.pk for payout in chosen], "total": str(total), "currency": batch.currency},
        at=at,
    )
    return BatchReport(batch, len(chosen), total, _left_out(found, left_out))


@transaction.atomic
def drop_from_batch(
    *,
    actor: Actor,
    batch: PaymentBatch,
    payouts: Collection[Payout],
    version: int | None = None,
    at: datetime | None = None,
) -> PaymentBatch:
    """Take payouts out of a draft. Raises NotAllowed, Conflict where it isn't a draft any more, NotFound."""
    at = at or timezone.now()
    policies.ensure(policies.can_prepare_payment(actor))
    batch = ensure_batch(batch, version, BatchState.DRAFT)
    ids = [payout.pk for payout in payouts]
    dropped = batch.items.filter(payout__in=ids, state=ItemState.WAITING).update(state=ItemState.DROPPED, settled_at=at)
    if not ids or dropped != len(set(ids)):
        raise NotFound(_("One of these payouts isn't in the batch."))
    _change(batch)
    audit.record(actor=actor, action="payments.dropped", subject=batch, details={"payouts": sorted(ids)}, at=at)
    return batch


@transaction.atomic
def lock_payment_batch(
    *, actor: Actor, batch: PaymentBatch, version: int | None = None, at: datetime | None = None
) -> PaymentBatch:
    """Lock a draft: its payouts are in payment from now on, and none can be voided any more.

    All or none: raises Conflict that names what can't be paid as it was put together (held, voided, another amount,
    another account); take that out. Raises NotAllowed.
    """
    at = at or timezone.now()
    policies.ensure(policies.can_prepare_payment(actor))
    payouts = lock_payouts(batch.items.filter(state=ItemState.WAITING).values_list("payout", flat=True))
    batch = ensure_batch(batch, version, BatchState.DRAFT)
    items = {item.payout_id: item for item in batch.items.filter(state=ItemState.WAITING)}
    if not items or items.keys() != {payout.pk for payout in payouts}:
        raise Conflict(_("The batch is empty, or has changed just now. Look at it again."), code="stale")
    confirmed = _confirmed_payees(payouts)  # before the look: a change that is stated meanwhile is seen, or waits
    refusals = obstacles_to_payment(actor, payouts, batch=batch)
    for payout in payouts:
        item, payee = items[payout.pk], confirmed.get(payout.partner_id)
        if payout.pk in refusals:
            continue
        if item.amount != payout.payable:
            refusals[payout.pk] = Conflict(_("its amount has changed"), code="amount")
        elif item.payee_id != (payee.pk if payee is not None else None):
            refusals[payout.pk] = Conflict(_("its account has changed"), code="payee")
    if refusals:
        raise Conflict(_first_of(payouts, refusals), code="not_payable")
    batch.locked_by_id, batch.locked_at = actor.user_id, at
    _change(batch, state=BatchState.LOCKED, also=("locked_by", "locked_at"))
    entries = send(actor=actor, payouts=payouts, batch=batch, at=at)
    audit.record_all(actor=actor, entries=entries, at=at)
    return batch


@transaction.atomic
def cancel_payment_batch(
    *, actor: Actor, batch: PaymentBatch, reason: str, version: int | None = None, at: datetime | None = None
) -> PaymentBatch:
    """Give up a batch whose file hasn't been exported: its payouts are approved and owed again.

    Raises NotAllowed, Conflict where it is exported or cancelled, BadInput without a reason.
    """
    at, reason = at or timezone.now(), needed_reason(reason)
    policies.ensure(policies.can_prepare_payment(actor))
    payouts = lock_payouts(batch.items.filter(state=ItemState.WAITING).values_list("payout", flat=True))
    batch = ensure_batch(batch, version, BatchState.DRAFT, BatchState.LOCKED)
    note = Note.objects.create(text=reason)
    entries = [audit.Entry("payments.cancelled", batch, {"note": note.pk, "payouts": [p.pk for p in payouts]})]
    sent = [payout for payout in payouts if payout.state == PayoutState.IN_PAYMENT]
    if batch.state == BatchState.LOCKED and sent:
        entries += take_back(actor=actor, notes=dict.fromkeys(sent, note), at=at)
    batch.items.filter(state=ItemState.WAITING).update(state=ItemState.DROPPED, settled_at=at)
    batch.cancelled_by_id, batch.cancelled_at, batch.cancel_reason = actor.user_id, at, note
    _change(batch, state=BatchState.CANCELLED, also=("cancelled_by", "cancelled_at", "cancel_reason"))
    audit.record_all(actor=actor, entries=entries, at=at)
    return batch


def _left_out(payouts: Collection[Payout], refusals: dict[int, DomainError]) -> tuple[LeftOut, ...]:
    return tuple(
        LeftOut(payout.pk, payout.partner.code, refusals[payout.pk].code, refusals[payout.pk].message)
        for payout in payouts
        if payout.pk in refusals
    )


def _confirmed_payees(payouts: Collection[Payout]) -> dict[int, Payee]:
    """The confirmed accounts of the payouts' partners, locked: a change that is stated meanwhile waits for us."""
    rows = (
        Payee.objects.select_for_update(no_key=True)
        .filter(partner__in={payout.partner_id for payout in payouts}, state=PayeeState.CONFIRMED)
        .order_by("pk")
    )
    return {payee.partner_id: payee for payee in rows}


def ensure_batch(batch: PaymentBatch, version: int | None, *states: BatchState) -> PaymentBatch:
    """Lock a batch and read it anew. Raises Conflict that says who brought it out of `states`, and when."""
    found = (
        PaymentBatch.objects.select_for_update(of=("self",), no_key=True)
        .select_related("locked_by", "exported_by", "cancelled_by")
        .filter(pk=batch.pk)
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such batch."))
    if found.state not in states:
        last: dict[str, tuple[Any, datetime | None]] = {
            BatchState.LOCKED: (found.locked_by, found.locked_at),
            BatchState.EXPORTED: (found.exported_by, found.exported_at),
            BatchState.CANCELLED: (found.cancelled_by, found.cancelled_at),
        }
        who, when = last.get(found.state, (None, None))
        raise IllegalTransition(
            _("The batch is %(state)s: by %(who)s, at %(when)s.")
            % {
                "state": found.get_state_display(),
                "who": who.get_full_name() if who else "–",
                "when": f"{localtime(when):%Y-%m-%d %H:%M}" if when else "–",
            }
        )
    if version is not None and found.version != version:
        raise Conflict(_("This batch has changed since you opened it. Look at it again."), code="stale")
    return found


def _change(batch: PaymentBatch, *, state: BatchState | None = None, also: tuple[str, ...] = ()) -> None:
    batch.version += 1
    if state is not None:
        batch.state = state
    batch.save(update_fields=["version", "state", *also])


def _first_of(payouts: Collection[Payout], refusals: dict[int, DomainError]) -> str:
    named = [payout for payout in payouts if payout.pk in refusals]
    parts = [f"{payout.partner.code} ({refusals[payout.pk].message})" for payout in named[:5]]
    more = f" … (+{len(named) - 5})" if len(named) > 5 else ""
    return _("Some of it can't be paid as it was put together; take it out: %(which)s") % {
        "which": "; ".join(parts) + more
    }


def _person(actor: Actor) -> int:
    if actor.user_id is None:
        raise RuntimeError("a person pays")
    return actor.user_id
