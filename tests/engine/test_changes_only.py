"""A run from changes only gives exactly what a full run gives (DESIGN 3, Only what changed)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings

from tests.engine.random_sequences import SEQUENCES
from tests.engine.sequences import Judge, Line, Load, Rate, Sequence, Shop, When
from tests.engine.stage import Stage, Told

# After ten examples hypothesis takes to varying each of them a few times, and alike sequences prove little. So rounds
# of ten, after the simplest one, which each round begins with and which is played only once.
IN_A_ROUND = 11
PARTS, ROUNDS, AT_LEAST = 10, 6, 50


@pytest.mark.django_db
def test_sampled_sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = play([20], tmp_path, monkeypatch)
    assert told.counts["went on"] >= 20
    assert told.counts["reached some"] >= 10
    assert told.counts["changed"] >= 10


@pytest.mark.django_db
def test_a_rate_comes_late_for_a_day_that_has_two_midnights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the Azores 27 October 2024 began at 08:00 in Shanghai, and its midnight came again at 09:00."""
    certified, settled = Shop(9, None, When(5, 0)), Line(9, 250, "GBP", When(1, 1), 0)
    steps = (
        Load((certified, settled), None),
        Judge(8, policy=1),
        Load((Rate("GBP", 0, 25, of_line=True),), None),
        Judge(8, policy=1),
    )
    stage = Stage(tmp_path, monkeypatch)
    stage.play(Sequence(27, past=False, chunk_shops=100, everything_from=1.1, steps=steps), monkeypatch)
    assert stage.told.counts["went on"] == stage.told.counts["changed"] == 1


@pytest.mark.proof
@pytest.mark.django_db
@pytest.mark.parametrize("part", range(PARTS))
def test_random_sequences(part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = play(range(100 * part, 100 * part + ROUNDS), tmp_path, monkeypatch)
    assert told.counts["sequences"] >= AT_LEAST
    # They prove something: most runs went on from another, many looked at a part of the shops only, found the figures
    # changed, stood in the past, or came after one that was stopped; and every verdict occurs.
    assert told.counts["went on"] >= 150
    assert told.counts["reached some"] >= 60
    assert told.counts["reached none"] >= 20
    assert told.counts["reached all"] >= 20
    assert told.counts["changed"] >= 70
    assert told.counts["as of the past"] >= 50
    assert told.counts["cancelled"] + told.counts["failed"] >= 5
    assert all(told.counts[verdict] for verdict in ("eligible", "pending", "needs_data", "not_eligible"))


def play(seeds: Iterable[int], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Play a round of random sequences for each seed, each in a world that is as it was at the beginning."""
    stage = Stage(folder, monkeypatch)
    played: set[Sequence] = set()

    @hypothesis_settings(
        max_examples=IN_A_ROUND,
        database=None,
        deadline=None,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
    @given(SEQUENCES)
    def each_run_gives_what_a_full_run_gives(sequence: Sequence) -> None:
        if sequence not in played:
            stage.play(sequence, monkeypatch)
            played.add(sequence)

    for start in seeds:
        seed(start)(each_run_gives_what_a_full_run_gives)()
    stage.told.counts["sequences"] = len(played)
    print(dict(stage.told.counts))  # shown where a bound fails
    return stage.told
