"""The list of merchants to take along: what the page shows at the same address, all of its rows.

The columns of the export `results`, in the contract's codes, and after them what the page says in words. A registration
has no shop yet: its `verdict` is its stage, and its outcomes are empty.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from incentives.exports import RESULT_COLUMNS, Cell, Table
from incentives.queries.merchants import MerchantList, Row
from incentives.queries.registered import RegistrationView

MERCHANT_COLUMNS = (*RESULT_COLUMNS, "receipt", "until", "missing")

# Writing a workbook holds a worker; a CSV goes out as it comes, and has no end.
MOST_IN_A_WORKBOOK = 20_000


def table(merchants: MerchantList, *, most: int | None = None) -> Table:
    """The rows of the list in its order, or the first `most`. `missing` is in the reader's language."""
    return Table(MERCHANT_COLUMNS, _rows(merchants, most))


def file_name(merchants: MerchantList, suffix: str) -> str:
    """A name that tells programs and days apart."""
    return f"merchants-{merchants.program.code}-{merchants.today.isoformat()}.{suffix}"


def _rows(merchants: MerchantList, most: int | None) -> Iterator[list[Cell]]:
    for row, cells in merchants.every(most=most):
        if isinstance(row, RegistrationView):
            yield [*_of_registration(merchants, row), row.receipt, row.until, row.sentence]
        elif cells is not None:
            yield [*(_typed(name, cells[name]) for name in RESULT_COLUMNS), None, row.until, _missing(row)]


def _typed(name: str, cell: Any) -> Cell:
    if name in ("amount", "gmv_cny") and cell is not None:
        return Decimal(cell)
    kept: Cell = cell
    return kept


def _missing(row: Row) -> str:
    return " / ".join(line.sentence for line in row.why) if not isinstance(row, RegistrationView) else row.sentence


def _of_registration(merchants: MerchantList, row: RegistrationView) -> list[Cell]:
    cells: dict[str, Cell] = {
        "program": merchants.program.code,
        "run": merchants.run.pk if merchants.run else None,
        "shop_code": row.shop_code or None,
        "partner_code": row.partner_code,
        "merchant_name": row.merchant_name,
        "brand": row.brand or None,
        "market": row.market,
        "registered_at": row.registered_at.astimezone(merchants.rules.zone),
        "verdict": row.stage,
    }
    return [cells.get(name) for name in RESULT_COLUMNS]
