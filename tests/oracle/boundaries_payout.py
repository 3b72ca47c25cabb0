"""Boundaries of payouts: high risk, the discount's tiers, and the rounding (POLICY 5)."""

from __future__ import annotations

from typing import Any

from tests.oracle.small import Boundary, Small

CLOSE_SECOND, CLOSE = "2025-05-31T23:59:59+08:00", "2025-06-01T00:00:00+08:00"
TIERS_LATE = [{"from": "0.05", "pay": "0.875"}, {"from": "0.3333", "pay": "0.3"}]


def partner_of(world: Small, partner: str, shops: int, high_risk: int) -> Small:
    """A partner with eligible shops, some of them closed by force (which their status doesn't yet say)."""
    world.partner(partner)
    for number in range(shops):
        world.good(f"{partner}-{number:02d}", partner=partner)
    for number in range(high_risk):
        world.violation(f"V-{partner}-{number}", f"{partner}-{number:02d}")
    return world


def payout(eligible: int, high_risk: int, base: str, factor: str, net: str, **more: str) -> dict[str, str]:
    """A partner's row when all its shops are eligible, and what differs."""
    row = {
        "eligible": str(eligible),
        "pending": "0",
        "needs_data": "0",
        "not_eligible": "0",
        "introduced": str(eligible),
        "high_risk": str(high_risk),
        "base_amount": base,
        "factor": factor,
        "net_amount": net,
        "currency": "CNY",
    }
    return row | more


def tiers() -> list[Boundary]:
    """The tier with the greatest `from` that is not above the share; exactly on it is on it."""
    world = Small()
    for partner, shops, high_risk in (
        ("PA", 20, 1),
        ("PB", 21, 1),
        ("PC", 19, 1),
        ("PD", 10, 1),
        ("PE", 5, 1),
        ("PF", 4, 0),
    ):
        partner_of(world, partner, shops, high_risk)
    payouts = {
        "PA": payout(20, 1, "40000.00", "0.70", "28000.00"),  # 1/20 is 0.05.
        "PB": payout(21, 1, "42000.00", "0.90", "37800.00"),
        "PC": payout(19, 1, "38000.00", "0.70", "26600.00"),
        "PD": payout(10, 1, "20000.00", "0.50", "10000.00"),
        "PE": payout(5, 1, "10000.00", "0.00", "0.00"),
        "PF": payout(4, 0, "8000.00", "1.00", "8000.00"),
    }
    return [world.expect("tiers", {}, payouts=payouts)]


def other_tiers() -> list[Boundary]:
    """Where no tier applies the factor is 1; a third is above 0.3333; counts in place of shares."""
    facts = Small()
    for partner, shops, high_risk in (("PA", 21, 1), ("PB", 20, 1), ("PC", 3, 1), ("PD", 4, 2), ("PE", 4, 3)):
        partner_of(facts, partner, shops, high_risk)
    by_share = {
        "PA": payout(21, 1, "42000.00", "1.00", "42000.00"),
        "PB": payout(20, 1, "40000.00", "0.875", "35000.00"),
        "PC": payout(3, 1, "6000.00", "0.30", "1800.00"),
        "PD": payout(4, 2, "8000.00", "0.30", "2400.00"),
    }
    by_count = {
        "PA": payout(21, 1, "42000.00", "1.00", "42000.00"),
        "PC": payout(3, 1, "6000.00", "1.00", "6000.00"),
        "PD": payout(4, 2, "8000.00", "0.75", "6000.00"),
        "PE": payout(4, 3, "8000.00", "0.125", "1000.00"),
    }
    count_tiers = [{"from": "2", "pay": "0.75"}, {"from": "3", "pay": "0.125"}]
    share = Small({"discount": {"tiers": TIERS_LATE}}, said=facts.said, partners=facts.partners)
    count = Small({"discount": {"basis": "count", "tiers": count_tiers}}, said=facts.said, partners=facts.partners)
    return [
        share.expect("tiers that don't start at 0", {}, payouts=by_share),
        count.expect("the number of closed shops", {}, payouts=by_count),
    ]


def rounding() -> list[Boundary]:
    """Money to pay is rounded once, half up, to 0.01, at the partner's payout: not at each line."""
    changes: dict[str, Any] = {"discount": {"tiers": [{"from": "0", "pay": "0.5"}]}}
    found = []
    for amount, shops, base, net in (
        ("0.01", 1, "0.01", "0.01"),
        ("0.05", 1, "0.05", "0.03"),
        ("0.05", 3, "0.15", "0.08"),
        ("0.03", 3, "0.09", "0.05"),
        ("1999.99", 1, "1999.99", "1000.00"),
    ):
        world = Small(changes | {"incentive": {"amount": amount}})
        partner_of(world, "PA", shops, 1)
        expected = {"PA-00": {"amount": amount, "verdict": "eligible"}}
        row = payout(shops, 1, base, "0.50", net)
        found.append(world.expect(f"half of {shops} times {amount}", expected, payouts={"PA": row}))
    world = Small({"discount": {"tiers": [{"from": "0", "pay": "0.33335"}]}, "incentive": {"amount": "100.00"}})
    row = payout(3, 1, "300.00", "0.33335", "100.01")  # 100.005
    found.append(partner_of(world, "PA", 3, 1).expect("a long factor", {}, payouts={"PA": row}))
    return found


