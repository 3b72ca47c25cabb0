"""What Python vouches for, PostgreSQL would have let pass: on cells that are, or nearly are, what is expected."""

from __future__ import annotations

import random

import pytest
from django.db import connection

from merchants.imports import columns
from merchants.imports.columns import ColumnType
from merchants.imports.staging import instant_sql

TYPES: dict[str, tuple[ColumnType, list[str]]] = {
    "code": (columns.CODE, ["S-0001.x_Y", "a" * 64, "a" * 65, "9"]),
    "word": (columns.WORD, ["prohibited_goods", "x" * 64]),
    "number": (columns.NUMBER, ["-12.50", "+7", "0.0001", "9" * 60, "9" * 61, "1\n2", "1.", ".5", "1e5"]),
    "whole": (columns.WHOLE, ["12", "0", "9" * 18, "9" * 19, "12.0"]),
    "date": (columns.DATE, ["2026-03-31", "2024-02-29", "2023-02-29", "1899-12-31", "9999-12-31", "2026-04-31"]),
    "timestamp": (columns.TIMESTAMP, ["2026-03-31T18:00:00+08:00", "2024-02-29T00:00:00", "9999-12-31T23:59:59Z"]),
    "flag": (columns.FLAG, ["true", "FALSE", "True", "tRuE", "yes"]),
    "country": (columns.COUNTRY, ["DE", "de", "EU"]),
    "currency": (columns.CURRENCY, ["EUR", "eur", "DEM"]),
    "kind": (columns.one_of(["sale", "refund"]), ["sale", "refund", "sales"]),
    "text": (columns.text(20), ["Invented 商家 & Co.", "é" * 20, "a" * 21, "a\u00a0b", "a\u3000b"]),
    "email": (columns.EMAIL, ["ann@example.com"]),
}
STRANGE = "0123456789-:+.,TZ aAzZ_\n\r\t'\\\"\u0131\u0661\u200b\ufeff\u202e\u00a0\uff11商\U000e0041"


def spoilt(cells: list[str]) -> list[str]:
    shuffled = random.Random(11)
    found = []
    for _ in range(400):
        cell = list(shuffled.choice(cells))
        for _ in range(shuffled.randrange(1, 3)):
            place = shuffled.randrange(len(cell))
            cell[place : place + shuffled.randrange(2)] = shuffled.choice(STRANGE)
        found.append("".join(cell).strip() or "x")
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("name", TYPES)
def test_what_is_vouched_for_passes(name: str) -> None:
    column, examples = TYPES[name]
    cells = [*examples, *spoilt(examples)]
    value = column.sql.replace("feed_instant({c})", instant_sql()).replace("{c}", "c")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c, ({value})::{column.pg} IS NOT NULL FROM unnest(%s::text[]) c, (SELECT NULL::text AS sound) s",  # noqa: S608
            [cells],
        )
        passes = dict(cursor.fetchall())
    vouched = [cell for cell in passes if column.vouch([cell])]
    assert all(passes[cell] for cell in vouched)
    # One bad cell among good ones is seen.
    assert not any(column.vouch([examples[0], cell, examples[0]]) for cell in passes if not passes[cell])
    assert name == "email" or column.vouch([examples[0]] * 3)
