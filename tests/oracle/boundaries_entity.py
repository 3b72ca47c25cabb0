"""Boundaries of `listed` and `first_entity`: the covering entry, the rivals, and who was first."""

from __future__ import annotations

from tests.oracle.small import Boundary, Expected, Small

MET, FAILED = {"first_entity": "met"}, {"first_entity": "not_met", "verdict": "not_eligible"}
FIRST = "2025-02-05T10:00:00+08:00"


def ties() -> list[Boundary]:
    """Certified in the same instant: the lower shop code was first, and codes go by bytes."""
    world = Small()
    for number, (lower, higher) in enumerate(
        (("S-A", "S-a"), ("T-1", "T_1"), ("U-Z", "U-a"), ("V.1", "V1"), ("W-10", "W-9"))
    ):
        world.good(lower, merchant=f"M{number}").good(higher, without="entry", merchant=f"M{number}")
    # A microsecond decides before the code does.
    world.good("X-1", merchant="MX", certified="2025-02-10T10:00:00.000001+08:00")
    world.good("X-2", without="entry", merchant="MX")
    first = {code: {**MET, "verdict": "eligible"} for code in ("S-A", "T-1", "U-Z", "V.1", "W-10", "X-2")}
    second = dict.fromkeys(("S-a", "T_1", "U-a", "V1", "W-9", "X-1"), FAILED)
    return [world.expect("ties in first entity", {**first, **second})]


def same_merchant_or_brand() -> list[Boundary]:
    """Registration numbers and brands are compared normalised; a word for no brand is none."""
    world = Small()
    world.good("S-1", merchant="91-ab 12", certified=FIRST).good("S-2", without="entry", merchant="91AB12")
    # The same number in another country is another merchant.
    world.good("S-3", without="entry", merchant="91AB12", country="HK")
    world.entry("E-S-3", "91AB12", country="HK")
    brands = {
        "B-1": "Äther  Weiß",
        "B-2": "ÄTHER\u3000WEISS",
        "B-3": "Äther",
        "F-1": "Nami 3",
        "F-2": "ＮＡＭＩ　３",
        "N-1": "无品牌",
        "N-2": "无品牌",
        "N-3": "ＯＥＭ",
        "N-4": "oem",
    }
    for code, brand in brands.items():
        world.good(code, brand=brand, certified=FIRST if code.endswith("1") else "2025-02-10T10:00:00+08:00")
    expected = {"S-1": MET, "S-2": FAILED, "S-3": MET, "B-1": MET, "B-2": FAILED, "B-3": MET, "F-1": MET, "F-2": FAILED}
    return [world.expect("merchants and brands", {**expected, **dict.fromkeys(("N-1", "N-2", "N-3", "N-4"), MET)})]


def entry_names_both() -> list[Boundary]:
    """Rivals are also those of the merchant or the brand that the shop's covering entry names."""
    world = Small()
    # S-1 has no brand, but its entry names one, and R-1 of another merchant was first under it.
    world.good("S-1", without="entry", merchant="MA").entry("E-1", "MA", brand="Nami")
    world.good("R-1", without="entry", merchant="MB", brand="nami", certified=FIRST)
    # S-2 is covered by its brand, and R-2 of the merchant that the entry names was first.
    world.good("S-2", without="entry", merchant="MC", brand="Sora").entry("E-2", "MD", brand="sora")
    world.good("R-2", without="entry", merchant="MD", brand="Other", certified=FIRST)
    # The entry need not be in force, nor approved, to name them.
    world.good("S-3", without="entry", merchant="ME").entry("E-3", "ME", brand="Kaze", listed="2025-03-01")
    world.good("R-3", without="entry", merchant="MF", brand="Kaze", certified=FIRST)
    # A second entry that does not cover the shop names nothing for it.
    world.good("S-4", without="entry", merchant="MG").entry("E-4a", "MG").entry("E-4b", "MG", brand="Yuki")
    world.good("R-4", without="entry", merchant="MH", brand="Yuki", certified=FIRST)
    expected = {
        "S-1": {**FAILED, "target_code": "E-1", "listed": "met"},
        "S-2": {**FAILED, "target_code": "E-2", "listed": "met"},
        "S-3": {**FAILED, "target_code": "E-3", "listed": "not_met"},
        "S-4": {**MET, "target_code": "E-4a", "verdict": "eligible"},
        "R-1": MET,
        "R-2": MET,
        "R-4": {**MET, "target_code": "E-4b"},
    }
    return [world.expect("an entry that names merchant and brand", expected)]


