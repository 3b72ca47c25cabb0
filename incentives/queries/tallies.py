"""A partner's shops in one run, counted by everything that its overview says. One query.

The database groups the shops by verdict, outcomes and certification date; what a group means is worked out here, by the
rules that the single shop's page uses.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import BooleanField, Count, ExpressionWrapper, Q
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from core.policy import Policy
from core.words import joined
from incentives.engine.conditions import CONDITION_KEYS, CONDITIONS
from incentives.models import Result, Run
from incentives.queries.deadlines import run_date, winnable_until
from incentives.states import Outcome, Verdict

# What a pending shop can be waiting for, in the order of its life.
WINDOWS = {
    "certification": _("Certification"),
    "sales": _("Orders that count"),
    "stock": _("Stock in the countries"),
    "settlement": _("Settlements"),
}
# What the marketplace lacks where a condition is unknown.
LACKS = {
    "activated": _("exchange rate"),
    "stocked": _("stock"),
    "shop_normal": _("shop status"),
}
# A deadline within so many days is near: this week's.
WEEK = 7


@dataclass(frozen=True, slots=True)
class Cause:
    """How many shops one condition holds up (or lost)."""

    key: str
    title: str
    shops: int

    @property
    def lacks(self) -> str:
        """What is not known, in a word."""
        return str(LACKS.get(self.key, self.title))


@dataclass(frozen=True, slots=True)
class Window:
    """What ends for how many pending shops. `kind`: certification, sales, stock, settlement.

    `first` and `last` are the nearest and the latest of these deadlines; `soon` of the shops have their own nearest
    deadline, of whatever kind, within a week.
    """

    kind: str
    shops: int
    soon: int
    first: date
    last: date

    @property
    def title(self) -> str:
        """What ends, in a word."""
        return str(WINDOWS[self.kind])


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts. `pending` are `winnable` or `waiting`; `week` of the winnable have their nearest deadline in a week.

    `deadlines` are those of the winnable, the nearest first, each with how many end on it.

    `linked` of the `shops` registered through a link of this partner. `certified` counts those certified in the
    period, `selling` those of them that sell enough, `certified_on` the certified by date: all, and those not lost.
    """

    shops: int = 0
    eligible: int = 0
    pending: int = 0
    needs_data: int = 0
    not_eligible: int = 0
    winnable: int = 0
    waiting: int = 0
    week: int = 0
    deadlines: tuple[tuple[date, int], ...] = ()
    linked: int = 0
    certified: int = 0
    selling: int = 0
    unknown: tuple[Cause, ...] = ()
    lost: tuple[Cause, ...] = ()
    windows: tuple[Window, ...] = ()
    certified_on: tuple[tuple[date, int, int], ...] = ()

    @property
    def nearest(self) -> date | None:
        """The nearest deadline of what can still be won."""
        return self.deadlines[0][0] if self.deadlines else None

    def deadline_of(self, most: int) -> date | None:
        """By when the first `most` of the winnable end, or all of them where they are fewer."""
        for day, shops in self.deadlines:
            most -= shops
            if most <= 0:
                return day
        return self.deadlines[-1][0] if self.deadlines else None

    @property
    def lacks(self) -> str:
        """Everything that the marketplace doesn't know of those that need data, in a few words."""
        return joined(cause.lacks for cause in self.unknown)

    @property
    def standing(self) -> int:
        """Certified shops that have not failed a condition: what a commitment is measured by (POLICY 7)."""
        return sum(standing for _, _, standing in self.certified_on)


@dataclass(frozen=True, slots=True)
class _Group:
    """So many shops that are alike."""

    verdict: str
    outcomes: Mapping[str, str]
    introduced: bool
    linked: bool
    certified_on: date | None
    shops: int


