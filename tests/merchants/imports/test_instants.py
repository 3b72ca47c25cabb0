"""Timestamps: what Python vouches for, and what PostgreSQL makes of them in a platform whose clocks change."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from merchants.imports.instants import are_sound
from merchants.models import Shop
from tests.merchants.imports.feeds import GOOD, Feeds, errors, make_program

USUAL = ["2026-02-03T10:11:12+08:00", "2024-02-29T23:59:59-15:59"]


def test_the_usual_forms_are_vouched_for() -> None:
    assert are_sound([])
    for cells in (["2026-02-03T10:11:12+08:00"] * 3, ["2026-02-03T10:11:12-08:00"], ["2026-02-03T10:11:12Z"]):
        assert are_sound(cells)
    assert are_sound(["2026-02-03T10:11:12", "1999-12-31T00:00:00"])


@pytest.mark.parametrize(
    "cell",
    [
        "2026-02-30T10:11:12+08:00",
        "2025-02-29T10:11:12+08:00",
        "2026-13-01T10:11:12+08:00",
        "2026-02-03T24:00:00+08:00",
        "2026-02-03T10:60:12+08:00",
        "2026-02-03T10:11:60+08:00",
        "2026-02-03T10:11:12+16:00",
        "2026-02-03T10:11:12+08:60",
        "1899-02-03T10:11:12+08:00",
        "0000-02-03T10:11:12+08:00",
        "2026-02-03x10:11:12+08:00",
        "2026-02-03T-1:11:12+08:00",
        "２026-02-03T10:11:12+08:00",
        "2026-W05-2T10:11:12",
        "20260203T101112+0800",
        "2026-02-03T10:11",
        "2026-02-03",
        "2026-02-03T10:11:12.5Z",
        "",
    ],
)
def test_everything_else_is_looked_at_closer(cell: str) -> None:
    assert not are_sound([cell])
    assert not are_sound([USUAL[0], cell])


def test_a_changed_character_is_never_vouched_for_unless_it_still_is_a_timestamp() -> None:
    shuffled = random.Random(7)
    for _ in range(20_000):
        cell = list(USUAL[0])
        cell[shuffled.randrange(len(cell))] = shuffled.choice("0123456789-:+.ZTW x٣")
        text = "".join(cell)
        if are_sound([text]):
            assert text.isascii()
            assert datetime.fromisoformat(text).isoformat() == text


def test_local_times_of_a_platform_whose_clocks_change(feeds: Feeds, settings: object) -> None:
    settings.PLATFORM_TIME_ZONE = "Europe/Berlin"  # type: ignore[attr-defined]  # pytest-django's fixture
    make_program()
    cases = {
        "2026-10-25T02:30:00": datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # comes twice: the first
        "2026-10-25T02:30:00+01:00": datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        "2026-10-25T03:30:00": datetime(2026, 10, 25, 2, 30, tzinfo=UTC),
        "2026-10-25T01:30:00": datetime(2026, 10, 24, 23, 30, tzinfo=UTC),
        "2026-03-29T02:30:00": datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # doesn't exist
        "2026-07-01 12:00": datetime(2026, 7, 1, 10, tzinfo=UTC),
        "9999-12-31T23:59:59Z": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    }
    row = {**GOOD["shops"], "invite_code": "", "partner_code": "", "certified_at": ""}
    rows = [{**row, "shop_code": f"S-{n}", "registered_at": text} for n, text in enumerate(cases)]
    beyond = {**row, "shop_code": "S-X", "registered_at": "9999-12-31T23:59:59-01:00"}
    loaded = feeds.load("shops", *rows, beyond)
    assert errors(loaded) == [(len(rows) + 2, "registered_at", "malformed")]
    found = Shop.objects.order_by("code").values_list("registered_at", flat=True)
    assert list(found) == list(cases.values())
