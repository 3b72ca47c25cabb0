"""Writing the rows of a chain: only what differs from what holds (incentives.models.findings).

The statements of the engine end in a CTE called `fresh`, with the columns of the table that they fill. What follows
it is the same for each of them, and made here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from incentives.models import FirstEntity, FrozenFacts, Judgement, Run
from incentives.models.findings import FOREVER, Held


@dataclass(frozen=True, slots=True)
class HeldTable:
    """A table of a chain: what its rows are about (`key`), and what they say (`said`)."""

    name: str
    key: tuple[str, ...]
    said: tuple[str, ...]
    scope: str

    @property
    def columns(self) -> tuple[str, ...]:
        """What a statement has to give for each row."""
        return self.key + self.said

    def first(self) -> str:
        """Write `fresh` as the first rows of a chain."""
        columns = ", ".join(self.columns)
        return (
            f"INSERT INTO {self.name} (chain_id, since_id, until_id, {columns})\n"
            f"SELECT %(chain)s, %(run)s, {FOREVER}, {columns} FROM fresh"
        )

    def next(self) -> str:
        """Compare `fresh` with what holds within the scope: end what differs or is gone, write what is new.

        Index: the primary key, (chain_id, key, since_id). Returns how many rows `fresh` has.
        """
        key = " AND ".join(f"{{0}}.{column} = {{1}}.{column}" for column in self.key)
        fresh = ", ".join(f"n.{column}" for column in self.columns)
        held = ", ".join(f"c.{column}" for column in self.columns)
        return f"""
, holding AS MATERIALIZED (
    SELECT * FROM {self.name} h WHERE h.chain_id = %(chain)s AND h.until_id = {FOREVER} AND {self.scope}
),
ended AS (
    UPDATE {self.name} v SET until_id = %(run)s
    FROM holding c LEFT JOIN fresh n ON {key.format("n", "c")}
    WHERE v.chain_id = %(chain)s AND {key.format("v", "c")} AND v.since_id = c.since_id
      AND ROW({fresh}) IS DISTINCT FROM ROW({held})
),
begun AS (
    INSERT INTO {self.name} (chain_id, since_id, until_id, {", ".join(self.columns)})
    SELECT %(chain)s, %(run)s, {FOREVER}, {fresh}
    FROM fresh n LEFT JOIN holding c ON {key.format("n", "c")}
    WHERE ROW({fresh}) IS DISTINCT FROM ROW({held})
)
SELECT count(*) FROM fresh
"""  # noqa: S608 (columns of models)

    def take_back(self) -> str:
        """Undo what a run has written: its rows go, and those that it ended hold on."""
        return f"""
WITH gone AS (DELETE FROM {self.name} WHERE chain_id = %(chain)s AND since_id = %(run)s)
UPDATE {self.name} SET until_id = {FOREVER} WHERE chain_id = %(chain)s AND until_id = %(run)s
"""  # noqa: S608 (names of models)

    def write(self, run: Run) -> str:
        """The end of a statement for `run`."""
        return self.first() if run.base_id is None else self.next()


def _columns(model: type[Held], *key: str) -> tuple[str, ...]:
    chain = {"chain_id", "since_id", "until_id", *key}
    return tuple(field.column for field in model._meta.concrete_fields if field.column and field.column not in chain)


def _table(model: type[Held], key: Sequence[str], scope: str) -> HeldTable:
    return HeldTable(model._meta.db_table, tuple(key), _columns(model, *key), scope)


FROZEN_FACTS = _table(FrozenFacts, ["shop_id"], "/*shops h.shop_id*/")
JUDGEMENTS = _table(Judgement, ["shop_id"], "/*shops h.shop_id*/")
FIRST_ENTITIES = _table(
    FirstEntity,
    ["scope", "key"],
    "CASE h.scope WHEN 'merchant' THEN /*merchants h.key*/ ELSE /*brands h.key*/ END",
)
ALL = (FROZEN_FACTS, JUDGEMENTS, FIRST_ENTITIES)
