"""Finding shops and registrations by what people type: any width, any case, the words in any order.

What is typed and what is searched are both brought to NFKC and lower case, so that ＬＡＮＱＯ finds Lanqo. Each word
must stand somewhere in the row's text; or what was typed is a part of the registration number.
"""

import unicodedata
from collections.abc import Iterable

from django.db.models import CharField, F, Func, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat

from merchants.naming import registration_key

MOST_WORDS = 6


class Folded(Func):
    """A text in NFKC and lower case."""

    function = "NORMALIZE"
    template = "LOWER(%(function)s(%(expressions)s, NFKC))"
    output_field = CharField()


def haystack(*fields: str) -> Combinable:
    """The fields as one text to search in, a line each."""
    parts: list[Combinable] = []
    for field in fields:
        parts += [Coalesce(F(field), Value("")), Value("\n")]
    return Folded(Concat(*parts, output_field=CharField()))


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
