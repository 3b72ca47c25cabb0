"""Payment batches, the bank's results and adjustments, as operators read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from core.actors import Actor, Capability
from incentives.models import Adjustment, BankResult, BulkDecision, PaymentBatch, PaymentItem
from incentives.states import AdjustmentState, BatchState, BulkOutcome, ItemState

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch with the numbers of its payments by what became of them. `total` leaves out what was taken out."""

    id: int
    state: str
    state_label: str
    version: int
    currency: str
    payments: int
    total: Decimal
    waiting: int
    paid: int
    refused: int
    created_by: str
    created_at: datetime
    locked_at: datetime | None
    exported_at: datetime | None
    file_sha256: str


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One payment of a batch. The account is masked; the bank's words on a refusal stand in the payout's decisions."""

    reference: str
    payout: int
    program: str
    partner_code: str
    amount: Decimal
    account: str
    state: str
    state_label: str
    bank_reference: str
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class BankResultRowView:
    """A row that was set aside."""

    line: int
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class BankResultView:
    """A result file that was loaded."""

    id: int
    sha256: str
    loaded_by: str
    loaded_at: datetime
    rows: int
    paid: int
    refused: int
    unchanged: int
    quarantined: int
    quarantine: tuple[BankResultRowView, ...]


@dataclass(frozen=True, slots=True)
class AdjustmentView:
    """An adjustment. `who` proposed it, `decider` decided; both stay empty towards partners."""

    id: int
    partner_code: str
    program: str
    kind: str
    kind_label: str
    state: str
    state_label: str
    version: int
    amount: Decimal
    currency: str
    payout: int | None
    run: int | None
    reason: str
    reference: str
    who: str
    proposed_at: datetime
    decider: str
    decided_at: datetime | None
    decision_reason: str


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """How far a decision on many payouts has come."""

    id: int
    step: str
    total: int
    waiting: int
    done: int
    refused: int
    asked_at: datetime
    finished_at: datetime | None
    refusals: tuple[tuple[int, str, str], ...]


def batches(actor: Actor) -> QuerySet[PaymentBatch]:
    """Batches for operators, none for others; the newest first, with what `batch_rows` needs."""
    if not actor.can(Capability.VIEW_EVERYTHING):
        return PaymentBatch.objects.none()
    kept = ~Q(items__state=ItemState.DROPPED)
    return (
        PaymentBatch.objects.select_related("created_by")
        .annotate(
            payments=Count("items", filter=kept),
            total=Sum("items__amount", filter=kept),
            **{
                f"count_{state.value}": Count("items", filter=Q(items__state=state))
                for state in (ItemState.WAITING, ItemState.PAID, ItemState.REFUSED)
            },
        )
        .order_by("-pk")
    )


def batches_that_wait(found: QuerySet[PaymentBatch], what: str) -> QuerySet[PaymentBatch]:
    """Of batches those that are `to_send` to the bank, or `unanswered`: with the bank, and not all settled by it."""
    if what == "to_send":
        return found.filter(state__in=[BatchState.DRAFT, BatchState.LOCKED])
    waiting = PaymentItem.objects.filter(batch=OuterRef("pk"), state=ItemState.WAITING)
    return found.filter(Exists(waiting), state=BatchState.EXPORTED)


def batch_rows(found: Iterable[Any]) -> list[BatchRow]:
    """These batches, from `batches`, to show. No query."""
    return [
        BatchRow(
            id=batch.pk,
            state=batch.state,
            state_label=batch.get_state_display(),
            version=batch.version,
            currency=batch.currency,
            payments=batch.payments,
            total=batch.total or ZERO,
            waiting=batch.count_waiting,
            paid=batch.count_paid,
            refused=batch.count_refused,
            created_by=batch.created_by.get_full_name(),
            created_at=batch.created_at,
            locked_at=batch.locked_at,
            exported_at=batch.exported_at,
            file_sha256=batch.file_sha256,
        )
        for batch in found
    ]


def payment_rows(batch: PaymentBatch) -> list[PaymentRow]:
    """The payments of a batch, by reference. One query."""
    items = batch.items.select_related("payout__program", "payout__partner", "payee").order_by("reference")
    return [
        PaymentRow(
            reference=item.reference,
            payout=item.payout_id,
            program=item.payout.program.code,
            partner_code=item.payout.partner.code,
            amount=item.amount,
            account=item.payee.masked if item.payee else "",
            state=item.state,
            state_label=item.get_state_display(),
            bank_reference=item.payout.payment_reference if item.state == ItemState.PAID else "",
            settled_at=item.settled_at,
        )
        for item in items
    ]


def bank_results(actor: Actor) -> QuerySet[BankResult]:
    """Loaded result files for operators, none for others; the newest first."""
    found = BankResult.objects.select_related("loaded_by").order_by("-pk")
    return found if actor.can(Capability.VIEW_EVERYTHING) else found.none()


def bank_result_views(found: Iterable[BankResult]) -> list[BankResultView]:
    """These files with their rows set aside, to show; read them with `quarantine__note` prefetched."""
    return [
        BankResultView(
            id=each.pk,
            sha256=each.sha256,
            loaded_by=each.loaded_by.get_full_name() if each.loaded_by else "",
            loaded_at=each.loaded_at,
            rows=each.rows,
            paid=each.paid,
            refused=each.refused,
            unchanged=each.unchanged,
            quarantined=each.quarantined,
            quarantine=tuple(
                BankResultRowView(row.line, row.code, row.note.text or "")
                for row in sorted(each.quarantine.all(), key=lambda row: row.line)
            ),
        )
        for each in found
    ]


def adjustments(actor: Actor) -> QuerySet[Adjustment]:
    """Adjustments that this actor may see, the newest first: all for operators, the own confirmed ones for partners."""
    found = Adjustment.objects.select_related(
        "partner", "program", "reason", "proposed_by", "decided_by", "decision_reason"
    ).order_by("-pk")
    if actor.can(Capability.VIEW_EVERYTHING):
        return found
    return found.filter(partner__in=actor.partner_ids, state=AdjustmentState.CONFIRMED)


def adjustment_views(actor: Actor, found: Iterable[Adjustment]) -> list[AdjustmentView]:
    """These adjustments, from `adjustments`, to show to this actor. No query."""
    names = actor.can(Capability.VIEW_EVERYTHING)
    return [
        AdjustmentView(
            id=each.pk,
            partner_code=each.partner.code,
            program=each.program.code,
            kind=each.kind,
            kind_label=each.get_kind_display(),
            state=each.state,
            state_label=each.get_state_display(),
            version=each.version,
            amount=each.amount,
            currency=each.currency,
            payout=each.payout_id,
            run=each.run_id,
            reason=each.reason.text or "",
            reference=each.reference if names else "",
            who=each.proposed_by.get_full_name() if names else "",
            proposed_at=each.proposed_at,
            decider=each.decided_by.get_full_name() if names and each.decided_by else "",
            decided_at=each.decided_at,
            decision_reason=(each.decision_reason.text or "") if names and each.decision_reason else "",
        )
        for each in found
    ]


def bulk_progress(*, actor: Actor, bulk_id: int) -> BulkProgress | None:
    """How far a decision on many payouts is, with what was refused; None where there is none for this actor."""
    if not actor.can(Capability.VIEW_EVERYTHING):
        return None
    bulk = BulkDecision.objects.filter(pk=bulk_id).first()
    if bulk is None:
        return None
    counts = dict(bulk.items.values_list("outcome").annotate(count=Count("pk")).order_by())
    refused = bulk.items.filter(outcome=BulkOutcome.REFUSED).order_by("payout")
    return BulkProgress(
        id=bulk.pk,
        step=bulk.step,
        total=bulk.total,
        waiting=counts.get(BulkOutcome.WAITING, 0),
        done=counts.get(BulkOutcome.DONE, 0),
        refused=counts.get(BulkOutcome.REFUSED, 0),
        asked_at=bulk.asked_at,
        finished_at=bulk.finished_at,
        refusals=tuple(refused.values_list("payout", "code", "message")),
    )
