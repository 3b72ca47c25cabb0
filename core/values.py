"""Money and time as the policy means them. No Django here.

Sources: POLICY 2 (dates are local dates of the program's time zone, periods include both ends, a period
of days starts on the day after the event) and POLICY 5 (money is rounded once, half up, to 0.01).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

CENT = Decimal("0.01")


def round_money(amount: Decimal) -> Decimal:
    """Round half up to 0.01: the only rounding that money to pay ever sees, at the partner's payout."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP) + 0  # which makes a negative zero a plain one


def plain(number: Decimal, places: int = 2) -> str:
    """Write a decimal without exponent, with at least `places` decimals and no zeros past them."""
    text = f"{number.normalize():f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(places, '0')}" if places or fraction else whole


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """Return the date that `moment` (aware) falls on in `zone`."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of `day` in `zone`, in UTC.

    Where a daylight-saving change skips midnight, that is the first instant that exists.
    """
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return 24:00 of `day` in `zone`, in UTC: the first instant that is no longer in it."""
    return start_of(day + timedelta(days=1), zone)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A span of dates, both included (POLICY 2)."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"the period ends on {self.last}, before it starts on {self.first}")

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last

    @property
    def days(self) -> int:
        """The number of dates in the period."""
        return (self.last - self.first).days + 1

    def starts_at(self, zone: ZoneInfo) -> datetime:
        """The first instant of the period in `zone`."""
        return start_of(self.first, zone)

    def ends_at(self, zone: ZoneInfo) -> datetime:
        """The first instant after the period in `zone`."""
        return end_of(self.last, zone)

    def dates(self) -> Iterator[date]:
        """Every date of the period, in order."""
        for offset in range(self.days):
            yield self.first + timedelta(days=offset)


def quarter_of(day: date) -> Period:
    """Return the calendar quarter that `day` lies in."""
    first_month = 3 * ((day.month - 1) // 3) + 1
    first = date(day.year, first_month, 1)
    after = date(day.year + (first_month == 10), (first_month + 3 - 1) % 12 + 1, 1)
    return Period(first, after - timedelta(days=1))
