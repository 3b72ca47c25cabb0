"""Compare the staged rows with what is recorded, and write what is new: in rounds, set by set."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from psycopg.errors import UniqueViolation

from core.models import FactBatch
from merchants.imports.faults import RowError
from merchants.imports.kinds.base import Kind
from merchants.imports.staging import fill, platform_time, read, typed_rows

MOST_REPEATS = 200  # of one key in one file: far more than mending a file by hand ever brings
ACCEPTED = ("new", "unchanged", "updated")
NO_FAULTS = """SELECT 0::bigint AS line, '' AS "column", '' AS code WHERE false"""


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

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.new + other.new,
            self.unchanged + other.unchanged,
            self.updated + other.updated,
            self.rejected + other.rejected,
        )


NOTHING = Counts(0, 0, 0, 0)


def parameters(
    kind: Kind, header: tuple[str, ...], *, batch: FactBatch, recorded_at: datetime | None
) -> dict[str, Any]:
    """The parameters that a kind's SQL may use (see `merchants.imports.kinds.base`)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    given = {f"has_{column.name}": column.name in header for column in kind.columns if not column.required}
    return {
        "batch": batch.pk,
        "known": "infinity" if recorded_at is None else recorded_at,
        "zone": settings.PLATFORM_TIME_ZONE,
        "now": now,
        **given,
    }


def land_quickly(kind: Kind, header: tuple[str, ...], values: Mapping[str, Any], *, staged: int) -> Counts | None:
    """Insert the `staged` rows of `feed_raw` as if all keys were new, and leave the faulty ones in `feed_rows`.

    None, and nothing done, where a key is known or comes twice. The kind's lock must be held.
    """
    quick = kind.quick.replace("{rows}", typed_rows(kind, header))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            with platform_time(cursor):
                cursor.execute(quick, values)
                new = int(cursor.rowcount)
            rejected = _leave_faulty(cursor, kind, header, values) if new < staged else 0
            if new + rejected != staged:
                raise _Moved
    except _Moved:
        return None
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            return None
        raise
    return Counts(new, 0, 0, rejected)


class _Moved(Exception):
    """Something that a row refers to came in the midst of it: the row was bad before and is good now."""


def _leave_faulty(cursor: Any, kind: Kind, header: tuple[str, ...], values: Mapping[str, Any]) -> int:
    read(kind, header, values, where="t.fault IS NOT NULL")
    fill(cursor, "feed_faults", NO_FAULTS, {})
    cursor.execute("SELECT count(*) FROM feed_rows")
    return int(cursor.fetchone()[0])


def land(kind: Kind, values: Mapping[str, Any]) -> Counts:
    """Land the rows of `feed_rows` and return the counts. The kind's lock must be held."""
    outcomes: Counter[str] = Counter()
    with connection.cursor() as cursor:
        for check in kind.before:
            cursor.execute(
                f"UPDATE feed_rows t SET fault = '{check.column}:{check.error}' WHERE t.fault IS NULL AND {check.when}",
                values,
            )
        fill(cursor, "feed_faults", NO_FAULTS, {})
        for rank in range(1, _rank(cursor, kind) + 1):
            _round(cursor, kind, {**values, "rank": rank}, outcomes)
        for statement in kind.after:
            cursor.execute(statement, values)
        cursor.execute(
            "SELECT (SELECT count(*) FROM feed_rows WHERE fault IS NOT NULL) + (SELECT count(*) FROM feed_faults)"
        )
        (rejected,) = cursor.fetchone()
    return Counts(outcomes["new"], outcomes["unchanged"], outcomes["updated"], rejected)


def _rank(cursor: Any, kind: Kind) -> int:
    """Number each key's rows by their lines, and return the highest number: nearly always 1.

    Each number is a round of its own, and the feed's lock is held meanwhile: what comes more often is set aside.
    """
    fill(
        cursor,
        "feed_ranks",
        f"SELECT line, row_number() OVER (PARTITION BY {kind.key} ORDER BY line) AS rank"
        " FROM feed_rows WHERE fault IS NULL",
        {},
        analyze=True,
    )
    cursor.execute("SELECT coalesce(max(rank), 0) FROM feed_ranks")
    (highest,) = cursor.fetchone()
    if highest > MOST_REPEATS:
        cursor.execute(
            'INSERT INTO feed_faults (line, "column", code) SELECT line, %s, %s FROM feed_ranks WHERE rank > %s',
            [kind.columns[0].name, RowError.TOO_OFTEN, MOST_REPEATS],
        )
    if highest > 3:
        cursor.execute("CREATE INDEX IF NOT EXISTS feed_ranks_rank ON pg_temp.feed_ranks (rank)")
        cursor.execute("CREATE INDEX IF NOT EXISTS feed_rows_line ON pg_temp.feed_rows (line)")
    return min(int(highest), MOST_REPEATS)


def _round(cursor: Any, kind: Kind, values: Mapping[str, Any], outcomes: Counter[str]) -> None:
    where = "t.line IN (SELECT k.line FROM feed_ranks k WHERE k.rank = %(rank)s)"
    fill(cursor, "feed_round", f"{kind.compare} WHERE {where}", values)
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
    outcomes += counted
