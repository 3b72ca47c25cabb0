"""The columns of a feed: what a cell must look like, and how it becomes a value.

Each type turns a cell's text into a typed SQL expression that is null where the text is malformed and never fails:
so one pass over the staged rows both reads and checks them. In rows that Python has vouched for (merchants.imports.
vouching), it only reads them. No regular expression here has a bounded repeat such as `{1,64}`: PostgreSQL's take 20
times as long with one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from merchants.imports.instants import are_days, are_sound
from merchants.imports.iso import COUNTRIES, CURRENCIES
from merchants.imports.vouching import Vouch, are_among, are_codes, are_digits, are_numbers, are_printable, never

# Control characters, zero-width ones, and those that turn the direction of writing: none belongs into a cell, and most
# can't be seen. PostgreSQL's own escapes, since the pattern stands in SQL.
UNSEEN = (
    r"[\u0001-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\U000e0000-\U000e007f]"
)

_DATE = (
    "(?:19|[2-9][0-9])[0-9][0-9]-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-9]))"
)
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9][0-9]?[0-9]?[0-9]?[0-9]?[0-9]?)?)?"
_OFFSET = "(?:Z|[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?)?"
# The pattern lets 29 February pass in every year: whether the year has one is a sum, not a pattern.
_LEAP = (
    "(substr({c}, 6, 5) <> '02-29' OR make_date(substr({c}, 1, 4)::int, 3, 1) - 1 "
    "= make_date(substr({c}, 1, 4)::int, 2, 28) + 1)"
)


@dataclass(frozen=True, slots=True)
class ColumnType:
    """How a cell of this type is read; `expects` completes "write …".

    In `sql`, `{c}` stands for the cell's text, `feed_instant(` for what makes an instant of a sound timestamp, and
    `sound` is set in rows that Python has vouched for: `vouch` was true of all their columns.
    """

    sql: str
    pg: str
    expects: str | Promise
    vouch: Vouch = never


def _plain(condition: str, value: str, pg: str, expects: str | Promise, vouch: Vouch = never) -> ColumnType:
    return ColumnType(f"CASE WHEN sound IS NOT NULL OR {condition} THEN {value} END", pg, expects, vouch)


def _words(values: Sequence[str]) -> str:
    return "ARRAY[" + ", ".join(f"'{value}'" for value in values) + "]"


def one_of(values: Sequence[str]) -> ColumnType:
    """One of a closed list of words."""
    return _plain(f"{{c}} = ANY ({_words(values)})", "{c}", "text", ", ".join(values), are_among(values))


def text(longest: int) -> ColumnType:
    """Free text of up to `longest` characters, none of them unseen."""
    return _plain(
        f"{{c}} !~ '{UNSEEN}' AND char_length({{c}}) <= {longest}",
        "{c}",
        "text",
        format_lazy(_("at most {longest} characters"), longest=longest),
        are_printable(longest),
    )


CODE = _plain(
    """{c} COLLATE "C" !~ '[^A-Za-z0-9._-]' AND octet_length({c}) <= 64""",
    "{c}",
    'text COLLATE "C"',
    _("a code of 1 to 64 characters of A-Z a-z 0-9 . _ -"),
    are_codes,
)
WORD = _plain(
    """{c} COLLATE "C" !~ '[^A-Za-z0-9._-]' AND octet_length({c}) <= 64""",
    "{c}",
    "text",
    _("a code of 1 to 64 characters of A-Z a-z 0-9 . _ -"),
    are_codes,
)
DATE = _plain(
    f"""{{c}} COLLATE "C" ~ '^{_DATE}$' AND {_LEAP}""",
    "{c}::date",
    "date",
    _("a date such as 2026-03-31"),
    are_days,
)
TIMESTAMP = _plain(
    f"""{{c}} COLLATE "C" ~ '^{_DATE}[T ]{_CLOCK}{_OFFSET}$' AND {_LEAP}""",
    "feed_instant({c})",
    "timestamptz",
    _("a timestamp such as 2026-03-31T18:00:00+08:00"),
    are_sound,
)
NUMBER = _plain(
    """{c} COLLATE "C" ~ '^[+-]?[0-9]+([.][0-9]+)?$' AND octet_length({c}) <= 60""",
    "{c}::numeric",
    "numeric",
    _("a plain decimal such as 1234.50, without exponent or thousands separators"),
    are_numbers,
)
WHOLE = _plain(
    """{c} COLLATE "C" ~ '^[+]?[0-9]+([.]0+)?$' AND octet_length({c}) <= 18""",
    "{c}::numeric::bigint",
    "bigint",
    _("a whole number, 0 or more"),
    are_digits,
)
FLAG = ColumnType(
    "CASE lower({c}) WHEN 'true' THEN true WHEN 'false' THEN false END",
    "boolean",
    "true, false",
    are_among(("true", "false", "TRUE", "FALSE", "True", "False")),
)
COUNTRY = _plain(
    f"{{c}} = ANY ({_words(COUNTRIES)})",
    "{c}",
    "text",
    _("an ISO 3166-1 country code such as DE"),
    are_among(COUNTRIES),
)
CURRENCY = _plain(
    f"{{c}} = ANY ({_words(CURRENCIES)})",
    "{c}",
    "text",
    _("an ISO 4217 currency code such as EUR"),
    are_among(CURRENCIES),
)
EMAIL = _plain(
    f"{{c}} !~ '{UNSEEN}' AND {{c}} ~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+$' AND char_length({{c}}) <= 254",
    "{c}",
    "text",
    _("an e-mail address such as ann@example.com"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a feed. `required`: the file must have it and no cell may be empty."""

    name: str
    type: ColumnType
    required: bool = True
