"""What the parts of one program's story share: its period, its codes, its dice, and who takes part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from core.values import Period, end_of, local_date
from incentives.demo.feeds import Feed
from incentives.demo.moments import DAY, HOUR, ZONE, Moments, at
from incentives.demo.names import Names
from incentives.demo.rates import Rates
from incentives.demo.stories import Story

# The sample policies' figures, by which the stories are told (the engine reads the policy itself).
WINDOW_DAYS, GRACE_DAYS, THRESHOLD = 30, 31, 1000
STOCK_COUNTRIES = ("DE", "FR", "IT", "ES")
MARKETS = ("DE", "FR", "IT", "ES", "IE", "JP")
OTHER_MARKETS = ("GB", "PL")


@dataclass(frozen=True, slots=True)
class Merchant:
    """An invented legal entity."""

    country: str
    name: str
    registration_no: str


@dataclass(slots=True)
class Shop:
    """One shop of the plan. `certified_at` is None where it isn't certified by now."""

    code: str
    story: Story
    partner: str
    merchant: Merchant
    brand: str
    market: str
    registered_at: datetime
    certified_at: datetime | None
    invite_code: str = ""
    record_partner: str = ""

    @property
    def certified_on(self) -> date:
        """The local date of its certification."""
        assert self.certified_at is not None  # noqa: S101 - asked only of certified shops
        return local_date(self.certified_at, ZONE)

    @property
    def window_ends_on(self) -> date:
        """The last date on which an order counts."""
        return self.certified_on + WINDOW_DAYS * DAY

    @property
    def settles_by(self) -> date:
        """The last date on which such an order may settle."""
        return self.window_ends_on + GRACE_DAYS * DAY


@dataclass(slots=True)
class Scene:
    """One program's stage."""

    program: str
    mark: str
    period: Period
    running: bool
    moments: Moments
    feed: Feed
    rates: Rates
    names: Names
    random: Random

    @property
    def now(self) -> datetime:
        """The moment after which nothing has happened."""
        return self.moments.now

    @property
    def closes_at(self) -> datetime:
        """When the program closes for observation."""
        return end_of(self.period.last + (WINDOW_DAYS + GRACE_DAYS) * DAY, ZONE)

    def chance(self, share: float) -> bool:
        """Whether something that happens so often happens now."""
        return self.random.random() < share

    def between(self, earliest: datetime, latest: datetime) -> datetime:
        """A moment between two, to the second; the first of them where there is no room."""
        seconds = int((latest - earliest).total_seconds())
        return earliest + timedelta(seconds=self.random.randint(0, seconds)) if seconds > 0 else earliest

    def after(self, moment: datetime, least: float, most: float) -> datetime:
        """A moment so many days after another."""
        return moment + timedelta(seconds=int(self.random.uniform(least, most) * 86400))

    def before_today(self, moment: datetime) -> datetime:
        """The latest moment that yesterday's feeds told of; now for what began after it."""
        told = at(self.moments.yesterday, 8)
        return told if told > moment else self.now

    def settled(self, ordered_at: datetime) -> datetime:
        """When an order placed then was settled, for one that this morning's feeds have nothing new of."""
        usual, latest = self.after(ordered_at, 3, 14), self.before_today(ordered_at)
        return usual if usual < latest else self.between(ordered_at, latest)

    def overnight(self) -> datetime:
        """A moment that only this morning's feeds can tell of, on a date of the running quarter where there is one."""
        if self.moments.yesterday >= self.moments.quarter.first:
            earliest = at(self.moments.yesterday, 9, 30)
            return self.between(earliest, min(earliest + 12 * HOUR, self.now))
        return self.between(at(self.moments.today), self.now)

    def office_hours(self, day: date) -> datetime:
        """A moment of a day on which people work; today's has passed, tomorrow's hasn't come."""
        moment = self.between(at(day, 9), at(day, 18, 59))
        return self.between(at(day), self.now) if day == self.moments.today and moment > self.now else moment
