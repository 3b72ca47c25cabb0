"""Random policy documents that vary every key of the policy (invented, like every quarter here)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

Policy = dict[str, Any]

MARKETS = ("DE", "FR", "IT", "ES", "IE", "JP")
OTHER_MARKETS = ("GB", "PL", "US")
SEVERE = ("prohibited_goods", "counterfeit", "risk_control", "fake_fulfilment")
CATEGORIES = (*SEVERE, "late_shipment", "price_fraud")
STATUSES = ("open", "restricted", "closing", "closed")

TIERS: dict[str, Sequence[Sequence[tuple[str, str]]]] = {
    "share": (
        (("0", "0.90"), ("0.05", "0.70"), ("0.10", "0.50"), ("0.20", "0.00")),
        (("0.05", "0.875"), ("0.125", "0.3335"), ("0.25", "0")),
        (("0.10", "1"), ("0.50", "0.125")),
        (("0.02", "0.95"), ("0.0625", "0.6"), ("0.3333", "0.3"), ("1", "0.1")),
    ),
    "count": (
        (("1", "0.9"), ("2", "0.75"), ("4", "0.25")),
        (("2", "0.8125"), ("3", "0.5")),
        (("0", "0.99"), ("3", "0")),
    ),
}


def make_policy(random: Random, zone: str, markets: Sequence[str], near: Policy | None = None) -> Policy:
    """A policy for these markets in this time zone; keys that carry their default are sometimes left out.

    Its window and threshold are not far from those of a policy that it is to be `near`: else hardly a shop whose
    story was made around that one would be active under this one.
    """
    window_days, gmv_above = (
        random.choice((30, 30, 14, 45, 1)),
        random.choice(("1000.00", "1000.00", "500", "250.5", "0")),
    )
    if near is not None:
        activation = {**DEFAULTS["activation"], **near.get("activation", {})}
        window_days = max(1, activation["window_days"] + random.choice((0, 0, 0, -3, 7)))
        more = Decimal(random.choice(("1", "1", "0.8", "1.15")))
        gmv_above = f"{(Decimal(activation['gmv_above']) * more).normalize():f}"
    basis = random.choices(("share", "count"), (3, 2))[0]
    countries = random.choice(
        (["DE", "FR", "IT", "ES"], ["DE", "FR", "IT", "ES"], ["DE", "FR"], ["PL", "DE", "IT"], [])
    )
    policy: Policy = {
        "name": {"en": "An invented quarter", "zh-hans": "虚构的季度"},
        "markets": list(markets),
        "timezone": zone,
        "incentive": {"amount": random.choice(("2000.00", "1999.99", "333.33", "0.01")), "currency": "CNY"},
        "list": {"must_precede_certification": random.random() < 0.7},
        "first_entity": {
            "period": random.choice(("all_time", "program")),
            "markets": random.choice(("program", "all")),
        },
        "activation": {
            "window_days": window_days,
            "gmv_above": gmv_above,
            "settlement_grace_days": random.choice((31, 31, 10, 0)),
        },
        "stock": {
            "countries": countries,
            "minimum": random.randint(max(0, len(countries) - 2), len(countries)),
            "scope": random.choice(("merchant", "shop")),
            "exempt_markets": random.choice(([], [], ["JP"], ["JP", "IE"])),
        },
        "shop": {"normal_statuses": random.choice((["open"], ["open"], ["open", "restricted"]))},
        "high_risk": {"categories": list(random.choice((SEVERE, SEVERE, SEVERE[:2], (*SEVERE, "price_fraud"))))},
        "discount": {
            "basis": basis,
            "example": False,
            "tiers": [{"from": start, "pay": pay} for start, pay in random.choice(TIERS[basis])],
        },
        "claim": {"days": 30, "max_in_force": 50},
        # Attribution is stored when a shop is recorded, before any program looks at it: the order stays as it is.
        "attribution": {"order": ["claim", "link", "record"]},
    }
    for section, keys in DEFAULTS.items():
        for name, default in keys.items():
            if policy[section][name] == default and random.random() < 0.3:
                del policy[section][name]
        if not policy[section]:
            del policy[section]
    return policy


DEFAULTS: dict[str, dict[str, Any]] = {
    "list": {"must_precede_certification": True},
    "first_entity": {"period": "all_time", "markets": "program"},
    "activation": {"window_days": 30, "gmv_above": "1000.00", "settlement_grace_days": 31},
    "stock": {"countries": ["DE", "FR", "IT", "ES"], "minimum": 4, "scope": "merchant", "exempt_markets": []},
    "shop": {"normal_statuses": ["open"]},
    "high_risk": {"categories": list(SEVERE)},
    "claim": {"days": 30, "max_in_force": 50},
    "attribution": {"order": ["claim", "link", "record"]},
}
