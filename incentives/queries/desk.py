"""What operators decide by: a payout with its lines, holds, notes, decisions and what may be done with it now.

Partners' pages never use this module: it names people, and what operators told one another.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Q

from core.actors import Actor, Capability
from incentives import policies
from incentives.models import Hold, Payout, PayoutLine, PayoutNote, Run
from incentives.models.holds import HoldQuerySet
from incentives.queries.differences import SETTLED, Difference, difference_of
from incentives.queries.statements import StepView, payout_steps
from incentives.states import COUNTED, LineState
from partners.payees import payment_obstacles


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """A payout in the review table. Amounts in `currency`; `live_lines` and `withheld_lines` are numbers of lines."""

    id: int
    program: str
    partner_code: str
    partner_name: str
    run: int
    state: str
    state_label: str
    held: bool
    version: int
    base: Decimal
    factor: Decimal
    net: Decimal
    adjustments: Decimal
    payable: Decimal
    currency: str
    live_lines: int
    withheld_lines: int
    submitted_by: str
    submitted_at: datetime
    approved_by: str
    approved_at: datetime | None
    paid_at: datetime | None
    reference: str
    payment_obstacle: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeskLine:
    """A line as operators see it. `hold`: why it is held; None where it isn't."""

    id: int
    shop_code: str
    merchant_name: str
    brand: str | None
    amount: Decimal
    state: str
    state_label: str
    withheld_for: str
    hold: str | None


@dataclass(frozen=True, slots=True)
class HoldView:
    """A standing hold. `scope`: `partner`, `payout` or `line`."""

    id: int
    scope: str
    partner_code: str
    program: str
    shop_code: str
    reason: str
    who: str
    since: datetime


@dataclass(frozen=True, slots=True)
class NoteView:
    """An internal note."""

    id: int
    text: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PayoutDetail:
    """All that a person decides by. `difference` is None before approval and where no later run has come."""

    payout: PayoutRow
    lines: tuple[DeskLine, ...]
    holds: tuple[HoldView, ...]
    notes: tuple[NoteView, ...]
    decisions: tuple[StepView, ...]
    difference: Difference | None


def payout_desk_rows(*, actor: Actor, payouts: Collection[Payout]) -> list[PayoutRow]:
    """Rows of these payouts, which were read with RELATED. The number of queries doesn't grow with them."""
    ids = [payout.pk for payout in payouts]
    counts = {
        row["pk"]: row
        for row in Payout.objects.filter(pk__in=ids)
        .annotate(
            live=Count("lines", filter=Q(lines__state=LineState.LIVE)),
            withheld=Count("lines", filter=Q(lines__state=LineState.WITHHELD)),
        )
        .values("pk", "live", "withheld")
    }
    changed = policies.changed_by(actor, ids) if ids else {}
    obstacles = payment_obstacles({payout.partner_id for payout in payouts}) if ids else {}
    return [
        PayoutRow(
            id=payout.pk,
            program=payout.program.code,
            partner_code=payout.partner.code,
            partner_name=payout.partner.name,
            run=payout.run_id,
            state=payout.state,
            state_label=payout.get_state_display(),
            held=payout.held,
            version=payout.version,
            base=payout.base_amount,
            factor=payout.factor,
            net=payout.net_amount,
            adjustments=payout.adjustments,
            payable=payout.payable,
            currency=payout.currency,
            live_lines=counts[payout.pk]["live"],
            withheld_lines=counts[payout.pk]["withheld"],
            submitted_by=payout.submitted_by.get_full_name(),
            submitted_at=payout.submitted_at,
            approved_by=payout.approved_by.get_full_name() if payout.approved_by else "",
            approved_at=payout.approved_at,
            paid_at=payout.paid_at,
            reference=payout.payment_reference,
            payment_obstacle=obstacles[payout.partner_id].reason if payout.partner_id in obstacles else "",
            steps=policies.steps(actor, payout, changed=changed),
        )
        for payout in payouts
    ]


# What the rows name.
RELATED = ("program", "partner", "submitted_by", "approved_by")


def payout_detail(*, actor: Actor, payout_id: int) -> PayoutDetail | None:
    """A payout for whoever decides on it; None where there is none, or this actor sees no payouts of others."""
    if not actor.can(Capability.VIEW_EVERYTHING):
        return None
    payout = Payout.objects.visible_to(actor).filter(pk=payout_id).select_related(*RELATED, "run").first()
    if payout is None:
        return None
    holds = hold_views(Hold.objects.standing().on(payout))
    on_lines = {hold.shop_code: hold.reason for hold in holds if hold.scope == "line"}
    return PayoutDetail(
        payout=payout_desk_rows(actor=actor, payouts=[payout])[0],
        lines=tuple(
            DeskLine(
                id=line.pk,
                shop_code=line.shop.code,
                merchant_name=line.shop.merchant_name,
                brand=line.shop.brand_name,
                amount=line.amount,
                state=line.state,
                state_label=line.get_state_display(),
                withheld_for=line.get_withheld_for_display() if line.withheld_for else "",
                hold=on_lines.get(line.shop.code),
            )
            for line in payout.lines.select_related("shop").order_by("shop__code")
        ),
        holds=tuple(holds),
        notes=payout_notes(payout),
        decisions=payout_steps(payout, names=True),
        difference=later_difference(payout),
    )


def later_difference(payout: Payout) -> Difference | None:
    """The difference of the program's last published run to a settled payout; None where there is no such run."""
    if payout.state not in SETTLED:
        return None
    run = Run.objects.published().filter(program=payout.program_id).select_related("program").order_by("-pk").first()
    return difference_of(payout=payout, run=run) if run is not None and run.pk > payout.run_id else None


def hold_views(holds: HoldQuerySet) -> list[HoldView]:
    """The holds to show, the latest first. One query."""
    return [
        HoldView(
            id=hold.pk,
            scope="partner" if hold.program is None else "payout" if hold.shop is None else "line",
            partner_code=hold.partner.code,
            program=hold.program.code if hold.program else "",
            shop_code=hold.shop.code if hold.shop else "",
            reason=hold.reason.text or "",
            who=hold.placed_by.get_full_name() if hold.placed_by else "",
            since=hold.placed_at,
        )
        for hold in holds.select_related("partner", "program", "shop", "reason", "placed_by").order_by("-pk")
    ]


def hold_reasons(payouts: Collection[Payout]) -> dict[int, str]:
    """Why those of these payouts that are held are: the reason of the widest hold. At most one query."""
    held = {payout.pk: payout for payout in payouts if payout.held}
    if not held:
        return {}
    lines = PayoutLine.objects.filter(payout__in=held, state__in=COUNTED).values("shop")
    standing = (
        Hold.objects.standing()
        .filter(Q(shop=None) | Q(shop__in=lines), partner__in={payout.partner_id for payout in held.values()})
        .select_related("reason")
        .order_by("pk")
    )
    found: dict[tuple[int, int | None], str] = {}
    for hold in sorted(standing, key=lambda hold: hold.shop_id is None):  # a payout's own after those of its lines
        found[hold.partner_id, hold.program_id] = hold.reason.text or ""
    return {
        pk: found.get((payout.partner_id, None)) or found.get((payout.partner_id, payout.program_id), "")
        for pk, payout in held.items()
    }


def payout_notes(payout: Payout) -> tuple[NoteView, ...]:
    """The operators' notes on a payout, oldest first. One query."""
    notes = PayoutNote.objects.filter(payout=payout).select_related("note", "author").order_by("pk")
    return tuple(NoteView(note.pk, note.note.text or "", note.author.get_full_name(), note.at) for note in notes)
