"""`make bench-portal`: what a partner with very many shops waits for its pages, and how many queries each takes.

Everything happens in a database of its own, started for it, on the machine's own disk, in the middle of a quarter, so
that there are shops in every state. The other half of the shops is spread over 199 other partners.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.feeds import END, PROGRAM, START, write_feeds
from benchmarks.house import House, own_house
from benchmarks.measure import POLICY, SMALL_FEEDS
from config.state import ROOT

# The facts are recorded by the first moment; the run looks from the second one.
RECORDED, AS_OF = "2026-03-20T00:00:00+08:00", "2026-03-20T08:00:00+08:00"


def make_world(house: House, *, shops: int, lines: int) -> None:
    """Twice as many shops as asked for, half of them the first partner's, and a run over all of them."""
    write_feeds(house.folder, shops=2 * shops, lines=lines, half=True)
    load_and_judge(house, recorded=RECORDED, as_of=AS_OF)


def load_and_judge(house: House, *, recorded: str, as_of: str, more: tuple[str, ...] = ()) -> None:
    """The program, the feeds that lie in the house's folder (`more`: besides the usual ones), and a first run."""
    policy = house.folder / "policy.json"
    policy.write_text(POLICY, encoding="utf-8")
    period = ("--start", START.isoformat(), "--end", END.isoformat())
    house.manage("create_program", PROGRAM, *period, "--policy", str(policy))
    for kind in (*SMALL_FEEDS, "settlements", *more):
        done = house.manage("load", kind, str(house.folder / f"{kind}.csv"), "--recorded-at", recorded)
        print(f"{kind}: {done.line} in {done.seconds:.1f} s", flush=True)
    print(house.manage("recompute", PROGRAM, "--as-of", as_of, "--inline").line, flush=True)
    with house.connect() as connection:
        connection.execute("VACUUM ANALYZE")


def measure_in(house: House, module: str, *arguments: str) -> None:
    """Run one of the benchmarks' programs in the house, with the settings of one's own machine."""
    subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**house.environment, "DJANGO_SETTINGS_MODULE": "config.settings.local"},
        check=True,
    )


def main() -> None:
    """Make the world and measure the pages in a process of their own."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--shops", type=int, default=58_000, help="of the one partner; a run judges nine in ten")
    parser.add_argument("--lines", type=int, default=1_000_000, help="settlement lines of all shops")
    parser.add_argument("--requests", type=int, default=15, help="requests of each page")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dingyao-bench-") as name, own_house(Path(name)) as house:
        make_world(house, shops=given.shops, lines=given.lines)
        measure_in(house, "benchmarks.pages", PROGRAM, str(given.requests))


if __name__ == "__main__":
    main()
