"""The target lists of a random quarter: entries, what becomes of them, and the claims on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from tests.oracle.batches import Feed, stamp
from tests.oracle.people import Cast
from tests.oracle.season import DAY, SECOND, Season
from tests.oracle.values import Row

NO_BRAND_CELLS = ("", "无", "无品牌", "No  Brand", "GENERIC", "none", "N/A", "ＯＥＭ", "-")


@dataclass
class Merchant:
    """A merchant with its brand, its entries, and the partner who means to bring it in."""

    number: int
    country: str
    registration: str
    brand: str
    partner: str
    entries: list[Listed] = field(default_factory=list)
    shops: list[str] = field(default_factory=list)
    certifications: list[datetime] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The merchant's name, the same in every row."""
        return f"Invented merchant {self.number:04d} 商贸"

    def registration_cell(self, season: Season) -> str:
        """Its registration number, as somebody typed it."""
        dice = season.random.randrange(5)
        if dice == 0:
            return self.registration.lower()
        if dice == 1:
            return f"{self.registration[:4]}-{self.registration[4:]}"
        if dice == 2:
            return f"{self.registration[:2]} {self.registration[2:5]} {self.registration[5:]}"
        return self.registration

    def brand_cell(self, season: Season) -> str:
        """Its brand, as somebody typed it; without one, some word that means none."""
        return spell(season, self.brand)


def spell(season: Season, brand: str) -> str:
    """One of the spellings of a brand."""
    if not brand:
        return season.random.choice(NO_BRAND_CELLS)
    dice = season.random.randrange(8)
    if dice == 0:
        return brand.upper()
    if dice == 1:
        return brand.replace(" ", "  ")
    if dice == 2:
        return brand.replace(" ", "\u3000")  # An ideographic space is a space after NFKC.
    if dice == 3:
        return "".join(chr(ord(char) + 0xFEE0) if char.isascii() and char.isalnum() else char for char in brand)
    return brand


@dataclass
class Listed:
    """A target entry as it was first listed."""

    program: str
    code: str
    partner: str
    wave: int
    claims: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def directed(self) -> bool:
        """Whether it is assigned to a partner."""
        return bool(self.partner)


class Lists:
    """Writes the entries and claims of a quarter."""

    def __init__(self, season: Season, feed: Feed, cast: Cast) -> None:
        self.season, self.feed, self.cast = season, feed, cast
        self.entries: list[Listed] = []

    def add_entry(self, merchant: Merchant, certified_on: date | None, flaw: str) -> Listed:
        """An entry for a merchant or its brand; a flaw keeps it from being in force or approved."""
        season, random = self.season, self.season.random
        day = certified_on or season.day(season.inside())
        listed_on = day - timedelta(days=random.choice((0, 1, random.randrange(2, 90))))
        delisted_on = day + timedelta(days=random.randrange(1, 60)) if season.chance(0.08) else None
        review = "approved" if season.chance(0.95) else "pending"
        if flaw == "listed_late":
            listed_on, delisted_on = day + timedelta(days=random.choice((1, 20))), None
        elif flaw == "delisted":
            listed_on, delisted_on = (
                day - timedelta(days=30),
                day - timedelta(days=random.choice((0, 0, 1, 12))),
            )
        elif flaw == "review":
            review = random.choice(("pending", "rejected"))
        directed = merchant.partner if season.chance(0.2) else ""
        if directed and season.chance(0.1):
            directed = self.cast.choose(season, but=merchant.partner)
        names = random.choices(("merchant", "brand", "both"), (6, 2 if merchant.brand else 0, 3))[0]
        program = season.other_program if flaw == "other_program" else season.program
        code = f"{random.choice('EeF')}{random.choice('-_.')}{len(self.entries):04d}"
        wave = self.feed.wave_of(season.between(season.period_starts, season.period_ends)) if season.chance(0.1) else 0
        by_merchant, by_brand = names != "brand", names != "merchant"
        row: Row = {
            "program": program,
            "target_code": code,
            "merchant_name": merchant.name if by_merchant else "",
            "country": merchant.country if by_merchant else "",
            "registration_no": merchant.registration_cell(season) if by_merchant else "",
            "brand": merchant.brand_cell(season) if by_brand else "",
            "track": "directed" if directed else "target",
            "partner_code": directed,
            "listed_on": listed_on.isoformat(),
            "delisted_on": delisted_on.isoformat() if delisted_on else "",
            "review": review,
        }
        self.feed.add("targets", wave, row)
        entry = Listed(program, code, directed, wave)
        self.entries.append(entry)
        merchant.entries.append(entry)
        if season.chance(0.15) and wave + 1 < len(self.feed.waves):
            self._change(row, wave, day)
        return entry

    def _change(self, row: Row, wave: int, day: date) -> None:
        """A later fact about an entry: reviewed anew, delisted, listed again, assigned to somebody else."""
        season, random = self.season, self.season.random
        change = dict(row)
        dice = random.randrange(6)
        if dice <= 1:
            change["review"] = random.choice(("approved", "approved", "rejected"))
        elif dice == 2:
            first = date.fromisoformat(row["listed_on"])
            change["delisted_on"] = max(first + DAY, day + timedelta(days=random.randrange(-3, 20))).isoformat()
        elif dice == 3:
            change["listed_on"] = (day - timedelta(days=random.randrange(0, 60))).isoformat()
            change["delisted_on"] = ""
        else:
            directed = "" if row["partner_code"] else self.cast.choose(season)
            change["track"], change["partner_code"] = ("directed", directed) if directed else ("target", "")
        if dice <= 1 and season.chance(0.5):
            del change["delisted_on"]  # An absent column leaves the value alone.
        self.feed.add("targets", random.randrange(wave + 1, len(self.feed.waves)), change, stage=1)

    def add_claim(self, entry: Listed, partner: str, registered_at: datetime, wave: int) -> None:
        """A claim around a registration: in force, over in that very second, or begun in it."""
        season, random = self.season, self.season.random
        kind = random.choices(("in_force", "starts_now", "ends_now", "over", "not_yet"), (12, 2, 2, 1, 1))[0]
        claimed_at = registered_at - timedelta(hours=random.randrange(1, 500))
        expires_at = claimed_at + 30 * DAY
        if kind == "starts_now":
            claimed_at, expires_at = registered_at, registered_at + 30 * DAY
        elif kind == "ends_now":
            claimed_at, expires_at = registered_at - 30 * DAY, registered_at
        elif kind == "over":
            expires_at = max(claimed_at + SECOND, registered_at - SECOND)
        elif kind == "not_yet":
            claimed_at, expires_at = registered_at + SECOND, registered_at + 9 * DAY
        if any(claimed_at < until and since < expires_at for since, until in entry.claims):
            return  # Approved claims on one entry must not overlap: no claim on it ever does here.
        entry.claims.append((claimed_at, expires_at))
        row: Row = {
            "program": entry.program,
            "target_code": entry.code,
            "partner_code": partner,
            "claimed_at": stamp(claimed_at, random),
            "expires_at": stamp(expires_at, random),
            "status": random.choices(("approved", "pending", "rejected"), (10, 2, 1))[0],
        }
        wave = max(entry.wave, wave + random.choices((0, -1, 1), (6, 2, 1))[0])
        wave = min(wave, len(self.feed.waves) - 1)
        self.feed.add("claims", wave, row)
        if season.chance(0.25) and wave + 1 < len(self.feed.waves):
            status = random.choice(("approved", "rejected"))
            self.feed.add("claims", wave + 1, {**row, "status": status}, stage=1)
