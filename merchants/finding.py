"""Finding shops and registrations by what people type: any width, any case, the words in any order.

What is typed and what is searched are both brought to NFKC and lower case, so that ＬＡＮＱＯ finds Lanqo. Each word
must stand somewhere in the row's text; or what was typed is a part of the registration number. Shops are found through
trigram indexes (`ShopQuerySet.found`), which words of three ASCII letters or digits and more can use.
"""

import unicodedata
from collections.abc import Iterable, Sequence
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


# What the indexes shop_text_parts and merchant_name_parts are on.
SHOP_TEXT = haystack("code", "merchant_name", "brand_name")
ENTITY_TEXT = Folded("name")


def words_of(typed: str) -> tuple[str, ...]:
    """The words to look for, as they stand in a haystack."""
    return tuple(dict.fromkeys(_folded(typed).lower().split()[:MOST_WORDS]))


def longest_first(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The two longest words, which are likely the rarest, and the others."""
    ordered = sorted(words, key=len, reverse=True)
    return ordered[:2], ordered[2:]


def words_in(words: Iterable[str], *, text: str) -> Q:
    """Rows in whose `text` (an annotation by `haystack`) every one of the words stands. All where there is none."""
    found = Q()
    for word in words:
        found &= Q(**{f"{text}__contains": word})
    return found


def number_in(typed: str, *, number: str) -> Q:
    """Rows of whose registration number it is a part. Empty (`not Q()`) where it can be no part of a number.

    `number` is a field with compared registration numbers: dashes and spaces in what was typed don't count.
    """
    wanted = registration_key(_folded(typed))
    return Q(**{f"{number}__contains": wanted}) if wanted else Q()


def matches(typed: str, *, text: str, number: str) -> Q:
    """Rows in whose `text` every word stands, or in whose `number` all of what was typed."""
    by_number = number_in(typed, number=number)
    by_words = words_in(words_of(typed), text=text)
    return by_words | by_number if by_number else by_words


def _folded(typed: str) -> str:
    # PostgreSQL holds no NUL.
    return unicodedata.normalize("NFKC", typed.replace("\0", " "))
