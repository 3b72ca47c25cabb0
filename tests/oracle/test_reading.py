"""The oracle itself: right on every boundary, and its random quarters worth comparing on."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.oracle.batches import Batch
from tests.oracle.boundaries import BOUNDARIES, differences
from tests.oracle.checks import row_errors
from tests.oracle.quarters import Quarter, make_quarter, write_csv
from tests.oracle.reading import CONDITIONS, VERDICTS, World
from tests.oracle.small import Boundary

SEEDS = range(6)

# `listed` and `first_entity` are never unknown, and so on: the outcomes that POLICY 3's table leaves open.
OUTCOMES = {
    "listed": {"met", "not_met", "pending"},
    "first_entity": {"met", "not_met", "pending"},
    "partner_certified": {"met", "not_met", "pending"},
    "exclusive_link": {"met", "not_met", "not_applicable"},
    "onboarded": {"met", "not_met", "pending"},
    "activated": {"met", "not_met", "pending", "unknown"},
    "stocked": {"met", "not_met", "pending", "unknown", "not_applicable"},
    "shop_normal": {"met", "not_met", "pending", "unknown"},
}


def world_of(batches: tuple[Batch, ...]) -> World:
    world = World()
    for batch in batches:
        world.apply(batch.kind, batch.rows, batch.recorded_at)
    return world


@pytest.fixture(scope="module")
def quarters() -> list[Quarter]:
    return [make_quarter(seed) for seed in SEEDS]


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda boundary: boundary.name)
def test_boundary(boundary: Boundary) -> None:
    world = world_of(boundary.batches)
    program = boundary.program
    rows = world.evaluate(program.code, program.start, program.end, boundary.policy, boundary.as_of)
    assert differences(boundary, *rows) == []


def test_boundaries_have_names_of_their_own_and_good_rows() -> None:
    assert [name for name, times in Counter(case.name for case in BOUNDARIES).items() if times > 1] == []
    assert [error for case in BOUNDARIES for error in row_errors(case.batches)] == []


def test_quarters_have_good_rows(quarters: list[Quarter]) -> None:
    assert [error for quarter in quarters for error in row_errors(quarter.batches)] == []


def test_a_seed_always_makes_the_same_quarter(quarters: list[Quarter]) -> None:
    assert make_quarter(SEEDS[2]) == quarters[2]


def test_quarters_reach_every_verdict_and_every_outcome(quarters: list[Quarter]) -> None:
    verdicts: Counter[str] = Counter()
    outcomes: Counter[tuple[str, str]] = Counter()
    factors: Counter[str] = Counter()
    for quarter in quarters:
        world, program = world_of(quarter.batches), quarter.program
        for policy in quarter.policies:
            for as_of in quarter.moments[1::2]:
                results, payouts = world.evaluate(program.code, program.start, program.end, policy, as_of)
                verdicts.update(row["verdict"] for row in results)
                outcomes.update((name, row[name]) for row in results for name in CONDITIONS)
                factors.update(row["factor"] for row in payouts)
    total = verdicts.total()
    assert {verdict: verdicts[verdict] > total * 0.05 for verdict in VERDICTS} == dict.fromkeys(VERDICTS, True)
    assert {name: {found for key, found in outcomes if key == name} for name in CONDITIONS} == OUTCOMES
    assert min(outcomes.values()) > total * 0.005
    assert len(factors) >= 6


def test_one_condition_alone_decides_often_enough(quarters: list[Quarter]) -> None:
    """Were most shops to fail by several conditions, a mistake in one of them would stay hidden in the verdict."""
    alone: Counter[str] = Counter()
    for quarter in quarters:
        world, program = world_of(quarter.batches), quarter.program
        for policy in quarter.policies:
            results, _ = world.evaluate(program.code, program.start, program.end, policy, quarter.moments[-1])
            failed = ([name for name in CONDITIONS if row[name] == "not_met"] for row in results)
            alone.update(names[0] for names in failed if len(names) == 1)
    assert {name: alone[name] >= 20 for name in CONDITIONS} == dict.fromkeys(CONDITIONS, True)


def test_later_facts_change_no_earlier_moment(quarters: list[Quarter]) -> None:
    """POLICY 3: the same `as_of` always gives the same result, whatever is recorded after it."""
    quarter = quarters[1]
    program, policy = quarter.program, quarter.policies[0]
    whole = world_of(quarter.batches)
    for as_of in quarter.moments[:-2]:
        known = world_of(tuple(batch for batch in quarter.batches if batch.recorded_at <= as_of))
        rows = (program.code, program.start, program.end, policy, as_of)
        assert known.evaluate(*rows) == whole.evaluate(*rows)


def test_batches_arrive_in_order_and_backdated_ones_last(quarters: list[Quarter]) -> None:
    for quarter in quarters:
        recorded = [batch.recorded_at for batch in quarter.batches]
        steps = [before < after for before, after in pairwise(recorded)]
        assert steps[:-2] == [True] * len(steps[:-2])
        assert recorded[-1] < recorded[-3]


def test_a_batch_is_written_as_a_feed(quarters: list[Quarter], tmp_path: Path) -> None:
    for batch in quarters[0].batches[:12]:
        path = tmp_path / f"{batch.kind}.csv"
        write_csv(batch, path)
        with path.open(encoding="utf-8", newline="") as file:
            assert tuple(csv.DictReader(file)) == batch.rows
