"""A whole house of real processes (`manage.py up`), for tests that break parts of it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from benchmarks.feeds import END, PROGRAM, START, write_feeds
from config.state import ROOT, State
from tests.config.processes import Up, family

LAST_LINE = re.compile(
    r"run (\d+) digest ([0-9a-f]{64}) eligible (\d+) pending (\d+) needs_data (\d+) not_eligible (\d+)"
    r" base (\S+) net (\S+)"
)


class House:
    """Web, worker, beat, database and broker, over a state folder of its own; small chunks and short leases."""

    def __init__(self, folder: Path, *, chunk: int = 3, services_only: bool = False, **measures: int) -> None:
        self.state = State(folder / "state")
        self.folder = folder
        self.up = Up(
            folder / "state",
            folder / "up.log",
            *(["--services-only"] if services_only else []),
            ENGINE_CHUNK_SHOPS=str(chunk),
            **{name: str(value) for name, value in measures.items()},
            ENGINE_QUIET_SECONDS="86400",  # no automatic run gets in the way
            ENGINE_QUIET_AT_MOST_SECONDS="86400",
        )
        self.environment = {**self.up.environment, "DJANGO_SETTINGS_MODULE": "config.settings.local"}
        self.up.wait_for("ready services" if services_only else "ready http")

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

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a management command and go on."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.environment, **(environment or {})},
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

    def load_large_quarter(self, *, shops: int, lines: int) -> str:
        """Load the benchmarks' feeds and return their program's code."""
        folder = self.folder / "feeds"
        write_feeds(folder, shops=shops, lines=lines)
        policy = folder / "policy.json"
        policy.write_text('{"discount": {"tiers": [{"from": "0", "pay": "0.9"}]}}', encoding="utf-8")
        commands: list[tuple[str, ...]] = [
            ("create_program", PROGRAM, "--start", f"{START}", "--end", f"{END}", "--policy", str(policy))
        ]
        kinds = ("partners", "fx", "shops", "targets", "shop_statuses", "stock", "settlements")
        commands += [("load", kind, str(folder / f"{kind}.csv")) for kind in kinds]
        for command in commands:
            done = self.run(*command, timeout=600)
            assert done.returncode == 0, done.stderr
        return PROGRAM

    def start_worker(self, name: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start one more worker, which nobody watches over; its lines go into a file of its own."""
        command = ("celery", "--app", "config", "--quiet", "worker", "--concurrency", "2", "--without-mingle")
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *command, "-n", f"{name}@%h"],
                cwd=ROOT,
                env={**self.environment, **(environment or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def all(self, sql: LiteralString, *parameters: Any) -> list[tuple[Any, ...]]:
        """Ask the house's database."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(sql, parameters).fetchall()

    def one(self, sql: LiteralString, *parameters: Any) -> tuple[Any, ...]:
        """Ask the house's database for one row."""
        (row,) = self.all(sql, *parameters)
        return row

    @property
    def database_url(self) -> str:
        """Where the house's database listens."""
        services = self.state.services()
        assert services is not None
        return services.database_url

    def wait_until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Wait for something to come true; fail loudly when it doesn't."""
        limit = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < limit, self.up.text[-3000:]
            time.sleep(0.02)

    def running(self) -> bool:
        """Whether a run is running."""
        return bool(self.all("SELECT 1 FROM incentives_run WHERE state = 'running'"))

    def waiting(self) -> set[int]:
        """The chunks that aren't done."""
        return {chunk for (chunk,) in self.all("SELECT id FROM incentives_runchunk WHERE state = 'waiting'")}

    def postgres(self) -> int:
        """The first process of the database server."""
        return int((self.state.folder / "pg" / "postmaster.pid").read_text().split()[0])

    def valkey(self) -> int:
        """The broker's process."""
        (pid,) = [
            pid for pid in family(self.up.pid) if b"unixsocket" in _command(pid) or b"valkey-server" in _command(pid)
        ]
        return pid

    def celery(self) -> tuple[int, set[int]]:
        """The worker's main process, and its children."""
        mains = [pid for pid in family(self.up.pid) if _runs_worker(pid)]
        top = max(mains, key=lambda pid: len(family(pid)))
        return top, family(top) - {top}


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _runs_worker(pid: int) -> bool:
    words = _command(pid).split(b"\0")
    return any(word.endswith(b"celery") for word in words) and b"worker" in words


def digest_of(output: str) -> str:
    """The fingerprint in a `recompute`'s last line."""
    found = LAST_LINE.fullmatch(output.strip().splitlines()[-1])
    assert found, output
    return found[2]
