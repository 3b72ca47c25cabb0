"""A partner's payouts over all programs: what is owed, what was paid, what waits and for what. For pages and API."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Case, Count, Q, Sum, When

from core.actors import Actor
from incentives.invoice_policies import takes_invoice
from incentives.invoice_states import LIVE_INVOICE, InvoiceState
from incentives.models import Decision, Invoice, Payout, PayoutLine, PayoutPreview
from incentives.queries.programs import latest_runs
from incentives.queries.rows import BACKSTAGE
from incentives.querysets import PayoutQuerySet
from incentives.states import PROVISIONAL, DecisionKind, LineState, PayoutState

ZERO = Decimal(0)
OWED = (PayoutState.APPROVED, PayoutState.IN_PAYMENT)


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """A payout's invoice. `difference`: by how much it is above the payout's net (below zero: less)."""

    id: int
    version: int
    state: str
    state_label: str
    number: str
    amount: Decimal
    currency: str
    issued_on: date
    name: str
    size: int
    uploaded_at: datetime
    uploaded_by: str
    decided_at: datetime | None
    reason: str
    difference: Decimal

    @property
    def less(self) -> Decimal:
        """How much is missing, where it says less than the net."""
        return -self.difference


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """One payout, or a run's preview where `payout_id` is None. `counts`: no later one has taken its place."""

    payout_id: int | None
    program: str
    title: str
    zone: str
    state: str
    state_label: str
    held: bool
    held_for: str
    provisional: bool
    counts: bool
    currency: str
    base: Decimal
    factor: Decimal
    net: Decimal
    adjustments: Decimal
    payable: Decimal
    lines: int
    withheld: int
    submitted_at: datetime | None
    approved_at: datetime | None
    paid_at: datetime | None
    reference: str
    invoice: InvoiceView | None
    invoice_wanted: bool

    @property
    def deducted(self) -> Decimal:
        """What the discount took."""
        return self.base - self.net

    @property
    def last_at(self) -> datetime | None:
        """When it came into its state, as far as its own dates tell."""
        return self.paid_at or self.approved_at or self.submitted_at


@dataclass(frozen=True, slots=True)
class Sums:
    """What one currency's payouts come to: owed (approved or under way), of it held, paid, and in review."""

    currency: str
    owed: Decimal
    owed_count: int
    held: Decimal
    paid: Decimal
    in_review: Decimal


def own_payouts(*, actor: Actor, partner_id: int) -> PayoutQuerySet:
    """The partner's payouts that this actor may see, the newest first."""
    return Payout.objects.visible_to(actor).filter(partner=partner_id).order_by("-submitted_at", "-pk")


def payout_sums(*, actor: Actor, partner_id: int) -> list[Sums]:
    """What the partner's payouts come to, by currency. One query."""
    owed, held = Q(state__in=OWED), Q(state__in=OWED, held=True)
    rows = (
        Payout.objects.visible_to(actor)
        .filter(partner=partner_id)
        .values("currency")
        .annotate(
            owed=Sum("payable", filter=owed, default=ZERO),
            owed_count=Count("pk", filter=owed),
            kept=Sum("payable", filter=held, default=ZERO),
            paid=Sum("payable", filter=Q(state=PayoutState.PAID), default=ZERO),
            in_review=Sum("payable", filter=Q(state=PayoutState.IN_REVIEW), default=ZERO),
        )
        .order_by("currency")
    )
    return [
        Sums(row["currency"], row["owed"], row["owed_count"], row["kept"], row["paid"], row["in_review"])
        for row in rows
    ]


def payout_list(payouts: Iterable[Payout]) -> list[PayoutRow]:
    """These payouts as rows. Five queries, however many there are; `payouts` need program, policy and partner."""
    found = list(payouts)
    ids = [payout.pk for payout in found]
    counted = PayoutLine.objects.filter(payout__in=ids).values("payout").order_by()
    counted = counted.annotate(count=Count("pk"), kept=Count("pk", filter=Q(state=LineState.WITHHELD)))
    lines = {payout: (count, kept) for payout, count, kept in counted.values_list("payout", "count", "kept")}
    held = hold_reasons(payout.pk for payout in found if payout.held)
    invoices = live_invoices(found)
    counting = _counting(found)
    return [
        PayoutRow(
            payout_id=payout.pk,
            program=payout.program.code,
            title=payout.policy.title,
            zone=payout.policy.rules.timezone,
            state=payout.state,
            state_label=payout.get_state_display(),
            held=payout.held,
            held_for=held.get(payout.pk, ""),
            provisional=payout.state in PROVISIONAL,
            counts=payout.pk in counting,
            currency=payout.currency,
            base=payout.base_amount,
            factor=payout.factor,
            net=payout.net_amount,
            adjustments=payout.adjustments,
            payable=payout.payable,
            lines=lines.get(payout.pk, (0, 0))[0],
            withheld=lines.get(payout.pk, (0, 0))[1],
            submitted_at=payout.submitted_at,
            approved_at=payout.approved_at,
            paid_at=payout.paid_at,
            reference=payout.payment_reference,
            invoice=invoices.get(payout.pk),
            invoice_wanted=wants_invoice(payout, invoices.get(payout.pk)),
        )
        for payout in found
    ]


