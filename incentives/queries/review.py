"""The review table: payouts as their reviewers choose among them, each with what its run says of the partner, and what
the run before it said.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

from core.actors import Actor
from incentives import policies
from incentives.exports import Cell, Table
from incentives.invoice_states import InvoiceState
from incentives.models import Invoice, Payout, PayoutPreview, Run
from incentives.queries.desk import RELATED, PayoutRow, hold_reasons, payout_desk_rows
from incentives.states import PayoutState

# So many payouts are made into rows of a file at once: memory stays flat, and the queries few.
PIECE = 500


@dataclass(frozen=True, slots=True)
class SinceRun:
    """What a payout's run says of its partner against the published run before: more (or fewer) eligible shops and net.

    `factor_before` is None where that run didn't have the partner.
    """

    run_id: int
    before_id: int
    shops: int
    net: Decimal
    factor_before: Decimal | None
    factor: Decimal

    @property
    def is_same(self) -> bool:
        """Whether neither the number of shops nor the amount differs."""
        return not self.shops and not self.net

    @property
    def other_factor(self) -> bool:
        """Whether the discount differs."""
        return self.factor_before is not None and self.factor_before != self.factor


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A payout in the review table. Numbers of shops; `since` is None where no run was published before.

    `held_for`: why it is held; empty where it isn't.
    """

    payout: PayoutRow
    introduced: int
    high_risk: int
    pending: int
    needs_data: int
    since: SinceRun | None
    held_for: str

    @property
    def cut(self) -> Decimal:
        """What the discount takes."""
        return self.payout.base - self.payout.net


@dataclass(frozen=True, slots=True)
class Money:
    """So many payouts, and what they come to, of one currency."""

    currency: str
    count: int
    amount: Decimal


# The chips above the table: which payouts each leaves. `changed` needs `with_run_before`.
IN_REVIEW = Q(state=PayoutState.IN_REVIEW)
CHIPS: dict[str, Q | Exists] = {
    "in_review": IN_REVIEW,
    "held": Q(held=True),
    "discounted": IN_REVIEW & Q(factor__lt=1),
    "invoice": Exists(Invoice.objects.filter(payout=OuterRef("pk"), state=InvoiceState.HANDED_IN)),
    "approved": Q(state=PayoutState.APPROVED),
    "in_payment": Q(state=PayoutState.IN_PAYMENT),
    "paid": Q(state=PayoutState.PAID),
    "returned": Q(state=PayoutState.RETURNED),
    "void": Q(state=PayoutState.VOID),
}
CHANGED = Q(run_before__isnull=False) & (
    Q(net_before__isnull=True)
    | Q(net_before__lt=F("net_now"))
    | Q(net_before__gt=F("net_now"))
    | Q(eligible_before__lt=F("eligible_now"))
    | Q(eligible_before__gt=F("eligible_now"))
)


def with_run_before(payouts: QuerySet[Payout]) -> QuerySet[Any]:
    """Payouts with what their run says of the partner, and what the last published run before that said."""
    earlier = Run.objects.published().filter(program=OuterRef("program_id"), pk__lt=OuterRef("run_id")).order_by("-pk")
    now = PayoutPreview.objects.filter(run=OuterRef("run_id"), partner=OuterRef("partner_id"))
    before = PayoutPreview.objects.filter(run=OuterRef("run_before"), partner=OuterRef("partner_id"))
    return payouts.annotate(run_before=Subquery(earlier.values("pk")[:1])).annotate(
        eligible_now=Subquery(now.values("eligible")[:1]),
        net_now=Subquery(now.values("net_amount")[:1]),
        eligible_before=Subquery(before.values("eligible")[:1]),
        net_before=Subquery(before.values("net_amount")[:1]),
    )


def changed_since_run_before(payouts: QuerySet[Payout]) -> QuerySet[Payout]:
    """Those whose run says something else of the partner than the run before: other shops eligible, or another net."""
    return with_run_before(payouts).filter(CHANGED)


def review_counts(payouts: QuerySet[Payout]) -> dict[str, int]:
    """How many payouts each chip would leave, and `every` of them. Two queries."""
    plain = payouts.order_by()
    found: dict[str, int] = plain.aggregate(
        every=Count("pk"), **{f"n_{key}": Count("pk", filter=chosen) for key, chosen in CHIPS.items()}
    )
    counts = {key: found[f"n_{key}"] for key in CHIPS}
    changed = changed_since_run_before(plain.filter(IN_REVIEW)).count()
    return {**counts, "changed": changed, "every": found["every"]}


