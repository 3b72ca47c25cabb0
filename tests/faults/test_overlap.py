"""A load and a run at the same time: the run sees what was recorded by its moment, all of it and nothing more."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.house import House, digest_of


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"), chunk=50)
    try:
        yield house
    finally:
        house.up.end()


def write_settlements(path: Path, house: House, round_: int) -> None:
    """New lines for every certified shop, ordered a minute after its certification: they move the verdicts."""
    shops = house.all("SELECT code, certified_at FROM merchants_shop WHERE certified_at IS NOT NULL ORDER BY code")
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["line_code", "shop_code", "order_code", "kind", "ordered_at", "settled_at", "amount", "currency"]
        )
        for number, (code, certified_at) in enumerate(shops):
            moment = certified_at.isoformat()
            writer.writerow([f"X{round_}-{number}", code, f"O{number}", "sale", moment, moment, "400.0001", "CNY"])


def test_an_overlapping_load_is_seen_whole_or_not_at_all(house: House, tmp_path: Path) -> None:
    program = house.load_quarter(5, 300, tmp_path)
    digests = set()
    # Three: the last run has seen two loads for certain, and the first one at most one.
    for round_ in range(3):
        path = tmp_path / f"late-{round_}.csv"
        write_settlements(path, house, round_)
        running, loading = house.start("recompute", program), house.start("load", "settlements", str(path))
        output, errors = running.communicate(timeout=120)
        assert running.returncode == 0, errors
        _, errors = loading.communicate(timeout=120)
        assert loading.returncode == 0, errors
        (as_of,) = house.one("SELECT as_of FROM incentives_run ORDER BY id DESC LIMIT 1")
        again = house.run("recompute", program, "--inline", "--as-of", as_of.isoformat())
        assert again.returncode == 0, again.stderr
        assert digest_of(again.stdout) == digest_of(output)
        digests.add(digest_of(output))
    assert len(digests) > 1, "no load ever moved the verdicts: the test proved nothing"
