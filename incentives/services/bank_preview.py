"""What loading a result file of the bank would do, said before anything lands. The same rules as `bank_results`."""

from dataclasses import dataclass
from decimal import Decimal

from core.actors import Actor
from core.errors import DomainError
from incentives import policies
from incentives.bank_formats import PAID, ResultRow, read_result
from incentives.models import PaymentItem
from incentives.services.bank_results import ASIDE, UNCHANGED, Settled, outcome_of
from incentives.states import ItemState

# So many references are looked up in one query.
PIECE = 2000


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """What would become of one row. `outcome`: `paid`, `refused`, `unchanged` or `quarantined` (with `code` and `why`).

    `payout`, `partner_code`, `partner_name`, `amount` and `currency` are empty where the row names no payment of ours.
    `words`: the bank's reference of a paid row, its reason of a refused one.
    """

    line: int
    reference: str
    outcome: str
    payout: int | None
    partner_code: str
    partner_name: str
    amount: Decimal | None
    currency: str
    words: str
    code: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Sum:
    """So many rows of one outcome, and what their payments come to in one currency."""

    outcome: str
    currency: str
    count: int
    amount: Decimal


def preview_bank_result(*, actor: Actor, content: bytes) -> tuple[ExpectedRow, ...]:
    """What `load_bank_result` would do with each row now, in the file's order. Changes nothing.

    A query for each 2,000 rows. Raises NotAllowed, BadInput for what isn't such a file.
    """
    policies.ensure(policies.can_prepare_payment(actor))
    rows = list(read_result(content))
    items = _items({row.reference for row in rows})
    settled: Settled = {}
    return tuple(_expected(actor, row, items.get(row.reference), settled) for row in rows)


def sums_of(rows: tuple[ExpectedRow, ...]) -> list[Sum]:
    """How many rows have which outcome, and what they come to: those that move money first."""
    found: dict[tuple[str, str], Sum] = {}
    for row in rows:
        key = (row.outcome, row.currency if row.outcome != ASIDE else "")
        so_far = found.get(key, Sum(*key, 0, Decimal(0)))
        found[key] = Sum(*key, so_far.count + 1, so_far.amount + (row.amount or 0))
    order = (ItemState.PAID.value, ItemState.REFUSED.value, UNCHANGED, ASIDE)
    return sorted(found.values(), key=lambda each: (order.index(each.outcome), each.currency))


def _items(references: set[str]) -> dict[str, PaymentItem]:
    named = sorted(references)
    found = PaymentItem.objects.select_related("batch", "payout__partner")
    return {
        item.reference: item
        for start in range(0, len(named), PIECE)
        for item in found.filter(reference__in=named[start : start + PIECE])
    }


def _expected(actor: Actor, row: ResultRow, item: PaymentItem | None, settled: Settled) -> ExpectedRow:
    code = why = ""
    try:
        outcome = outcome_of(actor=actor, row=row, item=item, settled=settled)
    except DomainError as refusal:
        outcome, code, why = ASIDE, refusal.code, refusal.message
    payout = item.payout if item is not None else None
    return ExpectedRow(
        line=row.line,
        reference=row.reference,
        outcome=outcome,
        payout=payout.pk if payout is not None else None,
        partner_code=payout.partner.code if payout is not None else "",
        partner_name=payout.partner.name if payout is not None else "",
        amount=item.amount if item is not None else None,
        currency=item.batch.currency if item is not None else "",
        words=row.bank_reference if row.result == PAID else row.reason,
        code=code,
        why=why,
    )
