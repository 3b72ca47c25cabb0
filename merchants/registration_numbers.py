"""Whether a registration number can be one, by the check digits of its country. Asked in forms only: feeds don't.

`CHECKS` holds what is known by country. A country that isn't in it is taken as typed; adding one is adding a function
from the compared number (`merchants.naming.registration_key`) to whether it holds.
"""

from collections.abc import Callable

from merchants.naming import registration_key

# GB 32100-2015: 统一社会信用代码. The letters I, O, S, V and Z don't occur.
_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES = {sign: value for value, sign in enumerate(_SIGNS)}
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


def unified_social_credit_code(number: str) -> bool:
    """Whether the 18th sign is the one that the first 17 call for (mod 31)."""
    if len(number) != 18 or any(sign not in _VALUES for sign in number):
        return False
    total = sum(_VALUES[sign] * weight for sign, weight in zip(number, _WEIGHTS, strict=False))
    return _VALUES[number[17]] == -total % 31


CHECKS: dict[str, Callable[[str], bool]] = {"CN": unified_social_credit_code}


def holds(country: str, number: str) -> bool:
    """Whether the number can be a registration number of that country."""
    check = CHECKS.get(country)
    key = registration_key(number)
    return bool(key) and (check is None or check(key))