def who_competes() -> list[Boundary]:
    """Attributed or not; in the policy's markets or all; inside the period or ever; certified by now."""
    facts = Small()
    for code, other in (
        ("S-1", {"partner": ""}),
        ("S-2", {"market": "GB"}),
        ("S-3", {"registered": "2024-05-01T00:00:00Z", "certified": "2024-06-01T00:00:00Z"}),
        ("S-4", {"certified": ""}),
        ("S-5", {"recorded": "2025-05-01T00:00:00Z"}),
    ):
        facts.good(code).shop(f"R-{code}", **{"merchant": f"M-{code}", "certified": FIRST} | other)
    facts.status("R-S-1", "closed", "2025-02-06T00:00:00Z")  # The first one counts even when it then fails.
    found = []
    for name, changes, failed in (
        ("all time, program", {}, {"S-1", "S-3", "S-5"}),
        ("program's period", {"period": "program"}, {"S-1", "S-5"}),
        ("all markets", {"markets": "all"}, {"S-1", "S-2", "S-3", "S-5"}),
        ("program's period, all markets", {"period": "program", "markets": "all"}, {"S-1", "S-2", "S-5"}),
    ):
        world = Small({"first_entity": changes}, said=facts.said)
        expected = {code: FAILED if code in failed else MET for code in ("S-1", "S-2", "S-3", "S-4", "S-5")}
        found.append(world.expect(f"who competes: {name}", expected))
    early: Expected = {"S-5": {**MET, "verdict": "eligible"}, "R-S-5": None}
    before: Expected = {"S-1": {"first_entity": "pending", "certified_at": ""}}
    rival: Expected = {"S-1": {"first_entity": "not_met", "certified_at": "", "verdict": "not_eligible"}}
    return [
        *found,
        facts.expect("a rival not yet recorded", early, as_of="2025-04-30T23:59:59Z"),
        facts.expect("nobody certified yet", before, as_of="2025-02-05T09:59:59+08:00"),
        facts.expect("only the rival certified", rival, as_of="2025-02-05T10:00:00+08:00"),
    ]


def brand_changes() -> list[Boundary]:
    """A shop has the brand that was recorded last, an empty cell included; an absent column changes nothing."""
    world = Small().good("S-1", brand="Hoshi").good("R-1", brand="Hoshi", certified=FIRST)
    world.good("S-2", brand="Tsuki").good("R-2", brand="Tsuki", certified=FIRST)
    world.shop("R-1", brand="", certified=FIRST, recorded="2025-05-01T00:00:00Z")
    world.shop("R-2", brand="x", certified=FIRST, recorded="2025-05-01T00:00:00Z")
    again = world.said.pop()[2]
    world.say("shops", {column: again[column] for column in again if column != "brand"}, "2025-05-01T00:00:00Z")
    both = {"S-1": FAILED, "R-1": {**MET, "brand": "Hoshi"}, "S-2": FAILED}
    return [
        world.expect("brand before its change", both, as_of="2025-04-30T23:59:59Z"),
        world.expect(
            "brand changed", {"S-1": MET, "R-1": {**MET, "brand": ""}, "S-2": FAILED, "R-2": {"brand": "Tsuki"}}
        ),
    ]


