"""When the database goes away in the middle: which errors pass by themselves, and doing a thing again after them.

Losing the connection at a COMMIT leaves open whether it happened. So whatever is done again first looks, under the
lock that the lost transaction held, whether its key has landed: then nothing is done twice and nothing is lost.
"""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
from django.db import Error, InterfaceError, OperationalError, connection

log = logging.getLogger(__name__)

PATIENCE = 30.0  # seconds: a restart with its recovery, seldom more
# How soon PostgreSQL notices, in the middle of a statement, that its client has gone.
NOTICE_SECONDS = 2

# SQLSTATE. 08: connection; 57P: the server stops, crashed or starts; 25P03: it ended a session that stood still.
_LOST = ("08", "57P", "25P03")
# Serialisation failure and deadlock: the transaction was rolled back, and may well succeed when done again.
_CROSSED = ("40001", "40P01")

T = TypeVar("T")


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, or none was to be had; what was sent last may have happened or not."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = _sqlstate(error)
    return state is None or state.startswith(_LOST)


def will_pass(error: BaseException) -> bool:
    """Whether the error tells nothing against what was done: doing it again is the right answer."""
    return is_lost(error) or (isinstance(error, Error) and _sqlstate(error) in _CROSSED)


def again(act: Callable[[], T], *, seconds: float = PATIENCE) -> T:
    """Call `act` until it comes through; for at most about `seconds` where the errors are such that pass.

    `act` opens its own transaction and may be done twice. Inside a transaction it is called once: the whole would have
    to be done again, which only its owner can.
    """
    limit = time.monotonic() + seconds
    pause = 0.1
    while True:
        try:
            return act()
        except Error as error:
            if connection.in_atomic_block or not will_pass(error) or time.monotonic() >= limit:
                raise
            log.warning("the database will be asked again: %s", str(error).strip())
        connection.close_if_unusable_or_obsolete()
        time.sleep(pause)
        pause = min(2 * pause, 1.0)


def let_go_with_client() -> None:
    """Make PostgreSQL end the present transaction soon after its client has died, and with it the locks.

    By itself it would first work a long statement to its end.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL client_connection_check_interval = '{NOTICE_SECONDS}s'")


def _sqlstate(error: BaseException) -> str | None:
    cause = error.__cause__
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None
