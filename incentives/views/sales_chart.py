"""The curve of a shop's sales against the threshold, as the numbers of an SVG: no script, no style."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from incentives.queries.sales import Sales

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, FLOOR = 8, 632, 22, 190


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's own amount; `negative` where refunds outweigh sales."""

    x: str
    y: str
    width: str
    height: str
    negative: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Coordinates in a box of WIDTH by HEIGHT. The shaded part is the window; `today_x` is empty outside of it."""

    width: int
    height: int
    left: int
    right: int
    top: int
    floor: int
    shade_x: str
    shade_width: str
    threshold_y: str
    path: str
    dot_x: str
    dot_y: str
    bars: tuple[Bar, ...]
    first: date
    last: date
    end_x: str
    today_x: str
    passed: bool


def sales_chart(sales: Sales) -> Chart:
    """Draw the sum by day as steps, each day's own amount as a bar, from the certification to the window's end.

    The curve ends today while the window is open. A little room after the window shows where it ends.
    """
    window = (sales.last - sales.first).days + 1
    span = window + max(2, window // 15)
    top = max([sales.above * Decimal("1.25"), *(day.sum for day in sales.days), Decimal(1)])
    bottom = min([Decimal(0), *(day.sum for day in sales.days), *(day.amount for day in sales.days)])

    def x(day: date, *, end: bool = False) -> float:
        place = (day - sales.first).days + (1 if end else 0)
        return LEFT + (RIGHT - LEFT) * place / span

    def y(amount: Decimal) -> float:
        return TOP + (FLOOR - TOP) * float((top - amount) / (top - bottom))

    at, path = Decimal(0), f"M{_at(x(sales.first))} {_at(y(Decimal(0)))}"
    for day in sales.days:
        path += f"H{_at(x(day.day))}V{_at(y(day.sum))}"
        at = day.sum
    until = min(max(sales.today, sales.first), sales.last)
    path += f"H{_at(x(until, end=True))}"
    each = (RIGHT - LEFT) / span
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=RIGHT,
        top=TOP,
        floor=FLOOR,
        shade_x=_at(x(sales.first)),
        shade_width=_at(x(sales.last, end=True) - x(sales.first)),
        threshold_y=_at(y(sales.above)),
        path=path,
        dot_x=_at(x(until, end=True)),
        dot_y=_at(y(at)),
        bars=tuple(
            Bar(
                x=_at(x(day.day) + each * 0.15),
                y=_at(min(y(day.amount), y(Decimal(0)))),
                width=_at(each * 0.7),
                height=_at(abs(y(day.amount) - y(Decimal(0)))),
                negative=day.amount < 0,
            )
            for day in sales.days
        ),
        first=sales.first,
        last=sales.last,
        end_x=_at(x(sales.last, end=True)),
        today_x=_at(x(sales.today, end=True)) if sales.first <= sales.today < sales.last else "",
        passed=sales.total > sales.above,
    )


def _at(place: float) -> str:
    """A coordinate, written the same in every language."""
    return f"{place:.1f}"
