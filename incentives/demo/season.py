"""The plan of the whole demo: two programs, their partners and merchants, and the files that told of them.

Pure: the same moment and seed give the same plan, to the letter. Nothing in it happens after that moment.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from core.values import Period
from incentives.demo.cast import Cast
from incentives.demo.feeds import Feed, File
from incentives.demo.mistakes import mistaken_file
from incentives.demo.moments import CLOSED_QUARTER, ZONE, Moments
from incentives.demo.names import Names, dice
from incentives.demo.plot import Plot
from incentives.demo.rates import Rates
from incentives.demo.scene import Scene
from incentives.demo.stories import CLOSED, CLOSED_APART, RUNNING, RUNNING_APART

SEED = "dingyao"
POLICIES = Path(__file__).parent / "policies"
QUARTERS_ZH = ("第一季度", "第二季度", "第三季度", "第四季度")


@dataclass(frozen=True, slots=True)
class ProgramPlan:
    """One program: what to create, the moment of its first run, and how often each of its stories was told."""

    code: str
    period: Period
    document: dict[str, Any]
    as_of: datetime
    stories: Counter[str]


@dataclass(frozen=True, slots=True)
class Season:
    """Everything that the demo loads."""

    moments: Moments
    closed: ProgramPlan
    running: ProgramPlan
    files: tuple[File, ...]

    @property
    def programs(self) -> tuple[ProgramPlan, ProgramPlan]:
        """Both programs, the closed one first."""
        return self.closed, self.running


def program_code(period: Period) -> str:
    """The code of the quarter's program."""
    return f"eu-jp-pop-{period.first.year}q{_number(period.first)}"


def plan_season(*, now: datetime, seed: str = SEED) -> Season:
    """Plan the demo as it looks at `now` (aware).

    Raises BadInput where the clock stands before the closed quarter's end.
    """
    moments = Moments(now.astimezone(ZONE).replace(microsecond=0))
    feed = Feed(moments.waves)
    names = Names(dice(seed, "names"))
    cast = Cast(names, dice(seed, "cast"))
    cast.tell(feed, moments)
    rates = Rates(moments, dice(seed, "rates"))
    rates.tell(feed)

    def scene(period: Period, *, running: bool) -> Scene:
        mark = f"{period.first.year % 100}Q{_number(period.first)}"
        random = dice(seed, mark, moments.today if running else "")
        return Scene(program_code(period), mark, period, running, moments, feed, rates, names, random)

    closed = Plot(scene(CLOSED_QUARTER, running=False), cast, CLOSED, CLOSED_APART, idle=45)
    running = Plot(scene(moments.quarter, running=True), cast, RUNNING, RUNNING_APART, idle=130)
    closed.tell()
    running.tell(earlier=closed.first_shops)
    files = (*feed.files(), mistaken_file(running.certified_shops, moments, wave=len(moments.waves) - 1))
    return Season(
        moments,
        ProgramPlan(
            program_code(CLOSED_QUARTER),
            CLOSED_QUARTER,
            _document("eu-jp-pop-2026q1.json", CLOSED_QUARTER),
            moments.closed_as_of,
            closed.told,
        ),
        ProgramPlan(
            program_code(moments.quarter),
            moments.quarter,
            _document("running-quarter.json", moments.quarter),
            moments.running_as_of,
            running.told,
        ),
        files,
    )


def _document(file: str, period: Period) -> dict[str, Any]:
    """The program's policy; the running quarter's name says which quarter it is."""
    document: dict[str, Any] = json.loads((POLICIES / file).read_text(encoding="utf-8"))
    number = _number(period.first)
    document["name"] = {
        language: name.format(year=period.first.year, quarter=f"Q{number}", quarter_zh=QUARTERS_ZH[number - 1])
        for language, name in document["name"].items()
    }
    return document


def _number(day: date) -> int:
    return (day.month + 2) // 3
