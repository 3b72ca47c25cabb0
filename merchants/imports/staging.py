"""From the file's rows to `feed_rows`: COPY the text as it is, then read and check it in one pass of SQL."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from psycopg import sql

from merchants.imports.columns import UNSEEN, Column
from merchants.imports.kinds.base import Kind
from merchants.imports.naming import name_keys
from merchants.imports.pieces import Piece
from merchants.imports.reader import shown
from merchants.imports.source import FileRefused

TABLES = ("feed_raw", "feed_rows", "feed_names", "feed_ranks", "feed_round", "feed_outcomes", "feed_faults")


def raw_name(index: int) -> str:
    """The staging column of the file's column at `index`: a header may say anything, a column's name may not."""
    return f"c{index}"


def check_header(kind: Kind, header: tuple[str, ...], *, name: str) -> list[str]:
    """Return the columns that the feed doesn't know; refuse a file that lacks one that it needs."""
    missing = [column.name for column in kind.columns if column.required and column.name not in header]
    if missing:
        hint = ""
        if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
            hint = " Its cells are not separated by commas; save it as CSV with commas."
        seen = {seen_part(column): column for column in header}
        lookalike = next((seen[column] for column in missing if column in seen), None)
        if lookalike is not None:
            hint = f" Its column {shown(lookalike)} holds characters that can't be seen; write its name anew."
        raise FileRefused(f"{name}: the feed {kind.kind} needs the column {', '.join(missing)}.{hint}")
    return [column for column in header if column not in kind.by_name]


def seen_part(column: str) -> str:
    """What of a column's name can be seen."""
    return "".join(char for char in column if char.isprintable()).strip()


def stage(header: tuple[str, ...], piece: Piece, *, anew: bool) -> None:
    """Copy the piece's rows into `feed_raw`; `anew`: in place of those that it holds."""
    with connection.cursor() as cursor:
        if not _exists(cursor, "feed_raw"):
            columns = sql.SQL(", ").join(
                sql.SQL("{} text").format(sql.Identifier(raw_name(index))) for index in range(len(header))
            )
            # Temporary: no log is written for it, and nothing is left of it whatever happens to this process.
            table = sql.SQL("CREATE TEMP TABLE feed_raw (line bigint, shape text, sound text, {}) ON COMMIT DROP")
            _execute(cursor, table.format(columns))
        elif anew:
            cursor.execute("TRUNCATE pg_temp.feed_raw")
        with cursor.copy("COPY feed_raw FROM STDIN (NULL '')") as copy:
            for text in piece.texts:
                copy.write(text)


def read(kind: Kind, header: tuple[str, ...], values: Mapping[str, Any], *, where: str = "true") -> None:
    """Make `feed_rows` of `feed_raw`: typed cells, resolved references, and the first faults; of the rows `where` …"""
    with connection.cursor() as cursor, platform_time(cursor):
        if kind.names:
            name_keys(cursor, [(column, what, header.index(column)) for column, what in kind.names if column in header])
        fill(cursor, "feed_rows", f"SELECT * FROM ({typed_rows(kind, header)}) t WHERE {where}", values, analyze=True)


@contextmanager
def platform_time(cursor: Any) -> Iterator[None]:
    """Let what is read in here without an offset be local to the platform; and give sorts and hashes some memory."""
    cursor.execute("SET LOCAL work_mem = '64MB'")
    cursor.execute("SELECT set_config('TimeZone', %s, true)", [settings.PLATFORM_TIME_ZONE])
    yield
    cursor.execute("SELECT set_config('TimeZone', 'UTC', true)")


