"""Waking a worker by its task's name. Losing such a message costs time, never a mail: the sweep looks again."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

SEND = "core.tasks.send_waiting_mails"


def mailer() -> None:
    """Have a worker look for mails to send. A broker that is away is logged and left to the sweep."""
    try:
        current_app.send_task(SEND)
    except (OperationalError, ConnectionError, OSError) as error:
        log.warning("mails wait for the sweep: the broker can't be reached (%s)", error)
