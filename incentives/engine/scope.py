"""Which rows a statement is about: all, a range of ids, or a list of them.

The SQL files say where a scope applies, `/*shops f.shop_id*/`; the same text then serves a full run, a chunk of it,
and a run from changes only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PLACE = re.compile(r"/\*(\w+) ([\w.]+)\*/")


@dataclass(frozen=True, slots=True)
class Scope:
    """All ids; with `low` and `high` the ids from one to the other, both included; with `ids` just these."""

    low: int | None = None
    high: int | None = None
    ids: Sequence[int] | None = None

    @property
    def at_most(self) -> int | None:
        """How many ids there can be; None where it isn't said."""
        if self.ids is not None:
            return len(self.ids)
        return None if self.low is None or self.high is None else self.high - self.low + 1

    def condition(self, name: str, column: str) -> str:
        """The SQL condition that `column` lies within the scope called `name`."""
        if self.ids is not None:
            return f"{column} = ANY(%({name}_ids)s::bigint[])"
        return "true" if self.low is None else f"{column} BETWEEN %({name}_low)s AND %({name}_high)s"

    def parameters(self, name: str) -> dict[str, Any]:
        """What the condition refers to."""
        return {
            f"{name}_low": self.low,
            f"{name}_high": self.high,
            f"{name}_ids": None if self.ids is None else list(self.ids),
            f"{name}_at_most": self.at_most,
        }


EVERYTHING = Scope()


def within(sql: str, params: dict[str, Any], **scopes: Scope) -> tuple[str, dict[str, Any]]:
    """Put the scopes into a statement and its parameters. KeyError for a place that no scope was given for."""
    filled = PLACE.sub(lambda place: scopes[place[1]].condition(place[1], place[2]), sql)
    for name, scope in scopes.items():
        params = params | scope.parameters(name)
    return filled, params
