"""Boundaries of dates: the period, registration and certification, as-of, daylight saving, statuses, stock."""

from __future__ import annotations

from datetime import date

from tests.oracle.small import Boundary, Small

INSIDE = {"onboarded": "met", "verdict": "eligible"}
EARLY = "2024-12-20T10:00:00+08:00"


def period() -> list[Boundary]:
    """Certified on a date inside the period; a shop certified outside of it has no row."""
    world = Small()
    world.good("S-1", registered=EARLY, certified="2025-01-01T00:00:00+08:00")
    world.good("S-2", registered=EARLY, certified="2024-12-31T23:59:59.999999+08:00")
    world.good("S-3", certified="2025-03-31T23:59:59.999999+08:00")
    world.good("S-4", certified="2025-04-01T00:00:00+08:00")
    # The last day's window runs into the next quarter: 31 March + 30 days, + 31 days.
    last = {**INSIDE, "window_ends_on": "2025-04-30", "settles_by": "2025-05-31"}
    first = {**INSIDE, "certified_at": "2024-12-31T16:00:00+00:00"}
    # Before it is certified, the shop of the next quarter belongs to this one: it registered in time.
    waiting = {"onboarded": "pending", "certified_at": "", "verdict": "pending"}
    return [
        world.expect("period", {"S-1": first, "S-2": None, "S-3": last, "S-4": None}),
        world.expect("period not over", {"S-3": INSIDE, "S-4": waiting}, as_of="2025-03-31T23:59:59.999999+08:00"),
    ]


def registration() -> list[Boundary]:
    """Registered on or before the period's last date and not certified; pending until the period is over."""
    world = Small()
    world.good("S-1", registered="2025-03-31T23:59:59+08:00", certified="")
    world.good("S-2", registered="2025-04-01T00:00:00+08:00", certified="")
    world.good("S-3", registered="2024-06-01T00:00:00+08:00", certified="")
    nobody = {"certified_at": "", "partner_certified": "pending", "first_entity": "pending", "gmv_cny": ""}
    waits = {**nobody, "onboarded": "pending", "verdict": "pending"}
    failed = {**nobody, "onboarded": "not_met", "verdict": "not_eligible"}
    return [
        world.expect(
            "registered in the last second",
            {"S-1": waits, "S-2": None, "S-3": waits},
            as_of="2025-03-31T23:59:59+08:00",
        ),
        world.expect(
            "registered, period over", {"S-1": failed, "S-2": None, "S-3": failed}, as_of="2025-04-01T00:00:00+08:00"
        ),
        # What happens after as_of does not count: a registration neither.
        world.expect("not yet registered", {"S-1": None, "S-3": waits}, as_of="2025-03-31T23:59:58+08:00"),
    ]


def certification_facts() -> list[Boundary]:
    """The latest recorded certification rules alone; one that has not happened yet is none."""
    world = Small().good("S-1").good("S-2").good("S-3", certified="")
    again = {"S-1": "2025-03-20T10:00:00+08:00", "S-2": "2025-04-02T10:00:00+08:00", "S-3": ""}
    for code, certified in again.items():
        world.shop(code, certified=certified, recorded="2025-03-10T00:00:00Z")
    world.shop("S-3", certified="2025-03-12T10:00:00+08:00", recorded="2025-03-14T00:00:00Z")
    world.shop("S-2", certified="", recorded="2025-05-01T00:00:00Z")  # An empty one retracts nothing.
    first = {"certified_at": "2025-02-10T02:00:00+00:00", "window_ends_on": "2025-03-12"}
    none = {"certified_at": "", "onboarded": "pending", "window_ends_on": "", "settles_by": "", "gmv_cny": ""}
    return [
        world.expect(
            "certification, first fact", {"S-1": first, "S-2": first, "S-3": none}, as_of="2025-03-09T00:00:00Z"
        ),
        world.expect(
            "certification moved ahead", {"S-1": none, "S-2": none, "S-3": none}, as_of="2025-03-13T00:00:00Z"
        ),
        world.expect(
            "certification moved",
            {
                # The line was ordered before the new certification.
                "S-1": {"certified_at": "2025-03-20T02:00:00+00:00", "gmv_cny": "0.00", "window_ends_on": "2025-04-19"},
                "S-2": None,
                "S-3": {"certified_at": "2025-03-12T02:00:00+00:00", "onboarded": "met"},
            },
        ),
    ]


