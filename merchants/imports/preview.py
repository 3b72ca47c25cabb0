"""What a feed's file would come to, found out before anything of it lands.

The first rows are really checked, compared and landed, by the very code that loads them, in a transaction that is
rolled back. So a preview can't say anything else than the load does, of these rows and at this moment.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

import psycopg
from django.db import OperationalError, connection, transaction

from core import locks
from core.recording import open_batch
from merchants.imports import headings, rejected, room, staging
from merchants.imports.columns import DATE, TIMESTAMP
from merchants.imports.kinds import KINDS
from merchants.imports.kinds.base import Kind
from merchants.imports.landing import NO_FAULTS, Counts, land, parameters
from merchants.imports.limits import MIB
from merchants.imports.pieces import in_pieces
from merchants.imports.reader import Block, Rows, open_rows, shown
from merchants.imports.source import FileRefused, Source

ROWS = 2000  # so many are checked, or some more, up to a block's end: somebody waits for it
CHARACTERS = 8 * MIB  # or so much text: a row may be long
SHOWN_ROWS = 5
SHOWN_FAULTS = 20
LONGEST_CELL = 60
COUNTING_SECONDS = 2.0
# Another load of this feed may hold its lock for minutes; a page can't wait so long.
WAIT = "2s"
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one column of one row."""

    line: int
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What was found in a file. All lists are bounded.

    `known`, `ignored`: the file's columns that the feed knows, and those that it doesn't. `missing`: columns that it
    needs and the file lacks; `absent`: optional ones that aren't there. `refused`: why the file can't be loaded as it
    is, empty where it can; then `fits` names the feeds whose columns it has. `header`: its own headings; `columns`: for
    each the feed's column that it was read as, or most likely is where it was read as none; empty for neither.
    `first`: its first rows, line and cells.
    `checked`: how many rows were checked, of `total` (None: too many to count while somebody waits). `new`,
    `unchanged`, `updated` are None where another load of the feed was at work, so that only the cells were checked.
    """

    known: tuple[str, ...]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]
    absent: tuple[str, ...]
    refused: str
    fits: tuple[str, ...]
    header: tuple[str, ...]
    columns: tuple[str, ...]
    first: tuple[tuple[int, tuple[str, ...]], ...]
    total: int | None
    checked: int
    rejected: int
    new: int | None
    unchanged: int | None
    updated: int | None
    faults: tuple[Fault, ...]

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)


@room.told()
def look(*, kind: Kind, source: Source, actor_id: int | None, mapping: headings.Pairs = ()) -> Preview:
    """Look at the file, its headings read as `mapping` says; nothing of it stays recorded.

    Raises FileRefused where it can't be read as a feed at all, Unavailable where there is no room for it.
    """
    names = headings.as_said(kind, mapping)
    with open_rows(source, days=kind.of_type(DATE), instants=kind.of_type(TIMESTAMP), names=names) as rows:
        header = rows.header
        refused = _refusal(kind, header, source.name)
        blocks, seen = _first(rows.blocks)
        if not seen:
            raise FileRefused(f"{source.name} has a header but no rows.")
        total = _total(rows.blocks, seen)
    counts: Counts | None = Counts(0, 0, 0, 0)
    bad = 0
    faults: list[Fault] = []
    if not refused:
        counts, bad, faults = _tried(kind, header, blocks, actor_id)
    return Preview(
        known=tuple(name for name in header if name in kind.by_name),
        ignored=tuple(shown(name) for name in header if name not in kind.by_name),
        missing=tuple(column.name for column in kind.columns if column.required and column.name not in header),
        absent=tuple(column.name for column in kind.columns if not column.required and column.name not in header),
        refused=refused,
        fits=_fitting(header) if refused else (),
        header=tuple(shown(name) for name in ([heading for heading, _ in mapping] if mapping else header)),
        columns=tuple(column for _, column in mapping) if mapping else tuple(headings.guess(kind, header)),
        first=tuple((line, tuple(map(_short, cells))) for block in blocks for line, cells in block)[:SHOWN_ROWS],
        total=total,
        checked=0 if refused else seen,
        rejected=bad,
        new=counts.new if counts else None,
        unchanged=counts.unchanged if counts else None,
        updated=counts.updated if counts else None,
        faults=tuple(faults),
    )


def header_of(source: Source) -> tuple[str, ...]:
    """The file's own headings. Raises FileRefused as `look` does."""
    with open_rows(source) as rows:
        return rows.header


def _refusal(kind: Kind, header: tuple[str, ...], name: str) -> str:
    try:
        staging.check_header(kind, header, name=name)
    except FileRefused as refusal:
        return refusal.message
    return ""


def _fitting(header: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        kind.kind.value
        for kind in KINDS.values()
        if all(column.name in header for column in kind.columns if column.required)
    )


def _first(blocks: Iterator[Block]) -> tuple[list[Block], int]:
    taken: list[Block] = []
    seen = size = 0
    for block in blocks:
        taken.append(block)
        seen += len(block)
        size += sum(len(cell) for _, cells in block for cell in cells)
        if seen >= ROWS or size >= CHARACTERS:
            break
    return taken, seen


def _total(blocks: Iterator[Block], seen: int) -> int | None:
    """Count the other rows, too, where that is quick: progress then knows its end, and a damaged file is told now."""
    until = monotonic() + COUNTING_SECONDS
    for block in blocks:
        seen += len(block)
        if monotonic() > until:
            return None
    return seen


def _tried(
    kind: Kind, header: tuple[str, ...], blocks: list[Block], actor_id: int | None
) -> tuple[Counts | None, int, list[Fault]]:
    """Land the rows and roll back; return the counts, the number of bad rows, and the first faults."""
    faults: list[Fault] = []
    bad: set[int] = set()
    with transaction.atomic():
        values = parameters(kind, header, batch=open_batch(source="feed", actor_id=actor_id), recorded_at=None)
        staging.forget()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with in_pieces(kind, Rows(header, iter(blocks))) as pieces:
            while piece := pieces.take():
                staging.stage(header, piece, anew=False)
        staging.read(kind, header, values)
        counts = _compared(kind, values)
        for found in rejected.found(kind, header):
            bad.update(row.line for row in found)
            room_left = SHOWN_FAULTS - len(faults)
            faults += [Fault(row.line, row.column, row.code, row.message) for row in found[:room_left]]
        transaction.set_rollback(True)
    return counts, len(bad), faults


def _compared(kind: Kind, values: dict[str, Any]) -> Counts | None:
    """Compare with what is recorded; None where another load of the feed is at it."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{WAIT}'")
            locks.take(kind.lock)
            return land(kind, values)
    except OperationalError as error:
        cause = error.__cause__
        if not isinstance(cause, psycopg.Error) or cause.sqlstate != _LOCK_NOT_AVAILABLE:
            raise
    with connection.cursor() as cursor:
        staging.fill(cursor, "feed_faults", NO_FAULTS, {})
    return None


def _short(cell: str) -> str:
    return cell if len(cell) <= LONGEST_CELL else f"{cell[:LONGEST_CELL]}…"
