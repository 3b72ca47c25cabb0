"""The row errors of CONTRACT.md, a closed list, each in people's words: what is wrong, where, what to do."""

from __future__ import annotations

import re
from enum import StrEnum

from django.utils.translation import gettext as _

from merchants.imports.columns import DATE, NUMBER, TIMESTAMP, WHOLE, Column
from merchants.states import FeedKind

LONGEST_QUOTE = 60

_OTHER_YEAR = re.compile(r"(?:0[0-9]{3}|1[0-8][0-9]{2}|[1-9][0-9]{4,})-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.][0-9]+)?")
_WHOLE = re.compile(r"[+]?[0-9]+(?:[.]0+)?")


class RowError(StrEnum):
    """Why a row was rejected. The codes are stable: scripts and the API test them."""

    MISSING = "missing"
    MALFORMED = "malformed"
    CHARACTERS = "characters"
    UNKNOWN_REFERENCE = "unknown_reference"
    CODE_CASE = "code_case"
    SIGN = "sign"
    DECIMALS = "decimals"
    RATE = "rate"
    PERIOD = "period"
    ORDER_OF_TIMES = "order_of_times"
    NAMES_NOBODY = "names_nobody"
    TRACK_PARTNER = "track_partner"
    CLAIM_OVERLAP = "claim_overlap"
    FORBIDDEN_REPEAT = "forbidden_repeat"
    TOO_OFTEN = "too_often"
    FUTURE = "future"


def explain(error: RowError, *, kind: FeedKind, column: str, value: str | None, spec: Column | None) -> str:
    """Say to people what is wrong with `value` in `column` and what to do, in the active language."""
    shown = {"column": column, "value": _quoted(value)}
    if error is RowError.MALFORMED:
        return _malformed(value or "", spec) % {**shown, "expects": spec.type.expects if spec is not None else ""}
    if error is RowError.FORBIDDEN_REPEAT:
        return _REPEATS.get(kind, _repeat_without_way)(shown)
    return _WORDS[error]() % shown


def _malformed(value: str, spec: Column | None) -> str:
    """What is said of a cell that its type doesn't take: some look as they should, and are out of what can be kept."""
    if spec is not None and spec.type in (DATE, TIMESTAMP) and _OTHER_YEAR.match(value):
        return _("%(column)s: %(value)s lies outside of the years 1900 to 9999; correct it.")
    plain = _NUMBER if spec is not None and spec.type is NUMBER else _WHOLE
    if spec is not None and spec.type in (NUMBER, WHOLE) and plain.fullmatch(value):
        return _("%(column)s: %(value)s has more digits than are kept; correct it.")
    if value.startswith("="):
        return _("%(column)s: “%(value)s” is a formula without its value; write the value.")
    return _("%(column)s: “%(value)s” can't be read; write %(expects)s.")


def explain_shape(*, cells: int, expected: int) -> str:
    """Say that a row has more or fewer cells than the header."""
    return _(
        "The row has %(cells)s cells, the header has %(expected)s; "
        "put a cell that holds a comma or a line break between double quotes."
    ) % {"cells": cells, "expected": expected}


def _quoted(value: str | None) -> str:
    text = " ".join("".join(char if char.isprintable() else f"U+{ord(char):04X}" for char in value or "").split())
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


# Functions, not strings: the language is the one that is active when the row is explained.
_WORDS = {
    RowError.MISSING: lambda: _("%(column)s is empty; this row needs it."),
    RowError.CHARACTERS: lambda: _(
        "%(column)s: “%(value)s” holds a control, zero-width or direction-override character; remove it."
    ),
    RowError.UNKNOWN_REFERENCE: lambda: _(
        "%(column)s: nothing known fits “%(value)s”; load it first, or correct the code."
    ),
    RowError.CODE_CASE: lambda: _(
        "%(column)s: “%(value)s” differs only in case from a partner that is known; use that spelling."
    ),
    RowError.SIGN: lambda: _("%(column)s: %(value)s has the wrong sign: a sale is above zero, a refund below zero."),
    RowError.DECIMALS: lambda: _("%(column)s: %(value)s has more decimals than are kept; round it at its source."),
    RowError.RATE: lambda: _("%(column)s: %(value)s is not above zero; a rate is CNY for one unit."),
    RowError.PERIOD: lambda: _("%(column)s: %(value)s makes the period empty; it must come after the period's start."),
    RowError.ORDER_OF_TIMES: lambda: _("%(column)s: %(value)s lies before the event that it follows."),
    RowError.NAMES_NOBODY: lambda: _(
        "The entry names neither merchant nor brand; give country and registration_no, or a brand."
    ),
    RowError.TRACK_PARTNER: lambda: _(
        "%(column)s: a directed entry needs its partner, and a target entry must have none."
    ),
    RowError.CLAIM_OVERLAP: lambda: _(
        "%(column)s: another approved claim on the same entry covers part of this period; reject one of the two."
    ),
    RowError.TOO_OFTEN: lambda: _(
        "%(column)s: the key of this row, with %(value)s, has come too often in this file; load the rest after it."
    ),
    RowError.FUTURE: lambda: _("%(column)s: %(value)s lies in the future of the server's clock; facts have happened."),
}


def _repeat_with_corrects(shown: dict[str, str]) -> str:
    return (
        _("%(column)s: “%(value)s” differs from what is recorded for this key; to supersede it, add corrects = true.")
        % shown
    )


def _repeat_by_new_line(shown: dict[str, str]) -> str:
    return (
        _(
            "%(column)s: “%(value)s” differs from what is recorded for this line_code; "
            "a correction is a new line with its own line_code."
        )
        % shown
    )


def _repeat_without_way(shown: dict[str, str]) -> str:
    return _("%(column)s: “%(value)s” differs from what is recorded for this key, and can't change.") % shown


_REPEATS = {
    FeedKind.SHOP_STATUSES: _repeat_with_corrects,
    FeedKind.STOCK: _repeat_with_corrects,
    FeedKind.VIOLATIONS: _repeat_with_corrects,
    FeedKind.FX: _repeat_with_corrects,
    FeedKind.SETTLEMENTS: _repeat_by_new_line,
}