def recording() -> list[Boundary]:
    """A shop is known from its recording on; history that is loaded late counts from when it was recorded."""
    world = Small().good("S-1", recorded="2025-03-05T00:00:00Z").good("S-2").good("S-3")
    # Recorded before the facts that are there already, the late ones do not take their place.
    world.shop("S-2", certified="2025-02-20T10:00:00+08:00", recorded="2025-03-10T00:00:00Z")
    world.status("S-3", "closed", "2025-02-20T00:00:00Z", recorded="2025-03-01T00:00:00Z")
    world.status("S-3", "open", "2025-02-20T00:00:00Z", corrects=True, recorded="2025-03-10T00:00:00Z")
    late = world.afterwards().shop("S-2", certified="2025-02-15T10:00:00+08:00", recorded="2025-03-06T00:00:00Z")
    late.status("S-3", "closing", "2025-02-20T00:00:00Z", corrects=True, recorded="2025-03-06T00:00:00Z")
    # The same as what was known then: nothing, although it is not what is known now.
    late.shop("S-2", certified="2025-02-10T10:00:00+08:00", recorded="2025-03-04T00:00:00Z")
    windows = {"2025-03-05": "2025-03-12", "2025-03-07": "2025-03-17", "2025-03-11": "2025-03-22"}
    return [
        world.expect("a shop not yet recorded", {"S-1": None}, as_of="2025-03-04T23:59:59.999999Z"),
        world.expect("a shop recorded now", {"S-1": {"verdict": "eligible"}}, as_of="2025-03-05T00:00:00Z"),
        *(
            world.expect(
                f"history loaded late, as of {day}",
                {"S-2": {"window_ends_on": ends}, "S-3": {"shop_normal": "met" if day > "2025-03-10" else "not_met"}},
                as_of=f"{day}T12:00:00Z",
            )
            for day, ends in windows.items()
        ),
    ]


def daylight_saving() -> list[Boundary]:
    """Days are local dates of the program's zone, in summer time and out of it."""
    found = []
    # Europe/Berlin: on 2025-03-30 the clocks go from UTC+1 to UTC+2.
    world = Small({"timezone": "Europe/Berlin"})
    world.good("S-1", registered=EARLY, certified="2024-12-31T23:00:00Z")
    world.good("S-2", registered=EARLY, certified="2024-12-31T22:59:59Z")
    world.good("S-3", certified="2025-03-31T21:59:59Z")
    world.good("S-4", certified="2025-03-31T22:00:00Z")
    # Certified on 10 March: the window ends on 9 April at 24:00 in summer time; settled by 10 May.
    for code, ordered, settled in (
        ("S-5", "2025-04-09T21:59:59Z", "2025-05-10T21:59:59Z"),
        ("S-6", "2025-04-09T22:00:00Z", "2025-05-01T00:00:00Z"),
        ("S-7", "2025-04-09T21:59:59Z", "2025-05-10T22:00:00Z"),
    ):
        world.good(code, without="line", certified="2025-03-10T10:00:00Z")
        world.line(code, "1500", ordered=ordered, settled=settled)
    window = {"window_ends_on": "2025-04-09", "settles_by": "2025-05-10"}
    expected = {
        "S-1": INSIDE,
        "S-2": None,
        "S-3": INSIDE,
        "S-4": None,
        "S-5": {**window, "gmv_cny": "1500.00", "activated": "met"},
        "S-6": {**window, "gmv_cny": "0.00", "activated": "not_met"},
        "S-7": {**window, "gmv_cny": "0.00", "activated": "not_met"},
    }
    found.append(world.expect("summer time begins", expected))
    # On 2024-10-27 the clocks go back: the window of 1 October ends on 31 October at 23:00 UTC.
    world = Small({"timezone": "Europe/Berlin"}, start=date(2024, 10, 1), end=date(2024, 12, 31))
    for code, ordered in (("S-1", "2024-10-31T22:59:59Z"), ("S-2", "2024-10-31T23:00:00Z")):
        certified = "2024-09-30T22:00:00Z"  # The period's first instant, in summer time.
        world.good(code, without="entry line stock", registered="2024-09-01T00:00:00Z", certified=certified)
        world.entry(f"E-{code}", f"M-{code}", listed="2024-09-01")
        world.line(code, "1500", ordered=ordered, settled="2024-11-10T00:00:00Z")
        world.stock(code, at="2024-12-31T22:59:59Z")
    expected = {
        "S-1": {"gmv_cny": "1500.00", "activated": "met", "window_ends_on": "2024-10-31", "verdict": "eligible"},
        "S-2": {"gmv_cny": "0.00", "activated": "not_met", "verdict": "not_eligible"},
    }
    found.append(world.expect("summer time ends", expected))
    # Asia/Beirut: 2025-03-30 has no 00:00, its first instant is 01:00 (UTC+3), 22:00 UTC on the day before.
    world = Small({"timezone": "Asia/Beirut"})
    for code, ordered in (("S-1", "2025-03-29T21:59:59Z"), ("S-2", "2025-03-29T22:00:00Z")):
        world.good(code, without="line", certified="2025-02-27T10:00:00Z")
        world.line(code, "1500", ordered=ordered, settled="2025-04-10T00:00:00Z")
    expected = {
        "S-1": {"gmv_cny": "1500.00", "activated": "met", "window_ends_on": "2025-03-29"},
        "S-2": {"gmv_cny": "0.00", "activated": "not_met", "window_ends_on": "2025-03-29"},
    }
    found.append(world.expect("a day without midnight", expected))
    # A timestamp without an offset is in the platform's zone, Asia/Shanghai, whatever the program's is.
    world = Small({"timezone": "Europe/Berlin"}).good(
        "S-1", registered="2024-12-01T08:00:00", certified="2025-01-01T07:00:00"
    )
    world.good("S-2", registered="2024-12-01T08:00:00", certified="2025-01-01T06:59:59")
    found.append(world.expect("a timestamp without an offset", {"S-1": INSIDE, "S-2": None}))
    return found


