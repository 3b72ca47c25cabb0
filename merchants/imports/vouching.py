"""Cells that Python can vouch for, a column of a block at a time.

PostgreSQL's checks of a row's cells cost more than everything else that is done to read it; Python looks at a thousand
cells at once, while the database is busy with the rows before. Every function here says whether all cells are what the
column's type in merchants.imports.columns lets pass. False says nothing: then PostgreSQL looks closer, cell by cell.
"""

import re
from collections.abc import Callable, Collection, Sequence

Vouch = Callable[[Sequence[str]], bool]

_CODE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
_NUMBERS = re.compile(rb"(?:[+-]?[0-9]+(?:\.[0-9]+)?\n)*")


def never(_: Sequence[str]) -> bool:
    """For types that are rare, or are checked by more than a pattern."""
    return False


def are_codes(cells: Sequence[str], *, longest: int = 64) -> bool:
    """Whether all are codes."""
    return _consist_of(cells, _CODE, longest)


def are_digits(cells: Sequence[str], *, longest: int = 18) -> bool:
    """Whether all are whole numbers in the usual form."""
    return _consist_of(cells, b"0123456789", longest)


def are_numbers(cells: Sequence[str], *, longest: int = 60) -> bool:
    """Whether all are plain decimals."""
    joined = "\n".join(cells).encode() + b"\n"
    # A line break inside of a cell would make two numbers of one.
    return (
        joined.count(b"\n") == len(cells) and _NUMBERS.fullmatch(joined) is not None and max(map(len, cells)) <= longest
    )


def are_printable(longest: int) -> Vouch:
    """Whether all are short texts of characters that can be seen."""
    return lambda cells: "".join(cells).isprintable() and max(map(len, cells)) <= longest


def are_among(words: Collection[str]) -> Vouch:
    """Whether all are of a closed list."""
    return frozenset(words).issuperset


def _consist_of(cells: Sequence[str], characters: bytes, longest: int) -> bool:
    return not "".join(cells).encode().translate(None, characters) and max(map(len, cells)) <= longest
