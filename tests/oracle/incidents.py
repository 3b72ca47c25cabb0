"""What happens to the shops of a random quarter: orders, stock, statuses, violations; and the rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from tests.oracle.batches import PLATFORM_ZONE, Feed, stamp
from tests.oracle.policies import CATEGORIES
from tests.oracle.season import DAY, SECOND, Season
from tests.oracle.values import Row, instant

BASE_RATES = {"EUR": "7.8", "JPY": "0.0487", "GBP": "9.2", "USD": "7.2", "PLN": "1.83", "BRL": "1.26"}
CURRENCY = {"JP": "JPY", "GB": "GBP", "PL": "PLN", "US": "USD"}


@dataclass(frozen=True)
class Stage:
    """A shop to which things happen."""

    code: str
    market: str
    certified_at: datetime | None
    registered_at: datetime
    wave: int
    flaws: set[str]


def add_rates(feed: Feed, season: Season) -> None:
    """Daily rates, some recorded late, some corrected; gaps around a week; one currency ends in the middle."""
    random = season.random
    first, last = season.day(season.period_starts - 9 * DAY), season.day(season.closes_at + 15 * DAY)
    days = [first + timedelta(days=i) for i in range((last - first).days)]
    for currency, base in BASE_RATES.items():
        gap = random.randrange(20, len(days) - 12)
        missing = set(days[gap : gap + random.choice((7, 8, 9))])
        if currency == "BRL":
            missing = set(days[len(days) // 3 :])
        elif currency in ("GBP", "PLN"):
            missing |= {day for day in days if random.random() < 0.7}
        for day in days:
            if day in missing or day.weekday() >= 5:
                continue
            rate = (Decimal(base) * Decimal(random.randrange(96000, 104000)) / 100000).normalize()
            row: Row = {"rate_date": day.isoformat(), "currency": currency, "rate": f"{rate:f}"}
            wave = feed.wave_of(season.day_start(day) + timedelta(hours=random.choice((-30, 8, 20, 20, 900))))
            feed.add("fx", wave, row)
            if season.chance(0.02) and wave + 1 < len(feed.waves):
                better = f"{rate * Decimal('1.0173'):f}"
                feed.add("fx", wave + 1, {**row, "rate": better[:13], "corrects": "true"}, stage=1)


class Incidents:
    """Makes things happen to shops."""

    def __init__(self, season: Season, feed: Feed) -> None:
        self.season, self.feed = season, feed
        self.seen: set[tuple[str, str, datetime]] = set()
        self.violations = 0
        self.codes: list[tuple[str, int]] = []

    def happen(self, stage: Stage, siblings: Sequence[tuple[str, int]], trouble: float) -> None:
        """All that happens to one shop; `siblings` are the merchant's shops with their waves, itself included."""
        self.codes.append((stage.code, stage.wave))
        self._sell(stage)
        self._store(stage, siblings)
        closed = self._punish(stage, trouble)
        self._report(stage, closed)

    def _wave(self, stage: Stage, moment: datetime) -> int:
        return max(stage.wave, self.feed.wave_of(moment + self.season.lag()))

    # Orders

    def _sell(self, stage: Stage) -> None:
        season, random, rules = self.season, self.season.random, self.season.rules
        if "gmv_none" in stage.flaws:
            return
        since = stage.certified_at or stage.registered_at
        until = season.day_end(season.day(since) + timedelta(days=rules.window_days))
        settled_until = season.day_end(season.day(since) + timedelta(days=rules.window_days + rules.grace_days))
        count = random.randrange(2, 9)
        total = rules.gmv_above + 40
        total *= Decimal(random.randrange(20, 95) if "gmv_low" in stage.flaws else random.randrange(115, 400)) / 100
        currency = CURRENCY.get(stage.market, "EUR")
        if "gmv_rate" in stage.flaws:
            currency = "BRL"
        elif season.chance(0.1):
            currency = random.choice(("CNY", "USD"))
        if "gmv_edge" in stage.flaws:
            self._edge(stage, since, until, settled_until)
            return
        for number in range(count):
            amount = total / count / Decimal(BASE_RATES.get(currency, "1"))
            amount = amount.quantize(Decimal(random.choice(("0.01", "0.01", "0.0001")))) + Decimal("0.01")
            ordered_at = season.between(since, until)
            settled_at = season.between(ordered_at, min(ordered_at + 20 * DAY, settled_until))
            if "gmv_time" in stage.flaws and number % 2 == 0:
                ordered_at, settled_at = self._misses(since, until, settled_until)
            self._line(stage, f"{number}", ordered_at, settled_at, amount, currency)
            if season.chance(0.05):
                refunded_at = season.between(settled_at, settled_at + 40 * DAY)
                part = -min(amount, (amount / random.choice((1, 2, 3))).quantize(Decimal("0.01")) + Decimal("0.01"))
                self._line(stage, f"{number}r", ordered_at, refunded_at, part, currency)

    def _misses(self, since: datetime, until: datetime, settled_until: datetime) -> tuple[datetime, datetime]:
        """An order in a second that is just inside or just outside of what counts."""
        soon = min(until + DAY, settled_until - SECOND)
        return self.season.random.choice(
            (
                (since - SECOND, soon),
                (since, soon),
                (until - SECOND, max(until, soon)),
                (until, until + 2 * DAY),
                (since + SECOND, settled_until - SECOND),
                (since + SECOND, settled_until),
                (since + DAY, settled_until + 9 * DAY),
            )
        )

    def _edge(self, stage: Stage, since: datetime, until: datetime, settled_until: datetime) -> None:
        """Exactly the threshold in CNY, or a hair more; by sales alone or with a refund."""
        season, random = self.season, self.season.random
        hair = Decimal(random.choice(("0", "0.0001", "0.0001", "0.0049", "0.005")))
        total = season.rules.gmv_above + hair
        first = Decimal("412.3456")
        ordered_at = season.between(since, until)
        settled_at = season.between(ordered_at, settled_until)
        halves = total > first and season.chance(0.5)
        parts = (first, total - first) if halves else (total + first, -first)
        for number, amount in enumerate(parts):
            self._line(stage, f"{number}", ordered_at, settled_at, amount, "CNY")

    def _line(
        self,
        stage: Stage,
        name: str,
        ordered_at: datetime,
        settled_at: datetime,
        amount: Decimal,
        currency: str,
    ) -> None:
        row: Row = {
            "line_code": f"{stage.code}.{name}",
            "shop_code": stage.code,
            "order_code": f"{stage.code}.{name.rstrip('r')}",
            "kind": "sale" if amount > 0 else "refund",
            "ordered_at": stamp(ordered_at, self.season.random),
            "settled_at": stamp(settled_at, self.season.random),
            "amount": f"{amount:f}",
            "currency": currency,
        }
        self.feed.add("settlements", self._wave(stage, settled_at), row)

    # Stock

    def _store(self, stage: Stage, siblings: Sequence[tuple[str, int]]) -> None:
        season, random = self.season, self.season.random
        countries = sorted(season.rules.stock_countries) or ["DE", "FR"]
        if "stock_none" in stage.flaws:
            countries = []
        elif "stock_short" in stage.flaws:
            countries = random.sample(countries, random.randrange(len(countries)))
        extra = [country for country in ("DE", "FR", "IT", "ES", "PL", "JP") if season.chance(0.5)]
        if "stock_none" not in stage.flaws and "stock_short" not in stage.flaws:
            countries += extra
        for country in dict.fromkeys(countries):
            code, wave = random.choice(siblings) if season.chance(0.2) else (stage.code, stage.wave)
            sellable = 0 if "stock_zero" in stage.flaws else random.choice((1, random.randrange(1, 900)))
            seen_at = season.inside()
            if "stock_time" in stage.flaws and season.chance(0.6):
                seen_at = season.outside()
            self._observe(code, wave, country, sellable, seen_at)
            if season.chance(0.3):
                self._observe(code, wave, country, random.choice((0, 5)), season.inside())
        if season.chance(0.3):
            self._observe(stage.code, stage.wave, random.choice(("DE", "IT", "GB")), 3, season.outside())

    def _observe(self, code: str, wave: int, country: str, sellable: int, at: datetime) -> None:
        season = self.season
        if (code, country, at) in self.seen:
            return
        self.seen.add((code, country, at))
        row: Row = {
            "shop_code": code,
            "country": country,
            "sellable": str(sellable),
            "observed_at": stamp(at, season.random),
        }
        wave = max(wave, self.feed.wave_of(at + season.lag()))
        self.feed.add("stock", wave, row)
        if season.chance(0.04) and wave + 1 < len(self.feed.waves):
            other = "0" if sellable else "7"
            later = season.random.randrange(wave + 1, len(self.feed.waves))
            self.feed.add("stock", later, {**row, "sellable": other, "corrects": "true"}, stage=1)

    # Statuses and violations

    def _report(self, stage: Stage, closed: datetime | None) -> None:
        season, random = self.season, self.season.random
        if "status_none" in stage.flaws or (stage.certified_at is None and season.chance(0.4)):
            return
        opened = stage.certified_at or stage.registered_at
        self._say(stage, "open", opened + random.choice((0, 1, 3)) * DAY)
        if "status_bad" in stage.flaws:
            bad = random.choice(("restricted", "closing", "closed"))
            self._say(stage, bad, season.between(opened + 4 * DAY, season.closes_at))
        elif season.chance(0.1):
            middle = season.between(opened + 4 * DAY, max(opened + 5 * DAY, season.closes_at))
            self._say(stage, "restricted", middle)
            self._say(stage, "open", middle + 5 * DAY)
        if season.chance(0.06):
            edge = season.closes_at + random.choice((-SECOND, timedelta(0), 3 * DAY))
            self._say(stage, random.choice(("closed", "open")), edge)
        if closed is not None and season.chance(0.4):
            self._say(stage, "closed", closed + SECOND)

    def _say(self, stage: Stage, status: str, at: datetime) -> None:
        season = self.season
        if (stage.code, "", at) in self.seen:
            return
        self.seen.add((stage.code, "", at))
        row: Row = {
            "shop_code": stage.code,
            "status": status,
            "at": stamp(at, season.random),
            "reason": "told",
        }
        wave = self._wave(stage, at)
        self.feed.add("shop_statuses", wave, row)
        if season.chance(0.05) and wave + 1 < len(self.feed.waves):
            other = "closed" if status == "open" else "open"
            later = season.random.randrange(wave + 1, len(self.feed.waves))
            self.feed.add("shop_statuses", later, {**row, "status": other, "corrects": "true"}, stage=1)

    def _punish(self, stage: Stage, trouble: float) -> datetime | None:
        """Perhaps a violation, appealed, overturned or corrected; the moment of the penalty."""
        season, random = self.season, self.season.random
        if not season.chance(max(trouble, 0.02)):
            return None
        since = stage.certified_at or stage.registered_at
        penalised_at = season.between(since, max(since + DAY, season.closes_at))
        if season.chance(0.15):
            penalised_at = season.closes_at + random.choice((-SECOND, timedelta(0), 2 * DAY))
        self.violations += 1
        row: Row = {
            "violation_code": f"{random.choice('Vv')}{random.choice('-_.')}{self.violations:03d}",
            "shop_code": stage.code,
            "category": random.choices(CATEGORIES, (4, 4, 4, 4, 1, 1))[0],
            "penalised_at": stamp(penalised_at, random),
            "enforced_closure": "true" if season.chance(0.85) else "false",
            "appealed_at": "",
            "overturned_at": "",
        }
        wave, last = self._wave(stage, penalised_at), len(self.feed.waves) - 1
        self.feed.add("violations", wave, row)
        if wave < last and season.chance(0.4):
            appealed = {**row, "appealed_at": stamp(penalised_at + DAY, random)}
            if season.chance(0.6):
                overturned_at = season.between(penalised_at + 2 * DAY, season.closes_at + 30 * DAY)
                appealed["overturned_at"] = stamp(max(overturned_at, penalised_at + SECOND), random)
            else:
                del appealed["overturned_at"]  # An absent column leaves the value alone.
            self.feed.add("violations", random.randrange(wave + 1, last + 1), appealed, stage=1)
        elif wave < last and season.chance(0.3):
            code, since_wave = random.choice(self.codes)
            correction = dict(
                random.choice(
                    (
                        {"category": random.choice(CATEGORIES)},
                        {"enforced_closure": "false"},
                        {"penalised_at": stamp(season.closes_at, random)},
                        {"shop_code": code},
                    )
                )
            )
            later = random.randrange(max(wave + 1, min(since_wave, last)), last + 1)
            self.feed.add("violations", later, {**row, **correction, "corrects": "true"}, stage=1)
        return penalised_at


def add_echoes(random: Random, feed: Feed) -> None:
    """Send some rows again, later or in the same file, with other spellings of the same instants."""
    keys = {
        "settlements": ("line_code",),
        "shop_statuses": ("shop_code", "at"),
        "stock": ("shop_code", "country", "observed_at"),
        "fx": ("rate_date", "currency"),
        "claims": ("program", "target_code", "claimed_at"),
    }
    changed = {
        (item.kind, *(item.row[column] for column in keys[item.kind]))
        for item in feed.arriving
        if item.stage and item.kind in keys
    }
    for item in list(feed.arriving):
        columns = keys.get(item.kind)
        if columns is None or random.random() > 0.02:
            continue
        if (item.kind, *(item.row[column] for column in columns)) in changed:
            continue  # The same row after a correction would be another fact, or refused.
        row = {
            column: stamp(instant(text, PLATFORM_ZONE), random) if column.endswith("_at") else text
            for column, text in item.row.items()
        }
        feed.add(item.kind, random.randrange(item.wave, len(feed.waves)), row, item.stage)
