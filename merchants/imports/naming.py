"""The keys that registration numbers and brands are compared by, made once for each spelling in the file.

Unicode's rules for brands (NFKC, case folding) are Python's, since not every PostgreSQL has them; so the distinct
spellings pass through here, in blocks.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from merchants.naming import brand_key, registration_key

LONGEST = {"entity": 64, "brand": 255}


def name_keys(cursor: Any, columns: Sequence[tuple[str, str, int]]) -> None:
    """Fill `feed_names` (what, raw, key, spelling, bad).

    A column is given by its name, what it names (`entity` or `brand`) and its place in the file.
    """
    cursor.execute(
        "CREATE TEMP TABLE feed_names (what text, raw text, key text, spelling text, bad boolean) ON COMMIT DROP"
    )
    for _, what, index in columns:
        with connection.chunked_cursor() as spellings:
            spellings.execute(f"SELECT DISTINCT c{index:d} FROM feed_raw WHERE c{index:d} IS NOT NULL")
            while block := spellings.fetchmany(5000):
                rows = [_row(what, raw) for (raw,) in block]
                cursor.executemany("INSERT INTO feed_names VALUES (%s, %s, %s, %s, %s)", rows)
    cursor.execute("ANALYZE feed_names")


def _row(what: str, raw: str) -> tuple[str, str, str | None, str | None, bool]:
    key = registration_key(raw) if what == "entity" else brand_key(raw)
    if key is None:  # a word for "no brand"
        return what, raw, None, None, False
    bad = not key or len(key) > LONGEST[what]
    return what, raw, None if bad else key, None if bad else raw, bad
