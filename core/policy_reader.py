"""Reading a policy document: everything that is wrong with it, in one answer. No Django here."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from core.errors import BadInput
from core.policy import (
    ATTRIBUTION_SOURCES,
    Activation,
    Attribution,
    ClaimRules,
    Discount,
    FirstEntity,
    HighRisk,
    Incentive,
    ListRules,
    Policy,
    ShopRules,
    Stock,
    Tier,
)

COUNTRY = re.compile(r"[A-Z]{2}")
CURRENCY = re.compile(r"[A-Z]{3}")
WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")
SHOP_STATUSES = ("open", "restricted", "closing", "closed")

_DEFAULT = Policy()
_KEYS_TOP = set(Policy.__dataclass_fields__)


class PolicyError(BadInput):
    """The document is no valid policy. `problems` holds one sentence for each fault, with its place."""

    code = "invalid_policy"

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The policy can't be used: " + "; ".join(problems) + ".")


def read_policy(document: object) -> Policy:
    """Read a policy from its JSON document (numbers as strings, integers or Decimals).

    Raises PolicyError with every fault found.
    """
    return _Reader().policy(document)


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
