"""What stands above the review table: which payouts are asked for, the chips, the sorted columns. State in the URL."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from incentives.desk_filters import DeskFilter
from incentives.models import Payout
from incentives.queries.desk import RELATED
from incentives.queries.review import review_counts
from incentives.states import PayoutState
from incentives.views.common import actor_for

# What a chip says in the address; without any of these, payouts in review are asked for. `every` asks for all.
CHIP_NAMES = ("state", "held", "discounted", "changed", "invoice", "every")
CHIP_QUERIES: dict[str, dict[str, str]] = {
    "in_review": {"state": "in_review"},
    "held": {"held": "true"},
    "discounted": {"state": "in_review", "discounted": "true"},
    "changed": {"state": "in_review", "changed": "true"},
    "invoice": {"invoice": "handed_in"},
    "approved": {"state": "approved"},
    "in_payment": {"state": "in_payment"},
    "paid": {"state": "paid"},
    "returned": {"state": "returned"},
    "void": {"state": "void"},
    "every": {"every": "1"},
}
# The first chips are always there; the others where there is something behind them.
ALWAYS = ("in_review", "held", "discounted", "changed", "approved", "every")
SORTS = ("partner", "payable", "submitted_at")


@dataclass(frozen=True, slots=True)
class Chip:
    """A choice above the table: its words, how many payouts are behind it, where it leads."""

    label: str
    count: int
    query: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Sort:
    """A column that can be sorted by. `direction`: `ascending`, `descending` or empty; `query` turns it round."""

    query: str
    direction: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The payouts that an address asks for. `given`: the address, with what it leaves open filled in, without a page.

    `scope`: what all chips count in: the payouts of this program, partner, run and search, whatever their state.
    """

    payouts: QuerySet[Payout]
    scope: QuerySet[Payout]
    given: QueryDict

    @property
    def query(self) -> str:
        """The address' own parameters, without its page."""
        return self.given.urlencode()


def asked_payouts(request: HttpRequest) -> Asked:
    """Read the address: what the list, its file and a decision on all that fit go by."""
    given = QueryDict(mutable=True)
    for name, values in request.GET.lists():
        kept = [value for value in values if value]
        if kept and (name in DeskFilter.base_filters or name in CHIP_NAMES):
            given.setlist(name, kept)
    if not any(name in given for name in CHIP_NAMES):
        given["state"] = PayoutState.IN_REVIEW.value
    payouts = Payout.objects.visible_to(actor_for(request)).select_related(*RELATED).order_by("-pk")
    wide = given.copy()
    for name in (*CHIP_NAMES, "ordering"):
        wide.pop(name, None)
    found = DeskFilter(given, queryset=payouts).qs
    # Many payouts come to the same amount: without a last word, a page could show one twice and another never.
    ordered = found.order_by(*found.query.order_by, "-pk")
    return Asked(ordered, DeskFilter(wide, queryset=payouts).qs, given)


def chips(asked: Asked) -> list[Chip]:
    """The chips with their counts. Two queries."""
    labels = {
        "in_review": PayoutState.IN_REVIEW.label,
        "held": _("Held"),
        "discounted": _("Discounted"),
        "changed": _("Changed since the run before"),
        "invoice": _("Invoice to decide on"),
        "approved": PayoutState.APPROVED.label,
        "in_payment": PayoutState.IN_PAYMENT.label,
        "paid": PayoutState.PAID.label,
        "returned": PayoutState.RETURNED.label,
        "void": PayoutState.VOID.label,
        "every": _("All payouts"),
    }
    counts = review_counts(asked.scope)
    now = {name: asked.given.getlist(name) for name in CHIP_NAMES if name in asked.given}
    found = []
    for key, query in CHIP_QUERIES.items():
        chosen = now == {name: [value] for name, value in query.items()}
        if not (counts[key] or chosen or key in ALWAYS):
            continue
        there = asked.given.copy()
        for name in CHIP_NAMES:
            there.pop(name, None)
        for name, value in query.items():
            there[name] = value
        found.append(Chip(str(labels[key]), counts[key], there.urlencode(), chosen))
    return found


def sorts(asked: Asked) -> dict[str, Sort]:
    """Each column's way to be sorted by: once more turns it round."""
    now = asked.given.get("ordering", "")
    found = {}
    for name in SORTS:
        there = asked.given.copy()
        there["ordering"] = f"-{name}" if now == name else name
        direction = {name: "ascending", f"-{name}": "descending"}.get(str(now), "")
        found[name] = Sort(there.urlencode(), direction)
    return found
