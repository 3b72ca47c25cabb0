"""`make bench`: what loading and judging cost, each as a ratio to the least that could do the same, in one run.

Everything happens in a database of its own, started for it, on the machine's own disk. Nothing here fails because
something is slow: the table says what was measured, and README.md keeps the last one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from benchmarks import duck
from benchmarks.feeds import END, PROGRAM, START, read_certified, write_feeds, write_settlements
from benchmarks.house import WORKERS, Done, House, own_house
from config.state import ROOT

SMALL_FEEDS = ("partners", "fx", "targets", "shops", "shop_statuses", "stock")
POLICY = '{"discount": {"tiers": [{"from": "0", "pay": "0.9"}]}}'
GROUP_BY = "SELECT shop_id, sum(amount) FROM merchants_settlement GROUP BY shop_id"
ORM_SHOPS = 2_000
MEMORY = 250  # MiB that a load may take, however long its file


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what was done, in seconds, against what, in seconds, and the aim for their ratio."""

    name: str
    seconds: float
    against: str
    least: float
    aim: str

    def row(self) -> str:
        """The line in Markdown."""
        ratio = self.seconds / self.least
        shown = f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.3f}"
        cells = (self.name, _span(self.seconds), self.against, _span(self.least), f"**{shown}**", self.aim)
        return f"| {' | '.join(map(str, cells))} |"


@dataclass
class Bench:
    """The house, its feeds' sizes, and what was measured so far."""

    house: House
    shops: int
    lines: int
    start_up: Done
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    full_seconds: float = 0.0

    def figure(self, name: str, seconds: float, against: str, least: float, aim: str) -> None:
        """Add a line to the table, and show it at once."""
        self.figures.append(Figure(name, seconds, against, least, aim))
        print(self.figures[-1].row(), flush=True)

    def note(self, text: str) -> None:
        """Add a line below the table, and show it at once."""
        self.notes.append(text)
        print(text, flush=True)

    def command(self, *arguments: str) -> float:
        """Run a command and return its seconds without what starting it costs."""
        return self.house.manage(*arguments).seconds - self.start_up.seconds

    def run_seconds(self, *arguments: str) -> float:
        """Start a run, and return its own seconds from start to publication, as the database has them."""
        print(self.house.manage("recompute", PROGRAM, *arguments).line, flush=True)
        with self.house.connect() as connection:
            row = connection.execute(
                "SELECT extract(epoch FROM finished_at - started_at) FROM incentives_run ORDER BY id DESC LIMIT 1"
            ).fetchone()
        assert row is not None
        return float(row[0])


