"""Rows become files: each goes into the first wave of feeds after it happened, and none comes from the future."""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from incentives.demo.moments import ZONE

Row = Mapping[str, str]

# The feeds, each after those that it refers to; and the columns that the demo writes (CONTRACT.md).
COLUMNS: dict[str, tuple[str, ...]] = {
    "partners": (
        "partner_code",
        "name",
        "category",
        "country",
        "registration_no",
        "certified_from",
        "certified_until",
        "commitment",
        "contact_email",
    ),
    "targets": (
        "program",
        "target_code",
        "merchant_name",
        "country",
        "registration_no",
        "brand",
        "track",
        "partner_code",
        "listed_on",
        "delisted_on",
        "review",
    ),
    "invites": ("invite_code", "partner_code", "target_code", "program", "starts_at", "expires_at", "revoked_at"),
    "claims": ("program", "target_code", "partner_code", "claimed_at", "expires_at", "status"),
    "shops": (
        "shop_code",
        "merchant_name",
        "country",
        "registration_no",
        "brand",
        "market",
        "registered_at",
        "invite_code",
        "partner_code",
        "certified_at",
        "receipt",
    ),
    "fx": ("rate_date", "currency", "rate"),
    "shop_statuses": ("shop_code", "status", "at", "reason"),
    "settlements": (
        "line_code",
        "shop_code",
        "order_code",
        "kind",
        "ordered_at",
        "settled_at",
        "amount",
        "currency",
    ),
    "stock": ("shop_code", "country", "sellable", "observed_at"),
    "violations": (
        "violation_code",
        "shop_code",
        "category",
        "penalised_at",
        "enforced_closure",
        "appealed_at",
        "overturned_at",
    ),
}
KINDS = tuple(COLUMNS)


@dataclass(frozen=True, slots=True)
class File:
    """One file of one feed. `bad_rows`: how many of its rows are wrong on purpose."""

    kind: str
    wave: int
    recorded_at: datetime
    rows: tuple[Row, ...]
    label: str = ""
    bad_rows: int = 0

    @property
    def name(self) -> str:
        """The file's name, as a marketplace would give it."""
        return f"{self.kind}-{self.recorded_at:%Y%m%d-%H%M}{self.label}.csv"

    def write(self, folder: Path) -> Path:
        """Write it into `folder` and return its path."""
        path = folder / self.name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS[self.kind], restval="")
            writer.writeheader()
            writer.writerows(self.rows)
        return path


@dataclass
class Feed:
    """Collects what happened, and when; cuts it into the files of each wave."""

    waves: Sequence[datetime]
    _rows: dict[tuple[int, str], dict[Hashable, Row]] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """The last wave's moment."""
        return self.waves[-1]

    def tell(self, kind: str, moment: datetime, key: Hashable, row: Row) -> None:
        """Report what is true of `key` from `moment` on; the last thing said of it in a wave is what the wave says.

        What lies after the last wave hasn't happened, and nobody reports it.
        """
        if moment <= self.now:
            self._rows.setdefault((bisect_left(self.waves, moment), kind), {})[key] = row

    def files(self) -> list[File]:
        """All files in the order in which they arrived."""
        return [
            File(kind, wave, self.waves[wave], tuple(self._rows[wave, kind].values()))
            for wave in range(len(self.waves))
            for kind in KINDS
            if (wave, kind) in self._rows
        ]


def stamp(moment: datetime | None) -> str:
    """A timestamp's cell."""
    return "" if moment is None else moment.astimezone(ZONE).isoformat(timespec="seconds")
