"""Workers, broker and database die in the middle of a run, and it ends by itself with the same figures.

The short version of tests/faults/test_proof.py.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator

import pytest

from tests.config.processes import eventually
from tests.faults.house import House, digest_of
from tests.faults.trials import HELD, Held, Point, Trials, kill, pid_of

pytestmark = pytest.mark.services

SHOPS = 300
LEASE = 3
IN_THE_MIDDLE = Point("shops", 20, 0.0)


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    house = House(tmp_path_factory.mktemp("house"), ENGINE_LEASE_SECONDS=LEASE, ENGINE_SWEEP_SECONDS=2)
    try:
        trials = Trials(house, house.load_quarter(7, SHOPS, tmp_path_factory.mktemp("feeds")))
        trials.calm()
        yield trials
    finally:
        house.up.end()


def test_workers_find_what_one_process_finds(trials: Trials) -> None:
    """The calm run was theirs."""
    assert trials.house.one("SELECT count(DISTINCT worker) FROM incentives_runchunk")[0] != 1
    inline = trials.house.run("recompute", trials.program, "--inline", "--full")
    assert inline.returncode == 0, inline.stderr
    assert digest_of(inline.stdout) == trials.digest


@pytest.mark.parametrize("victim", ["child", "both"])
def test_a_killed_worker_costs_nothing_but_time(trials: Trials, victim: str) -> None:
    assert trials.strike(IN_THE_MIDDLE, kill(trials.house, victim, random.Random(1)), f"kill {victim}")


def test_a_stopped_child_finds_its_chunk_taken_away(trials: Trials) -> None:
    house = trials.house
    stopped: dict[int, str] = {}

    def stop(_: Held) -> list[int]:
        victim = min(house.celery()[1])
        # Caught in the middle of a chunk, and not after its COMMIT: hence the second look.
        while not stopped and house.running():
            os.kill(victim, signal.SIGSTOP)
            time.sleep(0.2)
            stopped.update({chunk: worker for chunk, worker in house.all(HELD) if pid_of(worker) == victim})
            if stopped:
                assert eventually(lambda: not set(stopped) & house.waiting(), 30), "nobody takes it over"
            os.kill(victim, signal.SIGCONT)
            time.sleep(0.02)
        return list(stopped)

    for _ in range(5):
        trials.strike(IN_THE_MIDDLE, stop, "stop a child")
        if stopped:
            break
    for chunk, worker in stopped.items():
        by, epoch = house.one("SELECT worker, epoch FROM incentives_runchunk WHERE id = %s", chunk)
        assert by != worker
        assert epoch > 1
    assert stopped


def test_a_broker_that_is_killed_costs_nothing_but_time(trials: Trials) -> None:
    def broker(held: Held) -> list[int]:
        os.kill(trials.house.valkey(), signal.SIGKILL)
        return [chunk for chunk, _ in held]

    assert trials.strike(IN_THE_MIDDLE, broker, "kill the broker")


def test_a_database_that_restarts_costs_nothing_but_time(trials: Trials) -> None:
    def database(held: Held) -> list[int]:
        os.kill(trials.house.postgres(), signal.SIGQUIT)  # as pg_ctl stop -m immediate does
        return [chunk for chunk, _ in held]

    assert trials.strike(IN_THE_MIDDLE, database, "restart PostgreSQL")


def test_of_two_recomputes_one_runs_and_the_other_is_told_its_id(trials: Trials) -> None:
    both = [trials.house.start("recompute", trials.program, "--full") for _ in range(2)]
    ended = [(each.communicate(timeout=90), each.returncode) for each in both]
    codes = sorted(code for _, code in ended)
    assert codes == [0, 1], ended
    (_, refusal), _ = next(each for each in ended if each[1] == 1)
    run_id = trials.house.one("SELECT max(id) FROM incentives_run")[0]
    assert f"Run {run_id} of {trials.program} is running" in refusal
    assert len(refusal.strip().splitlines()) == 1
