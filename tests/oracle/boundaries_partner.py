"""Boundaries of partners: their certification, links, claims and attribution (POLICY 3 and 4)."""

from __future__ import annotations

from tests.oracle.small import REGISTERED, Boundary, Expected, Small

SECOND_BEFORE, SECOND_AFTER = "2025-02-01T09:59:59+08:00", "2025-02-01T10:00:01+08:00"
MONTH_BEFORE, MONTH_AFTER = "2025-01-02T10:00:00+08:00", "2025-03-03T10:00:00+08:00"
LINKED = {"exclusive_link": "met", "track": "directed", "partner_code": "P1", "verdict": "eligible"}
UNLINKED = {"exclusive_link": "not_met", "track": "directed", "verdict": "not_eligible"}


def partner_certification() -> list[Boundary]:
    """In force on the shop's certification date (10 February), its last day included."""
    world = Small()
    spans = {
        "PA": ("2024-01-01", "2025-02-10"),
        "PB": ("2024-01-01", "2025-02-09"),
        "PC": ("2025-02-10", ""),
        "PD": ("2025-02-11", ""),
        "PE": ("", ""),
        "PF": ("2025-02-10", "2025-02-10"),
    }
    for partner, (first, last) in spans.items():
        world.partner(partner, first, last).good(f"S-{partner}", partner=partner)
    met, failed = (
        {"partner_certified": "met", "verdict": "eligible"},
        {"partner_certified": "not_met", "amount": "0.00"},
    )
    expected = {"S-PA": met, "S-PB": failed, "S-PC": met, "S-PD": failed, "S-PE": failed, "S-PF": met}
    return [world.expect("partner's certification", expected)]


def partner_facts() -> list[Boundary]:
    """A later certification replaces the earlier one altogether; an empty first date retracts nothing."""
    world = Small()
    changes = {
        "PA": (("2024-01-01", ""), ("2025-03-01", "")),
        "PB": (("2025-03-01", ""), ("2025-01-01", "")),
        "PC": (("2024-01-01", "2024-12-31"), ("2024-01-01", "")),
        "PD": (("2024-01-01", ""), ("", "")),
    }
    for partner, (before, after) in changes.items():
        world.partner(partner, *before).good(f"S-{partner}", partner=partner)
        world.partner(partner, *after, recorded="2025-04-01T00:00:00Z")
    met, failed = {"partner_certified": "met"}, {"partner_certified": "not_met"}
    old = {"S-PA": met, "S-PB": failed, "S-PC": failed, "S-PD": met}
    return [
        world.expect("partner before its new certification", old, as_of="2025-03-31T23:59:59.999999Z"),
        world.expect("partner certified anew", {"S-PA": failed, "S-PB": met, "S-PC": met, "S-PD": met}),
    ]


def directed(*codes: str) -> Small:
    """A world of merchants assigned to P1, whose shops are still to come; P2 is certified too."""
    world = Small().partner("P1").partner("P2")
    for code in codes:
        world.entry(f"E-{code}", f"M-{code}", directed="P1")
    return world


def link_times() -> list[Boundary]:
    """Links are half-open: valid in the second they start, no longer in the second they expire or are revoked."""
    links = {
        "S-1": ({}, LINKED),
        "S-2": ({"starts": REGISTERED}, LINKED),
        "S-3": ({"starts": SECOND_AFTER}, UNLINKED),
        "S-4": ({"expires": SECOND_AFTER}, LINKED),
        "S-5": ({"expires": REGISTERED}, UNLINKED),
        "S-6": ({"revoked": SECOND_AFTER}, LINKED),
        "S-7": ({"revoked": REGISTERED}, UNLINKED),
        "S-8": ({"revoked": SECOND_BEFORE}, UNLINKED),
    }
    world = directed(*links)
    for code, (times, _) in links.items():
        world.link(f"L-{code}", "P1", f"E-{code}", **times)
        world.good(code, without="entry", invite=f"L-{code}")
    return [world.expect("links in their seconds", {code: expected for code, (_, expected) in links.items()})]


def revocation_facts() -> list[Boundary]:
    """A revocation counts when it was known as the shop was recorded; one recorded later does not reach back."""
    world = directed("S-1", "S-2", "S-3")
    for code in ("S-1", "S-2", "S-3"):
        world.link(f"L-{code}").good(code, without="entry", invite=f"L-{code}", recorded="2025-02-12T00:00:00Z")
    world.link("L-S-1", revoked=SECOND_BEFORE, recorded="2025-02-11T23:59:59Z")
    world.link("L-S-2", revoked=SECOND_BEFORE, recorded="2025-02-12T00:00:01Z")
    world.link("L-S-3", revoked=SECOND_BEFORE, recorded="2025-02-11T00:00:00Z")
    world.link("L-S-3", revoked="", recorded="2025-02-11T12:00:00Z")  # An empty one retracts nothing.
    return [world.expect("revocations and when they are known", {"S-1": UNLINKED, "S-2": LINKED, "S-3": UNLINKED})]


