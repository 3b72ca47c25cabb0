"""The contract's row errors, so far as these worlds could run into them: their rows must all be good.

A generator that wrote a bad row would compare a reading that ignores it with a feed that refuses it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from tests.oracle.batches import PLATFORM_ZONE, Batch
from tests.oracle.values import Row, instant, normal_brand, normal_registration

CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
KEYS = {
    "partners": ("partner_code",),
    "targets": ("program", "target_code"),
    "invites": ("invite_code",),
    "claims": ("program", "target_code", "partner_code", "claimed_at"),
    "shops": ("shop_code",),
    "shop_statuses": ("shop_code", "at"),
    "settlements": ("line_code",),
    "stock": ("shop_code", "country", "observed_at"),
    "violations": ("violation_code",),
    "fx": ("rate_date", "currency"),
}
# What a repeat of a key may not change (without `corrects`, where the feed has it).
FIXED = {
    "partners": (),
    "targets": ("country", "registration_no", "brand"),
    "invites": ("partner_code", "target_code", "program", "starts_at", "expires_at"),
    "claims": ("expires_at",),
    "shops": ("country", "registration_no", "market", "registered_at", "invite_code", "partner_code"),
    "shop_statuses": ("status", "reason"),
    "settlements": ("shop_code", "order_code", "kind", "ordered_at", "settled_at", "amount", "currency"),
    "stock": ("sellable",),
    "violations": ("shop_code", "category", "penalised_at", "enforced_closure"),
    "fx": ("rate",),
}
REFERS = {
    "targets": {"partner_code": "partners"},
    "invites": {"partner_code": "partners"},
    "claims": {"partner_code": "partners"},
    "shops": {"partner_code": "partners", "invite_code": "invites"},
    "shop_statuses": {"shop_code": "shops"},
    "settlements": {"shop_code": "shops"},
    "stock": {"shop_code": "shops"},
    "violations": {"shop_code": "shops"},
}
ORDERED = (
    ("registered_at", "certified_at", True),
    ("ordered_at", "settled_at", True),
    ("penalised_at", "overturned_at", True),
    ("starts_at", "revoked_at", True),
    ("starts_at", "expires_at", False),
    ("claimed_at", "expires_at", False),
    ("listed_on", "delisted_on", False),
    ("certified_from", "certified_until", True),
)


def value(column: str, text: str) -> object:
    """A cell as a value, to compare it with another."""
    if not text:
        return None
    if column == "at" or column.endswith("_at"):
        return instant(text, PLATFORM_ZONE)
    if column in ("amount", "rate", "sellable"):
        return Decimal(text)
    if column == "registration_no":
        return normal_registration(text)
    return normal_brand(text) if column == "brand" else text


def row_errors(batches: Iterable[Batch]) -> list[str]:
    """Every row that an import would refuse."""
    found: list[str] = []
    known: dict[str, dict[tuple[object, ...], Row]] = defaultdict(dict)
    for batch in batches:
        for row in batch.rows:
            key = tuple(value(column, row[column]) for column in KEYS[batch.kind])
            before = known[batch.kind].get(key)
            now = {**(before or {}), **row}
            errors = [*_cells(batch.kind, now), *_references(batch.kind, row, known)]
            if row.get("corrects") == "true":
                errors += [] if before else ["corrects nothing"]
            elif before:
                errors += [
                    f"{column} changed"
                    for column in FIXED[batch.kind]
                    if column in row and value(column, row[column]) != value(column, before.get(column, ""))
                ]
            found += [f"{batch.kind} {key}: {error}" for error in errors]
            # What retracts nothing stays; a correction is what the next repeat is compared with.
            kept = {column: text for column, text in (before or {}).items() if not now[column]}
            known[batch.kind][key] = now | {column: kept[column] for column in RETRACT_NOTHING if column in kept}
    return found + _overlaps(known["claims"].values())


RETRACT_NOTHING = ("certified_at", "revoked_at", "appealed_at", "overturned_at", "certified_from")


def _cells(kind: str, row: Row) -> list[str]:
    errors = [
        f"{column} {row[column]!r}"
        for column in row
        if column.endswith("_code") and row[column] and not CODE.fullmatch(row[column])
    ]
    for first, second, may_equal in ORDERED:
        if row.get(first) and row.get(second):
            before, after = (_moment(column, row[column]) for column in (first, second))
            if after < before or (after == before and not may_equal):
                errors.append(f"{second} before {first}")
    if kind == "settlements":
        amount = Decimal(row["amount"])
        if (amount > 0) != (row["kind"] == "sale") or amount == 0 or -int(amount.as_tuple().exponent) > 4:
            errors.append(f"amount {amount}")
    if kind == "fx" and not (Decimal(row["rate"]) > 0 and -int(Decimal(row["rate"]).as_tuple().exponent) <= 12):
        errors.append(f"rate {row['rate']}")
    if kind == "targets":
        if not row["registration_no"] and normal_brand(row["brand"]) is None:
            errors.append("names nobody")
        if (row["track"] == "directed") != bool(row["partner_code"]):
            errors.append("track and partner disagree")
    return errors


def _moment(column: str, text: str) -> datetime:
    return instant(text if column.endswith("_at") else f"{text}T00:00:00", PLATFORM_ZONE)


def _references(kind: str, row: Row, known: dict[str, dict[tuple[object, ...], Row]]) -> list[str]:
    errors = [
        f"unknown {column} {row[column]}"
        for column, other in REFERS.get(kind, {}).items()
        if row.get(column) and (row[column],) not in known[other]
    ]
    names_entry = kind in ("invites", "claims") and row["target_code"]
    if names_entry and (row["program"], row["target_code"]) not in known["targets"]:
        errors.append(f"unknown target {row['target_code']}")
    if kind == "partners":
        alike = {str(code) for (code,) in known["partners"] if str(code).lower() == row["partner_code"].lower()}
        errors += [f"differs from {code} by case only" for code in alike - {row["partner_code"]}]
    return errors


def _overlaps(claims: Iterable[Row]) -> list[str]:
    """Claims on one entry whose times overlap: refused when both are approved, avoided altogether here."""
    spans: dict[tuple[str, str], list[tuple[datetime, datetime]]] = defaultdict(list)
    for row in claims:
        span = (instant(row["claimed_at"], PLATFORM_ZONE), instant(row["expires_at"], PLATFORM_ZONE))
        spans[(row["program"], row["target_code"])].append(span)
    return [
        f"claims {entry} overlap"
        for entry, times in spans.items()
        for one, other in zip(sorted(times), sorted(times)[1:], strict=False)
        if other[0] < one[1]
    ]
