"""The eight conditions (POLICY 3): each one's key, its outcome in SQL, and its words.

This is the only place that knows a condition. The engine puts the SQL into `judge.sql`; the card, the lists and
the statements take the words. To change a rule: its SQL and its words here, and its test; where it needs a
fact that is not frozen yet, a column in `facts.sql` too.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.policy import Policy
from core.values import local_date, round_money
from core.words import amount, country, country_short, day, days_left, joined
from incentives.models import FrozenShop, Result, Run
from incentives.states import Outcome


@dataclass(frozen=True, slots=True)
class Case:
    """One shop in one run, as a condition's words need it."""

    shop: FrozenShop
    rules: Policy
    outcome: str
    as_of_date: date
    period_last: date


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """One row of the condition card: what it is about, how it stands, why, and until when it can change.

    `reached` and `needed` carry the amount or count behind a meter; `boxes` the countries, seen or not.
    """

    key: str
    outcome: str
    title: str
    sentence: str
    until: date | None = None
    reached: Decimal | None = None
    needed: Decimal | None = None
    boxes: tuple[tuple[str, bool], ...] = ()

    @property
    def share(self) -> int:
        """How much of what is needed is there, in whole per cent."""
        if self.reached is None or not self.needed:
            return 0
        return int(max(Decimal(0), min(Decimal(1), self.reached / self.needed)) * 100)


