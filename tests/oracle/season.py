"""The frame of a random quarter: its period as instants, and dice for moments in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.oracle.policies import Policy
from tests.oracle.rules import Rules
from tests.oracle.values import date_of, end_of, start_of

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Season:
    """A program's period, the policy that the stories are made around, and the instants that follow."""

    random: Random
    program: str
    other_program: str
    start: date
    end: date
    zone: ZoneInfo
    rules: Rules
    period_starts: datetime
    period_ends: datetime
    closes_at: datetime

    @classmethod
    def of(
        cls, random: Random, program: str, other: str, start: date, end: date, zone: ZoneInfo, policy: Policy
    ) -> Season:
        """The season of a program under a policy."""
        rules = Rules.read(policy)
        closes_on = end + timedelta(days=rules.window_days + rules.grace_days)
        return cls(
            random,
            program,
            other,
            start,
            end,
            zone,
            rules,
            period_starts=start_of(start, zone),
            period_ends=end_of(end, zone),
            closes_at=end_of(closes_on, zone),
        )

    def chance(self, probability: float) -> bool:
        """True in that share of the cases."""
        return self.random.random() < probability

    def between(self, first: datetime, end: datetime) -> datetime:
        """A moment from `first` on and before `end`, to the second (some have microseconds)."""
        seconds = max(int((end - first).total_seconds()), 1)
        moment = first.replace(microsecond=0) + timedelta(seconds=self.random.randrange(seconds))
        moment = max(moment, first)
        return moment + timedelta(microseconds=self.random.randrange(10**6)) if self.chance(0.03) else moment

    def inside(self) -> datetime:
        """A moment inside the period, sometimes its very first or last one."""
        if self.chance(0.03):
            return self.period_starts
        if self.chance(0.03):
            return self.period_ends - (SECOND if self.chance(0.5) else timedelta(microseconds=1))
        return self.between(self.period_starts, self.period_ends)

    def outside(self) -> datetime:
        """A moment outside the period, often only just."""
        if self.chance(0.5):
            back = SECOND if self.chance(0.3) else timedelta(hours=self.random.randrange(1, 480))
            return self.period_starts - back
        return self.period_ends + timedelta(hours=self.random.choice((0, 0, self.random.randrange(1, 600))))

    def day(self, moment: datetime) -> date:
        """The moment's local date."""
        return date_of(moment, self.zone)

    def day_start(self, day: date) -> datetime:
        """The first instant of a local date."""
        return start_of(day, self.zone)

    def day_end(self, day: date) -> datetime:
        """The first instant after a local date."""
        return end_of(day, self.zone)

    def lag(self) -> timedelta:
        """How long after an event its fact arrives: mostly soon, sometimes late, rarely before it happens."""
        dice = self.random.random()
        if dice < 0.04:
            return -timedelta(days=self.random.randrange(1, 25))
        if dice < 0.16:
            return timedelta(days=self.random.randrange(5, 60))
        return timedelta(hours=self.random.randrange(1, 60))
