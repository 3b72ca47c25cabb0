"""`make bench-dashboard`: what operators wait for at quarter's end, with 100,000 shops and 2,000 payouts.

Everything happens in a database of its own, started for it, on the machine's own disk, with real workers. Facts and a
first run a week earlier are there already; the run, the decision on all payouts, their payment and the pages are what
is measured.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.feeds import PROGRAM, write_feeds
from benchmarks.house import own_house
from benchmarks.portal import load_and_judge, measure_in

RECORDED, WEEK_BEFORE = "2026-03-12T00:00:00+08:00", "2026-03-13T08:00:00+08:00"


def write_violations(path: Path, *, shops: int) -> None:
    """One shop in 150 was closed for counterfeits: about a third of the partners get less."""
    with path.open("w", encoding="utf-8") as out:
        out.write("violation_code,shop_code,category,penalised_at,enforced_closure\n")
        for number in range(0, shops, 151):
            out.write(f"V{number:07},S{number:07},counterfeit,2026-03-05T08:00:00Z,true\n")


def main() -> None:
    """Make the world, and measure in a process of its own."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--shops", type=int, default=108_000, help="a run judges nine in ten")
    parser.add_argument("--partners", type=int, default=2_000, help="each gets a payout")
    parser.add_argument("--lines", type=int, default=1_000_000, help="settlement lines of all shops")
    parser.add_argument("--requests", type=int, default=10, help="requests of each page in a round")
    parser.add_argument("--rounds", type=int, default=3, help="the best one's median counts")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dingyao-bench-") as name, own_house(Path(name)) as house:
        write_feeds(house.folder, shops=given.shops, lines=given.lines, partners=given.partners)
        write_violations(house.folder / "violations.csv", shops=given.shops)
        load_and_judge(house, recorded=RECORDED, as_of=WEEK_BEFORE, more=("violations",))
        with house.workers():
            sizes = ("--requests", str(given.requests), "--rounds", str(given.rounds))
            measure_in(house, "benchmarks.console", PROGRAM, *sizes)


if __name__ == "__main__":
    main()
