"""The rows in quarantine: kept with what is wrong, and handed out as a CSV that can be mended and loaded again."""

import csv
import json
from collections.abc import Iterator
from typing import TextIO

from merchants.imports.escapes import ERROR_COLUMNS, escape
from merchants.imports.faults import RowError, explain, explain_shape
from merchants.imports.kinds.base import Kind
from merchants.imports.limits import LARGEST_INSERT
from merchants.imports.staging import raw_name, stream
from merchants.models import Import, RejectedRow

FETCHED = 50  # rows: each of them may be as long as limits.LONGEST_RECORD allows
MOST_AT_ONCE = 2000

_STAGED = """
SELECT r.line, f.faults, r.shape, {cells}
FROM feed_raw r JOIN (
    SELECT line, fault AS faults FROM feed_rows WHERE fault IS NOT NULL
    UNION ALL SELECT line, "column" || ':' || code FROM feed_faults
) f ON f.line = r.line
ORDER BY r.line
"""


def found(kind: Kind, header: tuple[str, ...]) -> Iterator[list[RejectedRow]]:
    """Yield the staged rows that are in error, in bounded blocks, one for each faulty column of a row; not saved."""
    cells = ", ".join(f"r.{raw_name(index)}" for index in range(len(header)))
    found: list[RejectedRow] = []
    weight = 0
    for block in stream(_STAGED.format(cells=cells), size=FETCHED):
        for line, faults, shape, *texts in block:
            rows = list(_rows(kind, header, line, faults, shape, texts))
            found += rows
            # Each faulty column's row holds all cells, and all of a block's are written in one statement.
            weight += len(rows) * (len(shape or "") + sum(len(text) for text in texts if text))
            if len(found) >= MOST_AT_ONCE or weight > LARGEST_INSERT:
                yield found
                found, weight = [], 0
    if found:
        yield found


def _rows(
    kind: Kind, header: tuple[str, ...], line: int, faults: str, shape: str | None, texts: list[str | None]
) -> Iterator[RejectedRow]:
    if shape is not None:
        listed = json.loads(shape)
        cells = {
            (header[place] if place < len(header) else "") or f"#{place + 1}": text for place, text in enumerate(listed)
        }
        message = explain_shape(cells=len(listed), expected=len(header))
        yield RejectedRow(line=line, column="", code=RowError.MALFORMED, message=message, cells=cells)
        return
    cells = {name or f"#{place + 1}": text or "" for place, (name, text) in enumerate(zip(header, texts, strict=True))}
    seen = set()
    for fault in faults.split():
        column, code = fault.rsplit(":", 1)
        if column in seen:
            continue
        seen.add(column)
        error = RowError(code)
        spec = kind.by_name.get(column)
        message = explain(error, kind=kind.kind, column=column, value=cells.get(column), spec=spec)
        yield RejectedRow(line=line, column=column, code=error.value, message=message, cells=cells)


def write_csv(import_of: Import, stream_to: TextIO) -> int:
    """Write the import's rejected rows as a CSV in the file's own columns, with what is wrong at the end of each.

    Mended and loaded again, the error columns are reported as unknown and ignored. A cell that a spreadsheet would run
    as a formula gets an apostrophe before it, which loading such a file takes away again. Returns the number of rows.
    """
    header = list(import_of.columns)
    names = [name or f"#{place + 1}" for place, name in enumerate(header)]
    own = [name for name in header if name not in ERROR_COLUMNS]
    writer = csv.writer(stream_to, lineterminator="\r\n")
    writer.writerow([*own, *ERROR_COLUMNS])
    rows = 0
    faults: list[RejectedRow] = []
    ordered = import_of.rejected_rows.order_by("line", "pk")
    for row in ordered.iterator(chunk_size=FETCHED):
        if faults and faults[0].line != row.line:
            writer.writerow(_line(faults, names))
            rows, faults = rows + 1, []
        faults.append(row)
    if faults:
        writer.writerow(_line(faults, names))
        rows += 1
    return rows


def _line(faults: list[RejectedRow], names: list[str]) -> list[str]:
    first = faults[0]
    if first.column:
        cells = [first.cells.get(name, "") for name in names if name not in ERROR_COLUMNS]
    else:  # more or fewer cells than the header: so it stays, and is rejected again unless mended
        beyond = sorted(set(first.cells) - set(names), key=lambda name: int(name[1:]))
        cells = [first.cells[name] for name in [*names, *beyond] if name in first.cells]
    about = [
        str(first.line),
        " ".join(fault.column for fault in faults),
        " ".join(fault.code for fault in faults),
        " ".join(fault.message for fault in faults),
    ]
    return [escape(cell) for cell in [*cells, *about]]
