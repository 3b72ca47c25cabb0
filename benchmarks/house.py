"""The house of a benchmark: a durable database and a broker of its own, management commands, and workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from config.embedded import EmbeddedPostgres, EmbeddedValkey
from config.state import ROOT

WORKERS = 2  # processes, one for each of the machine's cores that the aims are stated for


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended: its seconds, its last line, and the most memory that it held (MiB)."""

    seconds: float
    line: str
    memory: float


@dataclass(frozen=True)
class House:
    """Where a benchmark lives."""

    folder: Path
    database_url: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> Done:
        """Run a management command to its end, as from a shell."""
        out, err = self.folder / "out.txt", self.folder / "err.txt"
        started = time.monotonic()
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, stdout=stdout, stderr=stderr
            )
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(arguments)}: {err.read_text(errors='replace').strip()}")
        lines = out.read_text(encoding="utf-8").strip().splitlines() or [""]
        return Done(seconds, lines[-1], usage.ru_maxrss / 1024)

    def start_up(self) -> Done:
        """What starting the command line alone costs: its seconds are taken off every figure that starts one."""
        return min((self.manage("showmigrations", "core") for _ in range(3)), key=lambda done: done.seconds)

    def connect(self, database: str | None = None) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection to the house's database, or another one of its server."""
        url = self.database_url if database is None else _url_of(self.database_url, database)
        return psycopg.connect(url, autocommit=True)

    def seconds_of(self, sql: str, *, before: str = "", times: int = 3) -> float:
        """Run a query a few times, after `before` in its session, and return the least seconds that it took."""
        with self.connect() as connection:
            if before:
                connection.execute(before.encode())
            return min(_seconds(connection, sql) for _ in range(times))

    def twin(self, database: str) -> House:
        """The same house over a copy of its database; nobody may be connected to it meanwhile."""
        with self.connect("postgres") as connection:
            template = psycopg.conninfo.conninfo_to_dict(self.database_url)["dbname"]
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}" STRATEGY FILE_COPY'.encode())
        url = _url_of(self.database_url, database)
        return replace(self, database_url=url, environment={**self.environment, "DATABASE_URL": url})

    def drop(self) -> None:
        """Remove a twin's database."""
        with self.connect("postgres") as connection:
            name = psycopg.conninfo.conninfo_to_dict(self.database_url)["dbname"]
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    @contextmanager
    def workers(self) -> Iterator[None]:
        """`WORKERS` worker processes, for as long as the block runs."""
        command = ["-m", "celery", "-A", "config", "worker", "--concurrency", str(WORKERS), "--loglevel", "warning"]
        with (self.folder / "worker.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", *command, "--without-gossip", "--without-mingle"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                time.sleep(6)  # to be ready, so that a run doesn't wait for them
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)


def _seconds(connection: psycopg.Connection[tuple[Any, ...]], sql: str) -> float:
    started = time.monotonic()
    connection.execute(sql.encode())
    return time.monotonic() - started


def _url_of(url: str, database: str) -> str:
    before, _, after = url.partition("?")
    return f"{before.rpartition('/')[0]}/{database}{'?' + after if after else ''}"


@contextmanager
def own_house(folder: Path) -> Iterator[House]:
    """A house in `folder`, migrated, for as long as the block runs."""
    with EmbeddedPostgres(folder / "pg", folder / "s") as postgres, EmbeddedValkey(folder / "k") as valkey:
        environment = {
            **os.environ,
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "DINGYAO_STATE": str(folder / "state"),
            "ENGINE_QUIET_SECONDS": "86400",
            "ENGINE_QUIET_AT_MOST_SECONDS": "86400",
        }
        house = House(folder, postgres.url, environment)
        house.manage("migrate", "--verbosity", "0")
        yield house
