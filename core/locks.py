"""The advisory locks of the whole product, in the order in which a transaction may take them.

Taking them in this order, each as late as possible, is what keeps them from deadlocking.
"""

from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    """Keys of transaction-level advisory locks, lowest first.

    A feed's lock is held while its rows are compared and written, so that two loads of one file can't both find it
    new. Feeds that write the same tables share one.
    """

    FEED_LISTS = 7_291
    FEED_SETTLEMENTS = 7_292
    FEED_STOCK = 7_293
    FEED_STATUSES = 7_294
    FEED_VIOLATIONS = 7_295
    FEED_RATES = 7_296
    PAYOUT_LINES = 7_300  # whoever lets payout lines live, so that a second one is seen and not run into
    RECORDING = 7_301
    AUDIT = 7_302


def take(lock: Lock) -> None:
    """Wait for `lock` and hold it to the end of the present transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(lock)])
