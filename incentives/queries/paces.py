"""How far a partner is with its commitment: shops that stand, week by week, against the time gone (POLICY 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from core.values import Period

WEEK = 7


@dataclass(frozen=True, slots=True)
class PaceWeek:
    """Seven days of the period (the last week may be shorter).

    `certified` in it, `standing` those of them that have not failed since, `total` all that stand by its end.
    `due`: the part of the commitment that its end asks for; None without a commitment. `begun`: by the run's date.
    """

    first: date
    last: date
    certified: int
    standing: int
    total: int
    due: Decimal | None
    begun: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """Shops that stand, of those committed to; `gone` is the share of the period that is over, `due` what it asks for.

    The share counts whole days that are over, so it is 0 on the first day and 1 from the day after the last.
    """

    commitment: int | None
    standing: int
    gone: Decimal
    due: Decimal | None
    weeks: tuple[PaceWeek, ...]

    @property
    def reached(self) -> Decimal | None:
        """The share of the commitment that stands; may be above 1."""
        return Decimal(self.standing) / self.commitment if self.commitment else None

    @property
    def ahead(self) -> int:
        """Whole shops ahead of the time gone; below zero: behind. 0 while it is less than one."""
        return int(self.standing - self.due) if self.due is not None else 0

    @property
    def behind(self) -> int:
        """Whole shops behind it; 0 where there are none."""
        return max(0, -self.ahead)


def pace_of(
    *, period: Period, today: date, commitment: int | None, certified_on: Sequence[tuple[date, int, int]]
) -> Pace:
    """Lay the certification dates (date, certified, standing) out over the period's weeks, as of `today`."""
    weeks: list[PaceWeek] = []
    total = 0
    first = period.first
    while first <= period.last:
        last = min(first + timedelta(days=WEEK - 1), period.last)
        inside = [(certified, standing) for day, certified, standing in certified_on if first <= day <= last]
        standing = sum(stands for _, stands in inside)
        total += standing
        due = _part(commitment, (last - period.first).days + 1, period.days)
        weeks.append(PaceWeek(first, last, sum(every for every, _ in inside), standing, total, due, first <= today))
        first = last + timedelta(days=1)
    over = max(0, min((today - period.first).days, period.days))
    return Pace(
        commitment=commitment,
        standing=total,
        gone=Decimal(over) / period.days,
        due=_part(commitment, over, period.days),
        weeks=tuple(weeks),
    )


def _part(commitment: int | None, days: int, of: int) -> Decimal | None:
    return None if commitment is None else Decimal(commitment * days) / of
