"""How people search for names: whatever width and case they type in, and whatever legal form they put to a company.

Both sides are brought to one form: what is stored by an expression that PostgreSQL can index with trigrams, what is
typed here, where the legal forms go too. They may stay in what is stored, since a search looks for parts of it.
"""

import re
import string
import unicodedata

from django.db.models import F, Func, TextField

MOST_WORDS = 8
_DIGITS = string.digits + string.ascii_lowercase

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
    return _core_words(typed)[:MOST_WORDS]


def compared_name(name: str) -> str:
    """A name as it is compared with others: one width, lower case, no legal form, nothing between its words.

    "Blue-Finch Outdoor Ltd." and "ＢＬＵＥＦＩＮＣＨ OUTDOOR Limited" are one; so are 株式会社青鳥 and 青鳥.
    """
    return "".join(_core_words(name)).replace(".", "").replace("'", "").replace("’", "")


def trigram_key(name: str) -> str:
    """A compared name in ASCII letters and digits alone, alike where the names are: for PostgreSQL's trigrams.

    Where the database's character type is C, trigrams see nothing else: of a Chinese name nothing at all. So each sign
    becomes two, and accents go. Different signs may become the same two, one in 1,296: names that look alike by that
    are shown to a person, who sees the names.
    """
    signs = []
    for sign in compared_name(name):
        base = unicodedata.normalize("NFKD", sign)[0]
        if base.isascii():
            signs.append(base if base.isalnum() else "")
        else:
            high, low = divmod(ord(sign) % 1296, 36)
            signs.append(_DIGITS[high] + _DIGITS[low])
    return "".join(signs)


def _core_words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).lower()
    words = [word.strip(".'’") for word in _BETWEEN.split(text)]
    core = [
        word.strip(".'’")
        for word in _BETWEEN.split(_LEGAL_ENDINGS.sub(" ", text))
        if word.replace(".", "") not in _LEGAL_WORDS
    ]
    return [word for word in core if word] or [word for word in words if word]
