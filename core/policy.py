"""The policy document: what a published version says, typed and validated. No Django here.

A policy is data: every choice that the announced programme leaves open is a key here (POLICY 1–7), so that
the next quarter changes a document and not the code. Keys left out take the defaults that the classes below
state; what is wrong with a document is found in `core.policy_reader`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from core.values import Period, end_of

ATTRIBUTION_SOURCES = ("claim", "link", "record")
DEFAULT_MARKETS = ("DE", "FR", "IT", "ES", "IE", "JP")


@dataclass(frozen=True, slots=True)
class Incentive:
    """What one eligible shop is worth (POLICY 3, Verdict)."""

    amount: Decimal = Decimal("2000.00")
    currency: str = "CNY"


@dataclass(frozen=True, slots=True)
class ListRules:
    """`must_precede_certification`: the entry must be listed on or before the shop's certification date."""

    must_precede_certification: bool = True


@dataclass(frozen=True, slots=True)
class FirstEntity:
    """Which shops compete for being the first of a merchant or brand, and where (POLICY 3)."""

    period: str = "all_time"
    markets: str = "program"


@dataclass(frozen=True, slots=True)
class Activation:
    """The sales window: days after certification, the GMV to exceed in CNY, days for settlements to arrive."""

    window_days: int = 30
    gmv_above: Decimal = Decimal("1000.00")
    settlement_grace_days: int = 31


@dataclass(frozen=True, slots=True)
class Stock:
    """In how many of which countries stock must have been seen, and whose stock counts."""

    countries: tuple[str, ...] = ("DE", "FR", "IT", "ES")
    minimum: int = 4
    scope: str = "merchant"
    exempt_markets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShopRules:
    """The statuses that count as normal operation."""

    normal_statuses: tuple[str, ...] = ("open",)


@dataclass(frozen=True, slots=True)
class HighRisk:
    """The violation categories that make an enforced closure a high-risk one (POLICY 5)."""

    categories: tuple[str, ...] = ("prohibited_goods", "counterfeit", "risk_control", "fake_fulfilment")


@dataclass(frozen=True, slots=True)
class Tier:
    """From this share (or count) of high-risk shops on, this factor of the payout is paid."""

    start: Decimal
    pay: Decimal


@dataclass(frozen=True, slots=True)
class Discount:
    """The discount tiers, ascending. `example`: they are samples that nobody has announced."""

    basis: str = "share"
    example: bool = False
    tiers: tuple[Tier, ...] = ()

    def factor(self, *, high_risk: int, introduced: int) -> Decimal:
        """Return the factor for `high_risk` closed shops of `introduced` certified ones (POLICY 5).

        With none it is 1; below the first tier it is 1 too. The share is compared without rounding.
        """
        if high_risk == 0:
            return Decimal(1)
        reached = [
            tier.pay
            for tier in self.tiers
            if (tier.start * introduced if self.basis == "share" else tier.start) <= high_risk
        ]
        return reached[-1] if reached else Decimal(1)


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """How long a new claim lasts (days of 24 hours), and how many one partner may hold in force."""

    days: int = 30
    max_in_force: int = 50


@dataclass(frozen=True, slots=True)
class Attribution:
    """Which source wins when several say who brought a shop in, first to last (POLICY 4)."""

    order: tuple[str, ...] = ATTRIBUTION_SOURCES


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules, as the engine reads them."""

    name: Mapping[str, str] = field(default_factory=dict)
    markets: tuple[str, ...] = DEFAULT_MARKETS
    timezone: str = "Asia/Shanghai"
    incentive: Incentive = Incentive()
    list: ListRules = ListRules()
    first_entity: FirstEntity = FirstEntity()
    activation: Activation = Activation()
    stock: Stock = Stock()
    shop: ShopRules = ShopRules()
    high_risk: HighRisk = HighRisk()
    discount: Discount = Discount()
    claim: ClaimRules = ClaimRules()
    attribution: Attribution = Attribution()

    @classmethod
    def parse(cls, document: object) -> Policy:
        """Read a policy from its JSON document (numbers as strings, integers or Decimals).

        Raises PolicyError with every fault found.
        """
        from core.policy_reader import read_policy  # it builds these classes

        return read_policy(document)

    @property
    def zone(self) -> ZoneInfo:
        """The program's time zone: every date in the policy is a local date here."""
        return ZoneInfo(self.timezone)

    def window_ends_on(self, certified_on: date) -> date:
        """The last date on which an order counts for a shop certified on `certified_on`."""
        return certified_on + timedelta(days=self.activation.window_days)

    def settles_by(self, certified_on: date) -> date:
        """The last date on which such an order may settle and still count."""
        return self.window_ends_on(certified_on) + timedelta(days=self.activation.settlement_grace_days)

    def closes_at(self, period: Period) -> datetime:
        """The instant at which a program over `period` closes for observation (POLICY 3), in UTC."""
        return end_of(self.settles_by(period.last), self.zone)

    def document(self) -> dict[str, Any]:
        """The complete document, defaults filled in, as it is stored and fingerprinted."""
        return {
            "name": dict(self.name),
            "markets": [*self.markets],
            "timezone": self.timezone,
            "incentive": {"amount": str(self.incentive.amount), "currency": self.incentive.currency},
            "list": {"must_precede_certification": self.list.must_precede_certification},
            "first_entity": {"period": self.first_entity.period, "markets": self.first_entity.markets},
            "activation": {
                "window_days": self.activation.window_days,
                "gmv_above": str(self.activation.gmv_above),
                "settlement_grace_days": self.activation.settlement_grace_days,
            },
            "stock": {
                "countries": [*self.stock.countries],
                "minimum": self.stock.minimum,
                "scope": self.stock.scope,
                "exempt_markets": [*self.stock.exempt_markets],
            },
            "shop": {"normal_statuses": [*self.shop.normal_statuses]},
            "high_risk": {"categories": [*self.high_risk.categories]},
            "discount": {
                "basis": self.discount.basis,
                "example": self.discount.example,
                "tiers": [{"from": str(t.start), "pay": str(t.pay)} for t in self.discount.tiers],
            },
            "claim": {"days": self.claim.days, "max_in_force": self.claim.max_in_force},
            "attribution": {"order": [*self.attribution.order]},
        }

    def fingerprint(self) -> str:
        """SHA-256 of the complete document, in hex."""
        text = json.dumps(self.document(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
