"""What finance pays by: approved payouts that can be paid and those that can't, a batch's payments, loaded results."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum

from core.actors import Actor
from core.errors import DomainError
from incentives.exports import Cell, Table
from incentives.models import BankResult, Decision, PaymentBatch, PaymentItem, Payout
from incentives.queries.payments import BatchRow, batch_rows, batches
from incentives.states import DecisionKind, ItemState, PayoutState
from partners.models import Payee
from partners.states import PayeeState


@dataclass(frozen=True, slots=True)
class PayableRow:
    """An approved payout. `code` and `why` say what stands in the way of paying it, empty where nothing does.

    `account`: where it would be paid to, masked; empty where the partner has no confirmed account.
    """

    id: int
    version: int
    program: str
    partner_code: str
    partner_name: str
    amount: Decimal
    currency: str
    account: str
    approved_by: str
    approved_at: datetime | None
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment of a batch as finance reads it. `words`: the bank's reference, or why it refused."""

    reference: str
    payout: int
    version: int
    program: str
    partner_code: str
    partner_name: str
    amount: Decimal
    account: str
    state: str
    state_label: str
    payout_state: str
    words: str
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Part:
    """What has become of some of a batch's payments: how many, and what they come to."""

    state: str
    label: str
    count: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class SettledRow:
    """A payment that a result file has settled."""

    payout: int
    program: str
    partner_code: str
    partner_name: str
    amount: Decimal
    currency: str
    kind: str
    label: str
    words: str


def approved_payouts(actor: Actor) -> QuerySet[Payout]:
    """Payouts that are owed and not sent yet, the largest first."""
    found: QuerySet[Payout] = Payout.objects.visible_to(actor).filter(state=PayoutState.APPROVED)
    return found.select_related("program", "partner", "approved_by").order_by("-payable", "pk")


def payable_rows(payouts: Collection[Payout], obstacles: Mapping[int, DomainError]) -> list[PayableRow]:
    """These payouts, from `approved_payouts`, with what stands in their way. One query."""
    partners = {payout.partner_id for payout in payouts}
    confirmed = Payee.objects.filter(partner__in=partners, state=PayeeState.CONFIRMED)
    accounts = {payee.partner_id: payee.masked for payee in confirmed}
    return [
        PayableRow(
            id=payout.pk,
            version=payout.version,
            program=payout.program.code,
            partner_code=payout.partner.code,
            partner_name=payout.partner.name,
            amount=payout.payable,
            currency=payout.currency,
            account=accounts.get(payout.partner_id, ""),
            approved_by=payout.approved_by.get_full_name() if payout.approved_by else "",
            approved_at=payout.approved_at,
            code=obstacles[payout.pk].code if payout.pk in obstacles else "",
            why=obstacles[payout.pk].message if payout.pk in obstacles else "",
        )
        for payout in payouts
    ]


PAYABLE_COLUMNS = (
    "payout",
    "program",
    "partner_code",
    "partner_name",
    "amount",
    "currency",
    "approved_by",
    "approved_at",
    "obstacle",
    "why",
)


def payable_table(rows: Iterable[PayableRow]) -> Table:
    """The rows as a file has them; no account stands in it."""

    def cells() -> Iterator[Sequence[Cell]]:
        for row in rows:
            yield (
                row.id,
                row.program,
                row.partner_code,
                row.partner_name,
                row.amount,
                row.currency,
                row.approved_by,
                row.approved_at,
                row.code,
                row.why,
            )

    return Table(PAYABLE_COLUMNS, cells())


def batch_row(*, actor: Actor, batch_id: int) -> BatchRow | None:
    """One batch; None where there is none for this actor. One query."""
    found = batch_rows(batches(actor).filter(pk=batch_id))
    return found[0] if found else None


def batch_parts(batch: PaymentBatch) -> list[Part]:
    """What has become of a batch's payments, in the order of their states. One query."""
    rows = batch.items.order_by().values("state").annotate(count=Count("pk"), amount=Sum("amount"))
    found = {row["state"]: row for row in rows}
    return [
        Part(state.value, str(state.label), found[state]["count"], found[state]["amount"])
        for state in ItemState
        if state in found
    ]


def payments_of(batch: PaymentBatch) -> QuerySet[PaymentItem]:
    """A batch's payments, by reference."""
    found: QuerySet[PaymentItem] = batch.items.select_related("payout__program", "payout__partner", "payee")
    return found.order_by("reference")


def payment_views(items: Sequence[PaymentItem]) -> list[PaymentView]:
    """These payments, from `payments_of`, with the bank's words. One query."""
    refused = Decision.objects.filter(
        kind=DecisionKind.REFUSE, payout__in=[item.payout_id for item in items if item.state == ItemState.REFUSED]
    )
    why = {(each.payout_id, each.at): each.reason for each in refused.select_related("reason")}

    def words(item: PaymentItem) -> str:
        if item.state == ItemState.PAID:
            return item.payout.payment_reference
        note = why.get((item.payout_id, item.settled_at)) if item.settled_at is not None else None
        return (note.text or "") if note is not None else ""

    return [
        PaymentView(
            reference=item.reference,
            payout=item.payout_id,
            version=item.payout.version,
            program=item.payout.program.code,
            partner_code=item.payout.partner.code,
            partner_name=item.payout.partner.name,
            amount=item.amount,
            account=item.payee.masked if item.payee else "",
            state=item.state,
            state_label=item.get_state_display(),
            payout_state=item.payout.get_state_display(),
            words=words(item),
            settled_at=item.settled_at,
        )
        for item in items
    ]


def settled_by(result: BankResult) -> QuerySet[Decision]:
    """What a loaded file has decided: its decisions bear its moment and its person. By payout."""
    return (
        Decision.objects.filter(
            at=result.loaded_at, actor=result.loaded_by_id, kind__in=[DecisionKind.PAY, DecisionKind.REFUSE]
        )
        .select_related("payout__program", "payout__partner", "reason")
        .order_by("kind", "payout")
    )


def settled_rows(decisions: Iterable[Decision]) -> list[SettledRow]:
    """These decisions, from `settled_by`, to show. No query."""
    return [
        SettledRow(
            payout=each.payout_id,
            program=each.payout.program.code,
            partner_code=each.payout.partner.code,
            partner_name=each.payout.partner.name,
            amount=each.payout.payable,
            currency=each.payout.currency,
            kind="paid" if each.kind == DecisionKind.PAY else "refused",
            label=each.get_kind_display(),
            words=each.payout.payment_reference
            if each.kind == DecisionKind.PAY
            else (each.reason.text or "" if each.reason else ""),
        )
        for each in decisions
    ]
