"""What an account's details have to look like. No Django here but for the words.

Only what is certainly wrong is refused: check digits where the number has them (IBAN), and shapes. Whether the account
is the partner's is what an operator confirms.
"""

import re
import unicodedata

from django.utils.translation import gettext as _

# Where accounts are kept, and in which currencies: as far as partners of this portal have them.
COUNTRIES = ("CN", "HK", "SG", "JP", "KR", "GB", "DE", "FR", "IT", "ES", "IE", "NL", "PL", "US")
CURRENCIES = ("CNY", "HKD", "USD", "EUR", "GBP", "JPY", "SGD", "KRW", "PLN")
# Countries of the list whose accounts have an IBAN: its length tells a digit too few or too many.
IBAN_LENGTHS = {"GB": 22, "DE": 22, "FR": 27, "IT": 27, "ES": 24, "IE": 22, "NL": 18, "PL": 28}

_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_CNAPS = re.compile(r"\d{12}")
_ACCOUNT = re.compile(r"[A-Z0-9]{6,34}")
_CHINESE_ACCOUNT = re.compile(r"\d{8,32}")


def written_together(text: str) -> str:
    """A number as it is kept: full-width characters made plain, upper case, without spaces, dashes and dots."""
    return re.sub(r"[\s\-.·]", "", unicodedata.normalize("NFKC", text)).upper()


def shown_end(account: str) -> str:
    """How much of an account number is shown: its last four characters, of a short one only two."""
    return account[-4:] if len(account) >= 10 else account[-2:]


def fault_in_code(code: str, country: str) -> str | None:
    """What is wrong with a bank code (SWIFT/BIC, in mainland China also the clearing number of 12 digits)."""
    if country == "CN" and _CNAPS.fullmatch(code):
        return None
    if not _BIC.fullmatch(code):
        return (
            _("Give the SWIFT code (8 or 11 characters), or the bank's clearing number (12 digits).")
            if country == "CN"
            else _("Give the SWIFT code (BIC): 8 or 11 characters, such as ABCDDEFF.")
        )
    if code[4:6] != country:
        return _("This SWIFT code is of a bank in %(code)s; the country says %(country)s.") % {
            "code": code[4:6],
            "country": country,
        }
    return None


def fault_in_account(account: str, country: str) -> str | None:
    """What is wrong with an account number. The words don't repeat it."""
    length = IBAN_LENGTHS.get(country)
    if length is not None:
        if not account.startswith(country) or len(account) != length or not _ACCOUNT.fullmatch(account):
            return _("Give the IBAN: %(country)s and %(count)d more characters.") % {
                "country": country,
                "count": length - 2,
            }
        if not iban_adds_up(account):
            return _("This IBAN's check digits don't fit: a character is wrong or two are swapped.")
        return None
    if country == "CN" and not _CHINESE_ACCOUNT.fullmatch(account):
        return _("Give the account number: 8 to 32 digits.")
    if not _ACCOUNT.fullmatch(account):
        return _("Give the account number: 6 to 34 letters and digits.")
    return None


def iban_adds_up(account: str) -> bool:
    """The check digits of ISO 13616: the country and they go to the end, letters count from 10, modulo 97 leaves 1."""
    turned = account[4:] + account[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1
