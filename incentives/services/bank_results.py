"""The bank's answer to a batch: each row settles one payment, or is set aside with what is wrong with it (POLICY 6)."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import DomainError
from core.models import Note
from incentives import policies
from incentives.bank_formats import PAID, REFUSED, ResultRow, read_result
from incentives.models import BankResult, BankResultRow, PaymentItem
from incentives.services.desk import lock_payout
from incentives.services.payments import mark_paid, refuse_payment
from incentives.states import BatchState, ItemState


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that nothing was done with. `code` is stable, `message` for people."""

    line: int
    reference: str
    code: str
    message: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResultReport:
    """What loading a result file did; every row is in one of the four counts."""

    result: BankResult
    quarantined: tuple[Quarantined, ...]


def load_bank_result(*, actor: Actor, content: bytes, at: datetime | None = None) -> ResultReport:
    """Settle the payments that a result file tells of (docs/payouts.md); what can't be settled is set aside and told.

    Each row is a transaction of its own: a good row lands whatever the others are, and loading the same file again, or
    one that broke off, changes nothing that is settled. Set aside are unreadable rows, unknown references, amounts that
    aren't ours, payments that aren't with the bank, those that were settled in another way, and held payouts: their
    money has moved, so release them and load the file again. Raises NotAllowed, BadInput for what isn't such a file.
    """
    at = at or timezone.now()
    policies.ensure(policies.can_prepare_payment(actor))
    counts: Counter[str] = Counter()
    aside: list[Quarantined] = []
    for row in read_result(content):
        try:
            counts[_settle(actor, row, at)] += 1
        except DomainError as refusal:
            counts["quarantined"] += 1
            aside.append(Quarantined(row.line, row.reference, refusal.code[:20], refusal.message, row.text))
    return ResultReport(_keep(actor, content, counts, aside, at), tuple(aside))


@transaction.atomic
def _keep(actor: Actor, content: bytes, counts: "Counter[str]", aside: list[Quarantined], at: datetime) -> BankResult:
    result = BankResult.objects.create(
        sha256=hashlib.sha256(content).hexdigest(),
        loaded_by_id=actor.user_id,
        loaded_at=at,
        rows=counts.total(),
        paid=counts["paid"],
        refused=counts["refused"],
        unchanged=counts["unchanged"],
        quarantined=counts["quarantined"],
    )
    notes = Note.objects.bulk_create(Note(text=f"{each.message}\n{each.text}") for each in aside)
    BankResultRow.objects.bulk_create(
        BankResultRow(result=result, line=each.line, code=each.code, note=note)
        for each, note in zip(aside, notes, strict=True)
    )
    audit.record(
        actor=actor,
        action="payments.result_loaded",
        subject=result,
        details={"sha256": result.sha256, "rows": result.rows, **{name: counts[name] for name in sorted(counts)}},
        at=at,
    )
    return result


@transaction.atomic
def _settle(actor: Actor, row: ResultRow, at: datetime) -> str:
    """Settle the row's payment; returns `paid`, `refused` or `unchanged`. Raises DomainError for what is set aside."""
    found = PaymentItem.objects.filter(reference=row.reference).select_related("batch", "payout").first()
    found = ensure_ours(row, found)
    payout = lock_payout(found.payout, None)
    item = PaymentItem.objects.get(pk=found.pk)  # as it is under the payout's lock
    if settled_so(row, item.state, payout.payment_reference):
        return "unchanged"
    wanted = WANTED[row.result]
    if wanted == ItemState.PAID:
        mark_paid(actor=actor, payout=payout, reference=row.bank_reference, at=at)
    else:
        refuse_payment(actor=actor, payout=payout, reason=row.reason, at=at)
    return wanted.value


# What a row's result makes of its payment.
WANTED = {PAID: ItemState.PAID, REFUSED: ItemState.REFUSED}


def ensure_ours(row: ResultRow, item: PaymentItem | None) -> PaymentItem:
    """The payment that a row tells of. Raises DomainError for what is set aside whatever has become of the payment."""
    if row.fault:
        raise DomainError(row.fault, code="malformed")
    if item is None:
        raise DomainError(_("There is no payment %(name)s.") % {"name": row.reference[:60]}, code="unknown_reference")
    if item.batch.state != BatchState.EXPORTED:
        raise DomainError(_("Its batch wasn't exported: the bank can't know of it."), code="not_exported")
    if row.amount is not None and row.amount != item.amount:
        raise DomainError(
            _("Its amount is %(told)s, and %(ours)s was sent.")
            % {"told": f"{row.amount:f}", "ours": f"{item.amount:.2f}"},
            code="amount",
        )
    return item


def settled_so(row: ResultRow, state: str, reference: str) -> bool:
    """Whether a payment in `state`, paid under `reference`, is settled as the row says. Raises where otherwise."""
    wanted = WANTED[row.result]
    if state == wanted and (wanted == ItemState.REFUSED or reference == row.bank_reference):
        return True
    if state != ItemState.WAITING:
        raise DomainError(
            _("This payment is %(state)s already; the bank says otherwise now. Ask the bank.")
            % {"state": ItemState(state).label},
            code="contradiction",
        )
    return False
