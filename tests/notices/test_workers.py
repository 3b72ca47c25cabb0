"""Mails through real workers and a real mail server: none lost, none twice, whoever dies and whatever goes away."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from config.addresses import client_url
from config.celery import app
from config.state import ROOT
from core.models import Notice, User
from core.notices import wake
from core.notices.telling import tell
from tests.config.processes import eventually
from tests.notices.smtp import MailServer
from tests.people import person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]

PARAMS = {"program": {"en": "Spring"}, "amount": ["2000.00", "CNY"]}


@pytest.fixture
def server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    found = redis.Redis.from_url(client_url(settings.CELERY_BROKER_URL))
    found.flushdb()
    yield found
    found.flushdb()
    found.close()


class Workers:
    """Workers as in production, over the test's own database, broker and mail server."""

    def __init__(self, server: MailServer, folder: Path) -> None:
        place = connection.settings_dict
        self.started: list[subprocess.Popen[bytes]] = []
        self.output = folder / "workers.log"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("DINGYAO_", "PYTEST_"))},
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "DATABASE_URL": f"postgresql://{place['USER']}:{quote(place['PASSWORD'] or '')}@"
            f"{'' if place['HOST'].startswith('/') else place['HOST']}/{place['NAME']}"
            + (f"?host={place['HOST']}" if place["HOST"].startswith("/") else ""),
            "REDIS_URL": client_url(settings.CELERY_BROKER_URL),
            "DINGYAO_STATE": str(folder),
            "SECRET_KEY": secrets.token_urlsafe(60),
            "STATEMENT_SIGNING_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="),
            "PAYEE_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "ALLOWED_HOSTS": "portal.example.com",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(server.port),
            "EMAIL_USE_TLS": "false",
        }

    def start(self) -> subprocess.Popen[bytes]:
        """One more worker with two processes."""
        with self.output.open("ab") as out:
            worker = subprocess.Popen(
                [sys.executable, "-m", "celery", "--app", "config", "--quiet", "worker", "--concurrency", "2"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """The worker and its processes, without a word."""
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def end(self) -> None:
        for worker in self.started:
            if worker.poll() is None:
                self.kill(worker)


@pytest.fixture
def workers(server: MailServer, broker: redis.Redis, tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(server, tmp_path)
    yield workers
    workers.end()


def tell_people(*people: User) -> None:
    with transaction.atomic():
        tell(kind="payout.approve", people=people, params=PARAMS)


def all_sent() -> bool:
    return not Notice.objects.filter(mailed_at=None).exists()


def crowd(count: int) -> list[User]:
    return [User.objects.create_user(f"person-{number}@example.com", language="en") for number in range(count)]


def test_a_worker_sends_what_was_told(workers: Workers, server: MailServer) -> None:
    workers.start()
    tell_people(person("alice"))
    assert eventually(all_sent, 40), workers.output.read_text()
    [mail] = server.accepted
    assert mail["To"] == "alice@example.com"
    assert mail["Subject"] == "Spring: payout approved"
    text = next(part for part in mail.walk() if part.get_content_type() == "text/plain").get_payload(decode=True)
    assert isinstance(text, bytes)
    assert b"https://portal.example.com/notices/settings" in text


def test_mails_whose_message_was_lost_are_sent_by_the_sweep(
    workers: Workers, server: MailServer, broker: redis.Redis
) -> None:
    tell_people(person("alice"), person("bob"))
    assert broker.llen("dingyao") == 1
    broker.flushdb()  # a broker that was lost comes back empty
    workers.start()
    schedule = settings.CELERY_BEAT_SCHEDULE["send-waiting-mails"]
    app.send_task(str(schedule["task"]))  # as beat does
    assert eventually(all_sent, 40), workers.output.read_text()
    assert sorted(mail["To"] for mail in server.accepted) == ["alice@example.com", "bob@example.com"]


def test_a_broker_that_is_away_stops_nothing_that_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OperationalError("refused")

    monkeypatch.setattr(app, "send_task", refused)
    tell_people(person("alice"))
    assert Notice.objects.filter(mail_due_at__isnull=False).count() == 1


def test_two_workers_send_no_mail_twice(workers: Workers, server: MailServer) -> None:
    people = crowd(60)
    for _ in range(2):
        tell_people(*people)
    workers.start()
    workers.start()
    for _ in range(12):
        app.send_task(wake.SEND)
    assert eventually(all_sent, 60), workers.output.read_text()
    ids = Counter(mail["Message-ID"] for mail in server.accepted)
    assert len(ids) == 120
    assert set(ids.values()) == {1}


def test_a_worker_that_is_killed_loses_no_mail(workers: Workers, server: MailServer) -> None:
    server.gate.clear()
    tell_people(*crowd(5))
    first = workers.start()
    assert server.waiting.wait(40), workers.output.read_text()
    workers.kill(first)  # in the middle of a mail, before the server has taken it
    server.gate.set()
    assert Notice.objects.filter(mailed_at=None).count() == 5
    workers.start()
    app.send_task(wake.SEND)
    assert eventually(all_sent, 40), workers.output.read_text()
    ids = Counter(mail["Message-ID"] for mail in server.accepted)
    assert len(ids) == 5
    # The mail in the dead worker's hands may have been taken already; its double has the same Message-ID.
    assert sorted(ids.values())[:-1] == [1] * 4
    assert max(ids.values()) <= 2
