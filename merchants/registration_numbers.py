"""Whether a registration number can be one, by its country's form and check digits. Asked in forms only: feeds don't.

python-stdnum does the arithmetic. `REGISTERS` says, for the countries whose registers give check digits, which of its
numbers a company is registered by. Of a country that isn't in it, a number is taken as typed: Germany, Ireland, the
Netherlands, the United Kingdom, the United States, Hong Kong and South Korea number without a check digit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from stdnum.br import cnpj
from stdnum.cn import uscc
from stdnum.es import nif
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.fr import siren, siret
from stdnum.it import codicefiscale
from stdnum.jp import cn
from stdnum.pl import regon
from stdnum.sg import uen

from merchants.naming import registration_key


class Fault(Enum):
    """What is wrong with a number: it has another form than its country's, or its check digit doesn't fit."""

    FORM = "form"
    CHECK_DIGIT = "check_digit"


@dataclass(frozen=True, slots=True)
class Register:
    """How a country's companies are numbered. `form` says it to a person; without, other numbers are in use, too."""

    checks: tuple[Callable[[str], str], ...]
    form: Promise | None = None


REGISTERS: dict[str, Register] = {
    # GB 32100-2015: 统一社会信用代码.
    "CN": Register((uscc.validate,), _("the 18 signs of the unified social credit code")),
    # 法人番号
    "JP": Register((cn.validate,), _("the 13 digits of the corporate number")),
    "FR": Register((siren.validate, siret.validate), _("the 9 digits of the SIREN or the 14 of the SIRET")),
    "ES": Register((nif.validate,), _("the 9 signs of the NIF")),
    "BR": Register((cnpj.validate,), _("the 14 signs of the CNPJ")),
    "SG": Register((uen.validate,), _("the 9 or 10 signs of the UEN")),
    # Beside these there are numbers of the chambers of commerce (REA) and of the court register (KRS).
    "IT": Register((codicefiscale.validate,)),
    "PL": Register((regon.validate,)),
}


def fault(country: str, number: str) -> Fault | None:
    """What is wrong with the number as one of that country; None where nothing is, or nothing can be known."""
    register = REGISTERS.get(country)
    if register is None:
        return None
    found = Fault.FORM if register.form else None
    for check in register.checks:
        try:
            check(registration_key(number))
        except InvalidChecksum:
            found = Fault.CHECK_DIGIT
        except ValidationError:
            continue
        else:
            return None
    return found
