"""XLSX: the first sheet's cells as the text that a CSV of it would hold, read as a stream."""

import re
from collections import deque
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.conf import settings
from openpyxl.utils.datetime import from_excel, from_ISO8601

from merchants.imports.archive import Archive, Events
from merchants.imports.limits import (
    LONGEST_CELL,
    LONGEST_RECORD,
    MIB,
    MOST_CELLS,
    MOST_ELEMENTS,
    MOST_IN_CELL,
    MOST_ROWS,
)
from merchants.imports.source import FileRefused, Source, open_source
from merchants.imports.workbooks import Book, Style, open_book

# Letters of a number format that show a time of day, outside of quoted texts and [colours].
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_CLOCK = re.compile(r"[hs]", re.IGNORECASE)
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_DIGITS = re.compile(r"-?[0-9]{1,300}")
# White space that people mean as such. `str.strip` also takes away what nobody sees and CONTRACT.md calls an error.
_SPACE = " \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def trim(cell: str) -> str:
    """Take away the white space at a cell's edges, and nothing else that can't be seen."""
    return cell.strip(_SPACE)


class Sheet:
    """The sheet's rows with their numbers, blank ones left out, and how many characters they had so far."""

    def __init__(self, archive: Archive, book: Book, name: str, days: Set[str], instants: Set[str]) -> None:
        self.size = 0
        self.trim: Callable[[str], str] = trim
        self._archive, self._book, self._name = archive, book, name
        self._cells = _Cells(archive, book, days, instants)
        self.rows = self._rows()

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        for _ in self._archive.parse(self._book.sheet, self._cells):
            while self._cells.rows:
                number, row = self._cells.rows.popleft()
                self.size += sum(map(len, row))
                if self.size > settings.UPLOAD_MAX_UNZIPPED_BYTES:
                    raise FileRefused(
                        f"{self._name} holds more than {settings.UPLOAD_MAX_UNZIPPED_BYTES // MIB} MiB of text: few "
                        "texts in very many cells. Send it as CSV or .csv.gz."
                    )
                yield number, row


@contextmanager
def open_sheet(source: Source, *, days: Set[str] = frozenset(), instants: Set[str] = frozenset()) -> Iterator[Sheet]:
    """Open the first sheet.

    A cell keeps a date as midnight. In the columns named in `days` it is one, in those in `instants` a moment; in the
    others the cell's format decides.
    Raises FileRefused, in here and while rows are read, for what is no workbook, is protected, or asks for too much.
    """
    if source.size > settings.UPLOAD_MAX_UNZIPPED_BYTES:
        raise FileRefused(
            f"{source.name} has {source.size // MIB} MiB, more than the {settings.UPLOAD_MAX_UNZIPPED_BYTES // MIB} MiB"
            " allowed for a workbook; send it as CSV or .csv.gz."
        )
    with open_source(source) as reading:
        while reading.read(MIB):
            pass
        archive = Archive(reading.file, source.name)
        with open_book(archive, source.name) as book:
            yield Sheet(archive, book, source.name, days, instants)


