"""Random quarters, the same for the same seed: partners, lists, shops and all that happens to them, in batches.

Each shop is given a story that would make it eligible, and then none, one or two flaws; so all verdicts, and all
outcomes of each condition, are frequent, and most shops fail by one thing only. Many flaws are the policy's
boundaries themselves. Nothing here decides what a story is worth: that is for the readings to find.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from tests.oracle.batches import Batch, Feed, stamp, write_csv
from tests.oracle.incidents import add_echoes, add_rates
from tests.oracle.people import Cast, add_partners
from tests.oracle.policies import MARKETS, Policy, make_policy
from tests.oracle.season import Season
from tests.oracle.stories import add_shops
from tests.oracle.values import Row

__all__ = ["Batch", "Program", "Quarter", "make_quarter", "stamp", "write_csv"]

ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "Asia/Tokyo",
    "America/New_York",
    "Asia/Beirut",  # Its clocks change at midnight: one day a year begins at 01:00.
    "Pacific/Auckland",
    "UTC",
)
PERIODS = (
    (date(2025, 1, 1), date(2025, 3, 31)),
    (date(2024, 10, 1), date(2024, 12, 31)),  # Daylight saving ends inside it.
    (date(2025, 3, 10), date(2025, 5, 20)),  # Daylight saving starts inside it.
    (date(2024, 2, 1), date(2024, 2, 29)),
    (date(2024, 1, 1), date(2024, 3, 31)),
)


@dataclass(frozen=True)
class Program:
    """A program as `create_program` takes it."""

    code: str
    start: date
    end: date


@dataclass(frozen=True)
class Quarter:
    """A quarter's feeds, and what to evaluate on them.

    `programs[0]` is the one to evaluate; the other only has entries. The policies all judge the same facts.
    """

    seed: int
    programs: tuple[Program, ...]
    policies: tuple[Policy, ...]
    batches: tuple[Batch, ...]
    moments: tuple[datetime, ...]

    @property
    def program(self) -> Program:
        """The program to evaluate."""
        return self.programs[0]

    @property
    def policy(self) -> Policy:
        """The policy around which the quarter's stories were made."""
        return self.policies[0]


def make_quarter(seed: int, shops: int = 500, partners: int = 30, policies: int = 3) -> Quarter:
    """Make a quarter: the same seed and sizes always make the same one."""
    random = Random(seed)
    zone = ZONES[seed % len(ZONES)]
    start, end = PERIODS[seed % len(PERIODS)]
    markets = random.sample(MARKETS, random.randint(4, 6))
    first = make_policy(random, zone, markets)
    documents = (first, *(make_policy(random, zone, markets, near=first) for _ in range(policies - 1)))
    program = Program(f"q-{seed}", start, end)
    other = Program(f"q-{seed}.before", start - timedelta(days=90), start - timedelta(days=1))
    season = Season.of(random, program.code, other.code, start, end, ZoneInfo(zone), documents[0])
    feed = Feed(_waves(random, season))
    cast = Cast()
    add_partners(feed, season, cast, partners)
    add_rates(feed, season)
    add_shops(feed, season, cast, shops)
    add_echoes(random, feed)
    batches = _with_late_history(random, feed.batches())
    return Quarter(seed, (program, other), documents, tuple(batches), _moments(random, season, feed, batches))


def _waves(random: Random, season: Season) -> list[datetime]:
    """When files arrive: from before the period until after the close of observation."""
    length = season.period_ends - season.period_starts
    close = season.closes_at - season.period_ends
    waves = [
        season.period_starts - timedelta(days=3),
        season.period_starts + length * 0.3,
        season.period_starts + length * 0.65,
        season.period_ends - timedelta(hours=5),
        season.period_ends + close * 0.4,
        season.closes_at - timedelta(hours=1),
        season.closes_at + timedelta(days=12),
    ]
    return [wave.replace(microsecond=0) + timedelta(seconds=random.randrange(1800)) for wave in waves]


def _with_late_history(random: Random, batches: list[Batch]) -> list[Batch]:
    """Move some settlement and stock rows of the last waves into batches loaded last but recorded long before."""
    half = len(batches) // 2
    middle = batches[half].recorded_at + timedelta(milliseconds=500)
    known = {row["shop_code"] for batch in batches[:half] if batch.kind == "shops" for row in batch.rows}
    # The first row of a key that is corrected stays where it is: a correction comes after what it corrects.
    corrected = {
        (row["shop_code"], row["observed_at"])
        for batch in batches
        if batch.kind == "stock" and "corrects" in batch.rows[0]
        for row in batch.rows
    }
    kept: list[Batch] = []
    late: dict[str, list[Row]] = {"settlements": [], "stock": []}
    for batch in batches:
        rows = batch.rows
        if batch.kind in late and batch.recorded_at > middle and "corrects" not in rows[0]:
            moved = [
                row["shop_code"] in known
                and (row["shop_code"], row.get("observed_at", "")) not in corrected
                and random.random() < 0.04
                for row in rows
            ]
            late[batch.kind] += [row for row, moves in zip(rows, moved, strict=True) if moves]
            rows = tuple(row for row, moves in zip(rows, moved, strict=True) if not moves)
        if rows:
            kept.append(Batch(batch.kind, rows, batch.recorded_at))
    return kept + [Batch(kind, tuple(rows), middle) for kind, rows in late.items() if rows]


def _moments(random: Random, season: Season, feed: Feed, batches: list[Batch]) -> tuple[datetime, ...]:
    """As-of moments: around the waves, at a batch's own moment and just before, at the period's end and the close."""
    some = random.sample(batches[:-2], 3)
    one = timedelta(microseconds=1)
    moments = {
        feed.waves[1] + timedelta(hours=1),
        some[0].recorded_at,
        some[1].recorded_at - one,
        some[2].recorded_at,
        season.period_ends - one,
        season.period_ends,
        feed.waves[4] + timedelta(hours=2),
        season.closes_at - one,
        season.closes_at,
        feed.waves[-1] + timedelta(days=1),
        feed.waves[-1] + timedelta(days=40),
    }
    return tuple(sorted(moments))
