"""Rows that arrive over time become batches: what a marketplace's feeds would have looked like."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from tests.oracle.values import Row

KINDS = (
    "partners",
    "targets",
    "invites",
    "claims",
    "shops",
    "fx",
    "shop_statuses",
    "settlements",
    "stock",
    "violations",
)
"""The feeds, each after those that it refers to."""

PLATFORM_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Batch:
    """One file of one feed, and when it counts as recorded. All its rows have the same columns."""

    kind: str
    rows: tuple[Row, ...]
    recorded_at: datetime


@dataclass(frozen=True)
class Arriving:
    """A row on its way: which wave of files brings it, and whether it can only come after the others' rows."""

    kind: str
    wave: int
    stage: int
    row: Row


class Feed:
    """Collects rows by the wave that brings them, and cuts each wave into batches."""

    def __init__(self, waves: Iterable[datetime]) -> None:
        self.waves = tuple(waves)
        self.arriving: list[Arriving] = []

    def wave_of(self, moment: datetime) -> int:
        """The first wave at or after a moment; the last one brings all the rest."""
        return next((i for i, wave in enumerate(self.waves) if wave >= moment), len(self.waves) - 1)

    def add(self, kind: str, wave: int, row: Row, stage: int = 0) -> None:
        """Let a row arrive with a wave; within it, rows of a later stage come in later batches."""
        self.arriving.append(Arriving(kind, wave, stage, row))

    def batches(self) -> list[Batch]:
        """The batches in their order of arrival: by wave, by kind, one for each set of columns, new keys first."""
        files: dict[tuple[int, int, tuple[str, ...]], list[Arriving]] = {}
        for item in sorted(self.arriving, key=lambda item: item.stage):
            place = (item.wave, KINDS.index(item.kind), tuple(item.row))
            files.setdefault(place, []).append(item)
        order = sorted(files, key=lambda place: (place[0], place[1], files[place][0].stage, place[2]))
        return [
            Batch(
                KINDS[place[1]],
                tuple(item.row for item in files[place]),
                self.waves[place[0]] + timedelta(seconds=serial),
            )
            for serial, place in enumerate(order)
        ]


def write_csv(batch: Batch, path: Path) -> None:
    """Write a batch as a feed's CSV file."""
    columns = tuple(batch.rows[0])
    if any(tuple(row) != columns for row in batch.rows):
        message = f"the rows of a {batch.kind} batch have different columns"
        raise ValueError(message)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(batch.rows)


def stamp(moment: datetime | None, random: Random | None = None) -> str:
    """A timestamp's cell: with an offset, with a Z, or without one (then in the platform's time zone)."""
    if moment is None:
        return ""
    style = random.randrange(4) if random else 0
    if style == 1:
        return moment.astimezone(PLATFORM_ZONE).isoformat()
    if style == 2:
        return moment.astimezone(PLATFORM_ZONE).replace(tzinfo=None).isoformat()
    if style == 3:
        return moment.astimezone(ZoneInfo("America/New_York")).isoformat()
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
