"""Finding shops and registrations by what people type: any width, any case, the words in any order.

What is typed and what is searched are both brought to NFKC and lower case, so that ＬＡＮＱＯ finds Lanqo. Each word
must stand somewhere in the row's text; or what was typed is a part of the registration number.
"""

import unicodedata
from collections.abc import Iterable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, F, Func, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat
from django.db.models.sql.compiler import SQLCompiler

from merchants.naming import registration_key

MOST_WORDS = 6


class Folded(Func):
    """A column in NFKC and lower case. Most texts are in NFKC already, and seeing that costs less than making it so."""

    output_field = CharField()

    def __init__(self, column: str) -> None:
        super().__init__(F(column))  # a column alone: it is written three times, and parameters would be, too

    def as_sql(
        self,
        compiler: SQLCompiler,
        connection: BaseDatabaseWrapper,
        function: str | None = None,
        template: str | None = None,
        arg_joiner: str | None = None,
        **extra_context: Any,
    ) -> tuple[str, tuple[str | int, ...]]:
        """Write the column where it belongs."""
        column, params = compiler.compile(self.source_expressions[0])
        folded = f"LOWER(CASE WHEN {column} IS NFKC NORMALIZED THEN {column} ELSE normalize({column}, NFKC) END)"
        return folded, tuple(params)


def haystack(*columns: str) -> Combinable:
    """The columns as one text to search in, a line each."""
    parts: list[Combinable] = []
    for column in columns:
        parts += [Coalesce(Folded(column), Value("")), Value("\n")]
    return Concat(*parts, output_field=CharField())


def matches(typed: str, *, text: str, numbers: Iterable[str]) -> Q:
    """Rows in whose `text` (an annotation by `haystack`) every word stands, or in one of whose `numbers` all of it.

    `numbers` are fields with compared registration numbers: dashes and spaces in what was typed don't count.
    """
    # PostgreSQL holds no NUL.
    folded = unicodedata.normalize("NFKC", typed.replace("\0", " "))
    found = Q()
    for word in folded.lower().split()[:MOST_WORDS]:
        found &= Q(**{f"{text}__contains": word})
    number = registration_key(folded)
    if number:
        for field in numbers:
            found |= Q(**{f"{field}__contains": number})
    return found
