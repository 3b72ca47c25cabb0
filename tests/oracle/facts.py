"""What the feeds said, and when: every key with all the values that it was ever given.

`Facts.apply` takes batches in their order of arrival. Rows are taken to be good (the row errors of the contract
have tests of their own); the same row again changes nothing. Attribution and the validity of a shop's link are
decided here, when the shop is recorded, to the facts known then, and never again (POLICY 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.oracle.values import (
    History,
    Row,
    cell,
    flag,
    instant,
    needed,
    normal_brand,
    normal_registration,
    optional,
)

MerchantKey = tuple[str, str]
"""A merchant: country and normalised registration number."""
EntryKey = tuple[str, str]
"""A target entry: program and target code."""


@dataclass(frozen=True)
class Certification:
    """A partner's certification: both dates are included; without a last one it stays in force."""

    certified_from: date
    certified_until: date | None

    def covers(self, day: date) -> bool:
        """Whether it was in force on that date."""
        return self.certified_from <= day and (self.certified_until is None or day <= self.certified_until)


@dataclass(frozen=True)
class Listing:
    """What changes about a target entry: its dates on the list, its track, its review."""

    track: str
    partner_code: str | None
    listed_on: date
    delisted_on: date | None
    review: str


@dataclass
class Entry:
    """A target entry: the merchant or the brand that it names never change."""

    key: EntryKey
    merchant: MerchantKey | None
    brand: str | None
    listings: History[Listing] = field(default_factory=History)

    def names(self, merchant: MerchantKey, brand: str | None) -> bool:
        """Whether it names this merchant or this brand (no brand is never the same brand)."""
        return self.merchant == merchant or (brand is not None and self.brand == brand)


@dataclass
class Link:
    """An invite link: half-open in time, made for one entry or for any."""

    partner_code: str
    target: EntryKey | None
    starts_at: datetime
    expires_at: datetime
    recorded_at: datetime
    revocations: History[datetime] = field(default_factory=History)

    def valid_at(self, moment: datetime, known: datetime) -> bool:
        """Whether it was valid at `moment`, by the facts recorded up to `known`."""
        revoked_at = self.revocations.at(known)
        return (
            self.recorded_at <= known
            and self.starts_at <= moment < self.expires_at
            and not (revoked_at is not None and revoked_at <= moment)
        )


@dataclass
class Claim:
    """A partner's reservation of an entry: half-open in time; the recorded expiry rules (POLICY 4)."""

    target: EntryKey
    partner_code: str
    claimed_at: datetime
    expires_at: datetime
    statuses: History[str] = field(default_factory=History)


@dataclass(frozen=True)
class Brand:
    """A shop's brand as it was spelled; two spellings of the same brand are the same value."""

    key: str | None
    spelling: str = field(compare=False)


@dataclass
class Shop:
    """One shop of one merchant in one market, with its stored attribution."""

    code: str
    merchant_name: str
    merchant: MerchantKey
    market: str
    registered_at: datetime
    invite_code: str | None
    recorded_at: datetime
    brands: History[Brand] = field(default_factory=History)
    certifications: History[datetime] = field(default_factory=History)
    partner_code: str | None = None
    link_valid: bool = False


@dataclass(frozen=True)
class Line:
    """A settled order line; a correction is a new line."""

    shop_code: str
    ordered_at: datetime
    settled_at: datetime
    amount: Decimal
    currency: str
    recorded_at: datetime


@dataclass(frozen=True)
class Violation:
    """All that is known of a violation."""

    shop_code: str
    category: str
    penalised_at: datetime
    enforced_closure: bool
    appealed_at: datetime | None
    overturned_at: datetime | None


