"""A long file lands piece by piece: wherever it is cut, it comes to the same."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.errors import BadInput
from merchants.imports import pieces, reader
from merchants.imports.kinds import KINDS as ALL_KINDS
from merchants.models import Import, RejectedRow, Settlement
from merchants.services import load_feed
from tests.merchants.imports.feeds import ACTOR, GOOD, Feeds, Row, counts, errors, write


def line(code: str, **other: str) -> Row:
    return {**GOOD["settlements"], "line_code": code, **other}


LINES = [
    line("L-1"),
    line("L-2", kind="refund", amount="-3"),
    line("L-1", amount="120.500"),  # the first again, as a value
    line("L-3", amount="zero"),
    line("L-2", amount="-4", kind="refund"),  # another content
    line("L-4", shop_code="S-9"),
    line("L-5", amount="1.25"),
    line("L-3", amount="7"),  # the first of its key without a fault
    line("L-5", amount="1.26"),
    line("L-3", amount="7"),
]
COUNTS = (4, 2, 0, 4)
ERRORS = [
    (5, "amount", "malformed"),
    (6, "amount", "forbidden_repeat"),
    (7, "shop_code", "unknown_reference"),
    (10, "amount", "forbidden_repeat"),
]


def test_what_lands_by_pieces_looks_at_no_other_rows() -> None:
    cut_up = [kind for kind in ALL_KINDS.values() if kind.by_pieces]
    assert [kind.kind for kind in cut_up] == ["settlements"]
    assert not any(kind.names or kind.before or kind.after for kind in cut_up)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> int:
    size = int(request.param)
    monkeypatch.setattr(reader, "BLOCK", size)
    monkeypatch.setattr(pieces, "MOST_ROWS", size)
    return size


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 7, 1000], indirect=True)
def test_wherever_it_is_cut(feeds: Feeds, cut: int) -> None:
    feeds.world(until="settlements")
    loaded = feeds.load("settlements", *LINES)
    assert (errors(loaded), counts(loaded)) == (ERRORS, COUNTS)
    found = Settlement.objects.order_by("line_code").values_list("line_code", "amount", "batch")
    assert [(code, float(amount)) for code, amount, _ in found] == [
        ("L-1", 120.5),
        ("L-2", -3),
        ("L-3", 7),
        ("L-5", 1.25),
    ]
    assert {batch for _, _, batch in found} == {loaded.batch_id}
    assert counts(feeds.load("settlements", *LINES)) == (0, 6, 0, 4)
    # Known lines in some pieces, none in others.
    more = [line(f"N-{number}") for number in range(5)]
    assert counts(feeds.load("settlements", LINES[0], *more, LINES[6], line("N-9"))) == (6, 2, 0, 0)


@pytest.mark.parametrize("cut", [2], indirect=True)
def test_a_strict_load_tells_of_all_pieces_and_keeps_none(feeds: Feeds, cut: int) -> None:
    feeds.world(until="settlements")
    loaded = feeds.load("settlements", *LINES, strict=True)
    assert (errors(loaded), loaded.rows, loaded.rejected) == (ERRORS, len(LINES), 4)
    assert not Settlement.objects.exists()


@pytest.mark.parametrize("cut", [2], indirect=True)
def test_a_file_that_is_refused_late_records_nothing(feeds: Feeds, cut: int, tmp_path: Path) -> None:
    feeds.world(until="settlements")
    path = write(tmp_path / "late.csv", [line("L-1"), line("L-2"), line("L-3", amount="x"), line("L-4")])
    with path.open("a") as file:
        file.write('L-5,"never closed\n')
    before = threading.active_count()
    with pytest.raises(BadInput, match="never closes"):
        load_feed(actor=ACTOR, kind="settlements", path=path)
    assert not Settlement.objects.exists()
    assert not RejectedRow.objects.exists()
    assert Import.objects.get(kind="settlements").state == "refused"
    assert threading.active_count() == before