class _Cells(Events):
    """Gathers rows from a sheet's XML."""

    def __init__(self, archive: Archive, book: Book, days: Set[str], instants: Set[str]) -> None:
        self._archive, self._book = archive, book
        self._days, self._instants = days, instants
        self.rows: deque[tuple[int, list[str]]] = deque()
        self._clocks: list[bool | None] = []  # of each column: whether its dates have a time of day
        self._number = self._column = self._length = 0
        self._row: list[str] = []
        self._cell: dict[str, str] | None = None
        self._value: list[str] = []
        self._formula: list[str] = []
        self._has_formula = False
        self._into: list[str] | None = None
        self._collected = 0
        self._phonetic = False
        self._others = self._inside = 0

    def start(self, name: str, attributes: dict[str, str], parent: str) -> None:
        if name == "c" and parent == "row":
            self._cell, self._has_formula, self._collected, self._inside = attributes, False, 0, 0
            self._column = self._find_column(attributes.get("r"))
        elif name == "row" and parent == "sheetData":
            self._begin_row(attributes.get("r"))
        elif self._cell is not None:
            if name == "v":
                self._into = self._value
            elif name == "f":
                self._into, self._has_formula = self._formula, True
            elif name == "t" and not self._phonetic:
                self._into = self._value
            elif name == "rPh":  # how Japanese text is pronounced
                self._phonetic = True
            self._inside += 1
            if self._inside > MOST_IN_CELL:
                raise self._archive.damaged(f"row {self._number}: a cell of more than {MOST_IN_CELL} XML elements")
        else:
            self._others += 1
            if self._others > MOST_ELEMENTS:
                raise self._archive.damaged(f"after row {self._number} come very many XML elements that are no cells")

    def text(self, data: str) -> None:
        if self._into is not None:
            self._collected += len(data)
            if self._collected > 2 * LONGEST_CELL:
                raise self._archive.damaged(f"row {self._number}: a cell longer than {LONGEST_CELL} characters")
            self._into.append(data)

    def end(self, name: str, parent: str) -> None:
        self._into = None
        if name == "rPh":
            self._phonetic = False
        elif name == "c" and parent == "row":
            self._place(self._read_cell())
            self._cell = None
            self._value.clear()
            self._formula.clear()
        elif name == "row" and parent == "sheetData" and self._row:
            if not self._clocks:
                names = map(trim, self._row)
                self._clocks = [True if n in self._instants else False if n in self._days else None for n in names]
            self.rows.append((self._number, self._row))
        elif name == "sheetData":
            self.done = True

    def _begin_row(self, number: str | None) -> None:
        before = self._number
        number = str(before + 1) if number is None else number
        try:
            self._number = int(float(number))
        except (ValueError, OverflowError):
            raise self._archive.damaged(f"after row {before} comes one with the number {number[:20]!r}") from None
        if self._number > MOST_ROWS:
            raise FileRefused(
                f"{self._archive.name} has a row past {MOST_ROWS}, the last one of a sheet. Save it again as CSV."
            )
        if self._number <= before:
            raise self._archive.damaged(f"row {self._number} comes after row {before}")
        self._row, self._column, self._length = [], 0, 0

    def _find_column(self, place: str | None) -> int:
        """The cell's column, from 1 on; where it doesn't say, the next."""
        if place is None:
            return self._column + 1
        found = _PLACE.fullmatch(place)
        column = 0
        for letter in found[1] if found else "":
            column = column * 26 + ord(letter) - 64
        if column <= self._column or column > 16_384:
            raise self._archive.damaged(f"row {self._number}: a cell {place[:20]!r} out of its place")
        return column

    def _place(self, text: str) -> None:
        if not text:
            return
        self._length += len(text)
        if self._column > MOST_CELLS:
            raise FileRefused(
                f"{self._archive.name}, row {self._number}: a cell in column {self._column}; "
                "a feed's columns stand at the left border. Delete it and save again."
            )
        if self._length > LONGEST_RECORD:
            raise FileRefused(
                f"{self._archive.name}, row {self._number}: longer than {LONGEST_RECORD} characters. This is no feed."
            )
        self._row += [""] * (self._column - len(self._row))
        self._row[-1] = text

    def _read_cell(self) -> str:
        cell = self._cell or {}
        kind, text = cell.get("t", "n"), "".join(self._value)
        if not text and kind != "str" and self._has_formula:
            # Never calculated: what was typed is all that there is. Read as empty it would say nothing, unnoticed.
            return "=" + "".join(self._formula)
        match kind:
            case "n":
                return self._number_text(text, self._style(cell)) if text else ""
            case "s":
                return self._book.texts[self._index(text, len(self._book.texts), "text")] if text else ""
            case "b":
                return {"1": "true", "0": "false"}.get(text, text)
            case "d":
                with suppress(ValueError):
                    return cell_text(from_ISO8601(text), self._style(cell).code, clock=self._clock())
                return text
            case _:
                return text.replace("_x005F_", "_")

    def _style(self, cell: dict[str, str]) -> Style:
        styles = self._book.styles
        return styles[self._index(cell.get("s", "0"), len(styles), "style")]

    def _number_text(self, text: str, style: Style) -> str:
        try:
            if style.is_date:
                value = from_excel(float(text), self._book.epoch, timedelta=style.is_duration)
                return cell_text(value, style.code, clock=self._clock())
            return cell_text(int(text) if _DIGITS.fullmatch(text) else float(text))
        except (ValueError, ArithmeticError):
            return text  # no number, or no date: the row's checks say so

    def _clock(self) -> bool | None:
        return self._clocks[self._column - 1] if self._column <= len(self._clocks) else None

    def _index(self, text: str, count: int, what: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) >= count:
            raise self._archive.damaged(f"row {self._number}: a cell's {what} {text[:20]!r} doesn't exist")
        return int(text)


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
            # A spreadsheet keeps 15 digits; what a float has past them is noise. No float is what's past 1e308.
            number = Decimal(format(value, ".15g"))
            if not number.is_finite():
                raise ValueError(value)
            return f"{number:f}"
        case timedelta():
            return str(value)
        case _:
            return str(value)
