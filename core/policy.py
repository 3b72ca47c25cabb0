"""The policy document: what a published version says, typed and validated. No Django here.

A policy is data: every choice that the announced programme leaves open is a key here (POLICY 1–7), so that
the next quarter changes a document and not the code. `Policy.parse` refuses what it doesn't know and lists
everything that is wrong at once; keys left out take the defaults that the classes below state.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from core.errors import BadInput
from core.values import Period, end_of

COUNTRY = re.compile(r"[A-Z]{2}")
CURRENCY = re.compile(r"[A-Z]{3}")
WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")
SHOP_STATUSES = ("open", "restricted", "closing", "closed")
ATTRIBUTION_SOURCES = ("claim", "link", "record")
DEFAULT_MARKETS = ("DE", "FR", "IT", "ES", "IE", "JP")


class PolicyError(BadInput):
    """The document is no valid policy. `problems` holds one sentence for each fault, with its place."""

    code = "invalid_policy"

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The policy can't be used: " + "; ".join(problems) + ".")


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
        return _Reader().policy(document)

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


@cache
def _known_zones() -> frozenset[str]:
    """The zones that this machine knows. Listing them walks 600 files, and a policy is parsed on every page."""
    return frozenset(available_timezones())


class _Reader:
    """Walks a document and collects what is wrong with it, so that one look mends all."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def policy(self, document: object) -> Policy:
        top = self._section({"": document}, "", _KEYS_TOP)
        default = _DEFAULT
        policy = Policy(
            name=self._name(top),
            markets=self._codes(top, "markets", default.markets, COUNTRY, least=1),
            timezone=self._timezone(top, default.timezone),
            incentive=self._incentive(top),
            list=ListRules(
                self._flag(
                    self._section(top, "list", {"must_precede_certification"}),
                    "list.must_precede_certification",
                    default.list.must_precede_certification,
                )
            ),
            first_entity=self._first_entity(top),
            activation=self._activation(top),
            stock=self._stock(top),
            shop=ShopRules(
                self._choices(
                    self._section(top, "shop", {"normal_statuses"}),
                    "shop.normal_statuses",
                    default.shop.normal_statuses,
                    SHOP_STATUSES,
                )
            ),
            high_risk=HighRisk(
                self._codes(
                    self._section(top, "high_risk", {"categories"}),
                    "high_risk.categories",
                    default.high_risk.categories,
                    WORD,
                )
            ),
            discount=self._discount(top),
            claim=self._claim(top),
            attribution=self._attribution(top),
        )
        if self.problems:
            raise PolicyError(self.problems)
        return policy

    def _incentive(self, top: Mapping[str, Any]) -> Incentive:
        section = self._section(top, "incentive", {"amount", "currency"})
        amount = self._number(section, "incentive.amount", _DEFAULT.incentive.amount, least=Decimal(0), places=2)
        currency = section.get("currency", _DEFAULT.incentive.currency)
        if not isinstance(currency, str) or not CURRENCY.fullmatch(currency):
            self.problems.append(f"incentive.currency: {currency!r} is no ISO 4217 code such as CNY")
            currency = _DEFAULT.incentive.currency
        return Incentive(amount, currency)

    def _first_entity(self, top: Mapping[str, Any]) -> FirstEntity:
        section = self._section(top, "first_entity", {"period", "markets"})
        return FirstEntity(
            self._choice(section, "first_entity.period", "all_time", ("all_time", "program")),
            self._choice(section, "first_entity.markets", "program", ("program", "all")),
        )

    def _activation(self, top: Mapping[str, Any]) -> Activation:
        section = self._section(top, "activation", {"window_days", "gmv_above", "settlement_grace_days"})
        return Activation(
            self._whole(section, "activation.window_days", 30, most=3650),
            self._number(section, "activation.gmv_above", Decimal("1000.00"), least=Decimal(0), places=4),
            self._whole(section, "activation.settlement_grace_days", 31, most=3650),
        )

    def _stock(self, top: Mapping[str, Any]) -> Stock:
        section = self._section(top, "stock", {"countries", "minimum", "scope", "exempt_markets"})
        countries = self._codes(section, "stock.countries", _DEFAULT.stock.countries, COUNTRY)
        minimum = self._whole(section, "stock.minimum", min(4, len(countries)))
        if minimum > len(countries):
            self.problems.append(
                f"stock.minimum: {minimum} of {len(countries)} countries can never be met; "
                "lower it or name more stock.countries"
            )
        return Stock(
            countries,
            minimum,
            self._choice(section, "stock.scope", "merchant", ("merchant", "shop")),
            self._codes(section, "stock.exempt_markets", (), COUNTRY),
        )

    def _discount(self, top: Mapping[str, Any]) -> Discount:
        section = self._section(top, "discount", {"basis", "example", "tiers"})
        basis = self._choice(section, "discount.basis", "share", ("share", "count"))
        raw = section.get("tiers", [])
        tiers: list[Tier] = []
        if not isinstance(raw, Sequence) or isinstance(raw, str):
            self.problems.append('discount.tiers: must be a list of {"from": …, "pay": …}')
            raw = []
        for number, item in enumerate(raw):
            place = f"discount.tiers[{number}]"
            row = self._section({place: item}, place, {"from", "pay"})
            missing = [key for key in ("from", "pay") if key not in row]
            if missing:
                self.problems.append(f"{place}: {' and '.join(missing)} missing")
                continue
            tier = Tier(
                self._number(row, f"{place}.from", Decimal(0), least=Decimal(0)),
                self._number(row, f"{place}.pay", Decimal(0), least=Decimal(0), most=Decimal(1), places=6),
            )
            if basis == "share" and tier.start > 1:
                self.problems.append(f"{place}.from: a share can't be above 1, got {tier.start}")
            if tiers and tier.start <= tiers[-1].start:
                self.problems.append(
                    f"{place}.from: {tier.start} doesn't come after {tiers[-1].start}; order the tiers by from"
                )
            tiers.append(tier)
        return Discount(basis, self._flag(section, "discount.example", False), tuple(tiers))

    def _claim(self, top: Mapping[str, Any]) -> ClaimRules:
        section = self._section(top, "claim", {"days", "max_in_force"})
        return ClaimRules(
            self._whole(section, "claim.days", 30, least=1, most=3650),
            self._whole(section, "claim.max_in_force", 50),
        )

    def _attribution(self, top: Mapping[str, Any]) -> Attribution:
        section = self._section(top, "attribution", {"order"})
        return Attribution(self._choices(section, "attribution.order", ATTRIBUTION_SOURCES, ATTRIBUTION_SOURCES))

    def _name(self, top: Mapping[str, Any]) -> dict[str, str]:
        name = top.get("name", {})
        if isinstance(name, str):
            return {"en": name}
        if not isinstance(name, Mapping) or not all(isinstance(part, str) for pair in name.items() for part in pair):
            self.problems.append('name: must map a language to a text, such as {"en": "…"}')
            return {}
        return dict(name)

    def _timezone(self, top: Mapping[str, Any], default: str) -> str:
        zone = top.get("timezone", default)
        if not isinstance(zone, str) or zone not in _known_zones():
            self.problems.append(f"timezone: {zone!r} is unknown; use an IANA name such as Asia/Shanghai")
            return default
        return zone

    def _section(self, parent: Mapping[str, Any], place: str, keys: set[str]) -> Mapping[str, Any]:
        value = parent.get(place, {})
        if not isinstance(value, Mapping):
            self.problems.append(f"{place or 'the policy'}: must be an object")
            return {}
        prefix = f"{place}." if place else ""
        for key in value:
            if key not in keys:
                self.problems.append(f"{prefix}{key}: unknown key (known: {', '.join(sorted(keys))})")
        return value

    def _flag(self, section: Mapping[str, Any], place: str, default: bool) -> bool:
        value = section.get(place.rpartition(".")[2], default)
        if not isinstance(value, bool):
            self.problems.append(f"{place}: must be true or false, got {value!r}")
            return default
        return value

    def _whole(self, section: Mapping[str, Any], place: str, default: int, *, least: int = 0, most: int = 10**6) -> int:
        value = section.get(place.rpartition(".")[2], default)
        if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            self.problems.append(f"{place}: must be a whole number, got {value!r}")
            return default
        if not least <= value <= most:
            self.problems.append(f"{place}: must be between {least} and {most}, got {value}")
            return default
        return value

    def _number(
        self,
        section: Mapping[str, Any],
        place: str,
        default: Decimal,
        *,
        least: Decimal,
        most: Decimal = Decimal(10) ** 12,
        places: int = 12,
    ) -> Decimal:
        value = section.get(place.rpartition(".")[2], default)
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
                raise InvalidOperation
            number = Decimal(str(value))
            if not number.is_finite():
                raise InvalidOperation
        except InvalidOperation:
            self.problems.append(f"{place}: must be a number, got {value!r}")
            return default
        exponent = number.as_tuple().exponent
        if not least <= number <= most:
            self.problems.append(f"{place}: must be between {least} and {most:f}, got {number}")
        elif isinstance(exponent, int) and -exponent > places:
            self.problems.append(f"{place}: at most {places} decimals, got {number}")
        return number

    def _choice(self, section: Mapping[str, Any], place: str, default: str, known: Sequence[str]) -> str:
        value = section.get(place.rpartition(".")[2], default)
        if value not in known:
            self.problems.append(f"{place}: {value!r} is not one of {', '.join(known)}")
            return default
        return str(value)

    def _choices(
        self, section: Mapping[str, Any], place: str, default: tuple[str, ...], known: Sequence[str]
    ) -> tuple[str, ...]:
        return self._several(section, place, default, lambda v: v in known, f"not one of {', '.join(known)}")

    def _codes(
        self,
        section: Mapping[str, Any],
        place: str,
        default: tuple[str, ...],
        pattern: re.Pattern[str],
        *,
        least: int = 0,
    ) -> tuple[str, ...]:
        codes = self._several(
            section,
            place,
            default,
            lambda v: bool(pattern.fullmatch(v)),
            f"not of the form {pattern.pattern}",
        )
        if len(codes) < least:
            self.problems.append(f"{place}: must name at least {least}")
        return codes

    def _several(
        self,
        section: Mapping[str, Any],
        place: str,
        default: tuple[str, ...],
        fits: Callable[[str], bool],
        else_: str,
    ) -> tuple[str, ...]:
        value = section.get(place.rpartition(".")[2], default)
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.problems.append(f"{place}: must be a list, got {value!r}")
            return default
        for item in value:
            if not isinstance(item, str) or not fits(item):
                self.problems.append(f"{place}: {item!r} is {else_}")
                return default
        if len(set(value)) != len(value):
            self.problems.append(f"{place}: names something twice")
        return tuple(value)


_DEFAULT = Policy()
_KEYS_TOP = set(Policy.__dataclass_fields__)


def load_policy(text: str) -> Policy:
    """Read a policy from JSON text; numbers keep every digit.

    Raises BadInput where the text is no JSON, PolicyError where the document is no policy.
    """
    try:
        document = json.loads(text, parse_float=Decimal, object_pairs_hook=_no_repeats)
    except json.JSONDecodeError as error:
        raise BadInput(f"The policy is no JSON: line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise BadInput("The policy is no JSON that can be read: it is nested too deeply.") from None
    return Policy.parse(document)


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key given twice: which of the two was meant is anybody's guess."""
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise PolicyError([f"{key}: given twice" for key in twice])
    return dict(pairs)
