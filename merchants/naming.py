"""How registration numbers and brands are compared (CONTRACT.md). SQL for it comes from here too.

Both must give the same keys wherever they are made: in a feed, in a form, in a search.
"""

import re
import unicodedata
from functools import cache

from django.conf import settings

# The default of the setting of the same name.
NO_BRAND_WORDS: tuple[str, ...] = ("无", "无品牌", "no brand", "generic", "none", "n/a", "oem", "-")


def registration_key(number: str) -> str:
    """A registration number as it is compared: upper-cased, without white space and dashes."""
    return re.sub(r"[\s\-\u2010-\u2015\u2212\uff0d]", "", number).upper()


def brand_key(name: str | None) -> str | None:
    """A brand as it is compared: NFKC, case folded, white space collapsed; None where it means no brand.

    The words for "no brand" are the setting NO_BRAND_WORDS, compared in the same way.
    """
    key = _fold(name or "")
    return None if not key or key in _no_brand(tuple(settings.NO_BRAND_WORDS)) else key


@cache
def _no_brand(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(_fold(word) for word in words)


def _fold(text: str) -> str:
    # Folding can undo normal form (and the other way round), hence once more after it.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())
