"""A feed's rows in pieces, as COPY takes them, each read while the database is busy with the one before."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from merchants.imports.escapes import ERROR_COLUMNS, unescape
from merchants.imports.kinds.base import Kind
from merchants.imports.limits import MIB
from merchants.imports.reader import Block, Rows
from merchants.imports.vouching import Vouch

# Two pieces are in memory at a time, and of a kind that lands by pieces, one is sorted there.
MOST_ROWS = 200_000
FIRST_ROWS = 20_000  # so that the database has something to do soon
MOST_BYTES = 24 * MIB
TAB = "\t"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(slots=True)
class Piece:
    """Some rows as COPY reads them: line, shape, sound, and the cells; an empty one is null."""

    rows: int = 0
    size: int = 0
    texts: list[bytes] = field(default_factory=list)


class Pieces:
    """The pieces of a feed; only what is asked for ahead is read ahead."""

    def __init__(self, pieces: Iterator[Piece], pool: ThreadPoolExecutor) -> None:
        self._pieces, self._pool = pieces, pool
        self._next: Future[Piece | None] | None = None

    def start(self) -> None:
        """Begin to read the next piece, in a thread: from now on the database has the caller's time."""
        self._next = self._pool.submit(next, self._pieces, None)

    def take(self) -> Piece | None:
        """Return the next piece; None at the end. Raises what reading it raised."""
        if self._next is None:
            return next(self._pieces, None)
        piece, self._next = self._next.result(), None
        return piece


@contextmanager
def in_pieces(kind: Kind, rows: Rows) -> Iterator[Pieces]:
    """Cut the rows into pieces. No thread is left behind when the block ends."""
    stop = Event()
    with ThreadPoolExecutor(1, thread_name_prefix="feed") as pool:
        try:
            yield Pieces(_pieces(kind, rows, stop), pool)
        finally:
            stop.set()


def _pieces(kind: Kind, rows: Rows, stop: Event) -> Iterator[Piece]:
    vouching = [
        (place, kind.by_name[name].type.vouch) for place, name in enumerate(rows.header) if name in kind.by_name
    ]
    handed_out = all(column in rows.header for column in ERROR_COLUMNS)
    piece, full = Piece(), min(FIRST_ROWS, MOST_ROWS)
    for block in rows.blocks:
        if stop.is_set():
            return
        if handed_out:
            block = [(line, list(map(unescape, cells))) for line, cells in block]
        text = _as_copied(block, len(rows.header), vouching).encode()
        piece.rows += len(block)
        piece.size += len(text)
        piece.texts.append(text)
        if piece.rows >= full or piece.size >= MOST_BYTES:
            yield piece
            piece, full = Piece(), MOST_ROWS
    if piece.rows:
        yield piece


def _as_copied(block: Block, width: int, vouching: list[tuple[int, Vouch]]) -> str:
    whole = all(len(cells) == width for _, cells in block)
    if whole:
        columns = list(zip(*[cells for _, cells in block], strict=True))
        sound = all(_is_sound(columns[place], vouch) for place, vouch in vouching)
        start = "\t\t1\t" if sound else "\t\t\t"
        text = "".join([f"{line}{start}{TAB.join(cells)}\n" for line, cells in block])
        # Nothing to escape in the whole block: so it is with nearly every one.
        plain = text.count(TAB) == len(block) * (width + 2) and text.count("\n") == len(block)
        if plain and "\\" not in text and "\r" not in text:
            return text
    return "".join(f"{line}\t{_row(cells, width)}\n" for line, cells in block)


def _is_sound(cells: tuple[str, ...], vouch: Vouch) -> bool:
    given = list(filter(None, cells)) if "" in cells else cells
    return not given or vouch(given)


def _row(cells: list[str], width: int) -> str:
    if len(cells) == width:
        return "\t\t" + TAB.join(cell.translate(_ESCAPES) for cell in cells)
    return json.dumps(cells).translate(_ESCAPES) + "\t" + TAB * width
