"""XLSX: the first sheet's cells as the text that a CSV of it would hold."""

import re
import zipfile
from collections.abc import Iterator
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


@contextmanager
def sheet_rows(source: Source) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """Open the first sheet and yield its rows with their numbers.

    Raises FileRefused for what is no workbook, is protected, or unzips to more than is allowed.
    """
    refuse_ole(source)
    # Opened here, not by its name: openpyxl would go by the name's ending.
    with source.path.open("rb") as file:
        try:
            _refuse_bomb(source)
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except (zipfile.BadZipFile, InvalidFileException, KeyError, ParseError, ValueError, EOFError) as error:
            raise FileRefused(
                f"{source.name} is no XLSX workbook ({error}). Save it again as XLSX, or as CSV UTF-8."
            ) from None
        try:
            if not book.worksheets:
                raise FileRefused(f"{source.name} has no sheet with rows.")
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says about its size may be wrong
            yield _rows(sheet, source.name)
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


def _rows(sheet: Any, name: str) -> Iterator[tuple[int, list[str]]]:
    try:
        for number, row in enumerate(sheet.iter_rows(), start=1):
            yield number, [cell_text(cell.value, cell.number_format if cell.value is not None else "") for cell in row]
    except (zipfile.BadZipFile, ParseError, KeyError, ValueError, EOFError) as error:
        raise FileRefused(f"{name} is damaged ({error}). Save it again as XLSX, or as CSV UTF-8.") from None


def cell_text(value: object, number_format: str = "") -> str:
    """Write a cell's value as a CSV would hold it: ISO dates, true/false, numbers without exponent or float noise.

    A moment at midnight in a format that shows no time of day is a date.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            dated = value.time() == time() and not _CLOCK.search(_QUOTED.sub("", number_format))
            return value.date().isoformat() if dated else value.isoformat()
        case date() | time():
            return value.isoformat()
        case float():
            # A spreadsheet keeps 15 digits; what a float has past them is noise.
            return f"{Decimal(format(value, '.15g')):f}"
        case timedelta():
            return str(value)
        case _:
            return str(value)
