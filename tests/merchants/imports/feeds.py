"""Files to load: a good row of each kind, and a world in which it is good."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from core.actors import Actor
from core.policy import Policy
from core.services import create_program
from merchants.models import Import
from merchants.services import load_feed

ACTOR = Actor.system("tests")
KINDS = (
    "partners",
    "targets",
    "invites",
    "claims",
    "shops",
    "shop_statuses",
    "settlements",
    "stock",
    "violations",
    "fx",
)
Row = dict[str, str]

GOOD: dict[str, Row] = {
    "partners": {
        "partner_code": "P-1",
        "name": "Invented Partner 一号",
        "category": "logistics",
        "country": "CN",
        "registration_no": "91 310000-AB",
        "certified_from": "2025-01-01",
        "certified_until": "2027-12-31",
        "commitment": "40",
        "contact_email": "hello@example.com",
    },
    "targets": {
        "program": "Q1",
        "target_code": "T-1",
        "merchant_name": "Invented Merchant",
        "country": "CN",
        "registration_no": "M-1",
        "brand": "Hoshi",
        "track": "directed",
        "partner_code": "P-1",
        "listed_on": "2026-01-01",
        "delisted_on": "",
        "review": "approved",
    },
    "invites": {
        "invite_code": "L-1",
        "partner_code": "P-1",
        "target_code": "T-1",
        "program": "Q1",
        "starts_at": "2026-01-01T00:00:00+08:00",
        "expires_at": "2026-03-31T00:00:00+08:00",
        "revoked_at": "",
    },
    "claims": {
        "program": "Q1",
        "target_code": "T-1",
        "partner_code": "P-1",
        "claimed_at": "2026-01-05T00:00:00+08:00",
        "expires_at": "2026-02-04T00:00:00+08:00",
        "status": "approved",
    },
    "shops": {
        "shop_code": "S-1",
        "merchant_name": "Invented Merchant",
        "country": "CN",
        "registration_no": "M-1",
        "brand": "Hoshi",
        "market": "DE",
        "registered_at": "2026-01-10T10:00:00+08:00",
        "invite_code": "L-1",
        "partner_code": "P-1",
        "certified_at": "2026-01-20T10:00:00+08:00",
        "receipt": "",
    },
    "shop_statuses": {
        "shop_code": "S-1",
        "status": "open",
        "at": "2026-01-20T10:00:00+08:00",
        "reason": "certified",
        "corrects": "",
    },
    "settlements": {
        "line_code": "LINE-1",
        "shop_code": "S-1",
        "order_code": "O-1",
        "kind": "sale",
        "ordered_at": "2026-01-21T10:00:00+08:00",
        "settled_at": "2026-02-01T10:00:00+08:00",
        "amount": "120.50",
        "currency": "EUR",
    },
    "stock": {
        "shop_code": "S-1",
        "country": "DE",
        "sellable": "12",
        "observed_at": "2026-01-22T10:00:00+08:00",
        "corrects": "",
    },
    "violations": {
        "violation_code": "V-1",
        "shop_code": "S-1",
        "category": "counterfeit",
        "penalised_at": "2026-02-10T10:00:00+08:00",
        "enforced_closure": "true",
        "appealed_at": "",
        "overturned_at": "",
        "corrects": "",
    },
    "fx": {"rate_date": "2026-01-21", "currency": "EUR", "rate": "8.190800000001", "corrects": ""},
}


def make_program(code: str = "Q1", *, markets: Sequence[str] = ("DE", "FR"), **document: object) -> None:
    """A program over the first quarter of 2026."""
    create_program(
        actor=ACTOR,
        code=code,
        start=date(2026, 1, 1),
        end=date(2026, 3, 31),
        policy=Policy.parse({"markets": list(markets), **document}),
    )


def write(path: Path, rows: Sequence[Row], columns: Sequence[str] | None = None) -> Path:
    """Write rows as a CSV; columns are the first row's unless given."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns or list(rows[0]), extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


class Feeds:
    """Loads rows through files in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = 0

    def load(
        self,
        kind: str,
        *rows: Row,
        columns: Sequence[str] | None = None,
        strict: bool = False,
        recorded_at: datetime | None = None,
    ) -> Import:
        """Load these rows as one file."""
        self.files += 1
        path = write(self.folder / f"{self.files}-{kind}.csv", rows or [GOOD[kind]], columns)
        return load_feed(actor=ACTOR, kind=kind, path=path, strict=strict, recorded_at=recorded_at)

    def world(self, *, until: str = "fx") -> None:
        """A program, and a good row of every kind before `until`."""
        make_program()
        for kind in KINDS[: KINDS.index(until)]:
            assert self.load(kind).new == 1, kind


def counts(loaded: Import) -> tuple[int, int, int, int]:
    """New, unchanged, updated, rejected."""
    return loaded.new, loaded.unchanged, loaded.updated, loaded.rejected


def errors(loaded: Import) -> list[tuple[int, str, str]]:
    """Line, column and code of every fault."""
    return list(loaded.rejected_rows.order_by("line", "pk").values_list("line", "column", "code"))
