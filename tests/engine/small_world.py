"""A small and dense world: few merchants, brands and partners share its shops, so that each reaches the others.

All of it is invented. The story plays in October 2024.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tests.engine.sequences import OPEN
from tests.oracle.batches import PLATFORM_ZONE
from tests.oracle.small import Small

START, END = date(2024, 10, 1), date(2024, 10, 31)
PROGRAMS = (("b", START, END), ("c", date(2024, 10, 12), date(2024, 11, 10)))
RECORDED = "2024-09-20T09:00:00+08:00"  # what was there before the story
STORY = datetime(2024, 10, 1, tzinfo=PLATFORM_ZONE)
# Local midnights of both zones (on 27 October midnight comes twice on the Azores), and the last instant of a day.
INSTANTS = ("00:00:00", "08:00:00", "09:00:00", "23:59:59.999999")

RULES: dict[str, Any] = {
    "markets": ["DE", "FR"],
    "activation": {"window_days": 20, "gmv_above": "100", "settlement_grace_days": 5},
    "stock": {"countries": ["DE", "FR"], "minimum": 2},
}
OTHER_RULES: tuple[dict[str, Any], ...] = (
    {
        "timezone": "Atlantic/Azores",
        "activation": {"window_days": 7, "gmv_above": "150", "settlement_grace_days": 4},
        "first_entity": {"period": "program", "markets": "all"},
        "stock": {"countries": ["DE", "FR"], "minimum": 1, "exempt_markets": ["FR"]},
        "discount": {"basis": "count", "tiers": [{"from": "1", "pay": "0.5"}, {"from": "2", "pay": "0"}]},
    },
    {
        "list": {"must_precede_certification": False},
        "stock": {"countries": ["DE", "FR"], "minimum": 2, "scope": "shop"},
        "shop": {"normal_statuses": ["open", "restricted"]},
    },
)

# Entries: program, merchant, brand. The last two are on nobody's list until a sequence puts them there; M5 and B6 are
# on none.
ENTRIES = (
    ("b", "M1", ""), ("b", "", "B1"), ("b", "M2", "B2"), ("b", "M3", "B1"), ("b", "", "B3"), ("c", "M1", "B2"),
    ("b", "M4", "B5"), ("b", "", "B4"), ("b", "M1", "B4"),
)  # fmt: skip
# Shops: merchant, brand, market, invite link, recorded partner. Those after the first `OPEN` come with a sequence.
SHOPS = (
    ("M1", "B1", "DE", "L2", ""), ("M1", "B2", "FR", "", "P2"), ("M2", "B2", "DE", "L1", ""),
    ("M2", "B6", "DE", "", "P1"), ("M3", "B3", "DE", "L3", ""), ("M4", "B4", "DE", "", "P3"),
    ("M4", "B3", "FR", "", ""), ("M3", "B1", "US", "", "P2"), ("M1", "B3", "DE", "L1", ""),
    ("M5", "B5", "DE", "", "P1"), ("M5", "B6", "DE", "", "P2"), ("M2", "B1", "FR", "L2", ""),
    ("M3", "B4", "DE", "", "P3"), ("M4", "B5", "DE", "L4", "P1"),
)  # fmt: skip
CERTIFIED = {0: "05T10:00", 1: "09T00:00", 2: "05T10:00", 4: "14T23:59", 5: "10T08:00", 9: "11T12:00"}
BRANDS = ("", "B1", "B2", "B3", "B4", "B5", "B6")
LINKS = (("L1", "P1", ""), ("L2", "P1", "E1"), ("L3", "P2", "E3"), ("L4", "P3", ""))
VALID = {"starts": "2024-08-15T00:00:00+08:00", "expires": "2024-12-15T00:00:00+08:00"}


def opening() -> Small:
    """What is there when the story begins; parts of it, recorded early, happen later."""
    world = Small(start=START, end=END, partners={"P1"})
    world.partner("P1", recorded=RECORDED).partner("P2", "2024-10-08", recorded=RECORDED)
    world.partner("P3", "2023-01-01", "2024-10-15", recorded=RECORDED)
    for number, (listed, delisted, directed, review) in enumerate(
        (("2024-08-01", "", "", "approved"), ("2024-08-01", "", "P1", "approved"), ("2024-08-01", "", "", "pending"),
         ("2024-10-12", "", "P2", "approved"), ("2024-08-01", "2024-10-18", "", "approved"),
         ("2024-08-01", "", "", "approved"), ("2024-08-01", "", "", "approved"))
    ):  # fmt: skip
        program, merchant, brand = ENTRIES[number]
        world.entry(
            f"E{number}", merchant, brand=brand, directed=directed, listed=listed, delisted=delisted, review=review,
            program=program, recorded=RECORDED,
        )  # fmt: skip
    for code, partner, target in LINKS:
        world.link(code, partner, target, **VALID, recorded=RECORDED)
    world.claim("E0", "P3", "2024-09-10T00:00:00+08:00", "2024-10-10T00:00:00+08:00", recorded=RECORDED)
    for number, (merchant, brand, market, invite, partner) in enumerate(SHOPS[:OPEN]):
        world.shop(
            f"S{number:02}", merchant=merchant, brand=brand, market=market, registered=registered_at(number),
            certified=f"2024-10-{CERTIFIED[number]}:00+08:00" if number in CERTIFIED else "", invite=invite,
            partner=partner, recorded=RECORDED,
        )  # fmt: skip
    for day, currency, rate in (("2024-09-28", "EUR", "1.5"), ("2024-10-09", "EUR", "2"), ("2024-10-03", "USD", "1.2")):
        world.rate(day, currency, rate, recorded=RECORDED if day < "2024-10" else f"{day}T12:00:00+08:00")
    for number in (0, 1, 2, 4, 5):
        code, settled = f"S{number:02}", f"2024-10-{9 + number:02}T15:00:00+08:00"
        world.status(code, "open", f"2024-10-{5 + number:02}T12:00:00+08:00", recorded=RECORDED)
        world.line(
            code, "90", currency="EUR", ordered=settled, settled=settled,
            recorded=RECORDED if number % 2 else "2024-10-15T07:00:00+08:00",
        )  # fmt: skip
        world.stock(
            code, "DE FR" if number != 4 else "DE", at=f"2024-10-{8 + number:02}T09:00:00+08:00", recorded=RECORDED
        )
    world.violation(
        "V0", "S05", penalised="2024-10-12T09:00:00+08:00", overturned="2024-10-15T06:00:00+08:00", recorded=RECORDED
    )
    return world


def instant(near: datetime, part: int) -> datetime:
    """That instant of the local day of a moment."""
    day = near.astimezone(PLATFORM_ZONE).date()
    return datetime.fromisoformat(f"{day}T{INSTANTS[part]}").replace(tzinfo=PLATFORM_ZONE)


def registered_at(number: int) -> str:
    """When a shop registered that nobody announced."""
    return f"2024-09-{10 + number:02}T10:00:00+08:00"
