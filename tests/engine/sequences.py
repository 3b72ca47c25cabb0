"""Sequences of what can happen to a small world, as data: so that one that fails shrinks to one that can be read.

Everything is relative to the present and wraps around what there is, so that any sequence can be played
(`tests.engine.stage`). The world is small and dense: few merchants and brands share the shops, so that nearly
everything that happens to one of them reaches another.

The present is the clock's, or, in a sequence that walks through the past, a few days after the last run's moment: then
everything is loaded as history, and much of it happens later than it was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

PARTS_OF_A_DAY = 4
PARTNERS, BRANDS, ENTRIES, LINKS = 3, 6, 9, 4
SHOPS, OPEN = 14, 11  # in all, and those of them that are there from the beginning


@dataclass(frozen=True)
class When:
    """A moment not after the present: so many days back, at one of the day's interesting instants."""

    back: int
    part: int


# Facts ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A settled line of a shop, ordered some hours before; a refund where `amount` is negative."""

    shop: int
    amount: int
    currency: str
    settled: When
    hours: int


@dataclass(frozen=True)
class Rate:
    """A rate, new or corrected; so many days back from the present, or from the day the last line was settled on."""

    currency: str
    back: int
    tenths: int
    of_line: bool = False


@dataclass(frozen=True)
class Stock:
    """Stock seen, or corrected."""

    shop: int
    country: str
    sellable: int
    at: When


@dataclass(frozen=True)
class Status:
    """A status, in any order, or its correction."""

    shop: int
    status: str
    at: When


@dataclass(frozen=True)
class Violation:
    """A violation: new, moved to another shop, overturned, or taken back."""

    code: int
    shop: int
    severe: bool
    closed: bool
    penalised: When
    overturned: int | None  # days after it was penalised


@dataclass(frozen=True)
class Entry:
    """A listing: of an entry new or known, of this program or the other, in days from the clock's date on."""

    entry: int
    directed: int | None
    review: str
    listed: int
    delisted: int | None


@dataclass(frozen=True)
class Certified:
    """A partner's certification, in days from the clock's date on."""

    partner: int
    first: int
    last: int | None


@dataclass(frozen=True)
class Shop:
    """A shop: new, under another brand, or with another certification; null leaves those as they are.

    `ahead` lets a new shop register so many days from the present: feeds may announce it.
    """

    shop: int
    brand: int | None
    certified: When | None
    ahead: int = 0


@dataclass(frozen=True)
class Claim:
    """A claim on an entry, or another status of a known one."""

    entry: int
    partner: int
    back: int
    status: str


@dataclass(frozen=True)
class Revocation:
    """A link revoked."""

    link: int
    at: When


Fact = Line | Rate | Stock | Status | Violation | Entry | Certified | Shop | Claim | Revocation


# Steps ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """Facts are loaded, now or (`recorded`) as history.

    `recorded`, of 8: where between the last run's moment (0) and the present (8); below 0 further back than the last.
    """

    facts: tuple[Fact, ...]
    recorded: int | None


@dataclass(frozen=True)
class Wait:
    """The clock goes on, to one of the day's interesting instants, or (`part` 0) by whole days."""

    days: int
    part: int


@dataclass(frozen=True)
class Assign:
    """An operator gives a shop to a partner, or has the rules applied again to shops without one (`partner` null)."""

    shop: int
    partner: int | None


@dataclass(frozen=True)
class Judge:
    """A run. `place`, of 8: where between the last run's moment (0) and the present (8); below 0 further back.

    `part` moves it to one of the day's interesting instants, where the facts happen.
    `chunks`: null lets it finish; otherwise it is cancelled, or fails, after so many chunks.
    """

    place: int
    part: int | None = None
    policy: int = 0
    program: int = 0
    full: bool = False
    chunks: int | None = None
    fails: bool = False


Step = Load | Wait | Assign | Judge


@dataclass(frozen=True)
class Sequence:
    """A whole sequence: when the clock starts (days into the story), how the engine is set, and what happens."""

    starts: int
    past: bool
    chunk_shops: int
    everything_from: float
    steps: tuple[Step, ...]
