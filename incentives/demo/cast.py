"""The demo's sixty partners: how many shops each brings, and which of them have a story of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from random import Random

from core.values import Period
from incentives.demo.feeds import Feed
from incentives.demo.moments import CLOSED_QUARTER, DAY, LEAD_DAYS, Moments, at
from incentives.demo.names import Names
from incentives.demo.signins import ALICE_PARTNER, CHARLIE_PARTNER
from partners.states import Category

SIZE = 60
# The parts that stories are written for. The rest of the sixty are called by their code alone.
ALICE, CHARLIE = ALICE_PARTNER, CHARLIE_PARTNER
# One, two and more closed shops: each lands in another tier of the discount (POLICY 5).
TIER_70, TIER_50, TIER_0, OVERTURNED = "TSP-0005", "TSP-0011", "TSP-0024", "TSP-0008"
UNCERTIFIED, LATE, ENDED, BACKDATED = "TSP-0031", "TSP-0028", "TSP-0033", "TSP-0036"
NEWCOMERS = range(50, SIZE + 1)


@dataclass(frozen=True, slots=True)
class Member:
    """One partner, and how many shops it brings to the closed and to the running program."""

    code: str
    name: str
    category: str
    country: str
    registration_no: str
    certified_from: date | None
    certified_until: date | None
    closed_shops: int
    running_shops: int

    def row(self, certified_from: date | None, certified_until: date | None) -> dict[str, str]:
        """Its row of the feed."""
        return {
            "partner_code": self.code,
            "name": self.name,
            "category": self.category,
            "country": self.country,
            "registration_no": self.registration_no,
            "certified_from": certified_from.isoformat() if certified_from else "",
            "certified_until": certified_until.isoformat() if certified_until else "",
            "commitment": str(max(5, round(self.running_shops * 0.8, -1))),
            "contact_email": f"contact@{self.code.lower()}.example.com",
        }


# Hand-written names for those that the demo's people belong to.
NAMED = {
    ALICE: ("岚渡舟电商运营（杭州）有限公司", Category.STORE_OPERATION, "CN"),
    CHARLIE: ("Fernmossmarch Commerce Limited", Category.KOL, "HK"),
    TIER_70: ("深圳市汀砂栈数字营销有限公司", Category.ADVERTISING, "CN"),
    TIER_50: ("宁波朔坞枕国际物流有限公司", Category.LOGISTICS, "CN"),
}
SIZES = {
    ALICE: (58, 64),
    CHARLIE: (44, 48),
    TIER_70: (26, 30),
    TIER_50: (15, 18),
    TIER_0: (8, 10),
    OVERTURNED: (20, 22),
}


class Cast:
    """The partners, by code."""

    def __init__(self, names: Names, random: Random) -> None:
        self.members: dict[str, Member] = {}
        categories = list(Category.values)
        for number in range(1, SIZE + 1):
            code = f"TSP-{number:04d}"
            category = categories[number % len(categories)]
            country = random.choices(("CN", "HK", "JP"), (8, 2, 1))[0]
            name, category, country = NAMED.get(code) or (names.partner(category, country), category, country)
            size = max(2, round(36 / (1 + 0.1 * number)))
            newcomer = number in NEWCOMERS or code == BACKDATED
            closed, running = SIZES.get(code, (0 if newcomer else size, size + 3))
            certified_from, certified_until = _certification(code, random)
            self.members[code] = Member(
                code,
                name,
                category,
                country,
                names.registration(country),
                certified_from,
                certified_until,
                closed,
                0 if code == ENDED else running,
            )

    def deck(self, random: Random, *, running: bool, but: frozenset[str] = frozenset()) -> list[str]:
        """Partner codes in random order, each as often as it brings shops; `but` are left out."""
        codes = [
            member.code
            for member in self.members.values()
            if member.code not in but
            for _ in range(member.running_shops if running else member.closed_shops)
        ]
        random.shuffle(codes)
        return codes

    def present(self, *, running: bool) -> list[str]:
        """The partners that recruit for the program: some joined only this quarter, one left."""
        return [
            code
            for number, code in enumerate(self.members, start=1)
            if (code != ENDED if running else number not in NEWCOMERS and code != BACKDATED)
        ]

    def tell(self, feed: Feed, moments: Moments) -> None:
        """Report all partners, and the one whose certification was given an earlier date this morning."""
        quarter = moments.quarter
        for number, member in enumerate(self.members.values(), start=1):
            joins = quarter if number in NEWCOMERS or member.code == BACKDATED else CLOSED_QUARTER
            told = at(joins.first - LEAD_DAYS * DAY, 10)
            certified_from = member.certified_from or (joins.first - 20 * DAY)
            if member.code == UNCERTIFIED:
                feed.tell("partners", told, member.code, member.row(None, None))
            elif member.code == BACKDATED:
                self._tell_backdated(feed, moments, member, told, quarter)
            else:
                feed.tell("partners", told, member.code, member.row(certified_from, member.certified_until))

    def _tell_backdated(self, feed: Feed, moments: Moments, member: Member, told: datetime, quarter: Period) -> None:
        feed.tell("partners", told, member.code, member.row(None, None))
        decided = quarter.first + (moments.today - quarter.first) // 2
        feed.tell("partners", at(decided, 11), member.code, member.row(decided, None))
        corrected = max(at(moments.yesterday, 15), at(decided, 11))
        feed.tell("partners", corrected, member.code, member.row(quarter.first - 10 * DAY, None))


def _certification(code: str, random: Random) -> tuple[date | None, date | None]:
    """From and until when a partner is certified; None, None: from before its first quarter on, without end."""
    if code == LATE:
        return date(2026, 2, 10), None
    if code == ENDED:
        return date(2025, 10, 1), date(2026, 2, 20)
    return (date(2025, 8, 1) + random.randrange(90) * DAY, None) if random.random() < 0.5 else (None, None)
