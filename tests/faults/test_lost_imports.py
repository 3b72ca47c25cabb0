"""A load killed in the middle says so before long, lets go of its locks, and can be done again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from config.state import ROOT
from core.locks import Lock, take
from core.models import AuditEvent
from merchants.imports import load as loading
from merchants.models import Import, Rate
from merchants.services import fail_lost_imports, load_feed
from merchants.states import ImportState
from tests.config.processes import eventually
from tests.engine.harness import ACTOR

RATES = "rate_date,currency,rate\n" + "".join(f"2026-01-{day:02},EUR,8.1\n" for day in range(1, 29))


@pytest.mark.services
def test_a_killed_load_is_told_of_and_can_be_done_again(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "GRACE", timedelta())
    path = tmp_path / "fx.csv"
    path.write_text(RATES, encoding="utf-8")
    with transaction.atomic():
        take(Lock.FEED_RATES)  # the load reads its file, and stops short of landing it
        process = subprocess.Popen(
            [sys.executable, "manage.py", "load", "fx", str(path)], cwd=ROOT, env=environment(), stderr=subprocess.PIPE
        )
        assert eventually(lambda: somebody_waits("advisory"), 30)
        assert fail_lost_imports(actor=ACTOR) == 0, "it is at work: its row is held"
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)
        # Its server process waits for a lock, and notices all the same that nobody is there any more.
        assert eventually(lambda: not somebody_waits("advisory"), 20)
    assert fail_lost_imports(actor=ACTOR) == 1
    assert fail_lost_imports(actor=ACTOR) == 0
    lost = Import.objects.get()
    assert (lost.state, lost.rows, lost.batch) == (ImportState.FAILED, 0, None)
    assert "without a word" in lost.error
    assert AuditEvent.objects.filter(action="feed.failed", subject_id=str(lost.pk)).count() == 1
    assert load_feed(actor=ACTOR, kind="fx", path=path).new == Rate.objects.count() == 28


def test_the_next_load_tells_of_a_lost_one(db: None, tmp_path: Path) -> None:
    now = timezone.now()
    old, young = (
        Import.objects.create(kind="fx", file_name="x", sha256="", size=1, started_at=now - ago)
        for ago in (timedelta(minutes=5), timedelta(seconds=1))
    )
    path = tmp_path / "fx.csv"
    path.write_text(RATES, encoding="utf-8")
    load_feed(actor=ACTOR, kind="fx", path=path)
    states = {row.pk: row.state for row in Import.objects.all()}
    assert (states[old.pk], states[young.pk]) == (ImportState.FAILED, ImportState.RUNNING)


def somebody_waits(kind: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = %s", [kind])
        return cursor.fetchone() is not None


def environment() -> dict[str, str]:
    """A shell's, over the test's own database."""
    place = connection.settings_dict
    host, port = place["HOST"], place["PORT"]
    where = f"/{place['NAME']}?host={host}" if host.startswith("/") else f"{host}:{port or 5432}/{place['NAME']}"
    secret = f":{place['PASSWORD']}" if place["PASSWORD"] else ""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "DATABASE_URL": f"postgresql://{place['USER']}{secret}@{where}",
        "REDIS_URL": settings.REDIS_URL,
    }
