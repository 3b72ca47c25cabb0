"""Runs with a fault in the middle, and what has to be true of each when it has ended."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from tests.faults.house import House, digest_of

RESUMED_WITHIN = 60.0  # seconds

# The chunks that are held now, with their workers.
Held = list[tuple[int, str]]
# Is given them, and returns those that it struck.
Fault = Callable[[Held], list[int]]

# Shops judged, partners priced, shops judged twice, publications.
COUNTS = """
SELECT (SELECT count(DISTINCT shop_id) FROM incentives_result WHERE run_id = %s),
       (SELECT count(*) FROM incentives_payoutpreview WHERE run_id = %s),
       (SELECT count(*) - count(DISTINCT shop_id) FROM incentives_result WHERE run_id = %s),
       (SELECT count(*) FROM core_auditevent WHERE action = 'run.finished' AND subject_id = (%s::int)::text)
"""

# Seconds from the fault until the last of the struck chunks was done, or else until any was.
RESUMED = """
SELECT extract(epoch FROM coalesce(max(finished_at) FILTER (WHERE id = ANY(%s)),
                                   min(finished_at) FILTER (WHERE finished_at > %s)) - %s)
FROM incentives_runchunk WHERE run_id = %s
"""

# The chunks that somebody holds now, and who.
HELD = """
SELECT c.id, c.worker FROM incentives_runchunk c JOIN incentives_run r ON r.id = c.run_id
WHERE r.state = 'running' AND c.state = 'waiting' AND c.lease_until IS NOT NULL ORDER BY c.id
"""


@dataclass(frozen=True)
class Point:
    """Where a fault strikes: when a step has so many chunks done and another begun, and a moment later."""

    step: str
    done: int
    delay: float


@dataclass(frozen=True)
class Struck:
    """What was so at the fault: when, and which chunks were held by whoever was struck."""

    at: datetime
    chunks: list[int]


@dataclass
class Trials:
    """One program in one house, its calm run, and how long the slowest resumption took."""

    house: House
    program: str
    digest: str = ""
    shops: int = 0
    previews: int = 0
    seconds: dict[str, float] = field(default_factory=dict)  # a step's chunk takes so long, undisturbed
    chunks: int = 0
    worst: float = 0.0
    told: list[str] = field(default_factory=list)

    def calm(self) -> None:
        """Run undisturbed, through the workers: what every other run is measured by."""
        done = self.house.run("recompute", self.program, "--full", timeout=300)
        assert done.returncode == 0, done.stderr
        self.digest = digest_of(done.stdout)
        (run,) = self.house.one("SELECT max(id) FROM incentives_run")
        self.shops, self.previews = self.counts(run)[:2]
        steps = self.house.all(
            "SELECT step, avg(extract(epoch FROM finished_at - started_at))::float8, count(*)"
            " FROM incentives_runchunk WHERE run_id = %s GROUP BY step",
            run,
        )
        self.seconds = {step: seconds for step, seconds, _ in steps}
        self.chunks = next(count for step, _, count in steps if step == "shops")

    def counts(self, run: int) -> tuple[int, int, int, int]:
        """How many shops a run judged, partners it priced; then shops judged twice, and publications."""
        return self.house.one(COUNTS, *[run] * 4)

    def point(self, dice: random.Random, number: int) -> Point:
        """The `number`-th point: of five, one in each step that is a single chunk, the others among the shops."""
        single = sorted(set(self.seconds) - {"shops"})
        step = single[number % 5] if number % 5 < len(single) else "shops"
        done = dice.randrange(self.chunks) if step == "shops" else 0
        return Point(step, done, dice.uniform(0, 0.8 * self.seconds[step]))

    def strike(self, point: Point, fault: Fault, name: str) -> bool:
        """Start a run, let the fault strike at the point, and see the run through to its end.

        False where the run was over before the fault came: that proves nothing.
        """
        running = self.house.start("recompute", self.program, "--full")
        try:
            struck = self._wait_and_strike(running, point, fault)
            output, errors = running.communicate(timeout=180)
        finally:
            running.kill()
        assert running.returncode == 0, f"{name} at {point}: {errors}{self.house.up.text[-3000:]}"
        self.verify(output, struck, f"{name} at {point.step} {point.done}+{point.delay:.2f}s")
        return struck is not None

    def verify(self, output: str, struck: Struck | None, name: str) -> None:
        """The same figures as in the calm run; nothing doubled, nothing lost, and resumed in time."""
        assert digest_of(output) == self.digest, name
        (run,) = self.house.one("SELECT max(id) FROM incentives_run")
        assert self.counts(run) == (self.shops, self.previews, 0, 1), name
        resumed = 0.0 if struck is None else self._resumed(run, struck)
        self.worst = max(self.worst, resumed)
        self.told.append(f"{name}: resumed after {resumed:.1f} s")
        assert resumed < RESUMED_WITHIN, self.told[-1]

    def _wait_and_strike(self, running: subprocess.Popen[str], point: Point, fault: Fault) -> Struck | None:
        with psycopg.connect(self.house.database_url, autocommit=True) as connection:
            reached = (
                "SELECT count(*) FILTER (WHERE c.state = 'done') >= %s AND bool_or(c.epoch > 0)"
                " FROM incentives_runchunk c JOIN incentives_run r ON r.id = c.run_id"
                " WHERE r.state = 'running' AND c.step = %s"
            )
            limit = time.monotonic() + 120
            while (row := connection.execute(reached, [point.done, point.step]).fetchone()) is None or not row[0]:
                if running.poll() is not None:
                    return None
                assert time.monotonic() < limit, self.house.up.text[-3000:]
                time.sleep(0.005)
            time.sleep(point.delay)
            while not (held := connection.execute(HELD).fetchall()):  # between two chunks
                if running.poll() is not None:
                    return None
                time.sleep(0.002)
            moment = connection.execute("SELECT clock_timestamp()").fetchone()
        assert moment is not None
        return Struck(moment[0], fault(held))

    def _resumed(self, run: int, struck: Struck) -> float:
        (seconds,) = self.house.one(RESUMED, struck.chunks, struck.at, struck.at, run)
        return max(0.0, float(seconds))


def pid_of(worker: str) -> int:
    """The process in a chunk's `worker`."""
    return int(worker.rpartition(":")[2])


def kill(house: House, victim: str, dice: random.Random) -> Fault:
    """Kill a child that holds a chunk, the worker's main process, or all of the worker."""

    def strike(held: Held) -> list[int]:
        main, children = house.celery()
        if victim == "child":
            _, worker = dice.choice(held)
            os.kill(pid_of(worker), signal.SIGKILL)
            return [chunk for chunk, other in held if other == worker]
        for pid in [main, *children] if victim == "both" else [main]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:  # the kernel was quicker: a child ends with its main process
                continue
        return [chunk for chunk, _ in held]

    return strike
