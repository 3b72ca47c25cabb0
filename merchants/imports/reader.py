"""Rows of a feed, whatever packs them: a header, then blocks of (line, cells), in flat memory.

A line is the number of the physical line on which the row starts; the header's is 1.
"""

import csv
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from merchants.imports.sheets import sheet_rows
from merchants.imports.source import FileRefused, Format, Source, open_text

MOST_COLUMNS = 400
BLOCK = 1000
# A line that no file holds: where it isn't the last row, a quoted field has swallowed it and never closed.
_END = "\x1cend of the feed\x1c"

Block = list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Rows:
    """An opened feed: its header's trimmed cells, and its rows in blocks. Every cell is trimmed."""

    header: tuple[str, ...]
    blocks: Iterator[Block]


@contextmanager
def open_rows(source: Source, *, days: Set[str] = frozenset(), instants: Set[str] = frozenset()) -> Iterator[Rows]:
    """Open a feed; `days` and `instants` name the columns of dates and of timestamps.

    Raises FileRefused, in here and while its blocks are read, for a file that can't be a feed.
    """
    if source.size == 0:
        raise FileRefused(f"{source.name} is empty.")
    if source.format is Format.XLSX:
        with sheet_rows(source, days=days, instants=instants) as rows:
            yield _with_header(rows, source.name, ragged=True)
    else:
        with open_text(source) as text:
            yield _with_header(_csv_rows(text, source.name), source.name, ragged=False)


def _csv_rows(text: Iterator[str], name: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(chain(text, [_END]))
    start = 1
    try:
        for row in reader:
            if row and row[-1].endswith(_END):
                if row != [_END]:
                    opened = start + sum(cell.count("\n") for cell in row[:-1])
                    raise FileRefused(
                        f"{name}: the quoted field that opens on line {opened} never closes; "
                        "end it with a double quote."
                    )
                return
            yield start, row
            start = reader.line_num + 1
    except csv.Error as error:
        raise FileRefused(
            f"{name}: the row that starts on line {start} can't be read ({error}); "
            "mostly a quoted field in it never closes."
        ) from None


def _with_header(rows: Iterator[tuple[int, list[str]]], name: str, *, ragged: bool) -> Rows:
    for _, cells in rows:
        if any(cell.strip() for cell in cells):
            break
    else:
        raise FileRefused(f"{name} is empty: there is no header.")
    header = [cell.strip() for cell in cells]
    if ragged:  # the empty cells at a spreadsheet's right border are no columns
        while header and not header[-1]:
            header.pop()
    if len(header) > MOST_COLUMNS:
        raise FileRefused(f"{name} has {len(header)} columns; a feed has at most {MOST_COLUMNS}.")
    named = [column for column in header if column]
    twice = sorted({column for column in named if named.count(column) > 1})
    if twice:
        raise FileRefused(f"{name}: the header names {', '.join(twice)} twice; keep one of them.")
    return Rows(tuple(header), _blocks(rows, name, len(header), ragged=ragged))


def _blocks(rows: Iterator[tuple[int, list[str]]], name: str, width: int, *, ragged: bool) -> Iterator[Block]:
    block: Block = []
    for line, row in rows:
        cells = list(map(str.strip, row))
        if len(cells) != width:
            if not any(cells) and (ragged or len(cells) < 2):
                continue  # a blank line
            if len(cells) > 2 * MOST_COLUMNS:
                raise FileRefused(f"{name}, line {line}: {len(cells)} cells, the header has {width}.")
            if ragged:
                while len(cells) > width and not cells[-1]:
                    cells.pop()
                cells += [""] * (width - len(cells))
        elif ragged and not any(cells):
            continue
        block.append((line, cells))
        if len(block) >= BLOCK:
            yield block
            block = []
    if block:
        yield block
