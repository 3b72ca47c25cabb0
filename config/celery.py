"""The Celery application. Tasks are found in each app's tasks.py; the beat table is in `config.settings.base`."""

from __future__ import annotations

import os
import signal
from typing import Any

import structlog
from celery import Celery
from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun, worker_process_init

from core.requests import current_request_id, set_request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("dingyao")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

REQUEST_ID = "request_id"


@setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """Being connected is enough: Celery then leaves the logging that Django set up alone."""


@before_task_publish.connect
def send_request_id(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Put the request's id on the message that it sends."""
    request_id = current_request_id()
    if request_id and headers is not None:
        headers.setdefault(REQUEST_ID, request_id)


@task_prerun.connect
def bind_request_id(task_id: str, task: Any, **_: Any) -> None:
    """Name the request, the task and its kind in the task's log lines, and in the tasks that it wakes itself."""
    request_id = getattr(task.request, REQUEST_ID, None) or task_id
    set_request_id(request_id)
    structlog.contextvars.bind_contextvars(request_id=request_id, task_id=task_id, task=task.name)


@task_postrun.connect
def forget_request_id(**_: Any) -> None:
    """Leave nothing behind for the next task in this process."""
    set_request_id("")
    structlog.contextvars.unbind_contextvars(REQUEST_ID, "task_id", "task")


@worker_process_init.connect
def end_with_worker(**_: Any) -> None:
    """Let a pool process end when its worker is killed; by itself it would wait for its task to finish."""
    from config.embedded.launch import end_with_parent

    end_with_parent(os.getppid(), signal.SIGKILL)
