"""What a merchant types into the registration form, and what is wrong with it. One reading for form and service."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from merchants.imports.iso import COUNTRIES
from merchants.naming import registration_key
from merchants.registration_numbers import REGISTERS, Fault, fault
from merchants.states import Consent

# Change it with the notice's text: who agreed to which one is kept.
NOTICE_VERSION = "2026-01"
LONGEST = {"merchant_name": 255, "registration_no": 64, "brand": 255, "contact_name": 120, "phone": 40, "wechat": 64}
_PHONE_KEY = re.compile(r"\+?\d{6,18}")
_WECHAT = re.compile(r"[\w@.+-]{3,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A merchant who registers, as typed but for white space at the ends."""

    merchant_name: str
    country: str
    registration_no: str
    market: str
    brand: str = ""
    contact_name: str = ""
    phone: str = ""
    wechat: str = ""
    consents: frozenset[Consent] = field(default_factory=frozenset)
    notice_version: str = NOTICE_VERSION

    @property
    def entity(self) -> tuple[str, str]:
        """What merchants are compared by."""
        return self.country, registration_key(self.registration_no)

    @property
    def contact(self) -> tuple[str, str]:
        """What contacts are compared by."""
        return contact_key(phone=self.phone, wechat=self.wechat)


def contact_key(*, phone: str, wechat: str) -> tuple[str, str]:
    """A contact as it is compared: the phone's digits, without the country code of China, and the WeChat ID."""
    digits = re.sub(r"[^\d+]", "", unicodedata.normalize("NFKC", phone))
    return re.sub(r"^(\+|00)86(?=1\d{10}$)", "", digits), wechat.strip().casefold()


def problems(entrant: Entrant, markets: Collection[str]) -> dict[str, str]:
    """What is wrong, by field: one sentence each that says what to do. Empty where nothing is."""
    found: dict[str, str] = {}
    for name, longest in LONGEST.items():
        text = str(getattr(entrant, name))
        if len(text) > longest or any(unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in text):
            found[name] = _("At most %(most)d characters, all of them visible.") % {"most": longest}
    if not entrant.merchant_name:
        found["merchant_name"] = _("Enter the company's name as on its licence.")
    if entrant.country not in COUNTRIES:
        found["country"] = _("Choose the country where the company is registered.")
    if not registration_key(entrant.registration_no):
        found["registration_no"] = _("Enter the registration number as on the licence.")
    elif "registration_no" not in found and (wrong := fault(entrant.country, entrant.registration_no)):
        found["registration_no"] = _told(entrant.country, wrong)
    if entrant.market not in markets:
        found["market"] = _("Choose the market where the shop will open.")
    if "phone" not in found and entrant.phone and not _PHONE_KEY.fullmatch(entrant.contact[0]):
        found["phone"] = _("Enter a phone number with 6 to 18 digits, such as 138 0000 0000.")
    if "wechat" not in found and entrant.wechat and not _WECHAT.fullmatch(entrant.wechat):
        found["wechat"] = _("A WeChat ID has 3 to 64 letters, digits, dots, dashes or underscores.")
    if not entrant.phone and not entrant.wechat:
        found["phone"] = _("Enter a phone number or a WeChat ID; one of the two is enough.")
    if Consent.PRIVACY not in entrant.consents:
        found["privacy"] = _("Registering needs your agreement to the privacy notice.")
    return found


def _told(country: str, wrong: Fault) -> str:
    """What to do about a number that can't be one."""
    if wrong is Fault.FORM:
        return _("This is no such number: enter %(form)s.") % {"form": REGISTERS[country].form}
    return _("This number has a typing error: its check digit doesn't fit. Compare it once more.")