def measure_memory(bench: Bench) -> None:
    """The memory of loading a fifth of the lines, in a copy of the house; `measure_load` has that of all."""
    house = bench.house
    fifth = house.folder / "fifth.csv"
    with (house.folder / "settlements.csv").open("rb") as source, fifth.open("wb") as out:
        for _ in range(bench.lines // 5 + 1):
            out.write(source.readline())
    twin = house.twin("twin")
    done = twin.manage("load", "settlements", str(fifth))
    twin.drop()
    fifth.unlink()
    bench.note(
        f"Loading {bench.lines // 5:,} lines took at most {done.memory:.0f} MiB (idle: {bench.start_up.memory:.0f})."
    )


def measure_load(bench: Bench) -> None:
    """`load settlements` against a raw COPY of the same rows, in the file's order, into an identical empty table."""
    house = bench.house
    done = house.manage("load", "settlements", str(house.folder / "settlements.csv"))
    lines = house.folder / "lines.copy"
    with house.connect() as connection:
        with (
            lines.open("wb") as out,
            connection.cursor().copy("COPY (SELECT * FROM merchants_settlement ORDER BY line_code) TO STDOUT") as rows,
        ):
            for block in rows:
                out.write(block)
        connection.execute("CREATE TABLE copied (LIKE merchants_settlement INCLUDING ALL)")
        started = datetime.now(UTC)
        with lines.open("rb") as source, connection.cursor().copy("COPY copied FROM STDIN") as sink:
            while block := source.read(1 << 20):
                sink.write(block)
        least = (datetime.now(UTC) - started).total_seconds()
        connection.execute("DROP TABLE copied")
    lines.unlink()
    bench.figure("`load settlements`", done.seconds - bench.start_up.seconds, "raw `COPY`", least, "2.0")
    bench.note(f"Loading {bench.lines:,} lines took at most {done.memory:.0f} MiB; the aim is {MEMORY}.")
    with house.connect() as connection:
        connection.execute("VACUUM ANALYZE")


def measure_gmv(bench: Bench) -> None:
    """The run's own GMV aggregation, chunk by chunk, against a plain sum by shop: one process each, nothing shared."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gmv", PROGRAM],
        cwd=ROOT,
        env={**bench.house.environment, "DJANGO_SETTINGS_MODULE": "config.settings.local"},
        capture_output=True,
        text=True,
        check=True,
    )
    least = bench.house.seconds_of(GROUP_BY, before="SET max_parallel_workers_per_gather = 0")
    bench.figure("GMV aggregation, one process", float(done.stdout), "plain `GROUP BY`, one process", least, "1.5")


def measure_runs(bench: Bench) -> None:
    """The full run through the workers, against the plain sum of the same lines; then runs from changes only."""
    house = bench.house
    least = house.seconds_of(GROUP_BY)
    bench.full_seconds = min(bench.run_seconds("--full") for _ in range(2))
    bench.figure(
        f"full run, {WORKERS} workers", bench.full_seconds, "plain `GROUP BY`, PostgreSQL's own parallelism", least, "3"
    )
    nothing = min(bench.run_seconds() for _ in range(2))
    bench.figure("run after nothing", nothing, "full run", bench.full_seconds, "0.05")
    news = house.folder / "news.csv"
    certified = read_certified(house.folder)
    write_settlements(news, certified, bench.lines // 100, Random(7), prefix="N", only=100)
    house.manage("load", "settlements", str(news))
    changed = bench.run_seconds()
    bench.figure("run after new lines for 1 % of the shops", changed, "full run", bench.full_seconds, "0.1")
    with house.connect() as connection:
        row = connection.execute("SELECT c.digest, c.reached FROM incentives_run c ORDER BY id DESC LIMIT 1").fetchone()
        assert row is not None
        bench.run_seconds("--full")
        again = connection.execute("SELECT digest FROM incentives_run ORDER BY id DESC LIMIT 1").fetchone()
        assert again is not None
    if again[0] != row[0]:
        raise SystemExit("the run from changes only and the full run found different things")
    bench.note(f"The run from changes only looked at {row[1]:,} shops and found what the full run found.")


def measure_rivals(bench: Bench) -> None:
    """The full run against DuckDB from the CSV files, and against a loop through the ORM."""
    house = bench.house
    seconds, eligible = duck.measure(house.folder, threads=WORKERS)
    with house.connect() as connection:
        row = connection.execute(
            "SELECT eligible, shops FROM incentives_run WHERE state = 'finished' ORDER BY id LIMIT 1"
        ).fetchone()
    assert row is not None
    if row[0] != eligible:
        raise SystemExit(f"DuckDB found {eligible} eligible shops, the run {row[0]}")
    bench.figure(f"full run, {WORKERS} workers", bench.full_seconds, "DuckDB, from the CSV files", seconds, "–")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.orm", PROGRAM, str(ORM_SHOPS)],
        cwd=ROOT,
        env={**house.environment, "DJANGO_SETTINGS_MODULE": "config.settings.local"},
        capture_output=True,
        text=True,
        check=True,
    )
    loop, looped = map(float, done.stdout.split())
    scaled = loop * row[1] / looped
    against = f"a loop through the ORM ({looped:,.0f} shops, scaled)"
    bench.figure(f"full run, {WORKERS} workers", bench.full_seconds, against, scaled, "–")


def measure_export(bench: Bench) -> None:
    """`export results` against the three seconds that it may take for 100,000 rows."""
    target = bench.house.folder / "results.csv"
    seconds = bench.command("export", "results", PROGRAM, "-o", str(target))
    with target.open(encoding="utf-8") as rows:
        count = sum(1 for _ in rows) - 1
    bench.figure(f"`export results`, {count:,} rows", seconds, "3 s for 100,000 rows", 3 * count / 100_000, "1")


def print_table(bench: Bench) -> None:
    """Print the table as README.md holds it."""
    cores, memory = os.cpu_count(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{datetime.now(UTC):%Y-%m-%d}, {cores} cores, {memory:.0f} GiB"
    print(f"\n{machine}; {bench.shops:,} shops, {bench.lines:,} settlement lines\n")
    print("| what | takes | against | takes | ratio | aim |\n|---|---:|---|---:|---:|---:|")
    for figure in bench.figures:
        print(figure.row())
    print()
    for note in bench.notes:
        print(f"- {note}")


def main() -> None:
    """Measure at one size and print the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--shops", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=5_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dingyao-bench-") as name, own_house(Path(name)) as house:
        write_feeds(house.folder, shops=given.shops, lines=given.lines)
        policy = house.folder / "policy.json"
        policy.write_text(POLICY, encoding="utf-8")
        period = ("--start", START.isoformat(), "--end", END.isoformat())
        house.manage("create_program", PROGRAM, *period, "--policy", str(policy))
        for kind in SMALL_FEEDS:
            done = house.manage("load", kind, str(house.folder / f"{kind}.csv"))
            print(f"{kind}: {done.line} in {done.seconds:.1f} s, {done.memory:.0f} MiB", flush=True)
        bench = Bench(house, given.shops, given.lines, house.start_up())
        before: tuple[Callable[[Bench], None], ...] = (measure_memory, measure_load, measure_gmv)
        for step in before:
            step(bench)
        with house.workers():
            measure_runs(bench)
        for step in (measure_rivals, measure_export):
            step(bench)
        print_table(bench)


def _span(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