def tally(*, actor: Actor, run: Run, partner_id: int) -> Tally:
    """Count the partner's shops in the run. Fetch the run with its program.

    Index judgement_of_partner, and the primary key of the frozen facts.
    """
    rows = (
        Result.objects.visible_to(actor)
        .filter(run=run, partner=partner_id)
        .annotate(
            linked=ExpressionWrapper(Q(facts__link_partner=partner_id), output_field=BooleanField()),
        )
        .values_list("verdict", "introduced", "linked", "facts__certified_on", *CONDITION_KEYS)
        .annotate(alike=Count("shop"))
        .order_by()
    )
    return fold(
        run,
        (
            _Group(verdict, dict(zip(CONDITION_KEYS, outcomes, strict=True)), introduced, bool(linked), on, shops)
            for verdict, introduced, linked, on, *outcomes, shops in rows
        ),
    )


def fold(run: Run, groups: Iterable[_Group]) -> Tally:
    """Add the groups up."""
    today, last, rules = run_date(run), run.program.ends_on, run.rules
    verdicts: Counter[str] = Counter()
    of: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    ends: dict[str, Counter[date]] = {kind: Counter() for kind in WINDOWS}
    nearest: Counter[date] = Counter()
    soon: Counter[str] = Counter()
    week = today + timedelta(days=WEEK)
    days: dict[date, tuple[int, int]] = {}
    for group in groups:
        verdicts[group.verdict] += group.shops
        of["linked"] += group.shops * group.linked
        of["certified"] += group.shops * group.introduced
        of["selling"] += group.shops * (group.introduced and group.outcomes["activated"] == Outcome.MET)
        if group.introduced and group.certified_on is not None:
            every, standing = days.get(group.certified_on, (0, 0))
            stands = group.shops * (group.verdict != Verdict.NOT_ELIGIBLE)
            days[group.certified_on] = every + group.shops, standing + stands
        if group.verdict == Verdict.NEEDS_DATA:
            _count(unknown, group, Outcome.UNKNOWN)
        elif group.verdict == Verdict.NOT_ELIGIBLE:
            _count(lost, group, Outcome.NOT_MET)
        elif group.verdict == Verdict.PENDING:
            window = rules.window_ends_on(group.certified_on) if group.certified_on else None
            until = winnable_until(group.outcomes, window_ends_on=window, today=today, period_last=last)
            if until is not None:
                nearest[until] += group.shops
            for kind, end in _ends(group, window, rules, today=today, last=last):
                ends[kind][end] += group.shops
                soon[kind] += group.shops * (until is not None and until < week)
    winnable = nearest.total()
    return Tally(
        shops=verdicts.total(),
        eligible=verdicts[Verdict.ELIGIBLE],
        pending=verdicts[Verdict.PENDING],
        needs_data=verdicts[Verdict.NEEDS_DATA],
        not_eligible=verdicts[Verdict.NOT_ELIGIBLE],
        winnable=winnable,
        waiting=verdicts[Verdict.PENDING] - winnable,
        week=sum(shops for day, shops in nearest.items() if day < week),
        deadlines=tuple(sorted(nearest.items())),
        linked=of["linked"],
        certified=of["certified"],
        selling=of["selling"],
        unknown=_causes(unknown),
        lost=_causes(lost),
        windows=tuple(
            Window(kind, dates.total(), soon[kind], min(dates), max(dates)) for kind, dates in ends.items() if dates
        ),
        certified_on=tuple((day, *days[day]) for day in sorted(days)),
    )


def _ends(group: _Group, window: date | None, rules: Policy, *, today: date, last: date) -> Iterator[tuple[str, date]]:
    """What a pending group waits for, and until when."""
    if group.outcomes["onboarded"] == Outcome.PENDING:
        yield "certification", last
    if group.outcomes["stocked"] == Outcome.PENDING:
        yield "stock", last
    if group.outcomes["activated"] == Outcome.PENDING and group.certified_on and window:
        yield ("sales", window) if today <= window else ("settlement", rules.settles_by(group.certified_on))


def _count(counter: Counter[str], group: _Group, outcome: Outcome) -> None:
    for key, found in group.outcomes.items():
        if found == outcome:
            counter[key] += group.shops


def _causes(counter: Counter[str]) -> tuple[Cause, ...]:
    """The most frequent first, equals in the conditions' order."""
    titles = {condition.key: str(condition.title) for condition in CONDITIONS}
    keys = sorted((key for key in titles if counter[key]), key=lambda key: -counter[key])
    return tuple(Cause(key, titles[key], counter[key]) for key in keys)
