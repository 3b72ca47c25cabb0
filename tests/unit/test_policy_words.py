"""No key of a policy is without words, and no change of one goes unsaid."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import translation

from core.policy import Policy
from core.policy_words import WORDED, differences, flat, rules_of, tiers_in_words
from core.values import Period

QUARTER = Period(date(2026, 1, 1), date(2026, 3, 31))
OTHER: dict[str, Any] = {
    "name": {"en": "Another", "zh-hans": "另一个"},
    "markets": ["DE"],
    "timezone": "Europe/Berlin",
    "incentive.amount": "2500.00",
    "incentive.currency": "EUR",
    "list.must_precede_certification": False,
    "first_entity.period": "program",
    "first_entity.markets": "all",
    "activation.window_days": 45,
    "activation.gmv_above": "1500.00",
    "activation.settlement_grace_days": 14,
    "stock.countries": ["DE", "FR", "IT", "ES", "PL"],
    "stock.minimum": 3,
    "stock.scope": "shop",
    "stock.exempt_markets": ["JP"],
    "shop.normal_statuses": ["open", "restricted"],
    "high_risk.categories": ["counterfeit"],
    "discount.basis": "count",
    "discount.example": True,
    "discount.tiers": [{"from": "0.10", "pay": "0.50"}],
    "claim.days": 20,
    "claim.max_in_force": 10,
    "attribution.order": ["link", "claim", "record"],
}


def changed(key: str) -> Policy:
    document = Policy().document()
    outer, _, inner = key.partition(".")
    if inner:
        document[outer][inner] = OTHER[key]
    else:
        document[outer] = OTHER[key]
    return Policy.parse(document)


def test_every_key_has_its_words() -> None:
    assert list(WORDED) == list(flat(Policy().document()))
    assert list(OTHER) == list(WORDED)


@pytest.mark.parametrize("key", list(OTHER))
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_changed_key_is_said_before_and_after(key: str, language: str) -> None:
    with translation.override(language):
        (difference,) = differences(Policy(), changed(key))
        (back,) = differences(changed(key), Policy())
    assert difference.key == key
    assert difference.label
    assert difference.before
    assert difference.after
    assert difference.before != difference.after
    assert (back.before, back.after) == (difference.after, difference.before)


def test_the_same_rules_differ_in_nothing() -> None:
    assert differences(Policy(), Policy()) == []


def test_the_rules_say_their_figures() -> None:
    told = {rule.title: rule.text for rule in rules_of(Policy(), QUARTER)}
    assert told["Selling"] == (
        "Orders placed within 30 days after its certification bring it above 1,000.00 CNY of settled GMV. "
        "They count if they settle within 31 days after that; refunds are deducted."
    )
    assert told["Certified in time"].startswith("The shop is certified from 1 Jan to 31 Mar, in Germany, France")
    assert "at least 4 of Germany, France, Italy, Spain" in told["Stock"]
    assert "exempt" not in told["Stock"]
    told = {rule.title: rule.text for rule in rules_of(changed("stock.exempt_markets"), QUARTER)}
    assert "Shops in Japan are exempt." in told["Stock"]
    document = Policy().document()
    document["stock"] |= {"minimum": 0}
    assert "Stock" not in {rule.title for rule in rules_of(Policy.parse(document), QUARTER)}


def test_the_steps_of_the_discount() -> None:
    tiers = [{"from": "0.05", "pay": "0.70"}, {"from": "0.20", "pay": "0"}]
    assert tiers_in_words(Policy.parse({"discount": {"tiers": tiers}})) == [
        "from a share of 5% on, 70% is paid",
        "from a share of 20% on, 0% is paid",
    ]
    at_once = Policy.parse({"discount": {"tiers": [{"from": "0", "pay": "0.90"}]}})
    assert tiers_in_words(at_once) == ["from the first such shop on, 90% is paid"]
    by_count = Policy.parse({"discount": {"basis": "count", "tiers": [{"from": "2", "pay": "0.5"}]}})
    assert tiers_in_words(by_count) == ["from 2 shops on, 50% is paid"]
