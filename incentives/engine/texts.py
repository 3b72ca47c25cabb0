"""The texts of the engine's statements: the SQL files beside this module, completed with the conditions."""

from functools import cache
from pathlib import Path

from incentives.engine.conditions import CONDITION_KEYS, CONDITIONS


@cache
def statement(name: str) -> str:
    """The text of one of the SQL files."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")


@cache
def judge_statement() -> str:
    """`judge.sql`, completed with the conditions."""
    outcomes = ",\n           ".join(f"{c.outcome_sql} AS o_{c.key}" for c in CONDITIONS)
    judged = ", ".join(f"o_{key}" for key in CONDITION_KEYS)
    named = ", ".join(f"w.o_{key} AS {key}" for key in CONDITION_KEYS)
    text = statement("judge").replace("/*outcomes*/", outcomes).replace("/*judged*/", judged)
    return text.replace("/*named*/", named)