def high_risk() -> list[Boundary]:
    """Closed by force, for a severe category, not overturned, penalised not after the close of observation."""
    world = Small()
    stories: dict[str, dict[str, Any]] = {
        "PA": {},
        "PB": {"category": "late_shipment"},
        "PC": {"enforced": "false"},
        "PD": {"penalised": CLOSE_SECOND},
        "PE": {"penalised": CLOSE},
        "PF": {"overturned": "2025-06-20T00:00:00+08:00"},  # After the close: an overturn counts whenever it comes.
        "PG": {"overturned": "2025-07-01T12:00:00+08:00"},
        "PH": {"overturned": "2025-07-01T12:00:01+08:00"},
    }
    for partner, story in stories.items():
        partner_of(world, partner, 1, 0).violation(f"V-{partner}", f"{partner}-00", **story)
    # A second violation that stands; and one that was overturned beside it.
    world.violation("V-PF-2", "PF-00", overturned="2025-06-20T00:00:00+08:00").violation("V-PG-2", "PG-00")
    closed, clean = ("2000.00", "0.00", "0.00"), ("2000.00", "1.00", "2000.00")
    risky = {"PA", "PD", "PG", "PH"}
    payouts = {code: payout(1, int(code in risky), *(closed if code in risky else clean)) for code in stories}
    later = {"PH": payout(1, 0, *clean), "PG": payout(1, 1, *closed)}
    before = {"PA": {"high_risk": "0", "factor": "1.00"}}
    return [
        world.expect("high risk", {"PA-00": {"verdict": "eligible"}}, payouts=payouts),
        world.expect("overturned", {}, payouts=later, as_of="2025-07-01T12:00:01+08:00"),
        world.expect("not yet penalised", {}, payouts=before, as_of="2025-03-01T09:59:59+08:00"),
        world.expect(
            "penalised now",
            {},
            payouts={"PA": {"high_risk": "1", "factor": "0.00"}},
            as_of="2025-03-01T10:00:00+08:00",
        ),
    ]


def violation_facts() -> list[Boundary]:
    """A violation's latest fact rules altogether: its category, its shop, its overturning."""
    world = Small()
    for partner in ("PA", "PB", "PC", "PD"):
        partner_of(world, partner, 1, 1 if partner != "PC" else 0)
    later = "2025-06-15T00:00:00Z"
    world.violation("V-PA-0", "PA-00", category="late_shipment", corrects=True, recorded=later)
    world.violation("V-PB-0", "PC-00", corrects=True, recorded=later)
    world.violation("V-PD-0", "PD-00", overturned="2025-04-01T00:00:00Z", recorded=later)
    old = {"PA": {"high_risk": "1"}, "PB": {"high_risk": "1"}, "PC": {"high_risk": "0"}, "PD": {"high_risk": "1"}}
    new = {"PA": {"high_risk": "0"}, "PB": {"high_risk": "0"}, "PC": {"high_risk": "1"}, "PD": {"high_risk": "0"}}
    return [
        world.expect("violations as first recorded", {}, payouts=old, as_of="2025-06-14T23:59:59.999999Z"),
        world.expect("violations corrected", {}, payouts=new, as_of=later),
    ]


def counts() -> list[Boundary]:
    """Introduced are the shops certified inside the period; every evaluated shop is counted by its verdict."""
    world = partner_of(Small(), "PA", 2, 0).good("PA-x", partner="PA", certified="")
    world.good("PA-y", partner="PA", without="status").good("PA-z", partner="PA", market="GB")
    world.violation("V-1", "PA-x", penalised="2025-02-15T00:00:00Z").violation("V-2", "PA-z")
    world.partner("PB").good("PB-1", partner="PB", certified="").partner("PC").partner("PD").good(
        "PD-1", partner="PD", market="GB"
    )
    mixed = payout(2, 0, "4000.00", "1.00", "4000.00", introduced="3", needs_data="1", not_eligible="1")
    nothing = payout(0, 0, "0.00", "1.00", "0.00", not_eligible="1")
    payouts = {"PA": mixed, "PB": nothing, "PC": None, "PD": None}
    return [
        world.expect("counts", {"PA-z": None}, payouts=payouts),
        world.expect(
            "counts while the period runs",
            {},
            payouts={
                "PA": {**mixed, "pending": "1", "not_eligible": "0"},
                "PB": {**nothing, "pending": "1", "not_eligible": "0"},
            },
            as_of="2025-03-20T00:00:00Z",
        ),
    ]


def cases() -> list[Boundary]:
    """All cases of this file."""
    makers = (tiers, other_tiers, rounding, high_risk, violation_facts, counts)
    return [case for maker in makers for case in maker()]
