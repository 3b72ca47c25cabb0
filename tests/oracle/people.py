"""The partners of a random quarter, their certifications and their links."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.oracle.batches import Feed, stamp
from tests.oracle.season import DAY, Season
from tests.oracle.values import Row

CATEGORIES = (
    "payment",
    "compliance",
    "logistics",
    "advertising",
    "store_operation",
    "erp",
    "training",
    "media",
    "kol",
    "overseas_warehouse",
    "other",
)


@dataclass
class Cast:
    """The partners, how much each of them recruits, and which of their shops get closed."""

    codes: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    trouble: dict[str, float] = field(default_factory=dict)
    open_links: dict[str, list[str]] = field(default_factory=dict)
    links: int = 0

    def choose(self, season: Season, *, but: str | None = None) -> str:
        """A partner, the busy ones more often; never `but`."""
        while (code := season.random.choices(self.codes, self.weights)[0]) == but:
            pass
        return code

    def add_link(
        self,
        season: Season,
        feed: Feed,
        partner: str,
        starts: datetime,
        expires: datetime,
        target: tuple[str, str] | None = None,
        revoked: datetime | None = None,
        *,
        wave: int = 0,
        revoked_wave: int | None = None,
    ) -> str:
        """A new link of a partner; its revocation may arrive with a later wave."""
        self.links += 1
        code = f"{season.random.choice('LlKk')}{season.random.choice('-_.')}{self.links:04d}"
        row: Row = {
            "invite_code": code,
            "partner_code": partner,
            "target_code": target[1] if target else "",
            "program": target[0] if target else "",
            "starts_at": stamp(starts, season.random),
            "expires_at": stamp(expires, season.random),
            "revoked_at": "",
        }
        later = revoked is not None and revoked_wave is not None and revoked_wave > wave
        feed.add("invites", wave, row if later else {**row, "revoked_at": stamp(revoked, season.random)})
        if later and revoked_wave is not None:
            feed.add("invites", revoked_wave, {**row, "revoked_at": stamp(revoked, season.random)}, stage=1)
        return code


def add_partners(feed: Feed, season: Season, cast: Cast, count: int) -> None:
    """Partners of very different sizes; most are certified all along, some only for a part, some later or never."""
    random = season.random
    for number in range(count):
        code = f"{random.choice('PpTt')}{random.choice(('-', '_', '.', ''))}{number:02d}"
        cast.codes.append(code)
        cast.weights.append(random.choice((0.3, 0.5, 1, 2, 6)))
        cast.trouble[code] = random.choice((0, 0, 0.04, 0.1, 0.25))
        row: Row = {
            "partner_code": code,
            "name": f"Invented partner {number}",
            "category": random.choice(CATEGORIES),
            **_certification(season),
        }
        feed.add("partners", 0, row)
        if season.chance(0.25):
            change: Row = {column: row[column] for column in ("partner_code", "name", "category")}
            change |= _certification(season)
            if not change["certified_from"]:
                del (
                    change["certified_from"],
                    change["certified_until"],
                )  # Nothing about certification: no fact.
            elif season.chance(0.3):
                del change["certified_until"]  # An absent column leaves the last day as it is.
                if row["certified_until"] and row["certified_until"] < change["certified_from"]:
                    change["certified_until"] = ""
            feed.add("partners", random.randrange(1, len(feed.waves)), change, stage=1)
        cast.open_links[code] = _open_links(season, feed, cast, code)


def _certification(season: Season) -> Row:
    dice = season.random.random()
    before = season.start - timedelta(days=season.random.randrange(200))
    middle = season.start + timedelta(days=season.random.randrange((season.end - season.start).days + 1))
    first, last = {0: (before, None), 1: (before, middle), 2: (middle, None), 3: (before, season.end)}[
        0 if dice < 0.78 else 1 if dice < 0.84 else 2 if dice < 0.92 else 3
    ]
    if dice > 0.98:
        return {"certified_from": "", "certified_until": ""}
    return {"certified_from": first.isoformat(), "certified_until": last.isoformat() if last else ""}


def _open_links(season: Season, feed: Feed, cast: Cast, code: str) -> list[str]:
    """Links for any merchant: one for the whole quarter, one that ends in its middle by expiry or revocation."""
    early = season.period_starts - 80 * DAY
    middle = season.between(season.period_starts, season.period_ends)
    late = season.period_ends + 30 * DAY
    links = [cast.add_link(season, feed, code, early, late)]
    if season.chance(0.5):
        links.append(cast.add_link(season, feed, code, early, middle))
    else:
        wave = feed.wave_of(middle + season.lag())
        links.append(cast.add_link(season, feed, code, early, late, revoked=middle, revoked_wave=wave))
    return links
