"""Dates and timestamps that Python can vouch for (see merchants.imports.vouching).

Python's own parser takes a thirtieth of what PostgreSQL's check does, but accepts more than a feed may hold; so first
the cells must all have the one usual form.
"""

from collections.abc import Sequence
from datetime import date, datetime

_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_FORMS = {len(form): form for form in (b"0000-00-00T00:00:00", b"0000-00-00T00:00:00Z", b"0000-00-00T00:00:00+00:00")}
_WEST = b"0000-00-00T00:00:00-00:00"


def are_days(cells: Sequence[str]) -> bool:
    """Whether all cells are dates of the usual form, and exist. False says nothing: look closer."""
    joined = "".join(cells).encode()
    if joined.translate(_DIGITS) != b"0000-00-00" * len(cells) or min(cells) < "1900":
        return False
    try:
        for _ in map(date.fromisoformat, cells):
            pass
    except ValueError:
        return False
    return True


def are_sound(cells: Sequence[str]) -> bool:
    """Whether all cells are timestamps of one usual form, and exist. False says nothing: look closer."""
    if not cells:
        return True
    size = len(cells[0])
    joined = "".join(cells).encode()
    form = _FORMS.get(size, b"")
    if len(joined) != size * len(cells) or not form:
        return False
    shape = joined.translate(_DIGITS)
    if shape != form * len(cells) and shape != _WEST * len(cells):
        return False
    # PostgreSQL takes no offset of 16 hours and more; a day has no 24:00 here.
    offsets = {cell[20:] for cell in cells}
    if min(cells) < "1900" or b"T24" in joined or max(offsets) > "15:59" or any(each[3:] > "59" for each in offsets):
        return False
    try:
        for _ in map(datetime.fromisoformat, cells):
            pass
    except ValueError:
        return False
    return True
