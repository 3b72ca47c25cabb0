"""What a policy says, in the reader's words: what is paid for what, and what a new version changes.

Every key of the document has its words here, so that no change goes unsaid (a test holds it).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core import words
from core.policy import Policy
from core.values import Period, plain


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name, and what it asks."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that a new version changes: its name in words, what it said, what it says."""

    key: str
    label: str
    before: str
    after: str


def rules_of(policy: Policy, period: Period) -> list[Rule]:
    """What must be true of a shop so that it counts, in the order in which it comes about (POLICY 3)."""
    activation, stock = policy.activation, policy.stock
    values: dict[str, Any] = {
        "first": words.day(period.first),
        "last": words.day(period.last),
        "markets": _countries(policy.markets),
        "days": activation.window_days,
        "amount": words.amount(activation.gmv_above),
        "grace": activation.settlement_grace_days,
        "minimum": stock.minimum,
        "countries": _countries(stock.countries),
        "statuses": _statuses(policy.shop.normal_statuses),
    }
    found = [
        (gettext("On the list"), gettext("The merchant or its brand is on the marketplace's list, and approved.")),
        (
            gettext("The first shop"),
            gettext("It is the first shop of its merchant and its brand in %(markets)s.") % values
            if policy.first_entity.markets == "program"
            else gettext("It is the first shop of its merchant and its brand in any market."),
        ),
        (
            gettext("Brought in by you"),
            gettext(
                "Your certification is in force when the shop is certified. A directed invitation has to come through "
                "your own link."
            ),
        ),
        (
            gettext("Certified in time"),
            gettext("The shop is certified from %(first)s to %(last)s, in %(markets)s.") % values,
        ),
        (
            gettext("Selling"),
            gettext(
                "Orders placed within %(days)d days after its certification bring it above %(amount)s of settled GMV. "
                "They count if they settle within %(grace)d days after that; refunds are deducted."
            )
            % values,
        ),
    ]
    if stock.minimum:
        text = (
            gettext("Stock for sale was seen in at least %(minimum)d of %(countries)s within the period.") % values
            if stock.scope == "shop"
            else gettext(
                "Stock for sale was seen in at least %(minimum)d of %(countries)s within the period, in any shop of "
                "the merchant."
            )
            % values
        )
        if stock.exempt_markets:
            text += " " + gettext("Shops in %(exempt)s are exempt.") % {"exempt": _countries(stock.exempt_markets)}
        found.append((gettext("Stock"), text))
    found.append((gettext("In good order"), gettext("At the end the shop's status is: %(statuses)s.") % values))
    return [Rule(title, text) for title, text in found]


def differences(old: Policy, new: Policy) -> list[Difference]:
    """What `new` changes against `old`, key by key, in the document's order."""
    before, after = flat(old.document()), flat(new.document())
    return [
        Difference(key, str(label), said(before[key]), said(after[key]))
        for key, (label, said) in WORDED.items()
        if before[key] != after[key]
    ]


@dataclass(frozen=True, slots=True)
class Stated:
    """One key of a policy: its name in words, and what it says."""

    key: str
    label: str
    says: str


def stated(policy: Policy) -> list[Stated]:
    """Everything that the policy says, key by key, in the document's order."""
    document = flat(policy.document())
    return [Stated(key, str(label), said(document[key])) for key, (label, said) in WORDED.items()]


def said_of(key: str, value: Any) -> str:
    """What this value of a key says."""
    return WORDED[key][1](value)


def flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """A policy's document by the dotted names of its keys."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, Mapping) and key != "name":
            found |= {f"{key}.{name}": inner for name, inner in value.items()}
        else:
            found[key] = value
    return found


def tiers_in_words(policy: Policy) -> list[str]:
    """The discount's steps, each in words."""
    return [_tier(policy.discount.basis, tier.start, tier.pay) for tier in policy.discount.tiers]