def sums(payouts: QuerySet[Payout]) -> list[Money]:
    """What payouts come to, by currency. One query."""
    rows = payouts.order_by().values("currency").annotate(count=Count("pk"), amount=Sum("payable"))
    return [Money(row["currency"], row["count"], row["amount"]) for row in rows.order_by("currency")]


@dataclass(frozen=True, slots=True)
class Mine:
    """Of payouts in review: how many somebody may approve now, and why not the others.

    `own`: they submitted or changed them, or belong to the partner; `held`: the others that are held.
    """

    able: int
    own: int
    held: int


def mine_to_approve(*, actor: Actor, payouts: QuerySet[Payout]) -> Mine:
    """What of these payouts this person may approve. As many queries for many as for few."""
    waiting = payouts.order_by().filter(state=PayoutState.IN_REVIEW)
    own = policies.own_to_approve(actor, waiting)
    found = waiting.aggregate(
        able=Count("pk", filter=~own & Q(held=False)),
        own=Count("pk", filter=own),
        held=Count("pk", filter=~own & Q(held=True)),
    )
    return Mine(**found)


def review_rows(*, actor: Actor, payouts: Collection[Payout]) -> list[ReviewRow]:
    """Rows of these payouts, which were read with RELATED. The number of queries doesn't grow with them."""
    mine = with_run_before(Payout.objects.filter(pk__in=[payout.pk for payout in payouts]))
    now = PayoutPreview.objects.filter(run=OuterRef("run_id"), partner=OuterRef("partner_id"))
    before = PayoutPreview.objects.filter(run=OuterRef("run_before"), partner=OuterRef("partner_id"))
    said: dict[int, dict[str, Any]] = {
        row["pk"]: row
        for row in mine.annotate(
            pending_now=Subquery(now.values("pending")[:1]),
            needs_data_now=Subquery(now.values("needs_data")[:1]),
            factor_before=Subquery(before.values("factor")[:1]),
        ).values(
            "pk",
            "run_before",
            "eligible_now",
            "net_now",
            "eligible_before",
            "net_before",
            "pending_now",
            "needs_data_now",
            "factor_before",
        )
    }
    rows = payout_desk_rows(actor=actor, payouts=payouts)
    held = hold_reasons(payouts)
    return [
        ReviewRow(
            payout=row,
            introduced=payout.introduced,
            high_risk=payout.high_risk,
            pending=said[payout.pk]["pending_now"] or 0,
            needs_data=said[payout.pk]["needs_data_now"] or 0,
            since=_since(payout, said[payout.pk]),
            held_for=held.get(payout.pk, ""),
        )
        for payout, row in zip(payouts, rows, strict=True)
    ]


def _since(payout: Payout, said: dict[str, Any]) -> SinceRun | None:
    if said["run_before"] is None:
        return None
    return SinceRun(
        run_id=payout.run_id,
        before_id=said["run_before"],
        shops=(said["eligible_now"] or 0) - (said["eligible_before"] or 0),
        net=(said["net_now"] or Decimal(0)) - (said["net_before"] or Decimal(0)),
        factor_before=said["factor_before"],
        factor=payout.factor,
    )


COLUMNS = (
    "payout",
    "program",
    "run",
    "partner_code",
    "partner_name",
    "state",
    "held",
    "live_lines",
    "withheld_lines",
    "pending",
    "needs_data",
    "introduced",
    "high_risk",
    "base_amount",
    "factor",
    "net_amount",
    "adjustments",
    "payable",
    "currency",
    "submitted_by",
    "submitted_at",
    "approved_by",
    "approved_at",
    "paid_at",
    "payment_reference",
)


def review_table(*, actor: Actor, payouts: QuerySet[Payout]) -> Table:
    """The payouts as a file has them, in their order."""
    return Table(COLUMNS, _cells(actor, payouts))


def _cells(actor: Actor, payouts: QuerySet[Payout]) -> Iterator[Sequence[Cell]]:
    ids = list(payouts.values_list("pk", flat=True))
    for start in range(0, len(ids), PIECE):
        piece = ids[start : start + PIECE]
        found = {each.pk: each for each in Payout.objects.filter(pk__in=piece).select_related(*RELATED)}
        for row in review_rows(actor=actor, payouts=[found[pk] for pk in piece]):
            each = row.payout
            yield (
                each.id,
                each.program,
                each.run,
                each.partner_code,
                each.partner_name,
                each.state,
                "held" if each.held else "",
                each.live_lines,
                each.withheld_lines,
                row.pending,
                row.needs_data,
                row.introduced,
                row.high_risk,
                each.base,
                each.factor.normalize(),
                each.net,
                each.adjustments,
                each.payable,
                each.currency,
                each.submitted_by,
                each.submitted_at,
                each.approved_by,
                each.approved_at,
                each.paid_at,
                each.reference,
            )
