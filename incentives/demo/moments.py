"""The demo's calendar: its two periods, the moments at which feeds arrive, and what has not happened yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.errors import BadInput
from core.values import Period, local_date, quarter_of

ZONE = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
CLOSED_QUARTER = Period(date(2026, 1, 1), date(2026, 3, 31))
# Lists are announced so long before a quarter: claims and links come in between.
LEAD_DAYS = 48


def at(day: date, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """An instant of a local day."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=ZONE)


@dataclass(frozen=True, slots=True)
class Moments:
    """Everything that depends on the present moment. `now` is the only clock that the demo's plan knows."""

    now: datetime

    def __post_init__(self) -> None:
        if self.today <= CLOSED_QUARTER.last:
            raise BadInput(
                f"The demo tells of the first quarter of 2026 as closed, but this machine's clock says {self.today}."
            )

    @property
    def today(self) -> date:
        """The local date."""
        return local_date(self.now, ZONE)

    @property
    def yesterday(self) -> date:
        """The local date before it."""
        return self.today - DAY

    @property
    def quarter(self) -> Period:
        """The quarter that holds today."""
        return quarter_of(self.today)

    @property
    def waves(self) -> tuple[datetime, ...]:
        """When feeds arrived, in order. What happened later than the last but one arrives now."""
        last_week, yesterday = at(self.today - 7 * DAY, 8), at(self.yesterday, 8)
        closed, running = CLOSED_QUARTER, self.quarter
        history = {
            at(closed.first - LEAD_DAYS * DAY, 20),
            at(date(2026, 2, 2), 8),
            at(closed.last + DAY, 8),
            at(date(2026, 6, 1), 8),
            at(running.first - LEAD_DAYS * DAY, 20),
            at(self.today - 28 * DAY, 8),
        }
        return (*sorted(moment for moment in history if moment < last_week), last_week, yesterday, self.now)

    @property
    def closed_as_of(self) -> datetime:
        """The moment of the closed program's first run: after its close of observation, where that has come."""
        return min(at(date(2026, 6, 1), 9), at(self.yesterday, 9))

    @property
    def running_as_of(self) -> datetime:
        """The moment of the running program's run before the newest: yesterday, when the feeds had arrived."""
        return at(self.yesterday, 9)
