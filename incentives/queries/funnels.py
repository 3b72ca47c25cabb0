"""From the visit of an invite link to the eligible shop: how many came how far."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, Count, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from core.models import Program
from core.policy import Policy
from incentives.models import Run
from incentives.queries.registered import not_judged
from incentives.queries.tallies import Tally
from merchants.models import Registration
from partners.models import InviteLink, LinkVisits, Partner

TITLES = {
    "visits": _("Visits"),
    "registered": _("Registered"),
    "certified": _("Certified"),
    "selling": _("Selling"),
    "eligible": _("Eligible"),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: how many came so far. `of` those before, `passed` went on; no rate where nobody was before.

    For the registered these are the visits and the registrations through links: shops that came without a link visited
    none. For all others, the stage before and the stage itself.
    """

    key: str
    count: int
    passed: int
    of: int

    @property
    def title(self) -> str:
        """The stage in a word."""
        return str(TITLES[self.key])

    @property
    def rate(self) -> float | None:
        """The share that went on, 0 to 1; None where there is none, or where more came than are known before."""
        return self.passed / self.of if self.of and self.passed <= self.of else None


@dataclass(frozen=True, slots=True)
class Funnel:
    """The stages, first to last: visits, registered, certified, selling, eligible. `unlinked` came without a link."""

    stages: tuple[Stage, ...]
    unlinked: int

    @property
    def visits(self) -> int:
        """How often the links' pages were opened."""
        return self.stages[0].count


def link_counts(*, actor: Actor, partner_id: int, program: Program, run: Run | None, rules: Policy) -> tuple[int, int]:
    """Visits in the period of the partner's links for this program or any; registrations that the run knows no shop of.

    One query: the unique index on (link, day), the index on registration.link.
    """
    links = InviteLink.objects.visible_to(actor).filter(Q(program=None) | Q(program=program), partner=partner_id)
    period = (program.starts_on, program.ends_on)
    visits = LinkVisits.objects.filter(link__in=links, day__range=period)
    registered = Registration.objects.visible_to(actor).filter(link__partner=partner_id)
    waiting = not_judged(registered, program=program, run=run, rules=rules)
    counts = (
        Partner.objects.visible_to(actor)
        .filter(pk=partner_id)
        .values_list(_total(visits, Sum("visits")), _total(waiting, Count("pk")))
    )
    return next(iter(counts), (0, 0))


def _total(rows: QuerySet[Any], aggregate: Aggregate) -> Coalesce:
    """An aggregate over all these rows, as part of another query."""
    whole = rows.order_by().annotate(whole=Value(1)).values("whole").annotate(total=aggregate).values("total")
    return Coalesce(Subquery(whole), 0)


def funnel_of(tally: Tally, *, visits: int, waiting: int) -> Funnel:
    """Put the counts in order. `waiting`: registered merchants whose shops the run doesn't know."""
    registered, linked = tally.shops + waiting, tally.linked + waiting
    counts = (("certified", tally.certified), ("selling", tally.selling), ("eligible", tally.eligible))
    stages = [Stage("visits", visits, 0, 0), Stage("registered", registered, linked, visits)]
    for key, count in counts:
        stages.append(Stage(key, count, count, stages[-1].count))
    return Funnel(tuple(stages), registered - linked)
