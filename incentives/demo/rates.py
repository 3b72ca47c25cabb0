"""Invented exchange rates: plausible, published on working days, with two gaps that leave shops without data."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from incentives.demo.feeds import Feed
from incentives.demo.moments import DAY, Moments, at

START = date(2025, 12, 1)
# CNY for one unit, roughly where these currencies stood; each wanders a little from day to day.
LEVELS = {"EUR": 8.18, "GBP": 9.36, "USD": 7.08, "JPY": 0.0462, "SEK": 0.748}
SIX = Decimal("0.000001")
# The policy looks back seven days for a rate (POLICY 2).
LOOK_BACK = 7
# No krona was published in these days of the closed quarter, and never later.
CLOSED_GAP = (date(2026, 2, 10), date(2026, 2, 27))
# The krona's feed stopped so many days ago; this morning it brought two days more.
RUNNING_GAP_DAYS, MENDED_DAYS = 13, 2


class Rates:
    """The rate of each currency and date that was published by now."""

    def __init__(self, moments: Moments, random: Random) -> None:
        self.moments = moments
        self.table: dict[tuple[date, str], Decimal] = {}
        level = dict(LEVELS)
        for offset in range((moments.today - START).days + 1):
            day = START + timedelta(days=offset)
            for currency, usual in LEVELS.items():
                level[currency] *= 1 + random.uniform(-0.002, 0.002) - (level[currency] / usual - 1) * 0.05
                if self._published(day, currency):
                    self.table[day, currency] = Decimal(level[currency]).quantize(SIX)

    def _published(self, day: date, currency: str) -> bool:
        if currency == "SEK":
            gap_starts = self.moments.today - (RUNNING_GAP_DAYS - 1) * DAY
            if CLOSED_GAP[0] <= day <= CLOSED_GAP[1] or day >= gap_starts + MENDED_DAYS * DAY:
                return False
            # The days at a gap's edge count to the day, so the krona has them even on a Sunday.
            if abs((day - gap_starts).days) <= MENDED_DAYS or day == CLOSED_GAP[0] - DAY:
                return True
        return day.weekday() < 5

    def on(self, day: date, currency: str) -> Decimal | None:
        """The rate that counts for a line settled on `day`, as it is known now; None where none does."""
        if currency == "CNY":
            return Decimal(1)
        for back in range(LOOK_BACK + 1):
            rate = self.table.get((day - back * DAY, currency))
            if rate is not None:
                return rate
        return None

    def tell(self, feed: Feed) -> None:
        """Report each rate in the afternoon of its day; the krona's last two came late."""
        late_from = self.moments.today - (RUNNING_GAP_DAYS - 1) * DAY
        for (day, currency), rate in self.table.items():
            published = at(day, 16)
            if currency == "SEK" and day >= late_from:
                published = max(self.moments.now - timedelta(minutes=5), at(self.moments.yesterday, 9, 30))
            row = {"rate_date": day.isoformat(), "currency": currency, "rate": f"{rate:f}"}
            feed.tell("fx", published, (day, currency), row)