@dataclass(frozen=True, slots=True)
class Meter:
    """How much of what is needed is there: an amount or a count, and the countries behind it."""

    reached: Decimal | None = None
    needed: Decimal | None = None
    boxes: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule: its column in the results, its outcome over frozen facts `f`, its title, sentence, deadline, meter.

    `turns_sql` is the last date, over `f`, on which the outcome can be what it is because there is time left. An
    outcome that asks for `as_of_date` must name it: a run from changes only looks at the shops again whose date passed.
    """

    key: str
    title: str | Promise
    outcome_sql: str
    sentence: Callable[[Case], str]
    until: Callable[[Case], date | None] = lambda case: None
    meter: Callable[[Case], Meter] = lambda case: Meter()
    turns_sql: str | None = None

    def line(self, case: Case) -> ConditionLine:
        """Put the condition into words for one shop."""
        meter = self.meter(case) if case.outcome != Outcome.NOT_APPLICABLE else Meter()
        return ConditionLine(
            key=self.key,
            outcome=case.outcome,
            title=str(self.title),
            sentence=self.sentence(case),
            until=self.until(case) if case.outcome == Outcome.PENDING else None,
            reached=meter.reached,
            needed=meter.needed,
            boxes=meter.boxes,
        )


# Words ----------------------------------------------------------------------------------------------------------------


def _listed(case: Case) -> str:
    shop = case.shop
    if shop.entry is None:
        return _("Neither the merchant nor its brand is on the target list")
    entry = {"entry": shop.entry.code}
    if not shop.entry_in_force:
        return _("Entry %(entry)s was not in force on the certification date") % entry
    return {
        "approved": _("Entry %(entry)s is approved"),
        "pending": _("Entry %(entry)s is still in review"),
        "rejected": _("Entry %(entry)s was rejected"),
    }[shop.entry_review or "rejected"] % entry


def _first_entity(case: Case) -> str:
    if case.outcome == Outcome.MET:
        return _("No earlier shop of this merchant or brand")
    if case.outcome == Outcome.PENDING:
        return _("No certified shop of this merchant or brand yet; the first one counts")
    if case.shop.rival_of == "brand":
        return _("An earlier shop of this brand exists")
    return _("An earlier shop of this merchant exists")


def _partner_certified(case: Case) -> str:
    return {
        Outcome.MET: _("You were certified when the shop was certified"),
        Outcome.PENDING: _("Decided by the shop's certification date"),
    }.get(Outcome(case.outcome), _("Your certification was not in force when the shop was certified"))


def _exclusive_link(case: Case) -> str:
    shop = case.shop
    if case.outcome == Outcome.NOT_APPLICABLE:
        return _("Not needed: this is not a directed invitation")
    if case.outcome == Outcome.MET:
        return _("Registered through your exclusive link")
    if shop.assigned_to_id != shop.partner_id:
        return _("This merchant is another partner's directed invitation")
    if shop.link_id is None or shop.link_partner_id != shop.partner_id:
        return _("This merchant is a directed invitation; it did not register through your link")
    if not shop.link_valid:
        return _("This merchant is a directed invitation; your link was not valid when it registered")
    return _("This merchant is a directed invitation; the link used was made for another entry")


def _onboarded(case: Case) -> str:
    if case.shop.certified_on is not None:
        return _("Certified on %(day)s") % {"day": day(case.shop.certified_on)}
    last = {"day": day(case.period_last)}
    if case.outcome == Outcome.PENDING:
        left = days_left((case.period_last - case.as_of_date).days)
        return _("Not certified yet; it must be by %(day)s; %(left)s") % {**last, "left": left}
    return _("Not certified by %(day)s") % last


def _activated(case: Case) -> str:
    shop, above = case.shop, case.rules.activation.gmv_above
    if shop.certified_on is None or shop.window_ends_on is None or shop.settles_by is None or shop.gmv is None:
        return _("Counts from the shop's certification on")
    # A hair's breadth from the threshold the cent would say "1,000.00 settled, above 1,000.00".
    close = round_money(shop.gmv) == above
    words = {
        "gmv": amount(shop.gmv, exact=close),
        "above": amount(above),
        "left": amount(above - shop.gmv, exact=close),
        "window": day(shop.window_ends_on),
        "settled": day(shop.settles_by),
    }
    if case.outcome == Outcome.UNKNOWN:
        rate = {
            "lines": shop.unrated_lines,
            "currency": shop.unrated_currency or "",
            "day": day(shop.unrated_on) if shop.unrated_on else "",
        }
        if shop.unrated_lines == 1:
            return _("1 line in %(currency)s has no exchange rate for %(day)s") % rate
        return _("%(lines)d lines have no exchange rate, the first in %(currency)s for %(day)s") % rate
    if case.outcome == Outcome.MET:
        return _("%(gmv)s settled, above %(above)s") % words
    if case.outcome == Outcome.NOT_MET:
        return _("%(gmv)s settled by %(settled)s; it took more than %(above)s") % words
    if case.as_of_date <= shop.window_ends_on:
        return _(
            "%(gmv)s settled, more than %(left)s to go; orders until %(window)s count if settled by %(settled)s"
        ) % (words)
    return _("The window is over; waiting for settlements until %(settled)s (%(gmv)s of more than %(above)s)") % words


def _activated_until(case: Case) -> date | None:
    shop = case.shop
    if shop.window_ends_on is None:
        return None
    return shop.window_ends_on if case.as_of_date <= shop.window_ends_on else shop.settles_by


def _activated_meter(case: Case) -> Meter:
    return Meter(case.shop.gmv, case.rules.activation.gmv_above) if case.shop.gmv is not None else Meter()


def _stocked(case: Case) -> str:
    if case.outcome == Outcome.NOT_APPLICABLE:
        return _("Not needed for shops in this market")
    seen = case.shop.stock_countries
    missing = [code for code in case.rules.stock.countries if code not in seen]
    words = {
        "seen": joined(country_short(code) for code in seen),
        "missing": joined(country(code) for code in missing),
        "short": case.rules.stock.minimum - len(seen),
        "left": days_left((case.period_last - case.as_of_date).days),
        "day": day(case.period_last),
    }
    if case.outcome == Outcome.MET:
        return _("Stock seen in %(seen)s") % words if seen else _("No stock is asked for")
    if case.outcome == Outcome.UNKNOWN:
        return _("No stock was reported in the whole period") % words
    every = len(missing) == words["short"]
    if case.outcome == Outcome.PENDING:
        if not seen and every:
            return _("No stock seen yet; missing: %(missing)s; %(left)s") % words
        if every:
            return _("Stock seen in %(seen)s; missing: %(missing)s; %(left)s") % words
        return _("Stock in %(short)d more of these countries is needed: %(missing)s; %(left)s") % words
    if not seen:
        return _("No stock was seen by %(day)s") % words
    return _("Stock was seen in %(seen)s only, by %(day)s") % words


def _stocked_meter(case: Case) -> Meter:
    seen, rules = case.shop.stock_countries, case.rules.stock
    return Meter(Decimal(len(seen)), Decimal(rules.minimum), tuple((code, code in seen) for code in rules.countries))


def _shop_normal(case: Case) -> str:
    shop = case.shop
    if shop.status is None or shop.status_at is None:
        if case.outcome == Outcome.PENDING:
            return _("The shop has not opened yet")
        return _("No status was reported for the shop")
    words = {"day": day(local_date(shop.status_at, case.rules.zone))}
    return {
        "open": _("Open since %(day)s"),
        "restricted": _("The shop is restricted since %(day)s"),
        "closing": _("The shop is closing since %(day)s"),
        "closed": _("The shop is closed since %(day)s"),
    }[shop.status] % words


# Rules ----------------------------------------------------------------------------------------------------------------

CONDITIONS: tuple[Condition, ...] = (
    Condition(
        "listed",
        gettext_lazy("On the target list"),
        """CASE WHEN NOT f.entry_in_force THEN 'not_met'
                WHEN f.entry_review = 'approved' THEN 'met'
                WHEN f.entry_review = 'pending' THEN 'pending' ELSE 'not_met' END""",
        _listed,
    ),
    Condition(
        "first_entity",
        gettext_lazy("First shop of its kind"),
        """CASE WHEN f.rival_id IS NOT NULL THEN 'not_met'
                WHEN f.certified_at IS NULL THEN 'pending' ELSE 'met' END""",
        _first_entity,
    ),
    Condition(
        "partner_certified",
        gettext_lazy("Partner certified"),
        """CASE WHEN f.certified_at IS NULL THEN 'pending'
                WHEN f.partner_certified THEN 'met' ELSE 'not_met' END""",
        _partner_certified,
    ),
    Condition(
        "exclusive_link",
        gettext_lazy("Exclusive link"),
        """CASE WHEN f.track IS DISTINCT FROM 'directed' THEN 'not_applicable'
                WHEN f.link_valid AND f.link_partner_id = f.assigned_to_id AND f.partner_id = f.assigned_to_id
                     AND coalesce(f.link_entry_id = f.entry_id, true) THEN 'met' ELSE 'not_met' END""",
        _exclusive_link,
    ),
    Condition(
        "onboarded",
        gettext_lazy("Onboarded in the period"),
        """CASE WHEN f.certified_at IS NOT NULL THEN 'met'
                WHEN %(as_of_date)s <= %(period_last)s THEN 'pending' ELSE 'not_met' END""",
        _onboarded,
        lambda case: case.period_last,
        turns_sql="%(period_last)s",
    ),
    Condition(
        "activated",
        gettext_lazy("Sells within the window"),
        """CASE WHEN f.certified_at IS NULL THEN 'pending'
                WHEN f.unrated_lines > 0 THEN 'unknown'
                WHEN f.gmv > %(gmv_above)s THEN 'met'
                WHEN %(as_of_date)s <= f.settles_by THEN 'pending' ELSE 'not_met' END""",
        _activated,
        _activated_until,
        _activated_meter,
        turns_sql="f.settles_by",
    ),
    Condition(
        "stocked",
        gettext_lazy("Stock in the countries"),
        """CASE WHEN f.market = ANY(%(exempt_markets)s) THEN 'not_applicable'
                WHEN cardinality(f.stock_countries) >= %(stock_minimum)s THEN 'met'
                WHEN %(as_of_date)s <= %(period_last)s THEN 'pending'
                WHEN NOT f.stock_seen THEN 'unknown' ELSE 'not_met' END""",
        _stocked,
        lambda case: case.period_last,
        _stocked_meter,
        turns_sql="%(period_last)s",
    ),
    Condition(
        "shop_normal",
        gettext_lazy("Shop in normal operation"),
        """CASE WHEN f.status = ANY(%(normal_statuses)s) THEN 'met'
                WHEN f.status IS NOT NULL THEN 'not_met'
                WHEN f.certified_at IS NULL THEN 'pending' ELSE 'unknown' END""",
        _shop_normal,
    ),
)

CONDITION_KEYS: tuple[str, ...] = tuple(condition.key for condition in CONDITIONS)


def explain(
    frozen: FrozenShop, result: Result, rules: Policy, run: Run, *, keys: Collection[str] = CONDITION_KEYS
) -> list[ConditionLine]:
    """Return the condition card of one shop, in the reader's language (POLICY 8.1), or the lines of it that are named.

    Fetch `frozen` with its entry, and `run` with its program: nothing else is queried.
    """
    if run.as_of is None:
        raise ValueError("a run that has not started has no card")
    as_of_date = local_date(run.as_of, rules.zone)
    return [
        condition.line(Case(frozen, rules, getattr(result, condition.key), as_of_date, run.program.ends_on))
        for condition in CONDITIONS
        if condition.key in keys
    ]
