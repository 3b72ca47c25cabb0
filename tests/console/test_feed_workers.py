"""A feed's file through a real worker."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from config.celery import app
from core.locks import Lock
from core.models import FactBatch
from merchants import services
from merchants.imports import preview
from merchants.models import FeedUpload, Import, Rate
from merchants.states import ImportState, UploadState
from partners.people import actor_of
from tests.config.processes import eventually
from tests.console.feeds import RATES, file, kept_files
from tests.notices.test_workers import Workers, broker, server, workers
from tests.people import person

__all__ = ["broker", "server", "workers"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]


def done() -> bool:
    return not FeedUpload.objects.exclude(state=UploadState.LOADED).exists()


def test_a_worker_loads_what_was_handed_in(workers: Workers) -> None:
    actor = actor_of(person("olga"))
    before = kept_files()
    upload = services.keep_upload(actor=actor, kind="fx", file=file(RATES))
    assert (Rate.objects.count(), FactBatch.objects.count(), Import.objects.count()) == (0, 0, 0)
    workers.start()
    services.queue_upload(actor=actor, upload=upload)
    assert eventually(done, 40), workers.output.read_text()
    loaded = Import.objects.get()
    assert (loaded.state, loaded.new, loaded.rejected) == (ImportState.LANDED, 2, 1)
    assert loaded.actor_id == actor.user_id
    assert eventually(lambda: kept_files() == before, 5), "the file goes when its load is committed"


def test_a_preview_waits_for_no_other_load_of_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "WAIT", "100ms")
    other = connection.copy()
    with other.cursor() as cursor:  # as a load does that takes minutes
        cursor.execute("SELECT pg_advisory_lock(%s)", [int(Lock.FEED_RATES)])
    try:
        upload = services.keep_upload(actor=actor_of(person("olga")), kind="fx", file=file(RATES))
    finally:
        with other.cursor() as cursor:  # it may go back to a pool
            cursor.execute("SELECT pg_advisory_unlock(%s)", [int(Lock.FEED_RATES)])
        other.close()
    upload.refresh_from_db()
    assert upload.preview["new"] is None
    assert upload.preview["rejected"] == 1, "the cells are checked all the same"


def test_what_lost_its_message_is_loaded_after_the_sweep(workers: Workers, broker: redis.Redis) -> None:
    actor = actor_of(person("olga"))
    upload = services.keep_upload(actor=actor, kind="fx", file=file(RATES))
    services.queue_upload(actor=actor, upload=upload, at=timezone.now() - timedelta(minutes=1))
    assert broker.llen("dingyao") == 1
    broker.flushdb()  # a broker that was lost comes back empty
    workers.start()
    app.send_task(str(settings.CELERY_BEAT_SCHEDULE["sweep-feed-uploads"]["task"]))  # as beat does
    assert eventually(done, 40), workers.output.read_text()
    assert Import.objects.count() == 1