def late_history() -> list[Boundary]:
    """A shop that is loaded late counts as recorded earlier: what was recorded in between did not reach it."""
    world = directed("S-1", "S-2").partner("P3").entry("E-S-3", "M-S-3").entry("E-S-4", "M-S-4")
    before, after = "2025-02-12T00:00:00Z", "2025-02-14T00:00:00Z"
    world.link("L-S-1").link("L-S-1", revoked=SECOND_BEFORE, recorded=before)
    world.link("L-S-2").link("L-S-2", revoked=SECOND_BEFORE, recorded=after)
    world.claim("E-S-3", "P2", MONTH_BEFORE, MONTH_AFTER, status="pending")
    world.claim("E-S-3", "P2", MONTH_BEFORE, MONTH_AFTER, recorded=after)
    world.claim("E-S-4", "P2", MONTH_BEFORE, MONTH_AFTER)
    world.claim("E-S-4", "P2", MONTH_BEFORE, MONTH_AFTER, status="rejected", recorded=after)
    for code in ("S-1", "S-2", "S-3", "S-4"):
        invite = f"L-{code}" if code in ("S-1", "S-2") else ""
        world.afterwards().good(code, without="entry", invite=invite, recorded="2025-02-13T00:00:00Z")
    expected: Expected = {"S-1": UNLINKED, "S-2": LINKED, "S-3": {"partner_code": "P1"}, "S-4": {"partner_code": "P2"}}
    return [world.expect("shops loaded late", expected)]


def whose_link() -> list[Boundary]:
    """A link of the very partner to whom the entry is assigned, made for this entry or for any."""
    codes = [f"S-{number}" for number in range(1, 9)]
    world = directed(*codes).entry("E-more", "M-S-5", directed="P1").entry("E-far", "M-far", directed="P1")
    world.link("L-P1").link("L-P2", "P2").link("L-far", "P1", "E-far").link("L-more", "P1", "E-more")
    world.link("L-2-for-3", "P2", "E-S-3").link("L-1-for-4", "P1", "E-S-4")
    world.good("S-1", without="entry", invite="L-P1", partner="P2")  # The link goes before the record.
    world.good("S-2", without="entry", invite="L-P2")
    world.good("S-3", without="entry", invite="L-2-for-3")
    world.good("S-4", without="entry", invite="L-1-for-4", partner="")
    # Made for another entry of the same merchant: attributed by it, but not the exclusive link.
    world.good("S-5", without="entry", invite="L-more", partner="")
    # Made for another merchant's entry: attributed by the record only.
    world.good("S-6", without="entry", invite="L-far")
    world.good("S-7", without="entry")
    world.good("S-8", without="entry", invite="L-far", partner="")
    expected = {
        "S-1": LINKED,
        "S-2": {**UNLINKED, "partner_code": "P2"},
        "S-3": {**UNLINKED, "partner_code": "P2"},
        "S-4": LINKED,
        "S-5": {**UNLINKED, "partner_code": "P1", "target_code": "E-S-5"},
        "S-6": {**UNLINKED, "partner_code": "P1"},
        "S-7": {**UNLINKED, "partner_code": "P1"},
        "S-8": None,
    }
    return [world.expect("whose link, and made for what", expected)]


def links_and_claims() -> list[Boundary]:
    """On the directed track a claim may win the shop; the link's partner and the shop's must both be the assigned."""
    world = directed("S-1", "S-2", "S-3").link("L-P1").link("L-P2", "P2")
    world.claim("E-S-1", "P1", MONTH_BEFORE, MONTH_AFTER).good("S-1", without="entry", invite="L-P1", partner="P2")
    world.claim("E-S-2", "P2", MONTH_BEFORE, MONTH_AFTER).good("S-2", without="entry", invite="L-P1")
    world.claim("E-S-3", "P1", MONTH_BEFORE, MONTH_AFTER).good("S-3", without="entry", invite="L-P2")
    # Off the directed track, and without an entry, the condition binds nothing.
    world.good("S-4").good("S-5", without="entry")
    # The assignment that is known counts: later P2's.
    world.good("S-6", without="entry", invite="L-P1").entry("E-S-6", "M-S-6", directed="P1")
    world.entry("E-S-6", "M-S-6", directed="P2", recorded="2025-05-01T00:00:00Z")
    expected = {
        "S-1": LINKED,
        "S-2": {**UNLINKED, "partner_code": "P2"},
        "S-3": {**UNLINKED, "partner_code": "P1"},
        "S-4": {"exclusive_link": "not_applicable", "track": "target", "verdict": "eligible"},
        "S-5": {"exclusive_link": "not_applicable", "track": "", "listed": "not_met"},
        "S-6": UNLINKED,
    }
    return [
        world.expect("links and claims", expected),
        world.expect("before the entry was reassigned", {"S-6": LINKED}, as_of="2025-04-30T23:59:59Z"),
    ]


