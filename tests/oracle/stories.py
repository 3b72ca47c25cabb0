"""The shops of a random quarter, each with its story: merchant, entry, partner, registration, certification."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.oracle.batches import Feed, stamp
from tests.oracle.incidents import Incidents, Stage
from tests.oracle.lists import Listed, Lists, Merchant, spell
from tests.oracle.people import Cast
from tests.oracle.policies import OTHER_MARKETS
from tests.oracle.season import DAY, SECOND, Season
from tests.oracle.values import Row

FLAWS = {
    "no_entry": 2,
    "other_program": 1,
    "listed_late": 3,
    "delisted": 3,
    "review": 3,
    "uncertified": 6,
    "outside": 4,
    "link": 3,
    "gmv_low": 4,
    "gmv_none": 2,
    "gmv_edge": 6,
    "gmv_time": 6,
    "gmv_rate": 4,
    "stock_short": 4,
    "stock_none": 4,
    "stock_zero": 2,
    "stock_time": 2,
    "status_bad": 4,
    "status_none": 4,
    "unattributed": 2,
    "market": 2,
}


def add_shops(feed: Feed, season: Season, cast: Cast, count: int) -> None:
    """Add shops with all that happens to them."""
    company = Company(feed, season, cast)
    for number in range(count):
        company.add_shop(number)


class Company:
    """Brings shops into a quarter, one after the other."""

    def __init__(self, feed: Feed, season: Season, cast: Cast) -> None:
        self.feed, self.season, self.cast = feed, season, cast
        self.lists = Lists(season, feed, cast)
        self.incidents = Incidents(season, feed)
        self.merchants: list[Merchant] = []
        self.shop_waves: dict[str, int] = {}

    def add_shop(self, number: int) -> None:
        """One shop: its flaws first, then its times, its merchant, how it came in, and what happened after."""
        season, random = self.season, self.season.random
        names, weights = tuple(FLAWS), tuple(FLAWS.values())
        flaws = set(random.choices(names, weights, k=random.choices((0, 1, 2), (40, 45, 15))[0]))
        certified_at = season.outside() if "outside" in flaws else season.inside()
        sibling = bool(self.merchants) and season.chance(0.1)
        merchant = random.choice(self.merchants) if sibling else self._merchant()
        if merchant.certifications and season.chance(0.25):
            certified_at = random.choice(merchant.certifications)  # A tie: the lower shop code was first.
        registered_at = certified_at - random.choice((timedelta(0), SECOND, random.randrange(1, 25) * DAY))
        if "uncertified" in flaws:
            registered_at = season.between(season.period_starts - 40 * DAY, season.period_ends + 3 * DAY)
        certification = None if "uncertified" in flaws else certified_at
        if certification is not None:
            merchant.certifications.append(certification)
        code = f"{random.choice('SsTt')}{random.choice('-_.')}{number:04d}"
        wave = self.feed.wave_of(registered_at + season.lag())
        if not merchant.entries and "no_entry" not in flaws:
            self._list(merchant, season.day(certified_at), flaws)
        row = self._row(code, merchant, flaws, registered_at)
        row |= self._way_in(merchant, flaws, registered_at, wave)
        self._record(row, registered_at, certification, wave)
        merchant.shops.append(code)
        self.shop_waves[code] = wave
        stage = Stage(code, row["market"], certification, registered_at, wave, flaws)
        others = [(shop, self.shop_waves[shop]) for shop in merchant.shops]
        self.incidents.happen(stage, others, self.cast.trouble[merchant.partner])

    def _merchant(self) -> Merchant:
        """A new merchant; some share a brand, some a registration number in another country."""
        season, random = self.season, self.season.random
        number = len(self.merchants)
        letters = random.choice(("Äther", "Weiß", "Nami", "山川", "Löwe & Co"))
        brand = "" if season.chance(0.2) else f"{letters} {number:03d}"
        registration = f"91X{number:05d}Q"
        if self.merchants and season.chance(0.07):
            brand = random.choice(self.merchants).brand
        country = random.choice(("CN", "CN", "CN", "HK", "JP", "KR"))
        if self.merchants and season.chance(0.03):
            twin = random.choice(self.merchants)
            registration, country = twin.registration, "DE" if twin.country != "DE" else "FR"
        if any((other.country, other.registration) == (country, registration) for other in self.merchants):
            registration = f"91Y{number:05d}Q"
        merchant = Merchant(number, country, registration, brand, self.cast.choose(season))
        self.merchants.append(merchant)
        return merchant

    def _list(self, merchant: Merchant, certified_on: date, flaws: set[str]) -> None:
        """The merchant's entry, and sometimes more of them, better or worse."""
        season = self.season
        flaw = next((flaw for flaw in sorted(flaws) if flaw in LIST_FLAWS), "")
        self.lists.add_entry(merchant, certified_on, flaw)
        while season.chance(0.12):
            self.lists.add_entry(merchant, certified_on, season.random.choice(("", "", *LIST_FLAWS)))

    def _row(self, code: str, merchant: Merchant, flaws: set[str], registered_at: datetime) -> Row:
        season = self.season
        markets = OTHER_MARKETS if "market" in flaws else sorted(season.rules.markets)
        return {
            "shop_code": code,
            "merchant_name": merchant.name,
            "country": merchant.country,
            "registration_no": merchant.registration_cell(season),
            "brand": merchant.brand_cell(season) if season.chance(0.93) else "",
            "market": season.random.choice(markets),
            "registered_at": stamp(registered_at, season.random),
            "invite_code": "",
            "partner_code": "",
            "certified_at": "",
        }

    def _way_in(self, merchant: Merchant, flaws: set[str], registered_at: datetime, wave: int) -> Row:
        """How the shop came in: by a record, a link, a claim, or nobody's doing."""
        season, random = self.season, self.season.random
        partner = merchant.partner
        entry = merchant.entries[0] if merchant.entries else None
        if "unattributed" in flaws:
            return {}
        if entry is not None and entry.directed:
            return self._directed(merchant, entry, registered_at, wave, bad="link" in flaws)
        way = random.choices(("record", "link", "claim"), (5, 3, 2))[0]
        rival = self.cast.choose(season, but=partner)
        if way == "claim" and merchant.entries:
            claimed = random.choice(merchant.entries)
            self.lists.add_claim(claimed, partner if season.chance(0.7) else rival, registered_at, wave)
        if way == "link" or (way == "claim" and season.chance(0.4)):
            holder = partner if season.chance(0.8) else rival
            record = random.choice(("", "", partner, rival))
            return {"invite_code": random.choice(self.cast.open_links[holder]), "partner_code": record}
        return {"invite_code": "", "partner_code": partner}

    def _directed(self, merchant: Merchant, entry: Listed, registered_at: datetime, wave: int, *, bad: bool) -> Row:
        """In through the assigned partner's exclusive link, or almost."""
        season, random = self.season, self.season.random
        partner, target = entry.partner, (entry.program, entry.code)
        starts, expires = registered_at - 20 * DAY, registered_at + 20 * DAY
        revoked, revoked_wave = None, None
        record = random.choice(("", partner))
        if bad:
            way = random.choice(
                (
                    "none",
                    "rival",
                    "expires",
                    "revoked",
                    "starts_late",
                    "other_entry",
                    "rival_claim",
                    "known_late",
                )
            )
            if way == "none":
                return {"invite_code": "", "partner_code": partner}
            if way == "rival":
                partner = self.cast.choose(season, but=partner)
            elif way == "expires":
                expires = registered_at
            elif way == "revoked":
                revoked, revoked_wave = registered_at, wave
            elif way == "known_late":  # Revoked in time, but recorded after the shop: it does not reach back.
                revoked, revoked_wave = registered_at - SECOND, min(wave + 1, len(self.feed.waves) - 1)
            elif way == "starts_late":
                starts = registered_at + SECOND
            elif way == "other_entry":
                own = [other for other in self.lists.entries if other.wave <= wave]
                other = random.choice(merchant.entries if season.chance(0.5) else own or merchant.entries)
                target = (other.program, other.code)
            elif way == "rival_claim":
                rival = self.cast.choose(season, but=partner)
                self.lists.add_claim(entry, rival, registered_at, wave)
        else:
            starts = random.choice((starts, registered_at))
            expires = random.choice((expires, registered_at + SECOND))
            if season.chance(0.1):
                self.lists.add_claim(entry, partner, registered_at, wave)
            if season.chance(0.2):
                return {"invite_code": self.cast.open_links[partner][0], "partner_code": record}
        made = next((other.wave for other in self.lists.entries if (other.program, other.code) == target), 0)
        made_for = None if season.chance(0.2) or made > wave else target
        invite = self.cast.add_link(
            season,
            self.feed,
            partner,
            starts,
            expires,
            made_for,
            revoked,
            wave=max(0, wave - 1) if made < wave else wave,
            revoked_wave=revoked_wave,
        )
        return {"invite_code": invite, "partner_code": record}

    def _record(self, row: Row, registered_at: datetime, certified_at: datetime | None, wave: int) -> None:
        """The shop's first row, and the later ones: certified, certified at another time, under another brand."""
        season, random, last = self.season, self.season.random, len(self.feed.waves) - 1
        arrives = last if certified_at is None else max(wave, self.feed.wave_of(certified_at + season.lag()))
        certified = {"certified_at": stamp(certified_at, random)}
        if certified_at is not None and arrives == wave and season.chance(0.03):
            # Two rows for one shop in one file: the later one is the later fact.
            self.feed.add("shops", wave, {**row, "certified_at": stamp(certified_at + DAY, random)})
        self.feed.add("shops", wave, {**row, **certified} if arrives == wave else row)
        if arrives > wave:
            self.feed.add("shops", arrives, self._again(row) | certified, stage=1)
        if certified_at is not None and arrives < last and season.chance(0.05):
            other = random.choice((season.inside(), season.outside(), certified_at + DAY, season.period_starts))
            corrected = {"certified_at": stamp(max(other, registered_at), random)}
            self.feed.add("shops", random.randrange(arrives + 1, last + 1), self._again(row) | corrected, stage=2)
        if wave < last and season.chance(0.05):
            brand = random.choice(("", spell(season, ""), spell(season, random.choice(self.merchants).brand)))
            change = {**row, "brand": brand}
            del change["certified_at"]
            self.feed.add("shops", random.randrange(wave + 1, last + 1), change, stage=3)

    def _again(self, row: Row) -> Row:
        """The row once more, often without the optional columns: an absent column leaves the value alone."""
        absent = ("brand", "invite_code", "partner_code") if self.season.chance(0.6) else ()
        return {column: text for column, text in row.items() if column not in absent}


LIST_FLAWS = ("listed_late", "delisted", "review", "other_program")
