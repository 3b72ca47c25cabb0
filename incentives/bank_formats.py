"""The two files that go between the house and the bank (docs/payouts.md): their columns, and the reading of results."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from core.errors import BadInput

BANK_COLUMNS = (
    "reference",
    "account_holder",
    "bank_name",
    "bank_code",
    "country",
    "account_number",
    "amount",
    "currency",
    "purpose",
)
# Which a row must have: `amount` where the bank gives it, `bank_reference` of a paid row, `reason` of a refused one.
RESULT_COLUMNS = ("reference", "result", "amount", "bank_reference", "reason")
NEEDED = ("reference", "result")
PAID, REFUSED = "paid", "refused"

LARGEST_FILE = 10 * 1024 * 1024
MOST_ROWS = 50_000
LONGEST_CELL = 1000
# An amount of more digits before the point, or of a first one that far behind it, is none: 1e999999 takes a megabyte.
MOST_DIGITS = 19


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row of a result file. `fault`: what makes it unreadable, empty where nothing does."""

    line: int
    reference: str
    result: str
    amount: Decimal | None
    bank_reference: str
    reason: str
    fault: str
    text: str


def read_result(content: bytes) -> Iterator[ResultRow]:
    """The rows of a result file: CSV in UTF-8, columns in any order, unknown ones ignored.

    Raises BadInput for a file that isn't one: too large, not UTF-8, without the needed columns, too many rows.
    """
    if len(content) > LARGEST_FILE:
        raise BadInput(_("The file is larger than 10 MB; it isn't a bank's result."), code="file_too_large")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(_("The file isn't text in UTF-8. Save it as CSV in UTF-8."), code="not_utf8") from None
    if "\x00" in text:
        raise BadInput(_("The file isn't text in UTF-8. Save it as CSV in UTF-8."), code="not_utf8")
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in NEEDED if name not in header]
        if missing:
            raise BadInput(
                _("The file has no column %(names)s.") % {"names": ", ".join(missing)}, code="missing_columns"
            )
        for count, cells in enumerate((row for row in reader if any(cell.strip() for cell in row)), start=1):
            if count > MOST_ROWS:
                raise BadInput(_("The file has more than 50,000 rows."), code="too_many_rows")
            yield _row(reader.line_num, header, cells)
    except csv.Error as error:
        raise BadInput(_("Line %(line)s can't be read as CSV.") % {"line": reader.line_num}, code="not_csv") from error


def _row(line: int, header: list[str], cells: list[str]) -> ResultRow:
    given = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
    result = given.get("result", "").lower()
    amount, fault = _amount(given.get("amount", ""))
    if len(cells) > len(header) or any(len(cell) > LONGEST_CELL for cell in cells):
        fault = _("It has more cells than the header, or a cell that is too long.")
    elif not given.get("reference"):
        fault = _("It has no reference.")
    elif result not in (PAID, REFUSED):
        fault = _("Its result is neither “paid” nor “refused”.")
    elif result == PAID and not 0 < len(given.get("bank_reference", "")) <= 120:
        fault = _("A paid row needs the bank's reference, at most 120 characters.")
    elif result == REFUSED and not given.get("reason"):
        fault = _("A refused row needs the bank's reason.")
    return ResultRow(
        line=line,
        reference=given.get("reference", ""),
        result=result,
        amount=amount,
        bank_reference=given.get("bank_reference", ""),
        reason=given.get("reason", ""),
        fault=fault,
        text=",".join(cells)[: 4 * LONGEST_CELL],
    )


def _amount(text: str) -> tuple[Decimal | None, str]:
    if not text:
        return None, ""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None, _("Its amount isn't a number with a point.")
    if not amount.is_finite() or abs(amount.adjusted()) >= MOST_DIGITS:
        return None, _("Its amount isn't a number with a point.")
    return amount, ""
