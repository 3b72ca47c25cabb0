"""Boundaries of `activated`: the threshold, the window, the settlement days, refunds and rates (POLICY 2 and 3)."""

from __future__ import annotations

from tests.oracle.small import Boundary, Small

ELIGIBLE = {"activated": "met", "verdict": "eligible", "amount": "2000.00"}
FAILED = {"activated": "not_met", "verdict": "not_eligible", "amount": "0.00"}
UNKNOWN = {"activated": "unknown", "verdict": "needs_data", "amount": "0.00", "gmv_cny": ""}


def bare(*codes: str) -> Small:
    """A world of shops that only lack their order lines."""
    world = Small()
    for code in codes:
        world.good(code, without="line")
    return world


def threshold() -> list[Boundary]:
    """ "Above 1000" is strictly above, and nothing is rounded before the comparison."""
    world = bare("S-1", "S-2", "S-3", "S-4", "S-5", "S-6", "S-7")
    world.line("S-1", "1000.00")
    world.line("S-2", "1000.0001")
    world.line("S-3", "600.5").line("S-3", "399.4999").line("S-3", "0.0001")
    world.line("S-4", "1300").line("S-4", "-300")
    world.line("S-5", "999.9999")
    # 333.3333 × 3.00000003 = 999.999909999999; 333.3333 × 3.000000300001 = 1000.0000000003233...
    world.rate("2025-02-25", "GBP", "3.00000003").line("S-6", "333.3333", currency="GBP")
    world.rate("2025-02-25", "USD", "3.000000300001").line("S-7", "333.3333", currency="USD")
    exactly = {**FAILED, "gmv_cny": "1000.00"}
    above = {**ELIGIBLE, "gmv_cny": "1000.00", "window_ends_on": "2025-03-12", "settles_by": "2025-04-12"}
    expected = {"S-1": exactly, "S-2": above, "S-3": exactly, "S-4": exactly, "S-5": exactly, "S-6": exactly}
    return [world.expect("threshold", {**expected, "S-7": above})]


def window() -> list[Boundary]:
    """Orders from the certification's instant to the end of the 30th day after its date."""
    world = bare("S-1", "S-2", "S-3", "S-4", "S-5")
    late = "2025-04-01T00:00:00+08:00"
    world.line("S-1", "1500", ordered="2025-03-12T23:59:59+08:00", settled=late)
    world.line("S-2", "1500", ordered="2025-03-12T23:59:59.999999+08:00", settled=late)
    world.line("S-3", "1500", ordered="2025-03-13T00:00:00+08:00", settled=late)
    world.line("S-4", "1500", ordered="2025-02-10T10:00:00+08:00", settled=late)
    world.line("S-5", "1500", ordered="2025-02-10T09:59:59+08:00", settled=late)
    inside, outside = {**ELIGIBLE, "gmv_cny": "1500.00"}, {**FAILED, "gmv_cny": "0.00"}
    expected = {"S-1": inside, "S-2": inside, "S-3": outside, "S-4": inside, "S-5": outside}
    return [world.expect("window", expected)]


def settlement() -> list[Boundary]:
    """Lines settled on or before the 31st day after the window's last day; pending until that day is over."""
    world = bare("S-1", "S-2", "S-3")
    world.line("S-1", "1500", settled="2025-04-12T23:59:59+08:00")
    world.line("S-2", "1500", settled="2025-04-13T00:00:00+08:00")
    world.line("S-3", "999")
    waits = {"activated": "pending", "verdict": "pending", "amount": "0.00"}
    last = {"S-1": ELIGIBLE, "S-2": {**waits, "gmv_cny": "0.00"}, "S-3": {**waits, "gmv_cny": "999.00"}}
    after = {"S-1": ELIGIBLE, "S-2": {**FAILED, "gmv_cny": "0.00"}, "S-3": {**FAILED, "gmv_cny": "999.00"}}
    return [
        world.expect("settlement, last second of the last day", last, as_of="2025-04-12T23:59:59+08:00"),
        world.expect("settlement, the next second", after, as_of="2025-04-13T00:00:00+08:00"),
        world.expect("settlement, in the end", after),
    ]


def moments() -> list[Boundary]:
    """A line counts in the instant in which it settles and in which it is recorded, and not before."""
    world = bare("S-1", "S-2")
    world.line("S-1", "1500", settled="2025-02-25T10:00:00+08:00")
    world.line("S-2", "1500", recorded="2025-03-05T00:00:00Z")
    before = {"S-1": {"gmv_cny": "0.00", "activated": "pending"}}
    return [
        world.expect("line not yet settled", before, as_of="2025-02-25T09:59:59.999999+08:00"),
        world.expect("line settled now", {"S-1": ELIGIBLE}, as_of="2025-02-25T10:00:00+08:00"),
        world.expect(
            "line not yet recorded",
            {"S-2": {"gmv_cny": "0.00", "activated": "pending", "verdict": "pending"}},
            as_of="2025-03-04T23:59:59.999999Z",
        ),
        world.expect("line recorded now", {"S-2": ELIGIBLE}, as_of="2025-03-05T00:00:00Z"),
    ]


