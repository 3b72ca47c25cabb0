"""The frame of a workbook: which sheet comes first, the texts that its cells share, and how its numbers are shown."""

import os
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

from merchants.imports.archive import Archive, Events
from merchants.imports.limits import LARGEST_STYLES, LONGEST_CELL, MIB, MOST_IN_CELL, MOST_STYLES, MOST_TEXTS
from merchants.imports.room import no_room
from merchants.imports.source import FileRefused

_KEPT_TEXTS = 100_000
_KEPT_CHARACTERS = 4 * MIB


@dataclass(frozen=True, slots=True)
class Style:
    """How a number is shown, as far as it tells what the number means."""

    code: str
    is_date: bool
    is_duration: bool


class Texts:
    """The texts that cells share, by their number: the first ones in memory, the others in a nameless file."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._characters = 0
        self._file: IO[bytes] | None = None
        self._ends = array("Q", [0])

    def __len__(self) -> int:
        return len(self._kept) + len(self._ends) - 1

    def add(self, text: str) -> None:
        """Add the next text. Raises Unavailable where the disk is full."""
        small = len(self._kept) < _KEPT_TEXTS and self._characters + len(text) <= _KEPT_CHARACTERS
        if small and self._file is None:
            self._kept.append(text)
            self._characters += len(text)
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
            self._ends.append(self._ends[-1] + self._file.write(text.encode()))
        except OSError as error:
            raise no_room(error) from None

    def complete(self) -> None:
        """Call once all are added. Raises Unavailable where the disk is full."""
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            raise no_room(error) from None

    def __getitem__(self, index: int) -> str:
        if index < len(self._kept):
            return self._kept[index]
        if self._file is None:
            raise IndexError(index)
        place = index - len(self._kept)
        start = self._ends[place]
        return os.pread(self._file.fileno(), self._ends[place + 1] - start, start).decode()

    def close(self) -> None:
        """Give back the file."""
        if self._file is not None:
            with suppress(OSError):  # what a full disk didn't take is flushed once more
                self._file.close()


@dataclass(frozen=True, slots=True)
class Book:
    """What the first sheet's cells need: `sheet` is its part's name."""

    sheet: str
    epoch: datetime
    styles: list[Style]
    texts: Texts


@contextmanager
def open_book(archive: Archive, name: str) -> Iterator[Book]:
    """Read the frame. Raises FileRefused for a workbook without a sheet of rows."""
    main = next((part for kind, part in archive.relations("").values() if kind == "officeDocument"), "xl/workbook.xml")
    if main.lower().endswith(".bin"):
        raise FileRefused(f"{name} is a binary workbook (.xlsb); save it as XLSX or as CSV UTF-8.")
    frame = _Frame()
    archive.read(main, frame)
    relations = archive.relations(main)
    parts = [relations[sheet] for sheet in frame.sheets if sheet in relations]
    sheets = [part for kind, part in parts if kind == "worksheet" and archive.has(part)]
    if not sheets:
        raise FileRefused(f"{name} has no sheet with rows.")
    other = {kind: part for kind, part in relations.values() if archive.has(part)}
    styles = _Styles(archive)
    if "styles" in other:
        archive.read(other["styles"], styles, largest=LARGEST_STYLES)
    texts = Texts()
    try:
        if "sharedStrings" in other:
            for _ in archive.parse(other["sharedStrings"], _SharedTexts(archive, texts)):
                pass
            texts.complete()
        yield Book(sheets[0], CALENDAR_MAC_1904 if frame.mac else CALENDAR_WINDOWS_1900, styles.all(), texts)
    finally:
        texts.close()


class _Frame(Events):
    def __init__(self) -> None:
        self.sheets: list[str] = []
        self.mac = False

    def start(self, name: str, attributes: dict[str, str], parent: str) -> None:
        if name == "sheet" and parent == "sheets":
            self.sheets += [value for key, value in attributes.items() if key.endswith(":id")]
        elif name == "workbookPr":
            self.mac = attributes.get("date1904") in ("1", "true", "on")


class _Styles(Events):
    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._codes: dict[str, str] = {str(number): code for number, code in BUILTIN_FORMATS.items()}
        self._used: list[str] = []

    def start(self, name: str, attributes: dict[str, str], parent: str) -> None:
        if name == "numFmt" and parent == "numFmts":
            self._codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")[:1000]
        elif name == "xf" and parent == "cellXfs":
            self._used.append(attributes.get("numFmtId", "0"))
        if len(self._used) > MOST_STYLES or len(self._codes) > MOST_STYLES:
            raise self._archive.damaged(f"more than {MOST_STYLES} styles")

    def all(self) -> list[Style]:
        known: dict[str, Style] = {}
        for number in self._used or ["0"]:
            if number not in known:
                code = self._codes.get(number, "General")
                known[number] = Style(code, bool(is_date_format(code)), bool(is_timedelta_format(code)))
        return [known[number] for number in self._used or ["0"]]


class _SharedTexts(Events):
    def __init__(self, archive: Archive, texts: Texts) -> None:
        self._archive, self._texts = archive, texts
        self._pieces: list[str] = []
        self._length = 0
        self._taking = self._phonetic = False
        self._others = 0

    def start(self, name: str, attributes: dict[str, str], parent: str) -> None:
        if name == "si":
            self._pieces, self._length = [], 0
        elif name == "t":
            self._taking = not self._phonetic
        elif name == "rPh":
            self._phonetic = True
        self._others = 0 if name == "si" else self._others + 1
        if self._others > MOST_IN_CELL:
            raise self._archive.damaged(f"a text of more than {MOST_IN_CELL} XML elements")

    def text(self, data: str) -> None:
        if self._taking:
            self._length += len(data)
            if self._length > 2 * LONGEST_CELL:
                raise self._archive.damaged(f"a text longer than {LONGEST_CELL} characters")
            self._pieces.append(data)

    def end(self, name: str, parent: str) -> None:
        self._taking = False
        if name == "rPh":
            self._phonetic = False
        elif name == "si":
            if len(self._texts) >= MOST_TEXTS:
                raise self._archive.damaged(f"more than {MOST_TEXTS} different texts")
            self._texts.add("".join(self._pieces).replace("_x005F_", "_"))
