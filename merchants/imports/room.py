"""Full disks: the reader's own folder for what doesn't fit into memory, and the database's."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import Error, connection

from core.errors import Unavailable

# SQLSTATE. 53100: the disk is full; 53400: a limit that was configured, mostly `temp_file_limit`.
_FULL, _LIMIT = "53100", "53400"


def no_room(error: OSError) -> Unavailable:
    """The refusal where the folder for temporary files takes nothing more."""
    return Unavailable(
        f"The folder for temporary files ({_folder()}) takes nothing more: {error.strerror or error}. "
        "Nothing was recorded; make room, or name another folder in TMPDIR, and load the file again."
    )


def _folder() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:
        return "none can be written to"


@contextmanager
def told() -> Iterator[None]:
    """Say in words where the database has no room. Raises Unavailable; the transaction is the caller's to roll back."""
    try:
        with connection.wrap_database_errors:  # a COPY's errors come as the driver's own, not as Django's
            yield
    except Error as error:
        cause = error.__cause__
        state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
        if state not in (_FULL, _LIMIT):
            raise
        first = str(error).strip().split("\n", 1)[0]
        advice = "make room on its disk" if state == _FULL else "raise the limit"
        raise Unavailable(
            f"The database has no room for the file: {first}. Nothing was recorded; {advice} and load the file again."
        ) from error
