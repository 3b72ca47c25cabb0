"""How people search for names: whatever width and case they type in, and whatever legal form they put to a company.

Both sides are brought to one form: what is stored by an expression that PostgreSQL can index with trigrams, what is
typed here, where the legal forms go too. They may stay in what is stored, since a search looks for parts of it.
"""

import re
import unicodedata

from django.db.models import F, Func, TextField

MOST_WORDS = 8

# Compared after NFKC, in lower case. The longer ones come first, so that nothing is left of them.
_LEGAL_ENDINGS = re.compile(
    "股份有限公司|有限责任公司|有限責任公司|有限公司|股份公司|公司|株式会社|有限会社|合同会社|合資会社|合名会社|[(](?:株|有|同)[)]"
)
_LEGAL_WORDS = frozenset(
    [
        *("co", "company", "corp", "corporation", "inc", "incorporated", "llc", "llp", "lp", "ltd", "limited", "plc"),
        *("pte", "pty"),
        *("gmbh", "mbh", "ag", "kg", "ohg", "ug", "gbr", "se"),
        *("sa", "sas", "sasu", "sarl", "eurl", "snc"),
        *("spa", "srl", "srls", "sapa"),
        *("sl", "slu", "sau", "slne"),
        *("bv", "nv", "kk", "gk"),
    ]
)
# What stands between words. Dots and apostrophes stand inside of them: "S.r.l." is one word.
_BETWEEN = re.compile(r"[\s,;:()\[\]{}<>\"“”‘’/\\|·・&+_\-\u2010-\u2015、。，]+")


class Searchable(Func):
    """A name as it is searched in: NFKC, in lower case. The indexes entry_name_parts and brand_name_parts are on it."""

    function = "NORMALIZE"
    template = "LOWER(%(function)s(%(expressions)s, NFKC))"
    output_field = TextField()

    def __init__(self, expression: str | F) -> None:
        super().__init__(F(expression) if isinstance(expression, str) else expression)


def search_words(typed: str) -> list[str]:
    """The words to look for, each of them anywhere in a name. Legal forms count only where nothing else was typed."""
    text = unicodedata.normalize("NFKC", typed).lower()
    words = [word.strip(".'’") for word in _BETWEEN.split(text)]
    core = [
        word.strip(".'’")
        for word in _BETWEEN.split(_LEGAL_ENDINGS.sub(" ", text))
        if word.replace(".", "") not in _LEGAL_WORDS
    ]
    return ([word for word in core if word] or [word for word in words if word])[:MOST_WORDS]
