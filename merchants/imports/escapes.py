"""How a list of rejected rows keeps a spreadsheet from running its cells, and how loading it again takes that back."""

import re

# The columns that only such a list has: a file with all of them is one, mended or not.
ERROR_COLUMNS = ("error_line", "error_column", "error_code", "error_message")

_FORMULA = re.compile(r"'*[=+@\t\r-]")
_NUMBER = re.compile(r"[+-][0-9]+(\.[0-9]+)?")


def escape(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula, and before what would then look like one.

    A plain number is no formula.
    """
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def unescape(cell: str) -> str:
    """Take away the apostrophe that `escape` put there."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
