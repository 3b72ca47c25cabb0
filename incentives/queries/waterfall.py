"""A statement's amounts as a waterfall, and its life as stages: what the page draws. Figures only, no rows are read."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from incentives.queries.statements import Statement
from incentives.states import DecisionKind, PayoutState

# The drawing's own units: labels to the left, bars from LEFT on, amounts to the right.
LEFT, BARS, WIDTH, ROW, BAR = 124, 196, 440, 30, 16
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. `kind`: whole, less, more or same (nothing is added or taken); `amount` is signed."""

    kind: str
    label: str
    amount: Decimal
    x: float
    width: float
    y: int
    text_y: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Base → discount → net → adjustments → payable; bars that would repeat another one are left out."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    label_x: int
    value_x: int
    zero_x: float


def waterfall(statement: Statement) -> Waterfall:
    """The amounts as bars of one scale, each difference from where the one before ended."""
    base, net, payable = statement.base, statement.net, statement.payable
    parts: list[tuple[str, str, Decimal, Decimal, Decimal]] = [("whole", _("Base"), base, ZERO, base)]
    parts.append(_step(_("Discount"), base, net))
    if statement.adjustments:
        parts.append(("whole", _("Net"), net, ZERO, net))
        parts.append(_step(_("Adjustments"), net, payable))
    parts.append(("whole", _("Payable"), payable, ZERO, payable))
    low, high = min(ZERO, payable, net), max(base, net, payable, Decimal(1))
    scale = Decimal(BARS) / (high - low)
    bars = tuple(
        Bar(
            kind=kind,
            label=label,
            amount=amount,
            x=float(round(LEFT + (min(start, end) - low) * scale, 1)),
            width=float(max(round(abs(end - start) * scale, 1), Decimal(1))),
            y=number * ROW + (ROW - BAR) // 2,
            text_y=number * ROW + ROW // 2 + 4,
        )
        for number, (kind, label, amount, start, end) in enumerate(parts)
    )
    return Waterfall(bars, WIDTH, ROW * len(bars), 0, WIDTH, float(round(LEFT - low * scale, 1)))


def _step(label: str, start: Decimal, end: Decimal) -> tuple[str, str, Decimal, Decimal, Decimal]:
    kind = "less" if end < start else "more" if end > start else "same"
    return kind, label, end - start, start, end


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a payout's life. `look`: done, here, stop (it ended there) or empty (still to come)."""

    label: str
    look: str
    at: datetime | None


def stages(statement: Statement) -> tuple[Stage, ...]:
    """The way from the run to the money, and where the payout is on it."""
    started = [step.at for step in statement.steps if step.kind == DecisionKind.START_PAYMENT]
    way: list[tuple[PayoutState, datetime | None]] = [
        (PayoutState.COMPUTED, statement.as_of),
        (PayoutState.IN_REVIEW, statement.submitted_at),
        (PayoutState.APPROVED, statement.approved_at),
        (PayoutState.IN_PAYMENT, started[-1] if started else None),
        (PayoutState.PAID, statement.paid_at),
    ]
    states = [state for state, _at in way]
    if statement.state in states:
        here = states.index(PayoutState(statement.state))
        return tuple(
            Stage(
                str(state.label),
                "here" if number == here else "done" if number < here else "",
                at if number <= here else None,
            )
            for number, (state, at) in enumerate(way)
        )
    gone = [Stage(str(state.label), "done", at) for state, at in way if at is not None]
    last = statement.steps[-1].at if statement.steps else None
    return (*gone, Stage(statement.state_label, "stop", last))
