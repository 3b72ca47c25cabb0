"""What is known as of a moment: facts recorded by then, of events that happened by then."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.oracle.facts import Entry, Facts, Line, MerchantKey, Shop
from tests.oracle.rules import Rules
from tests.oracle.values import date_of, end_of

RATE_DAYS = 7


@dataclass(frozen=True)
class Seen:
    """A shop as it is known as of the run's moment."""

    shop: Shop
    brand: str | None
    spelling: str
    certified_at: datetime | None
    certified_on: date | None

    @property
    def code(self) -> str:
        """The shop's code."""
        return self.shop.code


class Known:
    """What counts for a program as of a moment: recorded by then, and happened by then (POLICY 3)."""

    def __init__(self, facts: Facts, program: str, start: date, end: date, rules: Rules, as_of: datetime) -> None:
        self.facts, self.program, self.rules, self.as_of = facts, program, rules, as_of
        self.start, self.end = start, end
        self.today = date_of(as_of, rules.zone)
        # POLICY 3: the end of the program's last possible settlement day.
        self.closes_at = end_of(end + timedelta(days=rules.window_days + rules.grace_days), rules.zone)
        self.shops = {shop.code: self._see(shop) for shop in facts.shops.values() if shop.recorded_at <= as_of}
        self.shops_of: dict[MerchantKey, list[Seen]] = defaultdict(list)
        for seen in self.shops.values():
            self.shops_of[seen.shop.merchant].append(seen)
        self.entries = {
            entry.key: (entry, listing)
            for entry in facts.entries.values()
            if entry.key[0] == program and (listing := entry.listings.at(as_of)) is not None
        }
        self.lines = self._lines()
        self.stock = self._stock()
        self.status = self._status()
        self.high_risk = self._high_risk()
        self.rivals = self._rivals()
        self.naming = self._naming()

    def _see(self, shop: Shop) -> Seen:
        brand = shop.brands.at(self.as_of)
        certified_at = shop.certifications.at(self.as_of)
        if certified_at is not None and certified_at > self.as_of:
            certified_at = None  # It has not happened yet.
        certified_on = date_of(certified_at, self.rules.zone) if certified_at else None
        return Seen(shop, brand.key if brand else None, brand.spelling if brand else "", certified_at, certified_on)

    def _lines(self) -> dict[str, list[Line]]:
        lines: dict[str, list[Line]] = defaultdict(list)
        for line in self.facts.lines.values():
            if line.recorded_at <= self.as_of and line.settled_at <= self.as_of:
                lines[line.shop_code].append(line)
        return lines

    def _stock(self) -> dict[str, list[tuple[str, Decimal]]]:
        """For each shop the country and the amount of every observation on a date inside the period."""
        seen: dict[str, list[tuple[str, Decimal]]] = defaultdict(list)
        for (shop_code, country, observed_at), history in self.facts.stock.items():
            sellable = history.at(self.as_of)
            if sellable is not None and observed_at <= self.as_of and self.inside(observed_at):
                seen[shop_code].append((country, sellable))
        return seen

    def _status(self) -> dict[str, str]:
        """For each shop the latest status event, not after the moment or the close of observation."""
        latest: dict[str, tuple[datetime, str]] = {}
        for (shop_code, at), history in self.facts.statuses.items():
            status = history.at(self.as_of)
            if status is None or at > self.as_of or at >= self.closes_at:
                continue
            if shop_code not in latest or at > latest[shop_code][0]:
                latest[shop_code] = (at, status)
        return {shop_code: status for shop_code, (_, status) in latest.items()}

    def _high_risk(self) -> set[str]:
        """The shops closed by force for a severe violation that no appeal has overturned (POLICY 5)."""
        codes = set()
        for history in self.facts.violations.values():
            known = history.at(self.as_of)
            if known is None or known.penalised_at > self.as_of or known.penalised_at >= self.closes_at:
                continue
            overturned = known.overturned_at is not None and known.overturned_at <= self.as_of
            if known.enforced_closure and known.category in self.rules.high_risk and not overturned:
                codes.add(known.shop_code)
        return codes

    def _rivals(self) -> dict[MerchantKey | str, list[Seen]]:
        """The certified shops that compete to be first, by their merchant and by their brand."""
        rivals: dict[MerchantKey | str, list[Seen]] = defaultdict(list)
        for seen in self.shops.values():
            if seen.certified_at is None:
                continue
            if not self.rules.rivals_everywhere and seen.shop.market not in self.rules.markets:
                continue
            if self.rules.rivals_in_period and not self.inside(seen.certified_at):
                continue
            rivals[seen.shop.merchant].append(seen)
            if seen.brand is not None:
                rivals[seen.brand].append(seen)
        return rivals

    def _naming(self) -> dict[MerchantKey | str, list[Entry]]:
        naming: dict[MerchantKey | str, list[Entry]] = defaultdict(list)
        for entry, _ in self.entries.values():
            for named in (entry.merchant, entry.brand):
                if named is not None:
                    naming[named].append(entry)
        return naming

    def inside(self, moment: datetime) -> bool:
        """Whether the instant's local date is inside the period."""
        return self.start <= date_of(moment, self.rules.zone) <= self.end

    def rate(self, currency: str, day: date) -> Decimal | None:
        """The rate of the date, or the latest of the seven days before it that has one (POLICY 2)."""
        if currency == "CNY":
            return Decimal(1)
        for days in range(RATE_DAYS + 1):
            history = self.facts.rates.get((day - timedelta(days=days), currency))
            rate = history.at(self.as_of) if history else None
            if rate is not None:
                return rate
        return None
