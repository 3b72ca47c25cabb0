"""What an operator sees first beside the queues: what the open program stands at, and how fresh the facts are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import add

from django.db.models import Case, Count, IntegerField, Q, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.actors import Actor
from incentives.engine.conditions import CONDITIONS
from incentives.models import Result, Run
from incentives.states import Outcome, RunState, Verdict
from merchants.models import Import
from merchants.states import FeedKind, ImportState

# A week back, runs are compared with what they said then.
WEEK = timedelta(days=7)
# A feed that hasn't come for so long is late.
LATE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class ConditionCost:
    """How many shops fail one condition, and how many wait for it or lack data.

    `alone` of those that fail it fail nothing else: they are what the condition costs by itself. `width`: how long its
    bar is, in per cent of the longest.
    """

    key: str
    title: str
    not_met: int
    alone: int
    pending: int
    unknown: int
    width: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the funnel: how many shops, and the share of the step before (0 to 1; None for the first).

    `width`: how long its bar is, in per cent of the first.
    """

    label: Promise
    count: int
    share: float | None
    width: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the program's shops stand at: the conditions' cost, the most expensive first, and the way to eligible."""

    conditions: tuple[ConditionCost, ...]
    funnel: tuple[Stage, ...]


def standing(*, actor: Actor, run: Run) -> Standing:
    """Count a run's shops by condition. One query over all of its results. Index judgement_of_partner."""
    keys = [condition.key for condition in CONDITIONS]
    fails = [Case(When(**{key: Outcome.NOT_MET}, then=1), default=0, output_field=IntegerField()) for key in keys]
    failed = reduce(add, fails)
    counts = (
        Result.objects.visible_to(actor)
        .filter(run=run)
        .annotate(failed=failed)
        .aggregate(
            n_shops=Count("shop"),
            n_introduced=Count("shop", filter=Q(introduced=True)),
            n_selling=Count("shop", filter=Q(introduced=True, activated=Outcome.MET)),
            n_eligible=Count("shop", filter=Q(verdict=Verdict.ELIGIBLE)),
            **{
                f"{key}_{outcome}": Count("shop", filter=Q(**{key: outcome}))
                for key in keys
                for outcome in (Outcome.NOT_MET, Outcome.PENDING, Outcome.UNKNOWN)
            },
            **{f"{key}_alone": Count("shop", filter=Q(**{key: Outcome.NOT_MET, "failed": 1})) for key in keys},
        )
    )
    most = max(counts[f"{key}_{Outcome.NOT_MET}"] for key in keys)
    costs = [
        ConditionCost(
            condition.key,
            str(condition.title),
            counts[f"{condition.key}_not_met"],
            counts[f"{condition.key}_alone"],
            counts[f"{condition.key}_pending"],
            counts[f"{condition.key}_unknown"],
            _width(counts[f"{condition.key}_not_met"], most),
        )
        for condition in CONDITIONS
    ]
    steps = [
        (_("Shops"), counts["n_shops"]),
        (pgettext_lazy("shops", "Certified"), counts["n_introduced"]),
        (_("Selling enough"), counts["n_selling"]),
        (_("Eligible"), counts["n_eligible"]),
    ]
    funnel = [
        Stage(
            label,
            count,
            count / steps[number - 1][1] if number and steps[number - 1][1] else None,
            _width(count, steps[0][1]),
        )
        for number, (label, count) in enumerate(steps)
    ]
    return Standing(tuple(sorted(costs, key=lambda cost: -cost.not_met)), tuple(funnel))


def _width(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "0%"


@dataclass(frozen=True, slots=True)
class SinceLastWeek:
    """The run that people were shown a week before, and what each verdict's count has grown by since."""

    run_id: int
    as_of: datetime
    eligible: int
    pending: int
    needs_data: int
    not_eligible: int
    net: Decimal


def since_last_week(run: Run) -> SinceLastWeek | None:
    """Compare with the last run that was published a week before `run` looks; None where there was none. One query."""
    if run.as_of is None:
        return None
    before = (
        Run.objects.published().filter(program=run.program_id, as_of__lte=run.as_of - WEEK).order_by("-as_of", "-pk")
    ).first()
    if before is None or before.as_of is None:
        return None
    return SinceLastWeek(
        before.pk,
        before.as_of,
        run.eligible - before.eligible,
        run.pending - before.pending,
        run.needs_data - before.needs_data,
        run.not_eligible - before.not_eligible,
        run.net_amount - before.net_amount,
    )


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a feed came last, and with how many rows. `is_late`: more than two days ago, or never."""

    label: str
    landed_at: datetime | None
    rows: int
    rejected: int
    is_late: bool


def freshness(*, now: datetime) -> list[Freshness]:
    """How fresh each feed is, in the feeds' order. One query."""
    newest = (
        Import.objects.filter(state=ImportState.LANDED)
        .order_by("kind", "-finished_at", "-pk")
        .distinct("kind")
        .values("kind", "rows", "rejected", "finished_at")
    )
    last = {row["kind"]: row for row in newest}
    found = []
    for kind in FeedKind:
        row = last.get(kind)
        at = row["finished_at"] if row else None
        found.append(
            Freshness(
                str(kind.label),
                at,
                row["rows"] if row else 0,
                row["rejected"] if row else 0,
                at is None or now - at > LATE,
            )
        )
    return found


def failed_runs(*, since: datetime) -> int:
    """How many runs have failed since a moment. One query."""
    return Run.objects.filter(state=RunState.FAILED, finished_at__gte=since).count()
