"""Compare the staged rows with what is recorded, and write what is new: in rounds, set by set."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from core.models import FactBatch
from merchants.imports.kinds.base import Kind

ACCEPTED = ("new", "unchanged", "updated")


class _KeyTwice(Exception):
    """The file gives one key in two rows."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows. `rows` is the sum of the other four."""

    new: int
    unchanged: int
    updated: int
    rejected: int

    @property
    def rows(self) -> int:
        """All rows of the file."""
        return self.new + self.unchanged + self.updated + self.rejected


def parameters(
    kind: Kind, header: tuple[str, ...], *, batch: FactBatch, recorded_at: datetime | None
) -> dict[str, Any]:
    """The parameters that a kind's SQL may use (see `merchants.imports.kinds.base`)."""
    given = {f"has_{column.name}": column.name in header for column in kind.columns if not column.required}
    return {
        "batch": batch.pk,
        "known": "infinity" if recorded_at is None else recorded_at,
        "zone": settings.PLATFORM_TIME_ZONE,
        **given,
    }


def land(kind: Kind, values: Mapping[str, Any]) -> Counts:
    """Land the rows of `feed_rows` and return the counts. The kind's lock must be held."""
    outcomes: Counter[str] = Counter()
    with connection.cursor() as cursor:
        # Foreign keys are checked statement by statement, not all at the commit, when the recording's lock is held.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        for check in kind.before:
            cursor.execute(
                f"UPDATE feed_rows t SET fault = '{check.column}:{check.error}' WHERE t.fault IS NULL AND {check.when}",
                values,
            )
        cursor.execute('CREATE TEMP TABLE feed_faults (line bigint, "column" text, code text) ON COMMIT DROP')
        if not (kind.quick and _quickly(cursor, kind, values, outcomes)):
            for rank in range(1, _rank(cursor, kind) + 1):
                where = "t.line IN (SELECT k.line FROM feed_ranks k WHERE k.rank = %(rank)s)"
                outcomes += _round(cursor, kind, where, {**values, "rank": rank})
        for statement in kind.after:
            cursor.execute(statement, values)
        cursor.execute(
            "SELECT (SELECT count(*) FROM feed_rows WHERE fault IS NOT NULL) + (SELECT count(*) FROM feed_faults)"
        )
        (rejected,) = cursor.fetchone()
    return Counts(outcomes["new"], outcomes["unchanged"], outcomes["updated"], rejected)


def _rank(cursor: Any, kind: Kind) -> int:
    """Number each key's rows by their lines, and return the highest number: nearly always 1."""
    cursor.execute(
        "CREATE TEMP TABLE feed_ranks ON COMMIT DROP AS"
        f" SELECT line, row_number() OVER (PARTITION BY {kind.key} ORDER BY line) AS rank"
        " FROM feed_rows WHERE fault IS NULL"
    )
    cursor.execute("ANALYZE feed_ranks")
    cursor.execute("SELECT coalesce(max(rank), 0) FROM feed_ranks")
    (highest,) = cursor.fetchone()
    if highest > 3:
        cursor.execute("CREATE INDEX ON feed_ranks (rank)")
        cursor.execute("CREATE INDEX ON feed_rows (line)")
    return int(highest)


def _quickly(cursor: Any, kind: Kind, values: Mapping[str, Any], outcomes: Counter[str]) -> bool:
    """Insert all new keys at once, and compare only the known ones. False where a key comes twice: rounds, then."""
    cursor.execute(
        f"SELECT count(*), count(*) FILTER (WHERE {kind.known}) FROM feed_rows t WHERE t.fault IS NULL", values
    )
    good, known = cursor.fetchone()
    try:
        with transaction.atomic():
            if good > known:
                cursor.execute(kind.quick, values)
                if cursor.rowcount != good - known:
                    raise _KeyTwice
    except _KeyTwice:
        return False
    outcomes["new"] += good - known
    if known:
        outcomes += _round(cursor, kind, f"t.fault IS NULL AND {kind.known}", values)
    return True


def _round(cursor: Any, kind: Kind, where: str, values: Mapping[str, Any]) -> Counter[str]:
    cursor.execute("DROP TABLE IF EXISTS pg_temp.feed_round")
    cursor.execute(
        f"CREATE TEMP TABLE feed_round ON COMMIT DROP AS {kind.compare} WHERE {where}",
        values,
    )
    cursor.execute(
        'INSERT INTO feed_faults (line, "column", code) SELECT line, at_fault, outcome FROM feed_round'
        " WHERE outcome <> ALL (%s)",
        [list(ACCEPTED)],
    )
    cursor.execute("SELECT outcome, count(*) FROM feed_round WHERE outcome = ANY (%s) GROUP BY 1", [list(ACCEPTED)])
    counted = Counter(dict(cursor.fetchall()))
    if counted["new"] or counted["updated"]:
        for statement in kind.land:
            cursor.execute(statement, values)
    return counted
