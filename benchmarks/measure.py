"""`make bench`: what loading and judging cost, each as a ratio to the least that could do the same, in one run.

Everything happens in a database of its own, started for it, on the machine's own disk. Nothing here fails because
something is slow: the table says what was measured, and README.md keeps the last one.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.feeds import END, PROGRAM, START, write_feeds
from config.embedded import EmbeddedPostgres, EmbeddedValkey
from config.state import ROOT

SMALL_FEEDS = ("partners", "fx", "targets", "shops", "shop_statuses", "stock")
POLICY = '{"discount": {"tiers": [{"from": "0", "pay": "0.9"}]}}'


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what was done, in seconds, against what, in seconds, and the aim for their ratio."""

    name: str
    seconds: float
    against: str
    least: float
    aim: float

    def row(self) -> str:
        """The line in Markdown."""
        ratio = self.seconds / self.least
        cells = (self.name, f"{self.seconds:.1f} s", self.against, f"{self.least:.1f} s", f"**{ratio:.2f}**", self.aim)
        return f"| {' | '.join(map(str, cells))} |"


@dataclass
class Bench:
    """A database of its own, with the feeds of one size loaded into it step by step."""

    folder: Path
    database_url: str
    environment: dict[str, str]
    figures: list[Figure] = field(default_factory=list)

    def manage(self, *arguments: str) -> tuple[float, str]:
        """Run a management command; return its seconds and its last line."""
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)}: {done.stderr.strip()}")
        return time.monotonic() - started, done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""

    def sql(self, statement: str) -> float:
        """Run statements and return their seconds."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            started = time.monotonic()
            connection.execute(statement.encode())
            return time.monotonic() - started

    def start_up(self) -> float:
        """What starting the command line costs: it is taken off every figure that starts one."""
        return min(self.manage("showmigrations", "core")[0] for _ in range(3))


def measure_load(bench: Bench, start_up: float) -> None:
    """`load settlements` against a raw COPY of the same rows into an identical empty table with the same indexes."""
    seconds, line = bench.manage("load", "settlements", str(bench.folder / "settlements.csv"))
    print(line)
    lines = bench.folder / "lines.copy"
    with psycopg.connect(bench.database_url, autocommit=True) as connection:
        with lines.open("wb") as out, connection.cursor().copy("COPY merchants_settlement TO STDOUT") as rows:
            for block in rows:
                out.write(block)
        connection.execute("CREATE TABLE copied (LIKE merchants_settlement INCLUDING ALL)")
        started = time.monotonic()
        with lines.open("rb") as source, connection.cursor().copy("COPY copied FROM STDIN") as sink:
            while block := source.read(1 << 20):
                sink.write(block)
        least = time.monotonic() - started
        connection.execute("DROP TABLE copied")
    lines.unlink()
    bench.figures.append(Figure("load settlements", seconds - start_up, "raw COPY", least, 2.0))


def measure_run(bench: Bench, start_up: float) -> None:
    """The whole full run against the plain sum of the same lines by shop, and a second run after nothing."""
    bench.sql("ANALYZE")
    least = min(bench.sql("SELECT shop_id, sum(amount) FROM merchants_settlement GROUP BY shop_id") for _ in range(3))
    full, line = bench.manage("recompute", PROGRAM, "--inline", "--full")
    print(line)
    bench.figures.append(Figure("full run, one process", full - start_up, "plain GROUP BY", least, 3))
    again, _ = bench.manage("recompute", PROGRAM, "--inline")
    bench.figures.append(Figure("run after nothing", again - start_up, "full run", full - start_up, 0.05))


def measure_export(bench: Bench, start_up: float) -> None:
    """`export results` against the three seconds that it may take for 100,000 rows."""
    target = bench.folder / "results.csv"
    seconds, _ = bench.manage("export", "results", PROGRAM, "-o", str(target))
    with target.open(encoding="utf-8") as rows:
        count = sum(1 for _ in rows) - 1
    bench.figures.append(
        Figure(f"export of {count:,} results", seconds - start_up, "3 s for 100,000", 3 * count / 100_000, 1)
    )


def print_table(bench: Bench, *, shops: int, lines: int) -> None:
    """Print the table as README.md holds it."""
    cores, memory = os.cpu_count(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    machine = f"{datetime.now(UTC):%Y-%m-%d}, {cores} cores, {memory:.0f} GiB"
    print(f"\n{machine}; {shops:,} shops, {lines:,} settlement lines\n")
    print("| what | takes | against | takes | ratio | aim |\n|---|---:|---|---:|---:|---:|")
    for figure in bench.figures:
        print(figure.row())
    print(f"\nThe largest process of ours took {peak:.0f} MiB.")


@contextmanager
def own_servers(folder: Path) -> Iterator[Bench]:
    """A durable database and a broker in `folder`, migrated, for as long as the block runs."""
    with EmbeddedPostgres(folder / "pg", folder / "s") as postgres, EmbeddedValkey(folder / "k") as valkey:
        environment = {
            **os.environ,
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "DINGYAO_STATE": str(folder / "state"),
            "ENGINE_QUIET_SECONDS": "86400",
            "ENGINE_QUIET_AT_MOST_SECONDS": "86400",
        }
        bench = Bench(folder, postgres.url, environment)
        bench.manage("migrate", "--verbosity", "0")
        yield bench


def main() -> None:
    """Measure at one size and print the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--shops", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=5_000_000)
    given = parser.parse_args()
    steps: tuple[Callable[[Bench, float], None], ...] = (measure_load, measure_run, measure_export)
    with tempfile.TemporaryDirectory(prefix="dingyao-bench-") as name, own_servers(Path(name)) as bench:
        write_feeds(bench.folder, shops=given.shops, lines=given.lines)
        policy = bench.folder / "policy.json"
        policy.write_text(POLICY, encoding="utf-8")
        period = ("--start", START.isoformat(), "--end", END.isoformat())
        bench.manage("create_program", PROGRAM, *period, "--policy", str(policy))
        for kind in SMALL_FEEDS:
            seconds, line = bench.manage("load", kind, str(bench.folder / f"{kind}.csv"))
            print(f"{kind}: {line} in {seconds:.1f} s", flush=True)
        start_up = bench.start_up()
        for step in steps:
            step(bench, start_up)
        print_table(bench, shops=given.shops, lines=given.lines)


if __name__ == "__main__":
    main()
