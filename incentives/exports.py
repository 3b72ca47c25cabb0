"""The exports of CONTRACT.md: the same columns and cells for the command, the pages and the API."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter
from django.db import connection, transaction

from core.values import plain, round_money
from incentives.engine.conditions import CONDITION_KEYS
from incentives.models import Run

Cell = str | int | Decimal | date | datetime | None

RESULT_COLUMNS = (
    "program",
    "run",
    "shop_code",
    "partner_code",
    "merchant_name",
    "brand",
    "market",
    "track",
    "target_code",
    "registered_at",
    "certified_at",
    "verdict",
    "amount",
    *CONDITION_KEYS,
    "gmv_cny",
    "window_ends_on",
    "settles_by",
    "stock_countries",
)
PAYOUT_COLUMNS = (
    "program",
    "run",
    "partner_code",
    "eligible",
    "pending",
    "needs_data",
    "not_eligible",
    "introduced",
    "high_risk",
    "base_amount",
    "factor",
    "net_amount",
    "currency",
    "state",
)

RESULTS = f"""
SELECT g.code, r.run_id, s.code, p.code, s.merchant_name, f.brand_name, f.market, f.track, e.code, f.registered_at,
       f.certified_at, r.verdict, r.amount, {", ".join(f"r.{key}" for key in CONDITION_KEYS)},
       CASE WHEN r.activated <> 'unknown' THEN f.gmv END, f.window_ends_on, f.settles_by,
       array_to_string(f.stock_countries, '|')
FROM incentives_result r
JOIN incentives_frozenshop f ON f.run_id = r.run_id AND f.shop_id = r.shop_id
JOIN incentives_run n ON n.id = r.run_id
JOIN core_program g ON g.id = n.program_id
JOIN merchants_shop s ON s.id = r.shop_id
JOIN partners_partner p ON p.id = r.partner_id
LEFT JOIN merchants_targetentry e ON e.id = f.entry_id
WHERE r.run_id = %(run)s
ORDER BY s.code
"""  # noqa: S608 (names of columns, from this module)

PAYOUTS = """
SELECT g.code, v.run_id, p.code, v.eligible, v.pending, v.needs_data, v.not_eligible, v.introduced, v.high_risk,
       v.base_amount, v.factor, v.net_amount, v.currency, coalesce(o.state, 'computed')
FROM incentives_payoutpreview v
JOIN incentives_run n ON n.id = v.run_id
JOIN core_program g ON g.id = n.program_id
JOIN partners_partner p ON p.id = v.partner_id
LEFT JOIN LATERAL (
    -- The payout in life, else the latest one: one that was returned or voided is where the partner's matter stands.
    SELECT state FROM incentives_payout
    WHERE program_id = n.program_id AND partner_id = v.partner_id
    ORDER BY state IN ('void', 'returned', 'clawed_back'), id DESC LIMIT 1
) o ON true
WHERE v.run_id = %(run)s
ORDER BY p.code
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A header and a stream of rows: read it once, inside the transaction that made it."""

    columns: tuple[str, ...]
    rows: Iterable[Sequence[Cell]]


def results(run: Run) -> Table:
    """One row for each evaluated shop, by shop code. Instants in the program's zone, amounts with 2 decimals."""
    zone = run.rules.zone

    def shaped(row: Sequence[Any]) -> Sequence[Cell]:
        cells = list(row)
        for place in (_REGISTERED, _CERTIFIED):
            cells[place] = row[place].astimezone(zone) if row[place] else None
        cells[_GMV] = round_money(row[_GMV]) if row[_GMV] is not None else None
        return cells

    return Table(RESULT_COLUMNS, (shaped(row) for row in _stream(RESULTS, run)))


def payouts(run: Run) -> Table:
    """One row for each partner with an evaluated shop, by partner code, with its payout's present state."""

    def shaped(row: Sequence[Any]) -> Sequence[Cell]:
        cells = list(row)
        cells[_FACTOR] = plain(row[_FACTOR])
        return cells

    return Table(PAYOUT_COLUMNS, (shaped(row) for row in _stream(PAYOUTS, run)))


_REGISTERED, _CERTIFIED = RESULT_COLUMNS.index("registered_at"), RESULT_COLUMNS.index("certified_at")
_GMV = RESULT_COLUMNS.index("gmv_cny")
_FACTOR = PAYOUT_COLUMNS.index("factor")


def write_csv(table: Table, target: BinaryIO) -> int:
    """Write the table as UTF-8 CSV and return the number of its rows."""
    count = 0
    text = io.TextIOWrapper(target, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([cell_text(cell) for cell in row])
        count += 1
    text.flush()
    text.detach()  # the target stays its owner's to close
    return count


def stream_csv(table: Table, *, at_a_time: int = 200) -> Iterator[bytes]:
    """The same CSV, some rows at a time, while they come."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    for number, row in enumerate(table.rows, start=1):
        writer.writerow([cell_text(cell) for cell in row])
        if number % at_a_time == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def write_xlsx(table: Table, path: Path) -> int:
    """Write the table as a workbook of one sheet, in flat memory: numbers as numbers, everything else as text."""
    book = xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet()
    bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "0.00"})
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, table.columns, bold)
    number = 0
    for number, row in enumerate(table.rows, start=1):
        for place, cell in enumerate(row):
            if isinstance(cell, Decimal):
                sheet.write_number(number, place, cell, money)
            elif isinstance(cell, int):
                sheet.write_number(number, place, cell)
            elif cell is not None:
                sheet.write_string(number, place, cell_text(cell))
    book.close()
    return number


def cell_text(cell: Cell) -> str:
    """A cell as text. What a spreadsheet would run as a formula gets an apostrophe before it."""
    match cell:
        case None:
            return ""
        case datetime():
            return cell.isoformat()
        case Decimal():
            return f"{cell:f}"
        case str() if cell[:1] in _FORMULA_STARTS and not _is_number(cell):
            return f"'{cell}"
    return str(cell)


_FORMULA_STARTS = frozenset("=+-@\t\r\n")


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal() and text.isascii()


def _stream(sql: str, run: Run) -> Iterator[Sequence[Any]]:
    # A named cursor keeps memory flat; it lives in the transaction.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(sql, {"run": run.pk})
        yield from cursor
