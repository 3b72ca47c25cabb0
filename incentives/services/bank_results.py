"""The bank's answer to a batch: each row settles one payment, or is set aside with what is wrong with it (POLICY 6)."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
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
from incentives.models import BankResult, BankResultRow, PaymentItem, Payout
from incentives.services.desk import lock_payouts
from incentives.services.payments import ensure_payable, ensure_refusable
from incentives.services.sending import pay, refuse
from incentives.states import BatchState, ItemState

# So many rows are settled in one transaction: their payouts and the trail are locked till its end.
PIECE = 200
# What a row's result makes of its payment.
WANTED = {PAID: ItemState.PAID, REFUSED: ItemState.REFUSED}
UNCHANGED, ASIDE = "unchanged", "quarantined"


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

    Rows are settled in the file's order and in pieces of 200: each is one transaction, of so many statements however
    many rows it has. A good row lands whatever the others are. A file that breaks off leaves whole pieces; loading it
    again settles the rest, and changes nothing that is settled. Set aside are unreadable rows, unknown references,
    amounts that aren't ours, payments that aren't with the bank, those that were settled in another way, and held
    payouts: their money has moved, so release them and load the file again. Raises NotAllowed; BadInput for what isn't
    such a file, and then nothing of it lands.
    """
    at = at or timezone.now()
    policies.ensure(policies.can_prepare_payment(actor))
    rows = list(read_result(content))
    counts: Counter[str] = Counter()
    aside: list[Quarantined] = []
    for start in range(0, len(rows), PIECE):
        piece = rows[start : start + PIECE]
        for row, answer in zip(piece, _settle(actor, piece, at), strict=True):
            if isinstance(answer, DomainError):
                counts[ASIDE] += 1
                aside.append(Quarantined(row.line, row.reference, answer.code[:20], answer.message, row.text))
            else:
                counts[answer] += 1
    return ResultReport(_keep(actor, content, counts, aside, at), tuple(aside))


@transaction.atomic
def _settle(actor: Actor, rows: Sequence[ResultRow], at: datetime) -> list[str | DomainError]:
    """Settle the rows' payments; returns of each row `paid`, `refused` or `unchanged`, or why it is set aside."""
    named = PaymentItem.objects.filter(reference__in={row.reference for row in rows if not row.fault})
    payouts = {payout.pk: payout for payout in lock_payouts(named.values_list("payout", flat=True))}
    # As they are under the payouts' locks.
    items = {item.reference: item for item in named.filter(payout__in=payouts).select_related("batch")}
    for found in items.values():
        found.payout = payouts[found.payout_id]
    answers: list[str | DomainError] = []
    settled: Settled = {}
    said: dict[Payout, ResultRow] = {}
    for row in rows:
        item = items.get(row.reference)
        try:
            answer = outcome_of(actor=actor, row=row, item=item, settled=settled)
        except DomainError as refusal:
            answers.append(refusal)
            continue
        answers.append(answer)
        if item is not None and answer != UNCHANGED:
            said[item.payout] = row
    _write(actor, said, at)
    return answers


def _write(actor: Actor, said: Mapping[Payout, ResultRow], at: datetime) -> None:
    """Settle these payouts as their rows say; the trail tells of them in the file's order."""
    paid = {payout: row.bank_reference for payout, row in said.items() if row.result == PAID}
    refused = {payout: row.reason for payout, row in said.items() if row.result == REFUSED}
    told: dict[Payout, audit.Entry] = {}
    if paid:
        told |= zip(paid, pay(actor=actor, references=paid, at=at), strict=True)
    if refused:
        told |= zip(refused, refuse(actor=actor, reasons=refused, at=at), strict=True)
    audit.record_all(actor=actor, entries=[told[payout] for payout in said], at=at)


@transaction.atomic
def _keep(actor: Actor, content: bytes, counts: "Counter[str]", aside: list[Quarantined], at: datetime) -> BankResult:
    result = BankResult.objects.create(
        sha256=hashlib.sha256(content).hexdigest(),
        loaded_by_id=actor.user_id,
        loaded_at=at,
        rows=counts.total(),
        paid=counts["paid"],
        refused=counts["refused"],
        unchanged=counts[UNCHANGED],
        quarantined=counts[ASIDE],
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


# What earlier rows of a file have made of a payment, by its id: its state, and the bank's reference.
Settled = dict[int, tuple[str, str]]


def outcome_of(*, actor: Actor, row: ResultRow, item: PaymentItem | None, settled: Settled) -> str:
    """What becomes of a row: `paid`, `refused` or `unchanged`. Raises DomainError for what is set aside.

    `item` is the payment that it names, with its batch and payout as they are before the file; what the row makes of it
    is added to `settled`. Changes nothing else: loading goes by it, and so does the look at a file before it lands.
    """
    item = _ensure_ours(row, item)
    state, reference = settled.get(item.pk, (item.state, item.payout.payment_reference))
    if _settled_so(row, state, reference):
        return UNCHANGED
    wanted = WANTED[row.result]
    (ensure_payable if wanted == ItemState.PAID else ensure_refusable)(actor, item.payout)
    settled[item.pk] = (wanted, row.bank_reference)
    return wanted.value


def _ensure_ours(row: ResultRow, item: PaymentItem | None) -> PaymentItem:
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


def _settled_so(row: ResultRow, state: str, reference: str) -> bool:
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
