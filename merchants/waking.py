"""Calling a worker by its task's name. Losing such a message costs time, never a file: the sweep calls again."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

LOAD = "merchants.tasks.load_feed_upload"


def loader(upload_id: int) -> None:
    """Have a worker load this upload. A broker that is away is logged and left to the sweep."""
    try:
        current_app.send_task(LOAD, args=[upload_id])
    except (OperationalError, ConnectionError, OSError) as error:
        log.warning("upload %s waits for the sweep: the broker can't be reached (%s)", upload_id, error)
