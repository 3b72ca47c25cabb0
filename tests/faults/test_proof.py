"""The long proof: a large run is hit by everything that happens to machines, and always finds the same figures.

FAULT_POINTS, FAULT_SHOPS and FAULT_LINES in the environment make it shorter or longer.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.addresses import client_url
from config.env import env
from tests.config.processes import eventually, family
from tests.faults.house import House, digest_of
from tests.faults.proxy import Cut, Proxy
from tests.faults.trials import HELD, Fault, Held, Point, Trials, kill, pid_of

pytestmark = [pytest.mark.proof, pytest.mark.services]

POINTS = env.integer("FAULT_POINTS", 50, minimum=1)
SHOPS = env.integer("FAULT_SHOPS", 100_000, minimum=100)
LINES = env.integer("FAULT_LINES", 300_000, minimum=100)
RESTARTS = max(1, POINTS // 5)
CHUNKS = 50
LEASE = 4  # seconds: shorter than in a real house, for which there is a test below
SEED = 20260101


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    house = House(tmp_path_factory.mktemp("house"), chunk=SHOPS // CHUNKS, ENGINE_LEASE_SECONDS=LEASE)
    try:
        program = house.load_large_quarter(shops=SHOPS, lines=LINES)
        trials = Trials(house, program)
        trials.calm()
        yield trials
    finally:
        house.up.end()


@pytest.fixture(scope="module", autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    """Print the figures past pytest's capture at the end: a proof tells them."""
    figures.clear()
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        sys.stdout.write("\n" + "\n".join(figures) + "\n")


figures: list[str] = []


def strike_often(trials: Trials, faults: list[tuple[str, Fault]], seed: int) -> None:
    """Let each fault strike in a run of its own; a run that was quicker than its fault is done again."""
    dice = random.Random(seed)
    worst, trials.worst = trials.worst, 0.0
    begin = time.monotonic()
    missed = 0
    for number, (name, fault) in enumerate(faults):
        while not trials.strike(trials.point(dice, number), fault, name):
            missed += 1
            assert missed <= len(faults), "most faults came too late: nothing is proved"
    figures.append(
        f"{len(faults)} faults ({', '.join(sorted({name for name, _ in faults}))}): slowest resumption"
        f" {trials.worst:.1f} s, {missed} runs too quick, {time.monotonic() - begin:.0f} s in all"
    )
    trials.worst = max(worst, trials.worst)


def test_workers_are_killed(trials: Trials) -> None:
    dice = random.Random(SEED)
    victims = [("child", "main", "both")[number % 3] for number in range(POINTS)]
    dice.shuffle(victims)
    strike_often(trials, [(f"kill {victim}", kill(trials.house, victim, dice)) for victim in victims], SEED)