def fill(cursor: Any, table: str, select: str, values: Mapping[str, Any], *, analyze: bool = False) -> None:
    """Let the temporary table hold what `select` yields, and nothing else.

    It is made once for all pieces and rounds: each making takes locks, which pile up until the commit.
    """
    if _exists(cursor, table):
        cursor.execute(f"TRUNCATE pg_temp.{table}")
        cursor.execute(f"INSERT INTO pg_temp.{table} {select}", values)
        return
    cursor.execute(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS {select}", values)
    if analyze:
        cursor.execute(f"ANALYZE pg_temp.{table}")


def _exists(cursor: Any, table: str) -> bool:
    cursor.execute("SELECT to_regclass(%s)", [f"pg_temp.{table}"])
    return cursor.fetchone()[0] is not None


def typed_rows(kind: Kind, header: tuple[str, ...]) -> str:
    """Write the query that reads `feed_raw`.

    Three layers, each fenced by OFFSET 0 so that no expression is computed twice: cells, values, checks.
    """
    cells: list[sql.Composable] = [sql.SQL("line, shape, sound")]
    values: list[sql.Composable] = [sql.SQL("line, shape")]
    kept: list[sql.Composable] = [sql.SQL("t.line")]
    for column in kind.columns:
        raw, typed = sql.Identifier(f"{column.name}_"), sql.Identifier(column.name)
        source: sql.Composable = sql.SQL("NULL::text")
        if column.name in header:
            source = sql.Identifier(raw_name(header.index(column.name)))
        cells.append(sql.SQL("{} AS {}").format(source, raw))
        values.append(sql.SQL("{}, {}::{} AS {}").format(raw, _value(column), sql.SQL(column.type.pg), typed))
        kept.append(sql.SQL("t.{}").format(typed))
    joins = []
    for column_name, what in kind.names:
        key = f"{what}_key"
        joins.append(f"LEFT JOIN feed_names n_{what} ON n_{what}.what = '{what}' AND n_{what}.raw = t.{column_name}_")
        kept.append(sql.SQL(f"n_{what}.key AS {key}, n_{what}.spelling AS {what}_name"))
    joins += [reference.join for reference in kind.references]
    kept += [sql.SQL(reference.select) for reference in kind.references]
    query = sql.SQL(
        "SELECT {kept}, {fault} AS fault"
        " FROM (SELECT {values} FROM (SELECT {cells} FROM feed_raw OFFSET 0) c OFFSET 0) t {joins}"
    ).format(
        kept=sql.SQL(", ").join(kept),
        fault=_faults(kind),
        values=sql.SQL(", ").join(values),
        cells=sql.SQL(", ").join(cells),
        joins=sql.SQL(" ".join(joins)),
    )
    return query.as_string(connection.connection)


def _value(column: Column) -> sql.Composable:
    text = column.type.sql.replace("feed_instant({c})", instant_sql()).replace("{c}", f'"{column.name}_"')
    return sql.SQL(f"({text})")


def instant_sql() -> str:
    """Read a sound timestamp; one without an offset is local to the platform (the session's time zone).

    Of a local time that a change of clocks brings twice, PostgreSQL would take the second, as we don't.
    """
    value = "{c}::timestamptz"
    if not _clocks_change(ZoneInfo(settings.PLATFORM_TIME_ZONE)):
        return _within_years(value)
    local = f"({value})::timestamp"
    twice = " ".join(
        f"WHEN ({value} - interval '{minutes} min')::timestamp = {local} THEN {value} - interval '{minutes} min'"
        for minutes in (60, 30)
    )
    return _within_years(f"CASE WHEN substr({{c}}, 11) ~ '[Z+-]' THEN {value} {twice} ELSE {value} END")


def _within_years(value: str) -> str:
    """The year 9999 has an end, which an offset may pass: nothing past it can be read back."""
    bounded = f"CASE WHEN {value} < '10000-01-01T00:00:00Z'::timestamptz THEN {value} END"
    return f"CASE WHEN {{c}} COLLATE \"C\" >= '9999-12-31' THEN {bounded} ELSE {value} END"


def _clocks_change(zone: ZoneInfo) -> bool:
    start = datetime(2000, 1, 1, tzinfo=zone)
    return len({(start + timedelta(days=15 * step)).utcoffset() for step in range(25 * 40)}) > 1


def _faults(kind: Kind) -> sql.Composable:
    """Null where nothing is wrong; else `column:code` for each fault, in the columns' order."""
    # What is asked of every row is kept short; which of the faults it is, is asked only where there is one.
    bad, found = ["t.shape IS NOT NULL"], [("t.shape IS NOT NULL", ":malformed")]
    for column in kind.columns:
        cell, typed = f't."{column.name}_"', f't."{column.name}"'
        if column.required:
            bad.append(f"{typed} IS NULL")
            found.append((f"{cell} IS NULL AND t.shape IS NULL", f"{column.name}:missing"))
        else:
            bad.append(f"{typed} IS NULL AND {cell} IS NOT NULL")
        found.append((f"{cell} IS NOT NULL AND {typed} IS NULL AND {cell} ~ '{UNSEEN}'", f"{column.name}:characters"))
        found.append((f"{cell} IS NOT NULL AND {typed} IS NULL AND {cell} !~ '{UNSEEN}'", f"{column.name}:malformed"))
    more = [(f't."{name}" IS NOT NULL AND n_{what}.bad', f"{name}:malformed") for name, what in kind.names]
    for reference in kind.references:
        known = f't."{reference.column}" IS NOT NULL AND {reference.known} IS NULL'
        more.append((known, f"{reference.column}:unknown_reference"))
    more += [(check.when, f"{check.column}:{check.error}") for check in kind.checks]
    any_of = " OR ".join(f"({when})" for when in [*bad, *(when for when, _ in more)])
    each = ", ".join(f"CASE WHEN {when} THEN '{what} ' END" for when, what in [*found, *more])
    return sql.SQL(f"CASE WHEN {any_of} THEN rtrim(concat({each})) END")


def forget() -> None:
    """Drop the temporary tables: a session may load a second file in the same transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {', '.join(f'pg_temp.{table}' for table in TABLES)}")


def stream(statement: str, parameters: Any = None, *, size: int = 2000) -> Iterator[list[tuple[Any, ...]]]:
    """Yield a query's rows in blocks, through a cursor that stands on the server."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        while block := cursor.fetchmany(size):
            yield block


def _execute(cursor: Any, statement: sql.Composable) -> None:
    cursor.execute(statement.as_string(connection.connection))
