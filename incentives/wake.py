"""Waking workers by a task's name. Losing such a message costs time, never work: the sweep sends it again."""

import logging

from celery import current_app
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

WORK = "incentives.tasks.work_on_run"
DECIDE = "incentives.tasks.work_on_decisions"


def workers(run_id: int, count: int) -> None:
    """Tell up to `count` workers to look at a run. A broker that is away is logged and left to the sweep."""
    try:
        for _ in range(count):
            current_app.send_task(WORK, args=[run_id])
    except (OperationalError, ConnectionError, OSError) as error:
        log.warning("run %s waits for the sweep: the broker can't be reached (%s)", run_id, error)


def deciders(bulk_id: int) -> None:
    """Tell a worker to look at a bulk decision; else as `workers`."""
    try:
        current_app.send_task(DECIDE, args=[bulk_id])
    except (OperationalError, ConnectionError, OSError) as error:
        log.warning("bulk decision %s waits for the sweep: the broker can't be reached (%s)", bulk_id, error)
