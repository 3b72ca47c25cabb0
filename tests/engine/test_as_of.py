"""The same moment gives the same fingerprint, whatever arrives later (DESIGN 3, As of)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import harness
from tests.oracle.quarters import make_quarter


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [21, 22])
def test_later_facts_and_corrections_change_nothing_about_an_earlier_moment(seed: int, tmp_path: Path) -> None:
    quarter = make_quarter(seed, shops=150)
    programs = [harness.publish_program(p.code, p.start, p.end, quarter.policy) for p in quarter.programs]
    newest = max(batch.recorded_at for batch in quarter.batches)
    # History that is loaded late but counts as recorded early is the one audited exception; it stays out of this.
    ordered = [
        batch
        for place, batch in enumerate(quarter.batches)
        if all(batch.recorded_at >= earlier.recorded_at for earlier in quarter.batches[:place])
    ]
    half = len(ordered) // 2
    (tmp_path / "first").mkdir()
    harness.load(ordered[:half], tmp_path / "first")
    moments = [moment for moment in quarter.moments if moment <= ordered[half - 1].recorded_at][-3:]
    assert moments
    before = [harness.evaluate(programs[0], moment).digest for moment in moments]
    (tmp_path / "second").mkdir()
    harness.load(ordered[half:], tmp_path / "second")
    assert [harness.evaluate(programs[0], moment).digest for moment in moments] == before
    assert harness.evaluate(programs[0], newest).digest not in before


@pytest.mark.django_db
def test_what_was_recorded_at_the_very_moment_counts_and_a_moment_earlier_it_does_not(tmp_path: Path) -> None:
    quarter = make_quarter(23, shops=60)
    programs = [harness.publish_program(p.code, p.start, p.end, quarter.policy) for p in quarter.programs]
    harness.load(quarter.batches, tmp_path)
    shops = [batch for batch in quarter.batches if batch.kind == "shops"]
    last = shops[-1]
    at = harness.evaluate(programs[0], last.recorded_at)
    just_before = harness.evaluate(programs[0], last.recorded_at.replace(microsecond=0) - harness.ONE_SECOND)
    assert at.digest != just_before.digest
