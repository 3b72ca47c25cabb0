"""Where a chart's lines and bars lie. Only numbers: the templates draw them, and say the same in a table beside."""

from dataclasses import dataclass
from decimal import Decimal

from incentives.queries.funnels import Funnel
from incentives.queries.paces import Pace, PaceWeek

# A funnel's row and the bar in it, in pixels; the bars' lengths are per cent of the width, whatever that is.
ROW, BAR_TOP, BAR = 34, 11, 12
# A week's column and the bar in it; the heights are per cent of the chart's.
COLUMN, MARGIN = 10.0, 1.2
HEADROOM = 94.0


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """A bar from the left edge, and the slope (`points`) that leads down to the next one."""

    y: int
    width: str
    points: str


@dataclass(frozen=True, slots=True)
class FunnelShape:
    """The whole funnel; `height` in pixels."""

    height: int
    rows: tuple[FunnelRow, ...]


@dataclass(frozen=True, slots=True)
class WeekBar:
    """A week's column: all that stand by its end, and above `new_y` those of that very week."""

    week: PaceWeek
    x: str
    y: str
    height: str
    new_height: str
    behind: bool


@dataclass(frozen=True, slots=True)
class PaceShape:
    """The weeks' bars and the line that the commitment asks for, from nothing to `line_y`; today's place is `now_x`."""

    width: str
    bar: str
    bars: tuple[WeekBar, ...]
    line_y: str | None
    now_x: str | None

    @property
    def is_behind(self) -> bool:
        """Whether any week is."""
        return any(bar.behind for bar in self.bars)


def funnel_shape(funnel: Funnel) -> FunnelShape:
    """Bars by their count, the longest over the whole width; what is there at all is seen."""
    most = max((stage.count for stage in funnel.stages), default=0)
    widths = [max(100 * stage.count / most, 0.7) if stage.count else 0.0 for stage in funnel.stages]
    rows = []
    for number, width in enumerate(widths):
        below = number * ROW + BAR_TOP + BAR
        points = ""
        if width and number + 1 < len(widths):
            points = f"0,{below} {width:.2f},{below} {widths[number + 1]:.2f},{below + ROW - BAR} 0,{below + ROW - BAR}"
        rows.append(FunnelRow(number * ROW + BAR_TOP, f"{width:.2f}", points))
    return FunnelShape(ROW * len(rows), tuple(rows))


def pace_shape(pace: Pace) -> PaceShape:
    """Columns up to the week of the run, of all weeks' places; the line of the commitment over all of them."""
    top = max([Decimal(pace.commitment or 0), *(Decimal(week.total) for week in pace.weeks), Decimal(1)])
    wide = COLUMN * len(pace.weeks)
    begun = [week for week in pace.weeks if week.begun]
    return PaceShape(
        width=f"{wide:.0f}",
        bar=f"{COLUMN - 2 * MARGIN:.1f}",
        bars=tuple(_bar(number, week, pace, top, last=number + 1 == len(begun)) for number, week in enumerate(begun)),
        line_y=f"{100 - _height(Decimal(pace.commitment), top):.2f}" if pace.commitment else None,
        now_x=f"{float(pace.gone) * wide:.2f}" if 0 < pace.gone < 1 else None,
    )


def _bar(number: int, week: PaceWeek, pace: Pace, top: Decimal, *, last: bool) -> WeekBar:
    height = _height(Decimal(week.total), top)
    # The week that is not over is measured by the days that are.
    due = pace.due if last and pace.gone < 1 else week.due
    return WeekBar(
        week=week,
        x=f"{number * COLUMN + MARGIN:.1f}",
        y=f"{100 - height:.2f}",
        height=f"{height:.2f}",
        new_height=f"{_height(Decimal(week.standing), top):.2f}",
        behind=due is not None and week.total < int(due),
    )


def _height(value: Decimal, top: Decimal) -> float:
    return HEADROOM * float(value / top)