def previews(*, actor: Actor, partner_id: int) -> list[PayoutRow]:
    """What the last runs come to in programs where nothing has been submitted yet. A few queries."""
    submitted = set(own_payouts(actor=actor, partner_id=partner_id).values_list("program", flat=True))
    runs = {run.pk: run for run in latest_runs() if run.program_id not in submitted}
    rows = PayoutPreview.objects.visible_to(actor).filter(partner=partner_id, run__in=runs, eligible__gt=0)
    found = []
    for preview in rows.order_by("-run"):
        run = runs[preview.run_id]
        found.append(
            PayoutRow(
                payout_id=None,
                program=run.program.code,
                title=run.policy.title if run.policy else run.program.code,
                zone=run.rules.timezone,
                state=PayoutState.COMPUTED,
                state_label=str(PayoutState.COMPUTED.label),
                held=False,
                held_for="",
                provisional=True,
                counts=True,
                currency=preview.currency,
                base=preview.base_amount,
                factor=preview.factor,
                net=preview.net_amount,
                adjustments=ZERO,
                payable=preview.net_amount,
                lines=preview.eligible,
                withheld=0,
                submitted_at=None,
                approved_at=None,
                paid_at=None,
                reference="",
                invoice=None,
                invoice_wanted=False,
            )
        )
    return found


def hold_reasons(payout_ids: Iterable[int]) -> dict[int, str]:
    """Why payouts that are held are: the words of each one's last hold. One query."""
    ids = list(payout_ids)
    if not ids:
        return {}
    holds = Decision.objects.filter(payout__in=ids, kind=DecisionKind.HOLD).select_related("reason").order_by("pk")
    return {hold.payout_id: (hold.reason.text or "") if hold.reason else "" for hold in holds}


def live_invoices(payouts: Sequence[Payout]) -> dict[int, InvoiceView]:
    """By payout the invoice that stands, else the last one that was refused. One query."""
    rows = (
        Invoice.objects.filter(payout__in=[payout.pk for payout in payouts])
        .exclude(state=InvoiceState.REPLACED)
        .select_related("uploaded_by", "reason")
        .order_by(Case(When(state__in=LIVE_INVOICE, then=1), default=0), "pk")
    )
    nets = {payout.pk: payout.net_amount for payout in payouts}
    return {row.payout_id: invoice_view(row, net=nets[row.payout_id]) for row in rows}


def invoice_view(row: Invoice, *, net: Decimal) -> InvoiceView:
    """One invoice beside its payout's net."""
    return InvoiceView(
        id=row.pk,
        version=row.version,
        state=row.state,
        state_label=row.get_state_display(),
        number=row.number,
        amount=row.amount,
        currency=row.currency,
        issued_on=row.issued_on,
        name=row.name,
        size=row.size,
        uploaded_at=row.uploaded_at,
        uploaded_by=row.uploaded_by.get_full_name(),
        decided_at=row.decided_at,
        reason=(row.reason.text or "") if row.reason else "",
        difference=row.amount - net,
    )


def wants_invoice(payout: Payout, invoice: InvoiceView | None) -> bool:
    """Whether the payout isn't paid before an invoice is handed in that nobody has handed in."""
    if not settings.INVOICE_REQUIRED or payout.state == PayoutState.PAID or not takes_invoice(payout):
        return False
    return invoice is None or invoice.state == InvoiceState.REFUSED


def _counting(payouts: Sequence[Payout]) -> set[int]:
    """Which of the payouts stand for their program, as `statement_of` chooses. One query."""
    partners = {payout.partner_id for payout in payouts}
    every = Payout.objects.filter(partner__in=partners, program__in={payout.program_id for payout in payouts})
    ordered = every.order_by(Case(When(state__in=BACKSTAGE, then=0), default=1), "pk")
    return set({(row[1], row[2]): row[0] for row in ordered.values_list("pk", "partner", "program")}.values())