def claims() -> list[Boundary]:
    """An approved claim in force at the registration's instant wins; of several the earliest, then the lower code."""
    world = Small().partner("P1").partner("P2").partner("p0")
    for number in range(1, 11):
        world.good(f"S-{number}", invite="" if number in (4, 5) else "L-P1", brand=f"Brand {number}", partner="P1")
    world.link("L-P1")
    world.claim("E-S-1", "P2", REGISTERED, MONTH_AFTER)
    world.claim("E-S-2", "P2", MONTH_BEFORE, REGISTERED)
    world.claim("E-S-3", "P2", MONTH_BEFORE, SECOND_AFTER)
    world.claim("E-S-4", "P2", SECOND_AFTER, MONTH_AFTER)
    # Two entries name the merchant or the brand: the earliest claim; in the same instant the lower partner code.
    world.entry("E-5b", brand="BRAND 5").claim("E-5b", "p0", "2025-01-02T09:59:59+08:00", MONTH_AFTER)
    world.claim("E-S-5", "P2", MONTH_BEFORE, MONTH_AFTER)
    world.entry("E-6b", brand="brand 6").claim("E-6b", "p0", MONTH_BEFORE, MONTH_AFTER)
    world.claim("E-S-6", "P2", MONTH_BEFORE, MONTH_AFTER)
    world.claim("E-S-7", "P2", MONTH_BEFORE, MONTH_AFTER, status="pending")
    # Listing dates, review and program of the entry don't matter.
    world.entry("E-8b", "M-S-8", program="b.before", listed="2025-03-20", review="rejected")
    world.claim("E-8b", "P2", MONTH_BEFORE, MONTH_AFTER, program="b.before")
    # One claim ends in the instant in which the next begins.
    world.claim("E-S-9", "p0", MONTH_BEFORE, REGISTERED).claim("E-S-9", "P2", REGISTERED, MONTH_AFTER)
    # The recorded expiry rules, not the policy's 30 days.
    world.claim("E-S-10", "P2", "2024-11-01T00:00:00+08:00", MONTH_AFTER)
    partners = {"S-1": "P2", "S-2": "P1", "S-3": "P2", "S-4": "P1", "S-5": "p0", "S-6": "P2", "S-7": "P1", "S-8": "P2"}
    partners |= {"S-9": "P2", "S-10": "P2"}
    return [world.expect("claims", {code: {"partner_code": partner} for code, partner in partners.items()})]


def claim_facts() -> list[Boundary]:
    """A claim counts by the status that was known as the shop was recorded."""
    world = Small().partner("P1").partner("P2")
    recorded = "2025-02-12T00:00:00Z"
    statuses = {
        "S-1": (("pending", "2025-02-01T00:00:00Z"), ("approved", "2025-02-12T00:00:00Z")),
        "S-2": (("pending", "2025-02-01T00:00:00Z"), ("approved", "2025-02-12T00:00:01Z")),
        "S-3": (("approved", "2025-02-01T00:00:00Z"), ("rejected", "2025-02-11T00:00:00Z")),
        "S-4": (("approved", "2025-02-01T00:00:00Z"), ("rejected", "2025-02-13T00:00:00Z")),
        "S-5": (("approved", "2025-02-13T00:00:00Z"),),
    }
    for code, facts in statuses.items():
        world.entry(f"E-{code}", f"M-{code}").shop(code, recorded=recorded)
        for status, at in facts:
            world.claim(f"E-{code}", "P2", MONTH_BEFORE, MONTH_AFTER, status=status, recorded=at)
    partners = {"S-1": "P2", "S-2": "P1", "S-3": "P1", "S-4": "P2", "S-5": "P1"}
    return [world.expect("claims and when they are known", {code: {"partner_code": p} for code, p in partners.items()})]


def attribution() -> list[Boundary]:
    """The link's partner, else the record's, else nobody's: then the shop has no row."""
    world = Small().partner("P1").partner("P2").link("L-P1").link("L-old", expires=REGISTERED)
    world.good("S-1", invite="L-P1", partner="P2")
    world.good("S-2", invite="L-old", partner="P2")
    world.good("S-3", invite="L-old", partner="")
    world.good("S-4", partner="")
    # A link made for an entry that names the brand only.
    world.entry("E-5b", brand="Ame").link("L-brand", "P1", "E-5b").good(
        "S-5", brand="AME", invite="L-brand", partner="P2"
    )
    world.good("S-6", market="GB")
    partners = {"S-1": "P1", "S-2": "P2", "S-3": None, "S-4": None, "S-5": "P1", "S-6": None}
    expected = {code: None if partner is None else {"partner_code": partner} for code, partner in partners.items()}
    return [world.expect("attribution", expected)]


def cases() -> list[Boundary]:
    """All cases of this file."""
    makers = (
        partner_certification,
        partner_facts,
        link_times,
        revocation_facts,
        late_history,
        whose_link,
        links_and_claims,
        claims,
        claim_facts,
        attribution,
    )
    return [case for maker in makers for case in maker()]