class Facts:
    """Everything recorded so far."""

    def __init__(self, attribution_order: Sequence[str], platform_zone: ZoneInfo) -> None:
        self.attribution_order = tuple(attribution_order)
        self.zone = platform_zone
        self.arrived = 0
        self.partners: dict[str, History[Certification]] = {}
        self.entries: dict[EntryKey, Entry] = {}
        self.links: dict[str, Link] = {}
        self.claims: dict[tuple[EntryKey, str, datetime], Claim] = {}
        self.shops: dict[str, Shop] = {}
        self.statuses: dict[tuple[str, datetime], History[str]] = {}
        self.lines: dict[str, Line] = {}
        self.stock: dict[tuple[str, str, datetime], History[Decimal]] = {}
        self.violations: dict[str, History[Violation]] = {}
        self.rates: dict[tuple[date, str], History[Decimal]] = {}
        self._entries_of: dict[MerchantKey | str, list[EntryKey]] = {}

    def apply(self, kind: str, rows: Sequence[Row], recorded_at: datetime) -> None:
        """Take one batch of one feed, its rows in order."""
        land = {
            "partners": self._partner,
            "targets": self._target,
            "invites": self._invite,
            "claims": self._claim,
            "shops": self._shop,
            "shop_statuses": self._status,
            "settlements": self._line,
            "stock": self._stock,
            "violations": self._violation,
            "fx": self._rate,
        }[kind]
        for row in rows:
            self.arrived += 1
            land(row, recorded_at)

    def _instant(self, row: Row, column: str) -> datetime | None:
        return optional(cell(row, column), lambda text: instant(text, self.zone))

    def _needed_instant(self, row: Row, column: str) -> datetime:
        return instant(needed(row, column), self.zone)

    def _partner(self, row: Row, recorded_at: datetime) -> None:
        history = self.partners.setdefault(needed(row, "partner_code"), History())
        before = history.compared(recorded_at)
        certified_from = optional(cell(row, "certified_from"), date.fromisoformat)
        certified_until = optional(cell(row, "certified_until"), date.fromisoformat)
        if certified_from is None and before is not None:
            certified_from = before.certified_from  # An empty or absent one retracts nothing.
        if "certified_until" not in row and before is not None:
            certified_until = before.certified_until
        if certified_from is not None:
            history.add(recorded_at, self.arrived, Certification(certified_from, certified_until))

    def _target(self, row: Row, recorded_at: datetime) -> None:
        key = (needed(row, "program"), needed(row, "target_code"))
        if key not in self.entries:
            merchant = None
            if cell(row, "registration_no") is not None:
                merchant = (needed(row, "country"), normal_registration(needed(row, "registration_no")))
            entry = Entry(key, merchant, normal_brand(cell(row, "brand")))
            self.entries[key] = entry
            for named in (entry.merchant, entry.brand):
                if named is not None:
                    self._entries_of.setdefault(named, []).append(key)
        listings = self.entries[key].listings
        before = listings.compared(recorded_at)
        partner_code = cell(row, "partner_code")
        delisted_on = optional(cell(row, "delisted_on"), date.fromisoformat)
        if before is not None:
            partner_code = partner_code if "partner_code" in row else before.partner_code
            delisted_on = delisted_on if "delisted_on" in row else before.delisted_on
        listed_on = date.fromisoformat(needed(row, "listed_on"))
        listing = Listing(needed(row, "track"), partner_code, listed_on, delisted_on, needed(row, "review"))
        listings.add(recorded_at, self.arrived, listing)

    def _invite(self, row: Row, recorded_at: datetime) -> None:
        code = needed(row, "invite_code")
        if code not in self.links:
            target = cell(row, "target_code")
            self.links[code] = Link(
                partner_code=needed(row, "partner_code"),
                target=None if target is None else (needed(row, "program"), target),
                starts_at=self._needed_instant(row, "starts_at"),
                expires_at=self._needed_instant(row, "expires_at"),
                recorded_at=recorded_at,
            )
        revoked_at = self._instant(row, "revoked_at")
        if revoked_at is not None:  # An empty one retracts nothing.
            self.links[code].revocations.add(recorded_at, self.arrived, revoked_at)

    def _claim(self, row: Row, recorded_at: datetime) -> None:
        target = (needed(row, "program"), needed(row, "target_code"))
        partner_code, claimed_at = needed(row, "partner_code"), self._needed_instant(row, "claimed_at")
        key = (target, partner_code, claimed_at)
        if key not in self.claims:
            expires_at = self._needed_instant(row, "expires_at")
            self.claims[key] = Claim(target, partner_code, claimed_at, expires_at)
        self.claims[key].statuses.add(recorded_at, self.arrived, needed(row, "status"))

    def _shop(self, row: Row, recorded_at: datetime) -> None:
        code = needed(row, "shop_code")
        fresh = code not in self.shops
        if fresh:
            self.shops[code] = Shop(
                code=code,
                merchant_name=needed(row, "merchant_name"),
                merchant=(needed(row, "country"), normal_registration(needed(row, "registration_no"))),
                market=needed(row, "market"),
                registered_at=self._needed_instant(row, "registered_at"),
                invite_code=cell(row, "invite_code"),
                recorded_at=recorded_at,
            )
        shop = self.shops[code]
        shop.merchant_name = needed(row, "merchant_name")
        if fresh or "brand" in row:
            spelling = cell(row, "brand")
            brand = normal_brand(spelling)
            shop.brands.add(recorded_at, self.arrived, Brand(brand, spelling or "" if brand else ""))
        certified_at = self._instant(row, "certified_at")
        if certified_at is not None:  # An empty one retracts nothing.
            shop.certifications.add(recorded_at, self.arrived, certified_at)
        if fresh:
            link = self.links.get(shop.invite_code) if shop.invite_code else None
            shop.link_valid = link is not None and link.valid_at(shop.registered_at, recorded_at)
            shop.partner_code = self._attribute(shop, link, cell(row, "partner_code"))

    def _attribute(self, shop: Shop, link: Link | None, record: str | None) -> str | None:
        """Which partner brought the shop in: the first of the causes, in the order asked for (POLICY 4)."""
        brand = shop.brands.at(shop.recorded_at)
        keys: list[EntryKey] = []
        for named in (shop.merchant, brand.key if brand else None):
            keys += self._entries_of.get(named, []) if named is not None else []
        naming = set(keys)
        found: dict[str, str | None] = {"record": record}
        in_force = [
            (claim.claimed_at, claim.partner_code)
            for claim in self.claims.values()
            if claim.target in naming
            and claim.claimed_at <= shop.registered_at < claim.expires_at
            and claim.statuses.at(shop.recorded_at) == "approved"
        ]
        found["claim"] = min(in_force)[1] if in_force else None
        fits = link is not None and shop.link_valid and (link.target is None or link.target in naming)
        found["link"] = link.partner_code if link is not None and fits else None
        return next((found[cause] for cause in self.attribution_order if found[cause]), None)

    def _status(self, row: Row, recorded_at: datetime) -> None:
        key = (needed(row, "shop_code"), self._needed_instant(row, "at"))
        self.statuses.setdefault(key, History()).add(recorded_at, self.arrived, needed(row, "status"))

    def _line(self, row: Row, recorded_at: datetime) -> None:
        line = Line(
            shop_code=needed(row, "shop_code"),
            ordered_at=self._needed_instant(row, "ordered_at"),
            settled_at=self._needed_instant(row, "settled_at"),
            amount=Decimal(needed(row, "amount")),
            currency=needed(row, "currency"),
            recorded_at=recorded_at,
        )
        self.lines.setdefault(needed(row, "line_code"), line)

    def _stock(self, row: Row, recorded_at: datetime) -> None:
        key = (needed(row, "shop_code"), needed(row, "country"), self._needed_instant(row, "observed_at"))
        self.stock.setdefault(key, History()).add(recorded_at, self.arrived, Decimal(needed(row, "sellable")))

    def _violation(self, row: Row, recorded_at: datetime) -> None:
        history = self.violations.setdefault(needed(row, "violation_code"), History())
        before = history.compared(recorded_at)
        appealed_at, overturned_at = self._instant(row, "appealed_at"), self._instant(row, "overturned_at")
        if before is not None:  # An empty or absent one retracts nothing.
            appealed_at = appealed_at or before.appealed_at
            overturned_at = overturned_at or before.overturned_at
        violation = Violation(
            shop_code=needed(row, "shop_code"),
            category=needed(row, "category"),
            penalised_at=self._needed_instant(row, "penalised_at"),
            enforced_closure=flag(needed(row, "enforced_closure")),
            appealed_at=appealed_at,
            overturned_at=overturned_at,
        )
        history.add(recorded_at, self.arrived, violation)

    def _rate(self, row: Row, recorded_at: datetime) -> None:
        key = (date.fromisoformat(needed(row, "rate_date")), needed(row, "currency"))
        self.rates.setdefault(key, History()).add(recorded_at, self.arrived, Decimal(needed(row, "rate")))
