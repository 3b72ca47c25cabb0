"""May I recruit this merchant? Listed or not, free or not, has a shop or not: by registration number or brand.

The answer never says who has it. A merchant that is directed to another partner alone isn't on the list for whoever
asks. Each member may ask so often in an hour and no more, so that nobody reads the list, or the marketplace's shops,
out of the answers; only exact numbers and brands are found.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from core.actors import Actor
from core.errors import BadInput, DomainError
from core.models import Program
from merchants.imports.iso import COUNTRIES
from merchants.listing import Place, competing_shops
from merchants.naming import brand_key, registration_key
from merchants.queries.targets import RELATED, TargetRow, entries_of, target_rows
from merchants.states import Review
from partners.models import Partner
from partners.rates import Rate, take

HOUR = 3600
LONGEST = {"registration_no": 64, "brand": 255}
MOST_ENTRIES = 5


class AskedTooOften(DomainError):
    """Enough for this hour; `seconds` says for how long."""

    code = "too_often"

    def __init__(self, seconds: int) -> None:
        minutes = -(-seconds // 60)
        super().__init__(
            _("You have checked as many merchants as one hour allows. Try again in %(minutes)d min.")
            % {"minutes": minutes}
        )
        self.seconds = seconds


class BadQuestion(BadInput):
    """What was typed is no number or brand; `fields` says which, and why."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(next(iter(fields.values())))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Answer:
    """What a partner is told. `free` is None off the list. `answer` sums it up:

    yes, mine, directed, waiting (the own claim is in review), under_review (the entry is), taken, has_shop, not_listed.
    """

    country: str
    registration_no: str
    brand: str
    answer: str
    listed: bool
    free: bool | None
    has_shop: bool
    entries: tuple[TargetRow, ...]


def check_merchant(
    *,
    actor: Actor,
    partner: Partner,
    program: Program,
    at: datetime,
    country: str = "",
    registration_no: str = "",
    brand: str = "",
) -> Answer:
    """Answer for one merchant or brand (both: an entry that names either), as of now, in this program.

    Numbers and brands are compared as everywhere (`merchants.naming`), full-width signs taken for plain ones. Raises
    BadQuestion, which isn't counted, and AskedTooOften.
    """
    country, number, name = _read(country, registration_no, brand)
    _count(actor, partner, at)
    named = Q(pk__in=[])
    if number:
        named |= Q(merchant__country=country, merchant__registration_key=number)
    if name:
        named |= Q(brand__key=name)
    version = program.current_policy
    entries = (
        entries_of(actor=actor, version=version, partner_id=partner.pk, at=at)
        .exclude(place=Place.OFF)
        .filter(named)
        .select_related(*RELATED)
        .order_by("code")
    )
    rows = target_rows(entries[:MOST_ENTRIES], partner_ids=[partner.pk], versions=[version], at=at)
    has_shop = competing_shops(version).filter(named).exists()
    return Answer(
        country=country if number else "",
        registration_no=registration_no.strip() if number else "",
        brand=brand.strip(),
        answer=_sum_up(rows),
        listed=bool(rows),
        free=all(row.place != Place.TAKEN for row in rows) if rows else None,
        has_shop=has_shop,
        entries=tuple(rows),
    )


def _sum_up(rows: list[TargetRow]) -> str:
    places = {row.place for row in rows}
    if not rows:
        return "not_listed"
    for place in (Place.MINE, Place.DIRECTED, Place.WAITING, Place.TAKEN):
        if place in places:
            return str(place.value)
    if Place.SHOP in places:
        return "has_shop"
    return "under_review" if all(row.review == Review.PENDING for row in rows) else "yes"


def _read(country: str, registration_no: str, brand: str) -> tuple[str, str, str | None]:
    wrong: dict[str, str] = {}
    for field, text in (("registration_no", registration_no), ("brand", brand)):
        if len(text) > LONGEST[field] or any(unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in text):
            wrong[field] = _("At most %(most)d characters, all of them visible.") % {"most": LONGEST[field]}
    number = registration_key(unicodedata.normalize("NFKC", registration_no))
    name = brand_key(brand)
    if number and country not in COUNTRIES:
        wrong["country"] = _("Choose the country where the company is registered.")
    if brand.strip() and name is None:
        wrong["brand"] = _("This means no brand. Check the registration number instead.")
    if not wrong and not number and name is None:
        wrong["registration_no"] = _("Enter a registration number or a brand.")
    if wrong:
        raise BadQuestion(wrong)
    return country, number, name


def _count(actor: Actor, partner: Partner, at: datetime) -> None:
    for rate, what in (
        (Rate("checks-member", settings.CHECKS_PER_MEMBER, HOUR), str(actor.user_id)),
        (Rate("checks-partner", settings.CHECKS_PER_PARTNER, HOUR), str(partner.pk)),
    ):
        seconds = take(rate, what=what, at=at)
        if seconds:
            raise AskedTooOften(seconds)
