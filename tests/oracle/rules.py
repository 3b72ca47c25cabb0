"""The policy document as the oracle reads it: POLICY's keys, with POLICY's defaults where one is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.values import plain

HIGH_RISK = ("prohibited_goods", "counterfeit", "risk_control", "fake_fulfilment")


@dataclass(frozen=True)
class Tier:
    """A step of the discount: from this share (or count) on, this factor is paid."""

    starts: Decimal
    pay: Decimal


@dataclass(frozen=True)
class Rules:
    """One policy version."""

    markets: frozenset[str]
    zone: ZoneInfo
    amount: Decimal
    currency: str
    list_first: bool
    rivals_in_period: bool
    rivals_everywhere: bool
    window_days: int
    gmv_above: Decimal
    grace_days: int
    stock_countries: frozenset[str]
    stock_minimum: int
    stock_of_merchant: bool
    exempt_markets: frozenset[str]
    normal_statuses: frozenset[str]
    high_risk: frozenset[str]
    discount_by_count: bool
    tiers: tuple[Tier, ...]

    @classmethod
    def read(cls, policy: Mapping[str, Any]) -> Rules:
        """Read a policy document."""

        def key(section: str, name: str, default: Any) -> Any:
            return policy.get(section, {}).get(name, default)

        tiers = key("discount", "tiers", [])
        return cls(
            markets=frozenset(policy["markets"]),
            zone=ZoneInfo(policy.get("timezone", "Asia/Shanghai")),
            amount=Decimal(str(key("incentive", "amount", "2000.00"))),
            currency=key("incentive", "currency", "CNY"),
            list_first=key("list", "must_precede_certification", True),
            rivals_in_period=key("first_entity", "period", "all_time") == "program",
            rivals_everywhere=key("first_entity", "markets", "program") == "all",
            window_days=key("activation", "window_days", 30),
            gmv_above=Decimal(str(key("activation", "gmv_above", "1000.00"))),
            grace_days=key("activation", "settlement_grace_days", 31),
            stock_countries=frozenset(key("stock", "countries", ["DE", "FR", "IT", "ES"])),
            stock_minimum=key("stock", "minimum", 4),
            stock_of_merchant=key("stock", "scope", "merchant") == "merchant",
            exempt_markets=frozenset(key("stock", "exempt_markets", [])),
            normal_statuses=frozenset(key("shop", "normal_statuses", ["open"])),
            high_risk=frozenset(key("high_risk", "categories", HIGH_RISK)),
            discount_by_count=key("discount", "basis", "share") == "count",
            tiers=tuple(Tier(Decimal(str(tier["from"])), Decimal(str(tier["pay"]))) for tier in tiers),
        )

    def factor(self, introduced: int, high_risk: int) -> Decimal:
        """What is left of a partner's incentive (POLICY 5): 1 with no high-risk shop or where no tier applies."""
        if high_risk == 0:
            return Decimal(1)
        # `share >= from` is compared as `high_risk >= from × introduced`: a quotient would be rounded.
        measure = 1 if self.discount_by_count else introduced
        reached = [tier for tier in self.tiers if high_risk >= tier.starts * measure]
        return max(reached, key=lambda tier: tier.starts).pay if reached else Decimal(1)

    def factor_text(self, introduced: int, high_risk: int) -> str:
        """The factor as the exports print it."""
        return plain(self.factor(introduced, high_risk))
