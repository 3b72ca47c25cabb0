"""What only real server processes show: five hundred at a link's last use, and whether time tells dead links apart."""

from __future__ import annotations

import http.client
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.db import connection
from django.utils import timezone

from config.state import ROOT
from core.models import AuditEvent
from merchants.models import Registration
from merchants.services import register_merchant
from partners.models import InviteLink
from tests.merchants.invites import dead_codes, entrant, link

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services, pytest.mark.slow]

HEADERS = {
    "User-Agent": "Mozilla/5.0 (Linux; Android 8.1; V1) AppleWebKit/537.36 Version/4.0 Chrome/53.0 MicroMessenger/7.0",
    "Accept-Language": "zh-CN",
    "Content-Type": "application/x-www-form-urlencoded",
}


def form(number: int) -> str:
    """What a merchant's browser sends."""
    return urlencode(
        {
            "merchant_name": f"虚构商家 {number}",
            "country": "HK",
            "registration_no": f"INV-{number:04}",
            "market": "DE",
            "wechat": f"invented-{number}",
            "privacy": "on",
        }
    )


@pytest.fixture
def door(transactional_db: None, tmp_path: Path) -> Iterator[int]:
    """The port of a web server as it runs in a house, four processes, over this test's database."""
    at = connection.settings_dict
    who = quote(at["USER"]) + (f":{quote(at['PASSWORD'])}" if at["PASSWORD"] else "")
    where = urlencode({"host": at["HOST"], "port": at["PORT"] or 5432})
    with socket.socket() as listener, (tmp_path / "web.log").open("wb") as log:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        environment = os.environ | {
            "DATABASE_URL": f"postgresql://{who}@/{at['NAME']}?{where}",
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            # All come from one address, and many times.
            "REGISTRATIONS_PER_ADDRESS": "1000000",
            "REGISTRATIONS_PER_LINK": "1000000",
            "WEB_WORKERS": "4",
            "WEB_THREADS": "4",
        }
        command = ("gunicorn", "config.wsgi", "-c", "python:config.gunicorn_conf", "-b", f"fd://{listener.fileno()}")
        with subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
        ) as process:
            try:
                port = listener.getsockname()[1]
                # The socket takes callers before anybody answers them; this waits for the answer.
                status, body = ask(port, "GET", "/healthz")
                assert status == 200, (body, (tmp_path / "web.log").read_text())
                yield port
            finally:
                process.terminate()


def ask(port: int, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
    """One request over a connection of its own."""
    caller = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        caller.request(method, path, body, HEADERS)
        answer = caller.getresponse()
        return answer.status, answer.read()
    finally:
        caller.close()


def test_five_hundred_at_a_links_last_use_are_one_registration(door: int) -> None:
    made = link(max_uses=3)
    for number in (1, 2):
        register_merchant(code=made.code, entrant=entrant(number), at=timezone.now())
    answers: list[tuple[int, bytes]] = []
    start = threading.Barrier(500)

    def come(number: int) -> None:
        start.wait()
        answers.append(ask(door, "POST", f"/i/{made.code}", form(number)))

    comers = [threading.Thread(target=come, args=(number,)) for number in range(1000, 1500)]
    began = time.perf_counter()
    for comer in comers:
        comer.start()
    for comer in comers:
        comer.join()
    taken = time.perf_counter() - began
    print(f"500 registrations at one use left: {taken:.1f} s, {500 / taken:.0f} a second")

    assert Counter(status for status, _ in answers) == {302: 1, 404: 499}
    assert len({body for status, body in answers if status == 404}) == 1
    made.refresh_from_db()
    assert made.uses == 3
    assert Registration.objects.filter(link=made).count() == 3
    assert AuditEvent.objects.filter(action="merchant.registered").count() == 3
    assert InviteLink.objects.filter(pk=made.pk, registrations__registration_no__startswith="INV-1").count() == 1


@pytest.mark.proof
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_time_tells_nothing_about_a_dead_link(door: int, method: str) -> None:
    """A guess at which of two answers took longer is right half of the time, whatever the links died of.

    A live link is the control: the same measure sees at once that its page, or its registration, costs more.
    """
    codes, rounds = dead_codes(), 400
    live = link()
    everyone = {**codes, "live": live.code}
    times: dict[str, list[float]] = {kind: [] for kind in everyone}
    caller = http.client.HTTPConnection("127.0.0.1", door, timeout=60)
    # The order changes from round to round, so that nobody always comes after the same other.
    order, die = list(everyone), random.Random(7)
    for number in range(rounds + 20):
        die.shuffle(order)
        for kind in order:
            # Through the live link everybody is somebody new.
            sent = form(number) if method == "POST" else None
            began = time.perf_counter()
            caller.request(method, f"/i/{everyone[kind]}", sent, HEADERS)
            answer = caller.getresponse()
            answer.read()
            taken = time.perf_counter() - began
            assert answer.status == (404 if kind != "live" else 200 if method == "GET" else 302)
            if number >= 20:  # the first ones warm up
                times[kind].append(taken)
    caller.close()

    told = {kind: chance_to_be_longer(each, times["unknown"]) for kind, each in times.items()}
    for kind, each in times.items():
        print(f"{method} {kind}: median {1000 * statistics.median(each):.2f} ms, longer than unknown {told[kind]:.1%}")
    assert told.pop("live") > 0.7
    # With 400 against 400 chance alone strays by 2 points; four times that is a difference.
    assert {kind: share for kind, share in told.items() if abs(share - 0.5) > 0.08} == {}


def chance_to_be_longer(taken: Sequence[float], other: Sequence[float]) -> float:
    """How often one of `taken` is longer than one of `other`, over all pairs (Mann and Whitney's U, as a share)."""
    ranked = sorted([(each, 1) for each in taken] + [(each, 0) for each in other])
    before = longer = 0
    for _, is_taken in ranked:
        if is_taken:
            longer += before
        else:
            before += 1
    return longer / (len(taken) * len(other))
