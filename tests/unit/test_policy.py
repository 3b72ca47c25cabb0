"""A policy document: what is refused, with which words, and what a key left out means."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from core.errors import BadInput
from core.policy import Policy
from core.policy_reader import PolicyError, load_policy
from core.values import Period

TIERS = [{"from": "0", "pay": "0.90"}, {"from": "0.05", "pay": "0.70"}, {"from": "0.20", "pay": "0"}]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"discount": {"tiers": [TIERS[1], TIERS[0]]}}, "discount.tiers[1].from: 0 doesn't come after 0.05"),
        ({"discount": {"tiers": [TIERS[0], TIERS[0]]}}, "discount.tiers[1].from: 0 doesn't come after 0"),
        ({"discount": {"tiers": [{"from": "0", "pay": "1.01"}]}}, "discount.tiers[0].pay: must be between 0 and 1"),
        ({"discount": {"tiers": [{"from": "0", "pay": "-0.1"}]}}, "discount.tiers[0].pay: must be between 0 and 1"),
        ({"discount": {"tiers": [{"from": "1.5", "pay": "0"}]}}, "a share can't be above 1"),
        ({"discount": {"tiers": [{"from": "0"}]}}, "discount.tiers[0]: pay missing"),
        ({"discount": {"basis": "mood"}}, "'mood' is not one of share, count"),
        ({"activation": {"window_days": -1}}, "activation.window_days: must be between 0 and"),
        ({"activation": {"settlement_grace_days": -31}}, "activation.settlement_grace_days: must be between 0 and"),
        ({"activation": {"window_days": "soon"}}, "activation.window_days: must be a whole number, got 'soon'"),
        ({"activation": {"window_days": True}}, "activation.window_days: must be a whole number"),
        ({"activation": {"gmv_above": "NaN"}}, "activation.gmv_above: must be a number, got 'NaN'"),
        ({"incentive": {"amount": "2000.001"}}, "incentive.amount: at most 2 decimals"),
        ({"incentive": {"currency": "yuan"}}, "incentive.currency: 'yuan' is no ISO 4217 code"),
        ({"timezone": "Asia/Peking"}, "timezone: 'Asia/Peking' is unknown"),
        ({"colour": "teal"}, "colour: unknown key (known: activation, attribution"),
        ({"activation": {"days": 30}}, "activation.days: unknown key"),
        ({"markets": []}, "markets: must name at least 1"),
        ({"markets": ["Germany"]}, "markets: 'Germany' is not of the form"),
        ({"markets": ["DE", "DE"]}, "markets: names something twice"),
        ({"stock": {"countries": ["DE"], "minimum": 2}}, "stock.minimum: 2 of 1 countries can never be met"),
        ({"shop": {"normal_statuses": ["fine"]}}, "'fine' is not one of open, restricted, closing, closed"),
        ({"attribution": {"order": ["link", "luck"]}}, "'luck' is not one of claim, link, record"),
        ([], "the policy: must be an object"),
    ],
)
def test_a_fault_is_named_with_its_place(document: Any, words: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        Policy.parse(document)
    assert words in refusal.value.message


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(PolicyError) as refusal:
        Policy.parse({"timezone": "Mars/Base", "activation": {"window_days": -3}, "markets": ["x"]})
    assert len(refusal.value.problems) == 3


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(PolicyError, match="timezone: given twice"):
        load_policy('{"timezone": "UTC", "timezone": "Asia/Tokyo"}')


def test_no_json_is_refused_with_its_line() -> None:
    with pytest.raises(BadInput, match="line 2, column"):
        load_policy('{\n "markets": [}')


def test_an_empty_policy_takes_the_announced_defaults() -> None:
    policy = Policy.parse({})
    assert policy.incentive.amount == Decimal("2000.00")
    assert (policy.activation.window_days, policy.activation.settlement_grace_days) == (30, 31)
    assert policy.stock.countries == ("DE", "FR", "IT", "ES")
    assert policy.discount.tiers == ()
    assert policy.closes_at(Period(date(2026, 1, 1), date(2026, 3, 31))).isoformat() == "2026-05-31T16:00:00+00:00"


def test_a_document_says_the_same_when_it_is_read_again() -> None:
    policy = Policy.parse({"discount": {"tiers": TIERS, "example": True}, "activation": {"gmv_above": "999.5"}})
    again = load_policy(json.dumps(policy.document()))
    assert again == policy
    assert again.fingerprint() == policy.fingerprint()


@pytest.mark.parametrize(
    ("high_risk", "introduced", "factor"),
    [(0, 0, "1"), (0, 40, "1"), (1, 21, "0.90"), (1, 20, "0.70"), (3, 16, "0.70"), (1, 5, "0"), (5, 5, "0")],
)
def test_the_tier_with_the_greatest_start_reached_applies(high_risk: int, introduced: int, factor: str) -> None:
    discount = Policy.parse({"discount": {"tiers": TIERS}}).discount
    assert discount.factor(high_risk=high_risk, introduced=introduced) == Decimal(factor)


def test_below_the_first_tier_nothing_is_cut() -> None:
    discount = Policy.parse({"discount": {"tiers": TIERS[1:]}}).discount
    assert discount.factor(high_risk=1, introduced=100) == 1


def test_tiers_may_count_shops() -> None:
    tiers = [{"from": 1, "pay": "0.9"}, {"from": 3, "pay": "0.5"}]
    discount = Policy.parse({"discount": {"basis": "count", "tiers": tiers}}).discount
    assert [discount.factor(high_risk=n, introduced=1000) for n in range(4)] == [
        1,
        Decimal("0.9"),
        Decimal("0.9"),
        Decimal("0.5"),
    ]