def refunds() -> list[Boundary]:
    """Refunds are negative lines that carry their order's time; what settles too late does not count."""
    world = bare("S-1", "S-2", "S-3", "S-4", "S-5")
    world.line("S-1", "100").line("S-1", "-300.555")
    world.line("S-2", "1").line("S-2", "-1.0040")
    world.line("S-3", "1500").line("S-3", "-1400", settled="2025-04-13T00:00:00+08:00")
    world.line("S-4", "1500").line("S-4", "-1400", settled="2025-04-12T23:59:59+08:00")
    # A refund without its sale; the order's time is before the certification: neither line counts.
    world.line("S-5", "2000").line("S-5", "-1500", ordered="2025-02-09T10:00:00+08:00")
    expected = {
        "S-1": {**FAILED, "gmv_cny": "-200.56"},
        "S-2": {**FAILED, "gmv_cny": "0.00"},
        "S-3": {**ELIGIBLE, "gmv_cny": "1500.00"},
        "S-4": {**FAILED, "gmv_cny": "100.00"},
        "S-5": {**ELIGIBLE, "gmv_cny": "2000.00"},
    }
    return [world.expect("refunds", expected)]


def nothing_sold() -> list[Boundary]:
    """No line is a GMV of zero; before certification there is none at all."""
    world = bare("S-1").good("S-2", without="status", certified="")
    pending = {"gmv_cny": "0.00", "activated": "pending"}
    uncertified = {"gmv_cny": "", "activated": "pending", "window_ends_on": "", "settles_by": ""}
    return [
        world.expect("nothing sold yet", {"S-1": pending, "S-2": uncertified}, as_of="2025-03-01T00:00:00Z"),
        world.expect("nothing sold", {"S-1": {**FAILED, "gmv_cny": "0.00"}, "S-2": uncertified}),
    ]


def rates() -> list[Boundary]:
    """A date without a rate takes the latest earlier one, at most 7 days earlier; else the condition is unknown."""
    world = bare("S-1", "S-2", "S-3", "S-4", "S-5", "S-6", "S-7")
    world.rate("2025-02-18", "EUR", "8").line("S-1", "200", currency="EUR")
    world.rate("2025-02-17", "JPY", "0.05").line("S-2", "90000", currency="JPY")
    # Unknown wins over met: another line alone would be enough.
    world.line("S-3", "5000").line("S-3", "1", currency="JPY")
    # A line that does not count needs no rate.
    world.line("S-4", "1500")
    world.line("S-4", "1", currency="JPY", ordered="2025-03-13T00:00:00+08:00", settled="2025-03-20T00:00:00Z")
    # The date's own rate before an earlier one, an earlier one before a later one.
    world.rate("2025-02-24", "GBP", "1").rate("2025-02-25", "GBP", "9").rate("2025-02-26", "GBP", "2")
    world.line("S-5", "200", currency="GBP")
    world.rate("2025-02-23", "USD", "5").rate("2025-02-24", "USD", "7").rate("2025-02-26", "USD", "2")
    world.line("S-6", "200", currency="USD")
    # The settled date is the local one: 00:30 on the 27th in Shanghai is still the 26th in UTC.
    world.rate("2025-02-27", "GBP", "6").line("S-7", "200", currency="GBP", settled="2025-02-26T16:30:00Z")
    expected = {
        "S-1": {**ELIGIBLE, "gmv_cny": "1600.00"},
        "S-2": UNKNOWN,
        "S-3": UNKNOWN,
        "S-4": {**ELIGIBLE, "gmv_cny": "1500.00"},
        "S-5": {**ELIGIBLE, "gmv_cny": "1800.00"},
        "S-6": {**ELIGIBLE, "gmv_cny": "1400.00"},
        "S-7": {**ELIGIBLE, "gmv_cny": "1200.00"},
    }
    early = {"S-2": UNKNOWN, "S-3": UNKNOWN}  # Unknown wins over pending, too.
    return [
        world.expect("rates", expected),
        world.expect("no rate while the window is open", early, as_of="2025-03-01T00:00:00Z"),
    ]


def corrected_rate() -> list[Boundary]:
    """A corrected rate is a new fact: a run as of earlier keeps the old one."""
    world = bare("S-1", "S-2").line("S-1", "200", currency="EUR").line("S-2", "200", currency="USD")
    world.rate("2025-02-25", "EUR", "8").rate("2025-02-20", "USD", "7")
    world.rate("2025-02-25", "EUR", "4", corrects=True, recorded="2025-05-01T00:00:00Z")
    world.rate("2025-02-25", "USD", "3", recorded="2025-05-01T00:00:00Z")
    old = {"S-1": {**ELIGIBLE, "gmv_cny": "1600.00"}, "S-2": {**ELIGIBLE, "gmv_cny": "1400.00"}}
    new = {"S-1": {**FAILED, "gmv_cny": "800.00"}, "S-2": {**FAILED, "gmv_cny": "600.00"}}
    return [
        world.expect("rate before its correction", old, as_of="2025-04-30T23:59:59.999999Z"),
        world.expect("rate corrected", new, as_of="2025-05-01T00:00:00Z"),
    ]


def cases() -> list[Boundary]:
    """All cases of this file."""
    makers = (threshold, window, settlement, moments, refunds, nothing_sold, rates, corrected_rate)
    return [case for maker in makers for case in maker()]
