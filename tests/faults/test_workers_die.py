"""Workers die in the middle of a run, and the run ends by itself with the same fingerprint."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.faults.house import House, digest_of

SHOPS = 500


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"))
    try:
        yield house
    finally:
        house.up.end()


@pytest.fixture(scope="module")
def program(house: House, tmp_path_factory: pytest.TempPathFactory) -> str:
    return house.load_quarter(7, SHOPS, tmp_path_factory.mktemp("feeds"))


@pytest.fixture(scope="module")
def expected(house: House, program: str) -> str:
    """The fingerprint that an undisturbed run in one process finds."""
    calm = house.run("recompute", program, "--inline")
    assert calm.returncode == 0, calm.stderr
    return digest_of(calm.stdout)


def test_workers_find_what_one_process_finds(house: House, program: str, expected: str) -> None:
    for _ in range(2):
        done = house.run("recompute", program)
        assert done.returncode == 0, done.stderr
        assert digest_of(done.stdout) == expected
    assert house.one("SELECT count(DISTINCT worker) FROM incentives_runchunk")[0] != 1


@pytest.mark.parametrize("victim", ["child", "main process"])
def test_a_killed_worker_costs_nothing_but_time(house: House, program: str, expected: str, victim: str) -> None:
    running = house.start("recompute", program)
    house.wait_until(
        lambda: bool(
            house.one(
                "SELECT count(*) FILTER (WHERE c.state = 'done') > 20 FROM incentives_runchunk c"
                " JOIN incentives_run r ON r.id = c.run_id WHERE r.state = 'running'"
            )[0]
        )
    )
    main, children = house.celery()
    os.kill(max(children) if victim == "child" else main, signal.SIGKILL)
    in_the_middle = house.one("SELECT count(*) FROM incentives_run WHERE state = 'running'")[0] == 1
    output, errors = running.communicate(timeout=90)
    assert in_the_middle, "the run was over before the worker was killed"
    assert running.returncode == 0, errors
    assert digest_of(output) == expected
    shops, distinct = house.one(
        "SELECT count(*), count(DISTINCT shop_id) FROM incentives_result"
        " WHERE run_id = (SELECT max(id) FROM incentives_run)"
    )
    assert shops == distinct


def test_of_two_recomputes_one_runs_and_the_other_is_told_its_id(house: House, program: str, expected: str) -> None:
    both = [house.start("recompute", program) for _ in range(2)]
    ended = [(each.communicate(timeout=90), each.returncode) for each in both]
    codes = sorted(code for _, code in ended)
    assert codes == [0, 1], ended
    (_, refusal), _ = next(each for each in ended if each[1] == 1)
    run_id = house.one("SELECT max(id) FROM incentives_run")[0]
    assert f"Run {run_id} of {program} is running" in refusal
    assert len(refusal.strip().splitlines()) == 1
