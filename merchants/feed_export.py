"""The list of imports as CSV."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.db.models import QuerySet

from merchants.imports.escapes import escape
from merchants.models import Import

COLUMNS = (
    "import",
    "batch",
    "kind",
    "state",
    "file_name",
    "sha256",
    "by",
    "started_at",
    "finished_at",
    "rows",
    "new",
    "unchanged",
    "updated",
    "rejected",
    "error",
)


def stream_imports(imports: "QuerySet[Import]") -> Iterator[bytes]:
    """Yield the header and each import; a cell that a spreadsheet would run as a formula is escaped."""
    yield _line(COLUMNS)
    for row in imports.iterator(chunk_size=500):
        yield _line(_cells(row))


def _cells(row: Import) -> tuple[Any, ...]:
    return (
        row.pk,
        row.batch_id,
        row.kind,
        row.state,
        row.file_name,
        row.sha256,
        row.actor.get_full_name() if row.actor else "",
        row.started_at.isoformat(),
        row.finished_at.isoformat() if row.finished_at else None,
        row.rows,
        row.new,
        row.unchanged,
        row.updated,
        row.rejected,
        row.error,
    )


def _line(cells: tuple[Any, ...]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerow(["" if cell is None else escape(str(cell)) for cell in cells])
    return text.getvalue().encode()
