"""Messages to the workers: what they carry, and what happens when the broker is away."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest
import redis
import structlog
from celery import Celery
from django.conf import settings
from django.test import RequestFactory
from kombu.exceptions import OperationalError

from config.addresses import client_url
from config.celery import app, bind_request_id, forget_request_id
from config.middleware import RequestIdMiddleware
from core.requests import current_request_id
from tests.services import TestServices


def test_a_task_carries_the_request_that_woke_it(services: TestServices, rf: RequestFactory) -> None:
    broker = redis.Redis.from_url(client_url(settings.CELERY_BROKER_URL))
    broker.delete("dingyao")

    def view(request: object) -> dict[str, str]:
        app.send_task("no.such.task")
        return {}

    answer = RequestIdMiddleware(view)(rf.get("/", headers={"X-Request-ID": "order-4711"}))  # type: ignore[arg-type]
    message = json.loads(broker.lpop("dingyao"))  # type: ignore[arg-type]
    broker.close()
    assert answer["X-Request-ID"] == "order-4711"
    assert message["headers"]["request_id"] == "order-4711"
    assert current_request_id() == ""


def test_a_task_at_work_is_named_after_its_request() -> None:
    task = SimpleNamespace(name="a.task", request=SimpleNamespace(request_id="order-4711"))
    bind_request_id(task_id="t-1", task=task)
    try:
        assert current_request_id() == "order-4711"
        assert structlog.contextvars.get_contextvars()["request_id"] == "order-4711"
    finally:
        forget_request_id()
    assert current_request_id() == ""
    assert "task_id" not in structlog.contextvars.get_contextvars()


def test_a_broker_that_is_away_is_an_error_within_seconds() -> None:
    away = Celery("away", set_as_current=False)
    away.config_from_object(settings, namespace="CELERY")
    away.conf.update(broker_url="redis://127.0.0.1:1/0")
    begin = time.monotonic()
    with pytest.raises(OperationalError):
        away.send_task("no.such.task")
    assert time.monotonic() - begin < 6


def test_what_the_workers_depend_on() -> None:
    """Found by measuring: each of these alone looks enough, and loses or delays a killed worker's task."""
    conf = app.conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_ignore_result
    options = conf.broker_transport_options
    assert (options["unacked_restore_interval"], options["unacked_restore_throttle"]) == (5, 1)
    assert conf.task_soft_time_limit < conf.task_time_limit < options["visibility_timeout"]
    assert str(conf.timezone) == "Asia/Shanghai"
