"""Small worlds written by hand: a shop that is eligible in every respect, and what a case changes about it.

Unless a case says otherwise: the program `b` runs from 2025-01-01 to 2025-03-31 in Asia/Shanghai; the shop is
certified on 2025-02-10, so its window ends on 2025-03-12 and its lines settle by 2025-04-12; the program closes for
observation at the end of 2025-05-31; everything was recorded on 2024-12-01 already, so that only the cases about
recording have to think of it; the run is as of 2025-07-01.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from tests.oracle.batches import KINDS, PLATFORM_ZONE, Batch
from tests.oracle.policies import Policy
from tests.oracle.quarters import Program
from tests.oracle.values import Row

RECORDED = "2024-12-01T00:00:00Z"
AS_OF = "2025-07-01T12:00:00+08:00"
CERTIFIED = "2025-02-10T10:00:00+08:00"
REGISTERED = "2025-02-01T10:00:00+08:00"
PARTNER = "P1"

STANDARD: Policy = {
    "name": {"en": "Boundaries"},
    "markets": ["DE", "FR", "IT", "ES", "IE", "JP"],
    "timezone": "Asia/Shanghai",
    "incentive": {"amount": "2000.00", "currency": "CNY"},
    "list": {"must_precede_certification": True},
    "first_entity": {"period": "all_time", "markets": "program"},
    "activation": {"window_days": 30, "gmv_above": "1000.00", "settlement_grace_days": 31},
    "stock": {"countries": ["DE", "FR", "IT", "ES"], "minimum": 4, "scope": "merchant", "exempt_markets": []},
    "shop": {"normal_statuses": ["open"]},
    "high_risk": {"categories": ["prohibited_goods", "counterfeit", "risk_control", "fake_fulfilment"]},
    "discount": {
        "basis": "share",
        "example": False,
        "tiers": [
            {"from": "0", "pay": "0.90"},
            {"from": "0.05", "pay": "0.70"},
            {"from": "0.10", "pay": "0.50"},
            {"from": "0.20", "pay": "0.00"},
        ],
    },
    "claim": {"days": 30, "max_in_force": 50},
    "attribution": {"order": ["claim", "link", "record"]},
}

OTHER = Program("b.before", date(2024, 10, 1), date(2024, 12, 31))

Expected = Mapping[str, Mapping[str, str] | None]
"""For each code the columns that must have these values; ``None``: there must be no row."""


@dataclass(frozen=True)
class Boundary:
    """One case: a world, a moment, and what POLICY says about it.

    `programs[0]` is the one to evaluate; the other only has entries.
    """

    name: str
    programs: tuple[Program, ...]
    policy: Policy
    batches: tuple[Batch, ...]
    as_of: datetime
    expected: Expected
    payouts: Expected

    @property
    def program(self) -> Program:
        """The program to evaluate."""
        return self.programs[0]


@dataclass
class Small:
    """Builds a small world; `changes` are policy sections whose keys differ from the standard ones."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    start: date = date(2025, 1, 1)
    end: date = date(2025, 3, 31)
    said: list[tuple[str, str, Row]] = field(default_factory=list)
    partners: set[str] = field(default_factory=set)
    late: Small | None = None

    @property
    def policy(self) -> Policy:
        """The standard policy with this world's changes."""
        policy = copy.deepcopy(STANDARD)
        for key, value in self.changes.items():
            policy[key] = {**policy[key], **value} if isinstance(value, dict) else value
        return policy

    def say(self, kind: str, row: Row, recorded: str = RECORDED) -> Small:
        """Record one row at a moment."""
        self.said.append((recorded, kind, row))
        return self

    def partner(
        self, code: str = PARTNER, first: str = "2024-01-01", last: str = "", recorded: str = RECORDED
    ) -> Small:
        """Record a partner and its certification."""
        self.partners.add(code)
        row = {"partner_code": code, "name": f"Invented {code}", "category": "erp"}
        return self.say("partners", {**row, "certified_from": first, "certified_until": last}, recorded)

    def entry(
        self,
        code: str,
        merchant: str = "",
        *,
        brand: str = "",
        directed: str = "",
        listed: str = "2024-12-01",
        delisted: str = "",
        review: str = "approved",
        program: str = "b",
        country: str = "CN",
        recorded: str = RECORDED,
    ) -> Small:
        """Record a target entry for a merchant (by registration number), a brand, or both."""
        row = {
            "program": program,
            "target_code": code,
            "merchant_name": "",
            "country": country if merchant else "",
            "registration_no": merchant,
            "brand": brand,
            "track": "directed" if directed else "target",
            "partner_code": directed,
            "listed_on": listed,
            "delisted_on": delisted,
            "review": review,
        }
        return self.say("targets", row, recorded)

    def link(
        self,
        code: str,
        partner: str = PARTNER,
        target: str = "",
        *,
        starts: str = "2024-12-15T00:00:00+08:00",
        expires: str = "2025-06-30T00:00:00+08:00",
        revoked: str = "",
        recorded: str = RECORDED,
    ) -> Small:
        """Record an invite link, made for one entry of the program or for any."""
        row = {
            "invite_code": code,
            "partner_code": partner,
            "target_code": target,
            "program": "b" if target else "",
            "starts_at": starts,
            "expires_at": expires,
            "revoked_at": revoked,
        }
        return self.say("invites", row, recorded)

    def claim(
        self,
        target: str,
        partner: str,
        claimed: str,
        expires: str,
        *,
        status: str = "approved",
        program: str = "b",
        recorded: str = RECORDED,
    ) -> Small:
        """Record a claim."""
        row = {
            "program": program,
            "target_code": target,
            "partner_code": partner,
            "claimed_at": claimed,
            "expires_at": expires,
            "status": status,
        }
        return self.say("claims", row, recorded)

    def shop(
        self,
        code: str,
        *,
        merchant: str = "",
        brand: str = "",
        market: str = "DE",
        country: str = "CN",
        registered: str = REGISTERED,
        certified: str = CERTIFIED,
        invite: str = "",
        partner: str = PARTNER,
        recorded: str = RECORDED,
    ) -> Small:
        """Record a shop, and nothing that happens to it; its merchant is `M-` and its code by default."""
        row = {
            "shop_code": code,
            "merchant_name": f"Invented {merchant or code}",
            "country": country,
            "registration_no": merchant or f"M-{code}",
            "brand": brand,
            "market": market,
            "registered_at": registered,
            "invite_code": invite,
            "partner_code": partner,
            "certified_at": certified,
        }
        return self.say("shops", row, recorded)

    def status(self, shop: str, status: str, at: str, *, corrects: bool = False, recorded: str = RECORDED) -> Small:
        """Record a status event."""
        row = {"shop_code": shop, "status": status, "at": at}
        return self.say("shop_statuses", row | ({"corrects": "true"} if corrects else {}), recorded)

    def line(
        self,
        shop: str,
        amount: str,
        *,
        currency: str = "CNY",
        ordered: str = "2025-02-15T10:00:00+08:00",
        settled: str = "2025-02-25T10:00:00+08:00",
        recorded: str = RECORDED,
    ) -> Small:
        """Record a settled line: a refund when its amount is negative."""
        row = {
            "line_code": f"L{len(self.said)}",
            "shop_code": shop,
            "order_code": f"O-{shop}",
            "kind": "refund" if amount.startswith("-") else "sale",
            "ordered_at": ordered,
            "settled_at": settled,
            "amount": amount,
            "currency": currency,
        }
        return self.say("settlements", row, recorded)

    def stock(
        self,
        shop: str,
        countries: str = "DE FR IT ES",
        sellable: str = "3",
        at: str = "2025-02-20T10:00:00+08:00",
        *,
        corrects: bool = False,
        recorded: str = RECORDED,
    ) -> Small:
        """Record one stock observation for each of the countries."""
        for country in countries.split():
            row = {"shop_code": shop, "country": country, "sellable": sellable, "observed_at": at}
            self.say("stock", row | ({"corrects": "true"} if corrects else {}), recorded)
        return self

    def violation(
        self,
        code: str,
        shop: str,
        *,
        category: str = "counterfeit",
        penalised: str = "2025-03-01T10:00:00+08:00",
        enforced: str = "true",
        overturned: str = "",
        corrects: bool = False,
        recorded: str = RECORDED,
    ) -> Small:
        """Record a violation."""
        row = {
            "violation_code": code,
            "shop_code": shop,
            "category": category,
            "penalised_at": penalised,
            "enforced_closure": enforced,
            "overturned_at": overturned,
        }
        return self.say("violations", row | ({"corrects": "true"} if corrects else {}), recorded)

    def rate(self, day: str, currency: str, rate: str, *, corrects: bool = False, recorded: str = RECORDED) -> Small:
        """Record a rate."""
        row = {"rate_date": day, "currency": currency, "rate": rate}
        return self.say("fx", row | ({"corrects": "true"} if corrects else {}), recorded)

    def good(self, code: str, *, without: str = "", **shop: str) -> Small:
        """Record an eligible shop with all it needs, `without` some of `entry`, `line`, `stock` and `status`.

        The entry was always there; the rest is recorded with the shop.
        """
        recorded = shop.get("recorded", RECORDED)
        self.shop(code, **shop)
        if "entry" not in without:
            self.entry(f"E-{code}", shop.get("merchant", f"M-{code}"))
        if "line" not in without:
            certified = shop.get("certified", CERTIFIED)
            when = certified or REGISTERED
            self.line(code, "1500", ordered=when, settled=when, recorded=recorded)
        if "stock" not in without:
            self.stock(code, recorded=recorded)
        if "status" not in without:
            self.status(code, "open", shop.get("certified", CERTIFIED) or REGISTERED, recorded=recorded)
        return self

    def afterwards(self) -> Small:
        """What is loaded after all the rest, whenever it counts as recorded."""
        self.late = self.late or Small(partners={PARTNER})
        return self.late

    def batches(self) -> tuple[Batch, ...]:
        """The batches: by moment, feed and columns; all that a moment records counts as recorded at it exactly."""
        files: dict[tuple[datetime, int, int, tuple[str, ...]], list[Row]] = {}
        said = [] if PARTNER in self.partners else [*Small().partner().said]
        for recorded, kind, row in [*said, *self.said]:
            place = (moment(recorded), KINDS.index(kind), int("corrects" in row), tuple(row))
            files.setdefault(place, []).append(row)
        batches = tuple(
            Batch(KINDS[place[1]], tuple(rows), place[0])
            for place, rows in sorted(files.items(), key=lambda file: file[0])
        )
        return batches + (self.late.batches() if self.late else ())

    def expect(
        self,
        name: str,
        expected: Expected,
        *,
        as_of: str = AS_OF,
        payouts: Expected | None = None,
    ) -> Boundary:
        """The case: what must be found in this world as of a moment."""
        programs = (Program("b", self.start, self.end), OTHER)
        return Boundary(name, programs, self.policy, self.batches(), moment(as_of), expected, payouts or {})


def moment(text: str) -> datetime:
    """An instant as the feeds write it."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=PLATFORM_ZONE)).astimezone(UTC)
