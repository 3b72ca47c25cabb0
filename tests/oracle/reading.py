"""An independent reading of POLICY.md: what a run must find, in plain Python.

It is written from the policy's text alone, for clarity and not for speed, and it never looks at the product. A
`World` takes the feeds' batches in order and evaluates a program as of a moment; what it returns has exactly the
columns and formats of the contract's `results` and `payouts` exports (without `program`, `run` and `state`;
instants in UTC).

Where the text leaves a detail open, this is how it is read:

1.  As of a moment, the value of a key is the one recorded last by then, wholesale. Then the events are looked at:
    what happens after `as_of` does not count, and nothing falls back to an earlier value.
2.  A shop that is not certified and registers after `as_of` has no row: its registration has not happened.
3.  An entry's dates are compared with a date, so a delisting on `as_of`'s own date counts.
4.  `stocked` in merchant scope looks at every shop of the merchant that is recorded by `as_of`: in any market,
    attributed or not. "No observation at all" means any country and any amount, with its date inside the period.
5.  A covering entry that is not in force still gives the track, the target code and the names for `first_entity`.
6.  Rivals in `first_entity` are certified by `as_of`, and have the brand that they have as of `as_of`.
7.  The close of observation is an instant, 24:00 of the last possible settlement day: what happens in that instant
    is after it.
8.  `brand` is printed as it was spelled when it became the shop's brand, and empty where it means no brand; another
    spelling of the same brand is no new fact. `merchant_name` is the one that arrived last: it is no fact.
9.  A rate recorded for CNY changes nothing: CNY needs none.
10. A row with an empty `certified_from` but a `certified_until` moves the last day and keeps the first.
11. An empty `overturned_at` or `appealed_at` retracts nothing, not even in a row that corrects a violation.
12. A key that comes twice in one file: the later row is the later fact.
13. A shop's link and claims are judged by what was recorded up to the shop's own batch, and had arrived by then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.facts import Entry, Facts, Listing, MerchantKey
from tests.oracle.known import Known, Seen
from tests.oracle.rules import Rules
from tests.oracle.values import PRECISION, Row, date_of, end_of, iso, money

MET, NOT_MET, PENDING, UNKNOWN, NOT_APPLICABLE = "met", "not_met", "pending", "unknown", "not_applicable"
CONDITIONS = (
    "listed",
    "first_entity",
    "partner_certified",
    "exclusive_link",
    "onboarded",
    "activated",
    "stocked",
    "shop_normal",
)
VERDICTS = ("eligible", "pending", "needs_data", "not_eligible")


class World:
    """All that the marketplace ever said, and what follows from it."""

    def __init__(
        self,
        attribution_order: Sequence[str] = ("claim", "link", "record"),
        platform_zone: str = "Asia/Shanghai",
    ) -> None:
        self.facts = Facts(attribution_order, ZoneInfo(platform_zone))

    def apply(self, kind: str, rows: Sequence[Row], recorded_at: datetime) -> None:
        """Take one batch of a feed; batches come in their order of arrival."""
        self.facts.apply(kind, rows, recorded_at)

    def evaluate(
        self, program: str, start: date, end: date, policy: Mapping[str, Any], as_of: datetime
    ) -> tuple[list[Row], list[Row]]:
        """The `results` and the `payouts` of a run of the program as of a moment."""
        with localcontext(prec=PRECISION):
            run = Run(self.facts, program, start, end, Rules.read(policy), as_of)
            results = [run.result(shop) for shop in run.evaluated()]
            return results, run.payouts(results)


@dataclass(frozen=True)
class Covering:
    """The entry that covers a shop, as it is known, and whether it is in force."""

    entry: Entry
    listing: Listing
    in_force: bool


class Run(Known):
    """One evaluation of a program as of a moment: the conditions on top of what is known."""

    # Which shops, and which entry

    def evaluated(self) -> list[Seen]:
        """The shops that have a row (POLICY 3), by code."""
        return [seen for _, seen in sorted(self.shops.items()) if seen.shop.partner_code and self._belongs(seen)]

    def _belongs(self, seen: Seen) -> bool:
        if seen.shop.market not in self.rules.markets:
            return False
        if seen.certified_at is not None:
            return self.inside(seen.certified_at)
        registered_at = seen.shop.registered_at
        return registered_at <= self.as_of and date_of(registered_at, self.rules.zone) <= self.end

    def covering(self, seen: Seen) -> Covering | None:
        """The entry that covers the shop: the first by force, review, what it names, and code (POLICY 3)."""
        day = seen.certified_on or self.today
        named: tuple[MerchantKey | str | None, ...] = (seen.shop.merchant, seen.brand)
        keys = {entry.key for name in named if name is not None for entry in self.naming.get(name, [])}
        candidates = []
        for key in keys:
            entry, listing = self.entries[key]
            listed = not self.rules.list_first or listing.listed_on <= day
            delisted = listing.delisted_on is not None and listing.delisted_on <= day
            candidates.append(Covering(entry, listing, listed and not delisted))
        review = ("approved", "pending", "rejected")
        return min(
            candidates,
            key=lambda found: (
                not found.in_force,
                review.index(found.listing.review),
                found.entry.merchant != seen.shop.merchant,
                found.entry.key[1],
            ),
            default=None,
        )

    # The conditions, one for each row of POLICY 3's table

    def listed(self, covering: Covering | None) -> str:
        """The covering entry is in force and approved."""
        if covering is None or not covering.in_force:
            return NOT_MET
        return {"approved": MET, "pending": PENDING}.get(covering.listing.review, NOT_MET)

    def first_entity(self, seen: Seen, covering: Covering | None) -> str:
        """No rival was certified earlier."""
        names: set[MerchantKey | str | None] = {seen.shop.merchant, seen.brand}
        if covering is not None:
            names |= {covering.entry.merchant, covering.entry.brand}
        rivals = [
            rival
            for name in names
            if name is not None
            for rival in self.rivals.get(name, [])
            if rival.code != seen.code
        ]
        if seen.certified_at is None:
            return NOT_MET if rivals else PENDING
        own = (seen.certified_at, seen.code)
        earlier = (rival.certified_at is not None and (rival.certified_at, rival.code) < own for rival in rivals)
        return NOT_MET if any(earlier) else MET

    def partner_certified(self, seen: Seen) -> str:
        """The partner's certification was in force on the shop's certification date."""
        if seen.certified_on is None:
            return PENDING
        history = self.facts.partners.get(seen.shop.partner_code or "")
        certification = history.at(self.as_of) if history else None
        return MET if certification is not None and certification.covers(seen.certified_on) else NOT_MET

    def exclusive_link(self, seen: Seen, covering: Covering | None) -> str:
        """On the directed track: in through the assigned partner's own valid link, and attributed to it."""
        if covering is None or covering.listing.track != "directed":
            return NOT_APPLICABLE
        shop, assigned = seen.shop, covering.listing.partner_code
        link = self.facts.links.get(shop.invite_code) if shop.invite_code else None
        good = (
            link is not None
            and shop.link_valid
            and link.partner_code == assigned
            and shop.partner_code == assigned
            and link.target in (None, covering.entry.key)
        )
        return MET if good else NOT_MET

    def onboarded(self, seen: Seen) -> str:
        """Certified on a date inside the period."""
        if seen.certified_at is not None:
            return MET if self.inside(seen.certified_at) else NOT_MET
        return PENDING if self.today <= self.end else NOT_MET

    def window_ends_on(self, certified_on: date) -> date:
        """The last day of the window: a period of days starts on the day after the event (POLICY 2)."""
        return certified_on + timedelta(days=self.rules.window_days)

    def settles_by(self, certified_on: date) -> date:
        """The last day on which a line of the window may settle."""
        return self.window_ends_on(certified_on) + timedelta(days=self.rules.grace_days)

    def gmv(self, seen: Seen) -> Decimal | None:
        """The settled GMV of the window in CNY; ``None`` when a counted line has no rate."""
        assert seen.certified_at is not None
        assert seen.certified_on is not None
        orders_until = end_of(self.window_ends_on(seen.certified_on), self.rules.zone)
        settled_until = end_of(self.settles_by(seen.certified_on), self.rules.zone)
        total = Decimal(0)
        for line in self.lines.get(seen.code, []):
            if seen.certified_at <= line.ordered_at < orders_until and line.settled_at < settled_until:
                rate = self.rate(line.currency, date_of(line.settled_at, self.rules.zone))
                if rate is None:
                    return None
                total += line.amount * rate
        return total

    def activated(self, seen: Seen, gmv: Decimal | None) -> str:
        """The window's settled GMV is strictly above the threshold."""
        if seen.certified_on is None:
            return PENDING
        if gmv is None:
            return UNKNOWN
        if gmv > self.rules.gmv_above:
            return MET
        return PENDING if self.today <= self.settles_by(seen.certified_on) else NOT_MET

    def observations(self, seen: Seen) -> list[tuple[str, Decimal]]:
        """The stock observations inside the period, in the policy's scope."""
        shops = self.shops_of[seen.shop.merchant] if self.rules.stock_of_merchant else [seen]
        return [observation for shop in shops for observation in self.stock.get(shop.code, [])]

    def stocked(self, seen: Seen, countries: Sequence[str], observed: bool) -> str:
        """Stock was seen in enough of the policy's countries."""
        if seen.shop.market in self.rules.exempt_markets:
            return NOT_APPLICABLE
        if len(countries) >= self.rules.stock_minimum:
            return MET
        if self.today <= self.end:
            return PENDING
        return NOT_MET if observed else UNKNOWN

    def shop_normal(self, seen: Seen) -> str:
        """The latest status event is a normal one."""
        status = self.status.get(seen.code)
        if status is None:
            return PENDING if seen.certified_at is None else UNKNOWN
        return MET if status in self.rules.normal_statuses else NOT_MET

    # The rows

    def result(self, seen: Seen) -> Row:
        """One row of the `results` export."""
        covering = self.covering(seen)
        certified = seen.certified_on
        gmv = self.gmv(seen) if certified else None
        observations = self.observations(seen)
        countries = sorted(
            {country for country, sellable in observations if sellable >= 1 and country in self.rules.stock_countries}
        )
        outcomes = {
            "listed": self.listed(covering),
            "first_entity": self.first_entity(seen, covering),
            "partner_certified": self.partner_certified(seen),
            "exclusive_link": self.exclusive_link(seen, covering),
            "onboarded": self.onboarded(seen),
            "activated": self.activated(seen, gmv),
            "stocked": self.stocked(seen, countries, observed=bool(observations)),
            "shop_normal": self.shop_normal(seen),
        }
        verdict = verdict_of(outcomes.values())
        return {
            "shop_code": seen.code,
            "partner_code": seen.shop.partner_code or "",
            "merchant_name": seen.shop.merchant_name,
            "brand": seen.spelling,
            "market": seen.shop.market,
            "track": covering.listing.track if covering else "",
            "target_code": covering.entry.key[1] if covering else "",
            "registered_at": iso(seen.shop.registered_at),
            "certified_at": iso(seen.certified_at),
            "verdict": verdict,
            "amount": str(money(self.rules.amount if verdict == "eligible" else Decimal(0))),
            **outcomes,
            "gmv_cny": "" if gmv is None else str(money(gmv)),
            "window_ends_on": self.window_ends_on(certified).isoformat() if certified else "",
            "settles_by": self.settles_by(certified).isoformat() if certified else "",
            "stock_countries": "|".join(countries),
        }

    def payouts(self, results: Sequence[Row]) -> list[Row]:
        """The rows of the `payouts` export: each partner with at least one evaluated shop (POLICY 5)."""
        by_partner: dict[str, list[Row]] = defaultdict(list)
        for row in results:
            by_partner[row["partner_code"]].append(row)
        payouts = []
        for partner_code, rows in sorted(by_partner.items()):
            # A shop with a row is certified inside the period or not certified.
            introduced = [row["shop_code"] for row in rows if row["certified_at"]]
            high_risk = [code for code in introduced if code in self.high_risk]
            counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in VERDICTS}
            base = self.rules.amount * counts["eligible"]
            net = base * self.rules.factor(len(introduced), len(high_risk))
            payouts.append(
                {
                    "partner_code": partner_code,
                    **{verdict: str(count) for verdict, count in counts.items()},
                    "introduced": str(len(introduced)),
                    "high_risk": str(len(high_risk)),
                    "base_amount": str(money(base)),
                    "factor": self.rules.factor_text(len(introduced), len(high_risk)),
                    "net_amount": str(money(net)),
                    "currency": self.rules.currency,
                }
            )
        return payouts


def verdict_of(outcomes: Iterable[str]) -> str:
    """The verdict that the conditions' outcomes give (POLICY 3)."""
    found = set(outcomes)
    for outcome, verdict in ((NOT_MET, "not_eligible"), (UNKNOWN, "needs_data"), (PENDING, "pending")):
        if outcome in found:
            return verdict
    return "eligible"
