"""A whole house of real processes (`manage.py up`), for tests that break parts of it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from config.state import ROOT, State
from tests.config.processes import Up, family

LAST_LINE = re.compile(
    r"run (\d+) digest ([0-9a-f]{64}) eligible (\d+) pending (\d+) needs_data (\d+) not_eligible (\d+)"
    r" base (\S+) net (\S+)"
)


class House:
    """Web, worker, beat, database and broker, over a state folder of its own; small chunks and short leases."""

    def __init__(self, folder: Path, *, chunk: int = 3, lease: int = 4) -> None:
        self.state = State(folder / "state")
        self.up = Up(
            folder / "state",
            folder / "up.log",
            ENGINE_CHUNK_SHOPS=str(chunk),
            ENGINE_LEASE_SECONDS=str(lease),
            ENGINE_QUIET_SECONDS="86400",  # no automatic run gets in the way
            ENGINE_QUIET_AT_MOST_SECONDS="86400",
        )
        self.environment = {**self.up.environment, "DJANGO_SETTINGS_MODULE": "config.settings.local"}
        self.up.wait_for("ready http")

    def run(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a management command and go on."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def load_quarter(self, seed: int, shops: int, folder: Path) -> str:
        """Load one of the oracle's quarters and return its program's code."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.load_quarter", str(seed), str(shops), str(folder)],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[-1]

    def all(self, sql: LiteralString) -> list[tuple[Any, ...]]:
        """Ask the house's database."""
        services = self.state.services()
        assert services is not None
        with psycopg.connect(services.database_url, autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def one(self, sql: LiteralString) -> tuple[Any, ...]:
        """Ask the house's database for one row."""
        (row,) = self.all(sql)
        return row

    def wait_until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Wait for something to come true; fail loudly when it doesn't."""
        limit = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < limit, self.up.text[-3000:]
            time.sleep(0.02)

    def celery(self) -> tuple[int, set[int]]:
        """The worker's main process, and its children."""
        mains = [pid for pid in family(self.up.pid) if _runs_worker(pid)]
        top = max(mains, key=lambda pid: len(family(pid)))
        return top, family(top) - {top}


def _runs_worker(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(word.endswith(b"celery") for word in words) and b"worker" in words


def digest_of(output: str) -> str:
    """The fingerprint in a `recompute`'s last line."""
    found = LAST_LINE.fullmatch(output.strip().splitlines()[-1])
    assert found, output
    return found[2]