def statuses() -> list[Boundary]:
    """The latest status event at as_of, not after the close of observation (the end of 31 May)."""
    world = Small()
    for number in range(1, 8):
        world.good(f"S-{number}", without="status")
    closes = {"S-1": "2025-05-31T23:59:59+08:00", "S-2": "2025-06-01T00:00:00+08:00"}
    for code, at in closes.items():
        world.status(code, "open", "2025-02-11T00:00:00Z").status(code, "closed", at)
    # The latest event counts, not the one recorded last.
    world.status("S-3", "open", "2025-03-02T00:00:00Z")
    world.status("S-3", "closed", "2025-03-01T00:00:00Z", recorded="2025-03-05T00:00:00Z")
    # A correction is a new fact.
    world.status("S-4", "closed", "2025-03-02T00:00:00Z")
    world.status("S-4", "open", "2025-03-02T00:00:00Z", corrects=True, recorded="2025-04-01T00:00:00Z")
    world.status("S-5", "restricted", "2025-03-02T00:00:00Z")
    world.status("S-6", "open", "2025-06-01T00:00:00+08:00")  # Too late: as good as none.
    world.good("S-8", without="status", certified="")
    met, closed = {"shop_normal": "met"}, {"shop_normal": "not_met", "verdict": "not_eligible"}
    unknown = {"shop_normal": "unknown", "verdict": "needs_data"}
    expected = {
        "S-1": closed,
        "S-2": met,
        "S-3": met,
        "S-4": met,
        "S-5": closed,
        "S-6": unknown,
        "S-7": unknown,
        "S-8": {"shop_normal": "pending"},
    }
    restricted = Small({"shop": {"normal_statuses": ["open", "restricted"]}}, said=world.said)
    return [
        world.expect("statuses", expected),
        world.expect("status of this second", {"S-3": met, "S-1": met}, as_of="2025-03-02T00:00:00Z"),
        world.expect("status just before it", {"S-3": unknown}, as_of="2025-03-01T23:59:59Z"),
        world.expect("status before its correction", {"S-4": closed}, as_of="2025-03-31T23:59:59Z"),
        world.expect("closing in the last second", {"S-1": met}, as_of="2025-05-31T23:59:58+08:00"),
        restricted.expect("another normal status", {"S-5": {"shop_normal": "met", "verdict": "eligible"}}),
    ]


