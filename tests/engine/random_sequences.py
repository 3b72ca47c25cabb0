"""Random sequences for hypothesis: weighted so that most runs go on from another, and much happens in between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.engine.sequences import (
    BRANDS,
    ENTRIES,
    LINKS,
    OPEN,
    PARTNERS,
    PARTS_OF_A_DAY,
    SHOPS,
    Assign,
    Certified,
    Claim,
    Entry,
    Fact,
    Judge,
    Line,
    Load,
    Rate,
    Revocation,
    Sequence,
    Shop,
    Status,
    Step,
    Stock,
    Violation,
    Wait,
    When,
)


def _below(number: int) -> st.SearchStrategy[int]:
    return st.integers(0, number - 1)


def _one(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def _weighted(*choices: tuple[st.SearchStrategy[Any], int]) -> st.SearchStrategy[Any]:
    # Not one_of: that takes what is named several times for one.
    return _one(*(strategy for strategy, weight in choices for _ in range(weight))).flatmap(lambda strategy: strategy)


WHEN = st.builds(When, _one(0, 0, 1, 2, 3, 5, 8, 13, 21), _below(PARTS_OF_A_DAY))
SHOP = _below(SHOPS)
LINE = st.builds(
    Line, SHOP, _one(20, 45, 90, 250, -30, -120), _one("CNY", "EUR", "USD", "GBP"), WHEN, _one(0, 20, 100, 300)
)
RATE = st.builds(Rate, _one("EUR", "USD", "GBP"), _one(0, 1, 2, 4, 7, 8, 9, 15, 20), _one(9, 11, 25))
STOCK = st.builds(Stock, SHOP, _one("DE", "FR"), _one(0, 3, 3), WHEN)
STATUS = st.builds(Status, SHOP, _one("open", "closed", "restricted"), WHEN)
VIOLATION = st.builds(
    Violation, _below(3), SHOP, _one(True, True, False), _one(True, True, False), WHEN, _one(None, None, 0, 2, 5)
)
ENTRY = st.builds(
    Entry,
    _below(ENTRIES),
    st.none() | _below(PARTNERS),
    _one("approved", "approved", "pending", "rejected"),
    _one(-40, -10, -3, 0, 1, 2, 5),
    _one(None, None, -1, 0, 1, 2, 6),
)
CERTIFIED = st.builds(Certified, _below(PARTNERS), _one(-60, -12, -4, 0), _one(None, 0, 5, 60))
NEW_SHOP = st.builds(Shop, st.integers(OPEN, SHOPS - 1), st.none(), st.none() | WHEN, _one(0, 0, 1, 2))
REBRANDED = st.builds(Shop, SHOP, _below(BRANDS + 1), st.none())
RECERTIFIED = st.builds(Shop, SHOP, st.none(), WHEN)
CLAIM = st.builds(Claim, _below(ENTRIES), _below(PARTNERS), _one(0, 3, 9, 20), _one("approved", "pending", "rejected"))
REVOCATION = st.builds(Revocation, _below(LINKS), WHEN)
FACT = _weighted(
    (LINE, 6), (RATE, 4), (STOCK, 4), (STATUS, 4), (VIOLATION, 4), (ENTRY, 6), (CERTIFIED, 3), (NEW_SHOP, 4),
    (REBRANDED, 4), (RECERTIFIED, 4), (CLAIM, 2), (REVOCATION, 1),
)  # fmt: skip

FACTS = st.lists(FACT, min_size=1, max_size=3).map(tuple)
WAIT = st.builds(Wait, _one(0, 1, 1, 2, 4, 9), _below(PARTS_OF_A_DAY))
ASSIGN = st.builds(Assign, SHOP, st.none() | _below(PARTNERS))
POLICY = _weighted((st.just(0), 6), (_below(3), 2))
PROGRAM = _weighted((st.just(0), 8), (st.just(1), 1))
FULL = _weighted((st.just(False), 15), (st.just(True), 1))
CHUNK_SHOPS, EVERYTHING_FROM = _one(100, 100, 2, 3), _one(1.1, 1.1, 1.1, 1.1, 0.2)
PART = _one(None, None, 0, 1, 2, 3)

# Scenes: what seldom comes together by itself. Facts that runs know before they happen; a run as of the very instant
# of such a fact (walking through the past, 1/8 + 3/8 of the way is three days before the present); facts about a shop
# recorded before the shop; a rate that comes after the line that it serves, so many days before it.
KNOWN_BEFORE = st.builds(
    lambda facts, part, other: (Load(facts, 1), Judge(2, part), Judge(5, other), Judge(8)), FACTS, PART, PART
)
AT_THE_INSTANT = st.builds(
    lambda part, shop, kind: (
        Load((_three_days_back(kind, shop, part),), 1),
        Judge(1),
        Judge(3, part if kind < 6 else 0),
    ),
    _below(PARTS_OF_A_DAY),
    SHOP,
    _below(7),
)
SHOP_LATE = st.builds(
    lambda number, fact, other: (
        Wait(2, 0),
        Load((Shop(number, None, When(5, 0)),), 7),
        Load(tuple(replace(each, shop=number) for each in (fact, other)), 1),
        Judge(4),
        Judge(8),
    ),
    st.integers(OPEN, SHOPS - 1), st.one_of(LINE, STOCK, RECERTIFIED, REBRANDED, STATUS), STOCK | RECERTIFIED,
)  # fmt: skip
RATE_LATE = st.builds(
    lambda shop, settled, days, tenths: (
        Load((Line(shop, 250, "GBP", settled, 0),), 1),
        Judge(8),
        Load((Rate("GBP", days, tenths, of_line=True),), 4),
        Judge(8),
    ),
    SHOP, st.builds(When, _below(6), _below(PARTS_OF_A_DAY)), _one(0, 1, 6, 7, 7, 8), _one(9, 25),
)  # fmt: skip


def _steps(
    recorded: st.SearchStrategy[int | None], place: st.SearchStrategy[int]
) -> st.SearchStrategy[tuple[Step, ...]]:
    load = st.builds(Load, FACTS, recorded).map(_alone)
    judge = st.builds(Judge, place, PART, POLICY, PROGRAM, FULL).map(_alone)
    stopped = st.builds(Judge, place, chunks=_below(5), fails=st.booleans()).map(_alone)
    scene = _weighted(
        (load, 9), (judge, 7), (WAIT.map(_alone), 3), (ASSIGN.map(_alone), 1), (stopped, 1), (KNOWN_BEFORE, 1),
        (AT_THE_INSTANT, 1), (SHOP_LATE, 1), (RATE_LATE, 1),
    )  # fmt: skip
    return st.lists(scene, min_size=8, max_size=18).map(
        lambda scenes: tuple(step for scene in scenes for step in scene)
    )


def _three_days_back(kind: int, shop: int, part: int) -> Fact:
    at = When(3, part)
    facts: tuple[Fact, ...] = (
        Line(shop, 90, "CNY", at, 0),
        Stock(shop, "FR", 3, at),
        Status(shop, "closed", at),
        Violation(3, shop, True, True, at, None),
        Violation(4, shop, True, True, When(5, part), 2),
        Shop(shop, None, at),
        Shop(OPEN + shop % (SHOPS - OPEN), None, None, -3),  # registers at the day's first instant
    )
    return facts[kind]


def _alone(step: Step) -> tuple[Step, ...]:
    return (step,)


AS_IT_HAPPENS = st.builds(
    Sequence,
    _one(16, 19, 24, 33),
    st.just(False),
    CHUNK_SHOPS,
    EVERYTHING_FROM,
    _steps(
        _weighted((st.none(), 8), (_one(2, 5, 8), 7), (_one(0, -3), 1)),
        _weighted((st.just(8), 12), (_one(3, 6), 3), (_one(0, -3), 1)),
    ),
)
THROUGH_THE_PAST = st.builds(
    Sequence,
    _one(33, 50),
    st.just(True),
    CHUNK_SHOPS,
    EVERYTHING_FROM,
    _steps(
        _weighted((_one(1, 2, 4, 6, 8), 14), (_one(0, -3, None), 1)),
        _weighted((_one(1, 2, 4, 6, 8), 14), (_one(0, -3), 1)),
    ),
)
SEQUENCES = AS_IT_HAPPENS | THROUGH_THE_PAST
