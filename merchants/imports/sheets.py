"""XLSX: the first sheet's cells as the text that a CSV of it would hold."""

import re
import zipfile
import zlib
from collections.abc import Iterator, Set
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import ParseError

from django.conf import settings
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from merchants.imports.source import FileRefused, Source, refuse_ole

# Letters of a number format that show a time of day, outside of quoted texts and [colours].
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_CLOCK = re.compile(r"[hs]", re.IGNORECASE)
MOST_ROWS = (
    1_048_576  # what a sheet can hold; a row that claims a higher number is reached through billions of empty ones
)
# A damaged workbook fails wherever its parser happens to stand.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    ParseError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,  # an encrypted or oddly packed part
)


@contextmanager
def sheet_rows(
    source: Source, *, days: Set[str] = frozenset(), instants: Set[str] = frozenset()
) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """Open the first sheet and yield its rows with their numbers.

    A cell keeps a date as midnight. In the columns named in `days` it is one, in those in `instants` a moment; in the
    others the cell's format decides.
    Raises FileRefused for what is no workbook, is protected, or unzips to more than is allowed.
    """
    refuse_ole(source)
    # Opened here, not by its name: openpyxl would go by the name's ending.
    with source.path.open("rb") as file:
        try:
            _refuse_bomb(source)
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except _DAMAGE as error:
            raise FileRefused(
                f"{source.name} is no XLSX workbook ({error}). Save it again as XLSX, or as CSV UTF-8."
            ) from None
        try:
            if not book.worksheets:
                raise FileRefused(f"{source.name} has no sheet with rows.")
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says about its size may be wrong
            yield _rows(sheet, source.name, days, instants)
        finally:
            book.close()


def _refuse_bomb(source: Source) -> None:
    with zipfile.ZipFile(source.path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if "[Content_Types].xml" not in archive.namelist():
            raise FileRefused(f"{source.name} is a zip file but no XLSX workbook.")
    most = settings.UPLOAD_MAX_UNZIPPED_BYTES
    if size > most:
        raise FileRefused(
            f"{source.name} unzips to {size // 2**20} MiB, more than the {most // 2**20} MiB allowed for a workbook; "
            "send it as CSV or .csv.gz."
        )


def _rows(sheet: Any, name: str, days: Set[str], instants: Set[str]) -> Iterator[tuple[int, list[str]]]:
    clocks: list[bool | None] = []
    try:
        for number, row in enumerate(sheet.iter_rows(), start=1):
            if number > MOST_ROWS:
                raise FileRefused(f"{name} has a row past {MOST_ROWS}, the last one of a sheet. Save it again as CSV.")
            cells = [_text(cell, clocks[place] if place < len(clocks) else None) for place, cell in enumerate(row)]
            if not clocks and any(cells):
                clocks = [
                    True if cell.strip() in instants else False if cell.strip() in days else None for cell in cells
                ]
            yield number, cells
    except _DAMAGE as error:
        raise FileRefused(f"{name} is damaged ({error}). Save it again as XLSX, or as CSV UTF-8.") from None


def _text(cell: Any, clock: bool | None) -> str:
    return "" if cell.value is None else cell_text(cell.value, cell.number_format, clock=clock)


def cell_text(value: object, number_format: str = "", *, clock: bool | None = None) -> str:
    """Write a cell's value as a CSV would hold it: ISO dates, true/false, numbers without exponent or float noise.

    A moment at midnight is a date where its column has no `clock`; and where it doesn't say (None), in a format that
    shows no time of day.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            if clock is None:
                clock = _CLOCK.search(_QUOTED.sub("", number_format)) is not None
            return value.isoformat() if clock or value.time() != time() else value.date().isoformat()
        case date() | time():
            return value.isoformat()
        case float():
            # A spreadsheet keeps 15 digits; what a float has past them is noise.
            return f"{Decimal(format(value, '.15g')):f}"
        case timedelta():
            return str(value)
        case _:
            return str(value)