def _tier(basis: str, start: Decimal, pay: Decimal) -> str:
    paid = f"{plain(pay * 100, 0)}%"
    if not start:
        # With none closed nothing is cut (POLICY 5): a tier that starts at nothing is reached by the first.
        return gettext("from the first such shop on, %(pay)s is paid") % {"pay": paid}
    if basis == "share":
        return gettext("from a share of %(start)s on, %(pay)s is paid") % {
            "start": f"{plain(start * 100, 0)}%",
            "pay": paid,
        }
    return gettext("from %(start)s shops on, %(pay)s is paid") % {"start": plain(start, 0), "pay": paid}


def _countries(codes: Any) -> str:
    return words.joined(words.country(code) for code in codes) or gettext("none")


def _statuses(codes: Any) -> str:
    known = {
        "open": gettext("open"),
        "restricted": gettext("restricted"),
        "closing": gettext("closing"),
        "closed": gettext("closed"),
    }
    return words.joined(known.get(code, code) for code in codes) or gettext("none")


def _categories(codes: Any) -> str:
    known = {
        "prohibited_goods": gettext("prohibited goods"),
        "counterfeit": gettext("counterfeits"),
        "risk_control": gettext("risk control"),
        "fake_fulfilment": gettext("fake fulfilment"),
    }
    return words.joined(known.get(code, code) for code in codes) or gettext("none")


def _order(sources: Any) -> str:
    known = {
        "claim": gettext("claim"),
        "link": gettext("invite link"),
        "record": gettext("the marketplace's record"),
    }
    return " → ".join(known.get(source, source) for source in sources)


def _tiers(rows: Any) -> str:
    shown = [f"{row['from']} → {plain(Decimal(row['pay']) * 100, 0)}%" for row in rows]
    return words.joined(shown) or gettext("none")


def _name(names: Mapping[str, str]) -> str:
    language = get_language() or "en"
    return names.get(language) or names.get(language.split("-")[0]) or names.get("en") or gettext("none")


def _days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


def _amount(value: str) -> str:
    return words.amount(Decimal(value))


def _yes(value: bool) -> str:
    return gettext("yes") if value else gettext("no")


def _one_of(choices: Mapping[str, Promise]) -> Callable[[str], str]:
    return lambda value: str(choices.get(value, value))


WORDED: dict[str, tuple[Promise, Callable[[Any], str]]] = {
    "name": (_("The program's name"), _name),
    "markets": (_("Markets"), _countries),
    "timezone": (_("Time zone of all dates"), str),
    "incentive.amount": (_("Amount for each eligible shop"), lambda value: f"{Decimal(value):,.2f}"),
    "incentive.currency": (_("Currency of the incentive"), str),
    "list.must_precede_certification": (_("Must be on the list before it is certified"), _yes),
    "first_entity.period": (
        _("The first shop: among which shops"),
        _one_of({"all_time": _("all that were ever certified"), "program": _("those certified within the period")}),
    ),
    "first_entity.markets": (
        _("The first shop: in which markets"),
        _one_of({"program": _("the program's"), "all": _("all")}),
    ),
    "activation.window_days": (_("Time to sell after the certification"), _days),
    "activation.gmv_above": (_("Settled GMV to exceed"), _amount),
    "activation.settlement_grace_days": (_("Time for orders to settle"), _days),
    "stock.countries": (_("Countries where stock counts"), _countries),
    "stock.minimum": (_("In how many of them stock is needed"), str),
    "stock.scope": (
        _("Whose stock counts"),
        _one_of({"merchant": _("all shops of the merchant"), "shop": _("this shop alone")}),
    ),
    "stock.exempt_markets": (_("Markets that need no stock"), _countries),
    "shop.normal_statuses": (_("Statuses in good order"), _statuses),
    "high_risk.categories": (_("Violations that make a closed shop a high-risk one"), _categories),
    "discount.basis": (
        _("What the discount goes by"),
        _one_of({"share": _("the share of high-risk shops"), "count": _("the number of high-risk shops")}),
    ),
    "discount.example": (_("The discount's steps are an example"), _yes),
    "discount.tiers": (_("The discount's steps"), _tiers),
    "claim.days": (_("A claim lasts"), _days),
    "claim.max_in_force": (_("Claims in force at a time, at most"), str),
    "attribution.order": (_("What decides whose a shop is, first to last"), _order),
}
