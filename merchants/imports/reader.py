"""Rows of a feed, whatever packs them: a header, then blocks of (line, cells), in flat memory.

A line is the number of the physical line on which the row starts; the header's is 1.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from merchants.imports.limits import (
    LARGEST_BLOCK,
    LONGEST_GAP,
    LONGEST_LINE,
    LONGEST_RECORD,
    MOST_CELLS,
    MOST_COLUMNS,
)
from merchants.imports.sheets import Sheet, open_sheet, trim
from merchants.imports.source import FileRefused, Format, Source
from merchants.imports.texts import Text, open_text

BLOCK = 1000
BATCH = 32 * 1024  # characters
# Comes after a file's last line; where it is no row of its own, a quoted field has swallowed it and never closed.
_END = "\x1cend of the feed\x1c"

Block = list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Rows:
    """An opened feed: its header's trimmed cells, and its rows in blocks. Every cell is trimmed."""

    header: tuple[str, ...]
    blocks: Iterator[Block]


@contextmanager
def open_rows(
    source: Source,
    *,
    days: frozenset[str] = frozenset(),
    instants: frozenset[str] = frozenset(),
    names: Mapping[str, str] | None = None,
) -> Iterator[Rows]:
    """Open a feed; `days` and `instants` name the columns of dates and of timestamps, `names` renames headings.

    Raises FileRefused, in here and while its blocks are read, for a file that can't be a feed.
    """
    if source.size == 0:
        raise FileRefused(f"{source.name} is empty.")
    names = names or {}
    if source.format is Format.XLSX:
        days, instants = _originals(names, days), _originals(names, instants)
        with open_sheet(source, days=days, instants=instants) as sheet:
            yield _with_header(sheet, source.name, names, ragged=True)
    else:
        with open_text(source) as text:
            yield _with_header(_Csv(text, source.name), source.name, names, ragged=False)


def _originals(names: Mapping[str, str], wanted: frozenset[str]) -> frozenset[str]:
    """The headings whose new name is among the `wanted` columns; a heading without a new name keeps its own."""
    return frozenset(heading for heading in names.keys() | wanted if names.get(heading, heading) in wanted)


class _Csv:
    """The rows of a CSV, and how much of it was read."""

    def __init__(self, text: Text, name: str) -> None:
        self._text, self._name = text, name
        self._start = 1  # the line on which the row starts that is being read
        self._ended = False
        self.size = 0  # characters so far
        self.trim: Callable[[str], str] = str.strip
        self.rows = self._rows()

    def _batches(self) -> Iterator[list[str]]:
        """Yield the file's lines, a batch at a time: bounds are looked at once for hundreds of rows."""
        start = held = gap = line = 0
        while batch := self._text.lines(BATCH):
            size = sum(map(len, batch))
            if size > BATCH + LONGEST_LINE:
                where = line + len(batch)
                raise FileRefused(
                    f"{self._name}, line {where}: longer than {LONGEST_LINE} bytes. This is no feed of rows."
                )
            # When the next batch is asked for, all rows of the last one have been handed out but for an unended one.
            held = held + size if start == self._start else size
            start = self._start
            if held > LONGEST_RECORD + BATCH:
                raise FileRefused(
                    f"{self._name}: the row that starts on line {start} is longer than {LONGEST_RECORD} characters; "
                    "mostly a quoted field in it never closes."
                )
            gap = 0 if any(map(str.strip, batch)) else gap + size
            if gap > LONGEST_GAP:
                raise FileRefused(
                    f"{self._name}, line {line + len(batch)}: {LONGEST_GAP // 2**20} MiB of blank lines end here. "
                    "The file is damaged; write it again."
                )
            line += len(batch)
            self.size += size
            if self._text.unseen_space:
                self.trim = trim
            yield batch
        self._ended = True
        yield [_END]

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(chain.from_iterable(self._batches()))
        try:
            for row in reader:
                if self._ended and row and row[-1].endswith(_END):
                    if row != [_END]:
                        opened = self._start + sum(cell.count("\n") for cell in row[:-1])
                        raise FileRefused(
                            f"{self._name}: the quoted field that opens on line {opened} never closes; "
                            "end it with a double quote."
                        )
                    return
                yield self._start, row
                self._start = reader.line_num + 1
        except csv.Error as error:
            raise FileRefused(
                f"{self._name}: the row that starts on line {self._start} can't be read ({error}); "
                "mostly a quoted field in it never closes."
            ) from None


def _with_header(feed: _Csv | Sheet, name: str, names: Mapping[str, str], *, ragged: bool) -> Rows:
    for _, cells in feed.rows:
        if any(cell.strip() for cell in cells):
            break
    else:
        raise FileRefused(f"{name} is empty: there is no header.")
    header = [trim(cell) for cell in cells]
    if ragged:  # the empty cells at a spreadsheet's right border are no columns
        while header and not header[-1]:
            header.pop()
    if len(header) > MOST_COLUMNS:
        raise FileRefused(f"{name} has {len(header)} columns; a feed has at most {MOST_COLUMNS}.")
    named = [column for column in header if column]
    twice = sorted({column for column in named if named.count(column) > 1})
    if twice:
        listed = ", ".join(map(shown, twice[:3])) + (", …" if len(twice) > 3 else "")
        raise FileRefused(f"{name}: the header names {listed} twice; keep one of them.")
    header = [names.get(column, column) for column in header]
    return Rows(tuple(header), _blocks(feed, name, len(header), ragged=ragged))


def _blocks(feed: _Csv | Sheet, name: str, width: int, *, ragged: bool) -> Iterator[Block]:
    block: Block = []
    full = feed.size + LARGEST_BLOCK
    for line, row in feed.rows:
        cells = list(map(feed.trim, row))
        if len(cells) != width:
            if not any(cells) and (ragged or len(cells) < 2):
                continue  # a blank line
            if len(cells) > MOST_CELLS:
                raise FileRefused(f"{name}, line {line}: {len(cells)} cells, the header has {width}.")
            if ragged:
                while len(cells) > width and not cells[-1]:
                    cells.pop()
                cells += [""] * (width - len(cells))
        elif ragged and not any(cells):
            continue
        block.append((line, cells))
        if len(block) >= BLOCK or feed.size > full:
            yield block
            block = []
            full = feed.size + LARGEST_BLOCK
    if block:
        yield block


def shown(column: str) -> str:
    """Write a header's cell as a message may hold it: short, and what is invisible in it made visible."""
    column = column if len(column) <= 60 else f"{column[:60]}…"
    return column if column.isprintable() else ascii(column)