def listing_dates() -> list[Boundary]:
    """Listed on or before the certification date (10 February) and not delisted on or before it."""
    world = Small()
    dates = {
        "S-1": ("2025-02-10", ""),
        "S-2": ("2025-02-11", ""),
        "S-3": ("2025-01-01", "2025-02-11"),
        "S-4": ("2025-01-01", "2025-02-10"),
        "S-5": ("2025-02-11", "2025-02-12"),
    }
    for code, (listed, delisted) in dates.items():
        world.good(code, without="entry").entry(f"E-{code}", f"M-{code}", listed=listed, delisted=delisted)
    world.good("S-6", without="entry")
    world.good("S-7", without="entry").entry("E-S-7", "M-S-7", program="b.before")
    # Not yet certified: as_of's date stands in.
    world.good("S-8", without="entry", certified="").entry("E-S-8", "M-S-8", listed="2025-03-02", delisted="2025-03-05")
    met, failed = {"listed": "met", "track": "target"}, {"listed": "not_met", "track": "target"}
    nothing = {"listed": "not_met", "track": "", "target_code": ""}
    expected = {"S-1": met, "S-2": {**failed, "target_code": "E-S-2"}, "S-3": met, "S-4": failed, "S-5": failed}
    ignoring = Small({"list": {"must_precede_certification": False}}, said=world.said)
    return [
        world.expect("listing dates", {**expected, "S-6": nothing, "S-7": nothing}),
        ignoring.expect("listed too late does not matter", {**expected, "S-2": met, "S-5": met, "S-6": nothing}),
        world.expect("not yet on the list", {"S-8": failed}, as_of="2025-03-01T23:59:59+08:00"),
        ignoring.expect("on the list from any day on", {"S-8": met}, as_of="2025-03-01T23:59:59+08:00"),
        world.expect("on the list", {"S-8": met}, as_of="2025-03-02T00:00:00+08:00"),
        world.expect("on its last day", {"S-8": met}, as_of="2025-03-04T23:59:59+08:00"),
        world.expect("off the list", {"S-8": failed}, as_of="2025-03-05T00:00:00+08:00"),
    ]


def reviews() -> list[Boundary]:
    """Approved, pending, rejected; each review is a new fact, and an entry counts from its recording on."""
    world = Small()
    for code, review in (("S-1", "pending"), ("S-2", "rejected"), ("S-3", "approved")):
        recorded = "2025-04-01T00:00:00Z" if code == "S-3" else "2024-12-01T00:00:00Z"
        world.good(code, without="entry").entry(f"E-{code}", f"M-{code}", review=review, recorded=recorded)
    world.entry("E-S-1", "M-S-1", review="approved", recorded="2025-05-01T00:00:00Z")
    pending = {
        "S-1": {"listed": "pending", "verdict": "pending"},
        "S-2": {"listed": "not_met"},
        "S-3": {"listed": "met"},
    }
    return [
        world.expect("review open", pending, as_of="2025-04-30T23:59:59.999999Z"),
        world.expect("review closed", {"S-1": {"listed": "met", "verdict": "eligible"}}, as_of="2025-05-01T00:00:00Z"),
        world.expect(
            "entry not yet recorded", {"S-3": {"listed": "not_met", "track": ""}}, as_of="2025-03-31T23:59:59Z"
        ),
    ]


def covering_order() -> list[Boundary]:
    """In force; then approved, pending, rejected; then by merchant before by brand; then the lower code."""
    world = Small()
    for number in range(1, 7):
        world.good(f"S-{number}", without="entry", brand=f"Brand {number}")
    world.entry("E-1a", "M-S-1", listed="2025-03-01").entry("E-1b", brand="brand 1", review="rejected")
    world.entry("E-2a", "M-S-2", review="pending").entry("E-2b", brand="brand 2")
    world.entry("E-3a", brand="brand 3").entry("E-3b", "M-S-3")
    world.entry("E-4a", "M-S-4").entry("E-4B", "M-S-4")
    # An entry that names both counts as naming the merchant.
    world.entry("E-5a", brand="brand 5").entry("E-5b", "M-S-5", brand="brand 5")
    # None in force: the track is still that of the first of them.
    world.entry("E-6b", "M-S-6", directed="P1", listed="2025-03-01").entry("E-6c", "M-S-6", listed="2025-03-01")
    expected = {
        "S-1": {"target_code": "E-1b", "listed": "not_met"},
        "S-2": {"target_code": "E-2b", "listed": "met"},
        "S-3": {"target_code": "E-3b", "listed": "met"},
        "S-4": {"target_code": "E-4B", "listed": "met"},
        "S-5": {"target_code": "E-5b", "listed": "met"},
        "S-6": {"target_code": "E-6b", "listed": "not_met", "track": "directed", "exclusive_link": "not_met"},
    }
    return [world.expect("which entry covers", expected)]


def cases() -> list[Boundary]:
    """All cases of this file."""
    makers = (
        ties,
        same_merchant_or_brand,
        entry_names_both,
        who_competes,
        brand_changes,
        listing_dates,
        reviews,
        covering_order,
    )
    return [case for maker in makers for case in maker()]
