"""Until when a pending shop can still be won: in Python for one shop or a group, in SQL for lists.

Both say the same: the nearest deadline of what is pending and can still be done, the period's end for certification
and stock, the window's for orders. A window that is over leaves nothing to do but to wait for settlements (UX 7),
and so does a review. tests/incentives/test_deadlines.py holds the two together.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from django.db.models import Case, DateField, F, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Least

from core.values import local_date
from incentives.models import Run
from incentives.states import Outcome, Verdict


def run_date(run: Run) -> date:
    """The date, in the program's zone, that a run's days are counted from. Fetch it with its program."""
    return local_date(run.as_of, run.rules.zone) if run.as_of else run.program.ends_on


def winnable_until(
    outcomes: Mapping[str, str], *, window_ends_on: date | None, today: date, period_last: date
) -> date | None:
    """The last day on which something can still be done for a pending shop; None where nothing can."""
    deadlines = []
    if Outcome.PENDING in (outcomes["onboarded"], outcomes["stocked"]):
        deadlines.append(period_last)
    if outcomes["activated"] == Outcome.PENDING and window_ends_on is not None and today <= window_ends_on:
        deadlines.append(window_ends_on)
    return min(deadlines, default=None)


def until_expression(*runs: Run) -> Combinable:
    """`winnable_until` for results of these runs, in SQL; null for what isn't pending. Fetch their programs, too."""
    orders = Case(
        When(
            activated=Outcome.PENDING,
            facts__window_ends_on__gte=_of_each(runs, {run.pk: run_date(run) for run in runs}),
            then=F("facts__window_ends_on"),
        )
    )
    period = Case(
        When(
            Q(onboarded=Outcome.PENDING) | Q(stocked=Outcome.PENDING),
            then=_of_each(runs, {run.pk: run.program.ends_on for run in runs}),
        )
    )
    return Case(When(verdict=Verdict.PENDING, then=Least(period, orders)), output_field=DateField())


def date_after(*runs: Run, days: int) -> Combinable:
    """The first date that is no longer within so many days, each run's own date being the first of them."""
    return _of_each(runs, {run.pk: run_date(run) + timedelta(days=days) for run in runs})


def _of_each(runs: Iterable[Run], dates: Mapping[int, date]) -> Combinable:
    """The date of a result's own run: a constant where there is but one."""
    values = {pk: Value(day, output_field=DateField()) for pk, day in dates.items()}
    if len(values) == 1:
        return next(iter(values.values()))
    if not values:
        return Value(None, output_field=DateField())
    return Case(*(When(run=pk, then=value) for pk, value in values.items()), output_field=DateField())