def test_a_worker_stands_still_for_twice_its_lease(trials: Trials) -> None:
    """It finds its chunk taken away, and writes nothing."""
    house = trials.house
    helper = house.start_worker("helper")
    try:
        assert eventually(lambda: len(family(helper.pid)) >= 3, 60), "no main process with two children"
        for whole in (False, True):
            stopped: dict[int, str] = {}

            def stop(_: Held, *, whole: bool = whole, stopped: dict[int, str] = stopped) -> list[int]:
                main, children = house.celery()
                victims = {main, *children} if whole else {min(children)}
                # Caught in the middle of a chunk, and not after its COMMIT: hence the second look.
                while not stopped and house.running():
                    send(victims, signal.SIGSTOP)
                    time.sleep(0.2)
                    stopped.update({chunk: worker for chunk, worker in house.all(HELD) if pid_of(worker) in victims})
                    if stopped:
                        time.sleep(2 * LEASE)
                        eventually(lambda: not set(stopped) & house.waiting(), 30)
                    send(victims, signal.SIGCONT)
                    time.sleep(0.02)
                return list(stopped)

            point = Point("shops", trials.chunks // 3, 0.0)
            while not stopped:
                trials.strike(point, stop, "stop all" if whole else "stop a child")
            for chunk, worker in stopped.items():
                (by, epoch, state) = house.one(
                    "SELECT worker, epoch, state FROM incentives_runchunk WHERE id = %s", chunk
                )
                assert (by != worker, epoch > 1, state) == (True, True, "done"), "the chunk wasn't taken over"
    finally:
        helper.kill()
        helper.wait()


def test_the_broker_goes(trials: Trials) -> None:
    house = trials.house
    services = house.state.services()
    assert services is not None

    def flush(held: Held) -> list[int]:
        with contextlib.closing(redis.Redis.from_url(client_url(services.redis_url))) as broker:
            broker.flushall()
        return [chunk for chunk, _ in held]

    def kill_it(held: Held) -> list[int]:
        os.kill(house.valkey(), signal.SIGKILL)
        return [chunk for chunk, _ in held]

    def restart(held: Held) -> list[int]:
        os.kill(house.valkey(), signal.SIGTERM)
        return [chunk for chunk, _ in held]

    faults: list[tuple[str, Fault]] = [("flush", flush), ("kill the broker", kill_it), ("restart the broker", restart)]
    strike_often(trials, faults * RESTARTS, SEED + 1)


def test_the_database_restarts_at_once(trials: Trials) -> None:
    """As `pg_ctl restart -m immediate` does: no farewell to anybody, recovery from the log at the start."""
    house = trials.house
    settings = dict(house.all("SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes')"))
    assert settings == {"fsync": "on", "full_page_writes": "on"}

    def immediately(held: Held) -> list[int]:
        os.kill(house.postgres(), signal.SIGQUIT)
        return [chunk for chunk, _ in held]

    def killed(held: Held) -> list[int]:
        os.kill(house.postgres(), signal.SIGKILL)
        return [chunk for chunk, _ in held]

    faults: list[tuple[str, Fault]] = [("restart PostgreSQL", immediately)] * RESTARTS
    faults += [("kill PostgreSQL", killed)] * (RESTARTS // 3)
    strike_often(trials, faults, SEED + 2)
    house.wait_until(lambda: web_is_ready(house), 30)


def send(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)


def web_is_ready(house: House) -> bool:
    from config.management.commands.up import is_ready

    return is_ready(house.up.wait_for("ready http").split()[1])


def test_with_measures_as_they_come(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Within a minute, too, where nobody has made the leases shorter."""
    house = House(tmp_path_factory.mktemp("plain"), chunk=200)
    try:
        trials = Trials(house, house.load_large_quarter(shops=4_000, lines=40_000))
        trials.calm()
        dice = random.Random(SEED + 3)
        victims = ["child", "main", "both"]
        strike_often(trials, [(f"kill {victim}", kill(house, victim, dice)) for victim in victims], SEED + 3)
    finally:
        house.up.end()


def test_a_house_behind_a_bad_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Workers and commands, all of whose connections break at one COMMIT in ten, before it or after it."""
    house = House(tmp_path_factory.mktemp("house"), chunk=100, services_only=True)
    folder = Path(tempfile.mkdtemp(prefix="dy-"))
    try:
        program = house.load_large_quarter(shops=2_000, lines=20_000)
        calm = digest_of(house.run("recompute", program, "--inline", "--full").stdout)
        (lines,) = house.one("SELECT count(*) FROM merchants_settlement")
        with psycopg.connect(house.database_url) as direct:
            proxy = Proxy(folder, str(direct.info.host), direct.info.port)
        dice = random.Random(SEED + 4)
        proxy.plan = lambda _: dice.choice(list(Cut)) if dice.random() < 0.1 else None
        bad_line = {"DATABASE_URL": f"postgresql://dingyao@/dingyao?host={folder}"}
        worker = house.start_worker("worker", bad_line)
        try:
            for _ in range(RESTARTS):
                for arguments in (("recompute", program, "--full"), ("recompute", program, "--full", "--inline")):
                    running = house.start(*arguments, environment=bad_line)
                    output, errors = running.communicate(timeout=180)
                    assert running.returncode == 0, errors
                    assert digest_of(output) == calm
                repeated = house.start(
                    "load", "settlements", str(house.folder / "feeds/settlements.csv"), environment=bad_line
                )
                output, errors = repeated.communicate(timeout=180)
                assert repeated.returncode == 0, errors
                assert output.split()[-10:] == f"rows {lines} new 0 unchanged {lines} updated 0 rejected 0".split()
        finally:
            worker.kill()
            worker.wait()
            proxy.close()
        assert house.one("SELECT count(*) FROM merchants_settlement") == (lines,)
        doubled = house.one("SELECT count(*) FROM incentives_runchunk WHERE state <> 'done'")
        assert doubled == (0,)
        ends = house.one(
            "SELECT count(*), count(DISTINCT subject_id) FROM core_auditevent WHERE action = 'run.finished'"
        )
        assert ends == (2 * RESTARTS + 1, 2 * RESTARTS + 1)
        cuts = [cut for cut, _ in proxy.cuts]
        figures.append(f"{cuts.count(Cut.BEFORE)} connections cut before and {cuts.count(Cut.AFTER)} after a COMMIT")
        assert len(set(cuts)) == 2
    finally:
        house.up.end()
        shutil.rmtree(folder)
