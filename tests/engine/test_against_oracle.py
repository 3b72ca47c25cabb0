"""The engine and the independent reading of POLICY.md agree: on every boundary, and on random quarters."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.policy import Policy
from tests.engine import harness
from tests.oracle.boundaries import BOUNDARIES
from tests.oracle.boundaries import differences as unexpected
from tests.oracle.quarters import make_quarter
from tests.oracle.reading import World
from tests.oracle.small import Boundary

SAMPLE = range(4)
PROOF = range(100, 160)


@pytest.mark.django_db
@pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda boundary: boundary.name)
def test_boundary(boundary: Boundary, tmp_path: Path) -> None:
    program, *_ = (
        harness.publish_program(each.code, each.start, each.end, boundary.policy) for each in boundary.programs
    )
    harness.load(boundary.batches, tmp_path)
    results, payouts = harness.found(harness.evaluate(program, boundary.as_of))
    assert not unexpected(boundary, results, payouts)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SAMPLE)
def test_sampled_quarter(seed: int, tmp_path: Path) -> None:
    compare_quarter(seed, tmp_path, shops=200, every=3)


@pytest.mark.proof
@pytest.mark.django_db
@pytest.mark.parametrize("seed", PROOF)
def test_random_quarter(seed: int, tmp_path: Path) -> None:
    compare_quarter(seed, tmp_path, shops=500, every=1)


def compare_quarter(seed: int, folder: Path, *, shops: int, every: int) -> None:
    """Load a quarter, then evaluate each of its policies as of every `every`-th of its moments, twice over."""
    quarter = make_quarter(seed, shops=shops)
    programs = [harness.publish_program(p.code, p.start, p.end, quarter.policy) for p in quarter.programs]
    harness.load(quarter.batches, folder)
    world = World(attribution_order=Policy.parse(quarter.policy).attribution.order)
    for batch in quarter.batches:
        world.apply(batch.kind, list(batch.rows), batch.recorded_at)
    told: list[str] = []
    for number, document in enumerate(quarter.policies):
        policy = harness.publish(programs[0], document)
        for as_of in quarter.moments[number % every :: every]:
            results, payouts = harness.found(harness.evaluate(programs[0], as_of, policy))
            expected, expected_payouts = world.evaluate(
                quarter.program.code, quarter.program.start, quarter.program.end, document, as_of
            )
            where = f"policy {number}, as of {as_of}: "
            told += [where + each for each in harness.differences("shop_code", results, expected)]
            told += [where + each for each in harness.differences("partner_code", payouts, expected_payouts)]
    assert not told, "\n".join(told[:30]) + f"\n… {len(told)} in all"