def stock_dates() -> list[Boundary]:
    """Sellable stock of 1 or more on a date inside the period, not necessarily at the same time."""
    world = Small()
    for number in range(1, 10):
        world.good(f"S-{number}", without="stock")
    first, last = "2025-01-01T00:00:00+08:00", "2025-03-31T23:59:59.999999+08:00"
    world.stock("S-1", "DE FR", "1", first).stock("S-1", "IT ES", "1", last)
    world.stock("S-2", "DE FR", "1", "2024-12-31T23:59:59.999999+08:00").stock("S-2", "IT ES")
    world.stock("S-3", "DE FR", "1", "2025-04-01T00:00:00+08:00").stock("S-3", "IT ES")
    world.stock("S-4", sellable="0")
    world.stock("S-5", at="2025-04-01T00:00:00+08:00")  # None inside the period: not one observation.
    world.stock("S-7").stock("S-7", "DE", "0", corrects=True, recorded="2025-05-01T00:00:00Z")
    world.stock("S-8", "PL", "0")  # Another country, nothing in stock: still an observation.
    # Once seen is enough: running out later takes nothing away.
    world.stock("S-9").stock("S-9", sellable="0", at="2025-02-21T10:00:00+08:00")
    met, short = (
        {"stocked": "met", "stock_countries": "DE|ES|FR|IT"},
        {"stocked": "not_met", "stock_countries": "ES|IT"},
    )
    unknown = {"stocked": "unknown", "stock_countries": "", "verdict": "needs_data"}
    pending = {"stocked": "pending", "verdict": "pending"}
    expected = {
        "S-1": {**met, "verdict": "eligible"},
        "S-2": short,
        "S-3": short,
        "S-4": {"stocked": "not_met", "stock_countries": ""},
        "S-5": unknown,
        "S-6": unknown,
        "S-7": {"stocked": "not_met", "stock_countries": "ES|FR|IT"},
        "S-8": {"stocked": "not_met", "stock_countries": ""},
        "S-9": met,
    }
    waiting = {f"S-{number}": pending for number in (2, 3, 4, 5, 6, 8)}
    return [
        world.expect("stock", expected),
        world.expect("stock on the last instant", {**waiting, "S-1": met}, as_of=last),
        world.expect("stock just before it", {"S-1": pending}, as_of="2025-03-31T23:59:59.999998+08:00"),
        world.expect("stock before its correction", {"S-7": met}, as_of="2025-04-30T23:59:59Z"),
    ]


def stock_scope() -> list[Boundary]:
    """In any shop of the same merchant, or in this shop alone; exempt markets; a minimum of none."""
    everywhere = Small().good("S-1", without="entry stock", merchant="91 X-7", market="JP", country="HK")
    everywhere.entry("E-S-1", "91X7", country="HK")
    everywhere.stock("S-1", "DE FR")
    # Another market, no partner, certified later: the merchant's stock all the same.
    everywhere.shop("S-2", merchant="91x-7", country="HK", market="GB", partner="", certified="2025-05-02T00:00:00Z")
    everywhere.stock("S-2", "IT ES")
    # The same number in another country is another merchant.
    everywhere.shop("S-3", merchant="91X7", country="CN", market="GB", partner="", certified="")
    everywhere.stock("S-3", "PL")
    found = [
        everywhere.expect(
            "stock of the merchant",
            {"S-1": {"stocked": "met", "stock_countries": "DE|ES|FR|IT", "verdict": "eligible"}, "S-2": None},
        )
    ]
    for name, changes, outcome in (
        ("stock of the shop", {"scope": "shop"}, ("not_met", "DE|FR")),
        ("stock in an exempt market", {"scope": "shop", "exempt_markets": ["JP"]}, ("not_applicable", "DE|FR")),
        ("two countries are enough", {"scope": "shop", "minimum": 2}, ("met", "DE|FR")),
        ("other countries", {"countries": ["PL", "FR", "DE"], "minimum": 3}, ("not_met", "DE|FR")),
        ("no countries", {"countries": [], "minimum": 0}, ("met", "")),
    ):
        world = Small({"stock": changes}, said=everywhere.said)
        expected = {"stocked": outcome[0], "stock_countries": outcome[1]}
        found.append(world.expect(name, {"S-1": expected}))
    bare = Small({"stock": {"countries": [], "minimum": 0}}).good("S-1", without="stock")
    found.append(bare.expect("no countries and no stock", {"S-1": {"stocked": "met", "verdict": "eligible"}}))
    return found


def clocks_agree() -> list[Boundary]:
    """As of the period's ends and of the close, one microsecond apart, in a zone west of UTC."""
    world = Small({"timezone": "America/New_York"}).good("S-1", without="stock")
    # 31 March ends at 04:00 UTC on 1 April; summer time has begun on 9 March.
    outcomes = {"2025-04-01T03:59:59.999999Z": "pending", "2025-04-01T04:00:00Z": "unknown"}
    return [
        world.expect(f"period's end, {outcome}", {"S-1": {"stocked": outcome}}, as_of=as_of)
        for as_of, outcome in outcomes.items()
    ]


def cases() -> list[Boundary]:
    """All cases of this file."""
    makers = (
        period,
        registration,
        certification_facts,
        recording,
        daylight_saving,
        statuses,
        stock_dates,
        stock_scope,
        clocks_agree,
    )
    return [case for maker in makers for case in maker()]
