"""What a feed kind says about itself: columns, references, checks, and the SQL that compares and lands its rows.

The rows pass through temporary tables. `feed_rows` holds every staged row with its typed cells (null where absent,
empty or malformed), the ids that its references resolve to, and `fault`, null where nothing is wrong so far. A round
takes at most one row of each key, in the order of the lines: `feed_round` says of each what it comes to (`outcome`),
and the landing statements write what is new or updated. SQL of a kind may use these parameters:

    batch     the batch's id
    rank      the round's number
    known     the moment up to which facts count as known: the batch's recorded_at, `infinity` where it is recorded now
    zone      the platform's time zone
    now       the server's clock when the load began
    has_X     whether the file has the optional column X
"""

from dataclasses import dataclass

from core.locks import Lock
from merchants.imports.columns import Column, ColumnType
from merchants.imports.faults import RowError
from merchants.states import FeedKind


@dataclass(frozen=True, slots=True)
class Reference:
    """A join that resolves a column's code to a row: `select` are the columns that it adds to `feed_rows`.

    `known` is the expression that is null where nothing was found.
    """

    column: str
    join: str
    select: str
    known: str


@dataclass(frozen=True, slots=True)
class Check:
    """A row is in error where `when` holds (over the typed cells, `t`, and the references)."""

    column: str
    error: RowError
    when: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One feed kind.

    `key` partitions the rows into rounds. `compare` is a SELECT over `feed_rows` aliased `t` that yields, for the rows
    of a round, `line`, `outcome` (`new`, `updated`, `unchanged`, or an error code), `at_fault` (the column of an error)
    and whatever the `land` statements need.
    `before` are checks that need the recorded facts and all rows; `after` runs once, when all rounds are done.
    A long feed may have a `quick` way, tried before any round: an INSERT of all rows of `{rows}` (the query that makes
    `feed_rows`) without fault; it must fail on a unique key where a row's key is known or comes twice. Such a kind
    lands `by_pieces`, piece after piece as the file is read: its rows stand in no relation to each other but that of
    one file's to the next one's. So it has neither `names` nor `before` nor `after`.
    """

    kind: FeedKind
    lock: Lock
    columns: tuple[Column, ...]
    key: str
    compare: str
    land: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()
    after: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    before: tuple[Check, ...] = ()
    quick: str = ""

    @property
    def by_pieces(self) -> bool:
        """Whether the rows land as they are read, and not all together."""
        return bool(self.quick)

    @property
    def by_name(self) -> dict[str, Column]:
        """The columns by their names."""
        return {column.name: column for column in self.columns}

    def of_type(self, wanted: ColumnType) -> frozenset[str]:
        """The names of the columns of this type."""
        return frozenset(column.name for column in self.columns if column.type is wanted)


def latest(*, table: str, alias: str, on: str, columns: str) -> str:
    """A lateral join to the fact that a repeat is compared with.

    That is the key's latest fact recorded by `known`, else its earliest later one: so a backdated file that is loaded
    twice changes nothing. A batch without recorded_at is this one.
    """
    recorded = "coalesce(b.recorded_at, %(known)s)"
    early = f"{recorded} <= %(known)s"
    return f"""
    LEFT JOIN LATERAL (
        SELECT f.id, {columns}
        FROM {table} f JOIN core_factbatch b ON b.id = f.batch_id
        WHERE {on}
        ORDER BY {early} DESC, CASE WHEN {early} THEN {recorded} END DESC, CASE WHEN {early} THEN f.id END DESC,
            {recorded}, f.id
        LIMIT 1
    ) {alias} ON true"""


def current(*, table: str, on: str) -> str:
    """The latest of all facts (by recorded_at, then id) as a subquery's tail: what lists and pages show."""
    return f"""
        FROM {table} f JOIN core_factbatch b ON b.id = f.batch_id
        WHERE {on}
        ORDER BY coalesce(b.recorded_at, %(known)s) DESC, f.id DESC
        LIMIT 1"""


PARTNER = Reference(
    "partner_code", "LEFT JOIN partners_partner p ON p.code = t.partner_code", "p.id AS partner_id", "p.id"
)
PROGRAM = Reference("program", "LEFT JOIN core_program g ON g.code = t.program", "g.id AS program_id", "g.id")
SHOP = Reference("shop_code", "LEFT JOIN merchants_shop s ON s.code = t.shop_code", "s.id AS shop_id", "s.id")
TARGET = Reference(
    "target_code",
    "LEFT JOIN merchants_targetentry e ON e.program_id = g.id AND e.code = t.target_code",
    "e.id AS entry_id",
    # Of an unknown program every entry is unknown: to say the first is enough.
    "CASE WHEN g.id IS NULL THEN 0 ELSE e.id END",
)


def not_later_than_now(*columns: str) -> tuple[Check, ...]:
    """Facts have happened: none of these instants may lie ahead of the server's clock."""
    return tuple(Check(column, RowError.FUTURE, f"t.{column} > %(now)s") for column in columns)
