"""Run as a program: publish one of the oracle's quarters in the database of the environment, and load its feeds."""

from __future__ import annotations

import sys
from pathlib import Path

import django


def main(seed: int, shops: int, folder: Path) -> None:
    from tests.engine import harness
    from tests.oracle.quarters import make_quarter

    quarter = make_quarter(seed, shops=shops)
    for program in quarter.programs:
        harness.publish_program(program.code, program.start, program.end, quarter.policy)
    harness.load(quarter.batches, folder)
    sys.stdout.write(f"{quarter.program.code}\n")


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
