"""Where a partner stands on the discount's ladder, and what one more closure would cost (POLICY 5 and 8.5)."""

from dataclasses import dataclass
from decimal import Decimal

from core.policy import Policy
from core.values import round_money

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class TierStep:
    """One step of the discount ladder. `start` is a share or a count, as the policy says."""

    start: Decimal | None
    pay: Decimal
    here: bool
    after_next: bool


@dataclass(frozen=True, slots=True)
class DiscountView:
    """Where a partner stands on the ladder, and where one more closed shop would put it."""

    introduced: int
    high_risk: int
    factor: Decimal
    factor_after: Decimal
    net: Decimal
    net_after: Decimal
    by_share: bool
    example: bool
    steps: tuple[TierStep, ...]

    @property
    def loss(self) -> Decimal:
        """What one more closure would cost."""
        return self.net - self.net_after


def discount_view(rules: Policy, *, introduced: int, high_risk: int, base: Decimal) -> DiscountView:
    """The discount now, and with one more of the introduced shops closed (POLICY 8.5).

    The base stays as it is: what the discount takes is shown alone, not the closed shop's own amount.
    """
    factor = rules.discount.factor(high_risk=high_risk, introduced=introduced)
    after = rules.discount.factor(high_risk=high_risk + 1, introduced=max(introduced, 1))
    tiers: list[tuple[Decimal | None, Decimal]] = [(None, ONE)]
    tiers += [(tier.start, tier.pay) for tier in rules.discount.tiers]
    here, there = _rung(rules, high_risk, introduced), _rung(rules, high_risk + 1, max(introduced, 1))
    return DiscountView(
        introduced=introduced,
        high_risk=high_risk,
        factor=factor,
        factor_after=after,
        net=round_money(base * factor),
        net_after=round_money(base * after),
        by_share=rules.discount.basis == "share",
        example=rules.discount.example,
        steps=tuple(
            TierStep(start, pay, number == here, number == there and there != here)
            for number, (start, pay) in enumerate(tiers)
        ),
    )


def _rung(rules: Policy, high_risk: int, introduced: int) -> int:
    """The place on the ladder, 0 being the undiscounted one."""
    if not high_risk:
        return 0
    scale = introduced if rules.discount.basis == "share" else 1
    return sum(tier.start * scale <= high_risk for tier in rules.discount.tiers)
