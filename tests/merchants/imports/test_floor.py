"""History may not reach back to what payouts stand on, and facts wake whoever listens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core import hooks
from core.errors import BadInput
from merchants.models import Import, Rate
from tests.merchants.imports.feeds import GOOD, Feeds

FLOOR = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    heard: list[tuple[str, int]] = []
    monkeypatch.setattr(hooks, "_floors", [lambda: None, lambda: FLOOR, lambda: FLOOR - timedelta(days=9)])
    monkeypatch.setattr(hooks, "_listeners", [lambda kind, batch: heard.append((kind, batch))])
    return heard


def test_history_reaches_back_to_the_floor_and_no_further(feeds: Feeds, registry: list[tuple[str, int]]) -> None:
    for moment in (FLOOR, FLOOR - timedelta(microseconds=1)):
        with pytest.raises(BadInput, match="payouts were submitted"):
            feeds.load("fx", recorded_at=moment)
    assert not Import.objects.exists()
    assert feeds.load("fx", recorded_at=FLOOR + timedelta(microseconds=1)).new == 1


def test_a_floor_that_rises_during_the_load(
    feeds: Feeds, registry: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    floors = iter([None, FLOOR])
    monkeypatch.setattr(hooks, "_floors", [lambda: next(floors)])
    with pytest.raises(BadInput):
        feeds.load("fx", recorded_at=FLOOR)
    assert not Rate.objects.exists()


def test_only_news_is_announced(
    feeds: Feeds, registry: list[tuple[str, int]], django_capture_on_commit_callbacks: object
) -> None:
    capture = django_capture_on_commit_callbacks
    for row, told in ((GOOD["fx"], 1), (GOOD["fx"], 1), ({**GOOD["fx"], "rate": "9", "corrects": "true"}, 2)):
        with capture(execute=True):  # type: ignore[operator]  # pytest-django's fixture
            loaded = feeds.load("fx", row)
        assert len(registry) == told
    assert registry[-1] == ("fx", loaded.batch_id)
