"""Puts the facts of a sequence into the feeds' rows, relative to the present."""

from __future__ import annotations

from datetime import datetime, timedelta

from merchants.models import Shop
from tests.engine import sequences as seq
from tests.engine.harness import Row
from tests.engine.small_world import BRANDS, ENTRIES, LINKS, SHOPS, START, VALID, instant, registered_at
from tests.oracle.batches import PLATFORM_ZONE
from tests.oracle.small import Small, moment


class Teller:
    """Tells facts as rows, and remembers what later ones refer to."""

    def __init__(self, present: datetime) -> None:
        self.present = present
        self.shops = [f"S{number:02}" for number in range(seq.OPEN)]
        self.lines, self.settled_on = 0, START
        self.violations = {"V0": moment("2024-10-12T09:00:00+08:00")}  # as the world opens with it

    def moment(self, when: seq.When) -> datetime:
        """The moment meant, never after the present."""
        return min(self.present, instant(self.present - timedelta(days=when.back), when.part))

    def row(self, fact: seq.Fact) -> tuple[str, Row]:
        """The feed's row that tells of a fact."""
        say, at_moment = Small(), self.moment
        today = self.present.astimezone(PLATFORM_ZONE).date()

        def code(shop: int) -> str:
            return f"S{shop:02}" if f"S{shop:02}" in self.shops else self.shops[shop % len(self.shops)]

        def day(days: int | None) -> str:
            return "" if days is None else str(today + timedelta(days=days))

        match fact:
            case seq.Line(shop, amount, currency, settled, hours):
                at = at_moment(settled)
                self.settled_on = at.astimezone(PLATFORM_ZONE).date()
                ordered = (at - timedelta(hours=hours)).isoformat()
                say.line(code(shop), str(amount), currency=currency, ordered=ordered, settled=at.isoformat())
                self.lines += 1
                say.said[0][2]["line_code"] = f"N{self.lines}"
            case seq.Rate(currency, back, tenths, of_line):
                rated = (self.settled_on if of_line else today) - timedelta(days=back)
                say.rate(str(rated), currency, str(tenths / 10), corrects=True)
            case seq.Stock(shop, country, sellable, at):
                say.stock(code(shop), country, str(sellable), at_moment(at).isoformat(), corrects=True)
            case seq.Status(shop, status, at):
                say.status(code(shop), status, at_moment(at).isoformat(), corrects=True)
            case seq.Violation(number, shop, severe, closed, when, overturned):
                penalised = self.violations.setdefault(f"V{number}", at_moment(when))
                undone = ""
                if overturned is not None:
                    day_of_it = min(self.present, penalised + timedelta(days=overturned))
                    undone = max(penalised, day_of_it).isoformat()
                say.violation(
                    f"V{number}", code(shop), category="counterfeit" if severe else "late_shipment",
                    penalised=penalised.isoformat(), enforced=str(closed).lower(), overturned=undone, corrects=True,
                )  # fmt: skip
            case seq.Entry(number, directed, review, listed, delisted):
                program, merchant, brand = ENTRIES[number]
                partner = "" if directed is None else f"P{directed + 1}"
                say.entry(
                    f"E{number}", merchant, brand=brand, program=program, directed=partner, listed=day(listed),
                    delisted=day(delisted), review=review,
                )  # fmt: skip
            case seq.Certified(number, first, last):
                say.partner(f"P{number + 1}", day(first), day(last))
            case seq.Shop(number, brand, certified, ahead):
                say.shop(**self.shop(number, brand, certified, ahead))
            case seq.Claim(number, number_of_partner, back, status):
                claimed = datetime.fromisoformat(day(-back)).replace(tzinfo=PLATFORM_ZONE)
                expires = (claimed + timedelta(days=12)).isoformat()
                partner, program = f"P{number_of_partner + 1}", ENTRIES[number][0]
                say.claim(f"E{number}", partner, claimed.isoformat(), expires, status=status, program=program)
            case seq.Revocation(number, at):
                link, partner, target = LINKS[number]
                say.link(link, partner, target, **VALID, revoked=at_moment(at).isoformat())
        return say.said[0][1], say.said[0][2]

    def shop(self, number: int, brand: int | None, certified: seq.When | None, ahead: int) -> dict[str, str]:
        """A shop's row: as it was registered, with what is new about it."""
        code, (merchant, first_brand, market, invite, partner) = f"S{number:02}", SHOPS[number]
        known = Shop.objects.filter(code=code).first()
        if known is not None:
            registered, name = known.registered_at, known.brand_name or ""
        else:
            registered, name = datetime.fromisoformat(registered_at(number)), first_brand
            if ahead:
                registered, certified = instant(self.present + timedelta(days=ahead), 0), None
            self.shops.append(code)
        return {
            "code": code, "merchant": merchant, "brand": name if brand is None else BRANDS[brand], "market": market,
            "registered": registered.isoformat(), "invite": invite, "partner": partner,
            "certified": self.moment(certified).isoformat() if certified else "",
        }  # fmt: skip
