"""How the cells of a feed become values, and how codes, brands and instants are compared.

Everything here is read from the feeds' contract: trimmed cells, ISO dates and timestamps, normalised
registration numbers and brands. Nothing is shared with the product, on purpose: one mistake must not be
made twice.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")

Row = dict[str, str]
"""One row of a feed: a missing key is an absent column, an empty string an empty cell."""

NO_BRAND = frozenset({"无", "无品牌", "no brand", "generic", "none", "n/a", "oem", "-"})

# Wide enough that no sum of products of the feeds' numbers is ever rounded before a comparison (POLICY 2).
PRECISION = 200


@dataclass(frozen=True)
class Recorded(Generic[T]):
    """A value of a key, as it was recorded (POLICY 3: facts are append-only)."""

    recorded_at: datetime
    order: int
    value: T


@dataclass
class History(Generic[T]):
    """Every value that a key was ever given. The latest is by ``recorded_at``, then by order of arrival."""

    facts: list[Recorded[T]] = field(default_factory=list)

    def at(self, moment: datetime) -> T | None:
        """The value that was known at `moment`: the latest recorded, wholesale; ``None`` when none was."""
        known = [fact for fact in self.facts if fact.recorded_at <= moment]
        return max(known, key=_age).value if known else None

    def compared(self, recorded_at: datetime) -> T | None:
        """What a row recorded at `recorded_at` repeats: the latest value by then, else the earliest later one."""
        if not self.facts:
            return None
        known = [fact for fact in self.facts if fact.recorded_at <= recorded_at]
        return max(known, key=_age).value if known else min(self.facts, key=_age).value

    def add(self, recorded_at: datetime, order: int, value: T) -> None:
        """Append a new fact, unless it says what is there already (the same row again changes nothing)."""
        if not self.facts or self.compared(recorded_at) != value:
            self.facts.append(Recorded(recorded_at, order, value))


def _age(fact: Recorded[T]) -> tuple[datetime, int]:
    return fact.recorded_at, fact.order


def cell(row: Row, column: str) -> str | None:
    """The trimmed cell; ``None`` when it is empty or its column is absent."""
    return row.get(column, "").strip() or None


def needed(row: Row, column: str) -> str:
    """The cell of a column that is not optional."""
    text = cell(row, column)
    if text is None:
        message = f"{column} is missing in {row}"
        raise ValueError(message)
    return text


def instant(text: str, platform_zone: ZoneInfo) -> datetime:
    """A timestamp in UTC; one without an offset is in the platform's time zone."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=platform_zone)).astimezone(UTC)


def flag(text: str | None) -> bool:
    """A `true`/`false` cell; an empty one is false."""
    return text == "true"


def optional(text: str | None, read: Callable[[str], T]) -> T | None:
    """`read(text)`, or ``None`` where the cell is empty."""
    return None if text is None else read(text)


def normal_registration(text: str) -> str:
    """Registration numbers are compared upper-cased without spaces and dashes."""
    kept = (char for char in text if not char.isspace() and unicodedata.category(char) != "Pd")
    return "".join(kept).upper()


def normal_brand(text: str | None) -> str | None:
    """Brands are compared after NFKC, case folding and collapsing of white space; some words mean none."""
    if text is None:
        return None
    brand = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return None if not brand or brand in NO_BRAND else brand


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which the local date `day` begins, in UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """24:00 of the local date `day`: the first instant that is no longer in it (POLICY 2)."""
    return start_of(day + timedelta(days=1), zone)


def date_of(moment: datetime, zone: ZoneInfo) -> date:
    """The local date of an instant (POLICY 2: a date is always the program's local date)."""
    return moment.astimezone(zone).date()


def money(amount: Decimal) -> Decimal:
    """Round once, half up (half away from zero below zero), to 0.01; zero has no sign."""
    with localcontext(prec=PRECISION):
        rounded = amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return rounded or Decimal("0.00")


def plain(number: Decimal) -> str:
    """A plain decimal with at least two decimals, and no trailing zero past the second."""
    text = f"{number:f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def iso(moment: datetime | None) -> str:
    """An instant as UTC ISO 8601; empty when there is none."""
    return "" if moment is None else moment.astimezone(UTC).isoformat()
