"""Runs as operators see them: the history, one at work, two compared, and what a run lacked."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from incentives.engine.changes import changes
from incentives.engine.conditions import CONDITIONS
from incentives.models import Result, Run, RunChunk
from incentives.queries.since_run import CAUSE_WORDS
from incentives.states import ChunkState, Outcome, RunState, Step, Verdict

STEP_WORDS = {
    Step.FIRST_ENTITIES: _("Finding first entities"),
    Step.SHOPS: _("Judging shops"),
    Step.PRICE: _("Pricing partners"),
}
# Rates that are known to be needed, at most so many of them: the rest follows once these are there.
UNKNOWN_SHOWN = 100
WAITING_COLUMNS = ("shop_code", "partner_code", "lacks", "which")


@dataclass(frozen=True, slots=True)
class StepProgress:
    """One step of a run: chunks done of all, and what it has looked at so far."""

    label: str
    done: int
    total: int
    rows: int


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is. `per_second` are shops judged so far by the time it took; `left` is what the rest will take.

    Both are None until there is something to go by.
    """

    percent: int
    steps: tuple[StepProgress, ...]
    judged: int
    per_second: Decimal | None
    left: timedelta | None
    failing: str


def visible_runs(actor: Actor) -> QuerySet[Run]:
    """Runs for a list, the newest first, each with its program, its policy and who asked for it."""
    runs: QuerySet[Run] = Run.objects.visible_to(actor)
    return runs.select_related("program", "policy", "requested_by").order_by("-pk")


def progress_of(run: Run, *, now: datetime) -> RunProgress:
    """Read how far the run is. One query."""
    rows = (
        RunChunk.objects.filter(run=run)
        .values("step")
        .annotate(
            total=Count("pk"),
            done=Count("pk", filter=Q(state=ChunkState.DONE)),
            seen=Sum("rows"),
            begun=Min("started_at"),
            ended=Max("finished_at"),
            error=Max("error"),
        )
        .order_by()
    )
    found = {row["step"]: row for row in rows}
    steps = tuple(
        StepProgress(str(words), found[step]["done"], found[step]["total"], found[step]["seen"] or 0)
        for step, words in STEP_WORDS.items()
        if step in found
    )
    done, total = sum(step.done for step in steps), sum(step.total for step in steps)
    shops = found.get(Step.SHOPS)
    judged = shops["seen"] or 0 if shops else 0
    per_second, left = None, None
    if shops and shops["begun"] and judged:
        until = shops["ended"] if run.state != RunState.RUNNING or shops["done"] == shops["total"] else now
        seconds = Decimal(max((until - shops["begun"]).total_seconds(), 0.001))
        per_second = (judged / seconds).quantize(Decimal(1))
        if run.state == RunState.RUNNING:
            waiting = shops["total"] - shops["done"]
            left = timedelta(seconds=round(float(seconds) * waiting / max(shops["done"], 1)))
    return RunProgress(
        percent=100 if run.state == RunState.FINISHED else 100 * done // total if total else 0,
        steps=steps,
        judged=judged,
        per_second=per_second,
        left=left,
        failing=next((row["error"] for row in found.values() if row["error"]), ""),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A shop that two runs judge differently. Verdicts are '' where the shop is only in the other run."""

    shop_code: str
    partner_code: str
    before: str
    after: str
    amount_before: Decimal | None
    amount_after: Decimal | None
    conditions: tuple[str, ...]
    causes: tuple[str, ...]

    @property
    def flips(self) -> bool:
        """Whether the verdict differs, not only a condition."""
        return self.before != self.after

    @property
    def before_label(self) -> str:
        """The earlier verdict in words."""
        return _verdict(self.before)

    @property
    def after_label(self) -> str:
        """The later verdict in words."""
        return _verdict(self.after)

    @property
    def condition_titles(self) -> tuple[str, ...]:
        """The conditions that moved, in words."""
        titles = {condition.key: str(condition.title) for condition in CONDITIONS}
        return tuple(titles[key] for key in self.conditions)

    @property
    def why(self) -> tuple[str, ...]:
        """The causes in words."""
        return tuple(str(CAUSE_WORDS[cause]) for cause in self.causes)


@dataclass(frozen=True, slots=True)
class Counted:
    """So many changes of one kind."""

    key: str
    label: str
    shops: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two runs judge differently: counted by cause and by verdict, and the rows that were asked for.

    `net` is what all shops' amounts differ by, before any discount. `total` counts the rows that fit the filter;
    `rows` are those of the page.
    """

    shops: int
    flips: int
    net: Decimal
    causes: tuple[Counted, ...]
    verdicts: tuple[tuple[str, str, int], ...]
    total: int
    rows: tuple[Change, ...]


def all_changes(run: Run, against: Run) -> Iterator[Change]:
    """Every shop that the two judge differently, by its code. One query, read as it goes."""
    rows: Iterable[Any] = changes(run, against).rows
    for code, partner, before, after, old, new, moved, causes in rows:
        yield Change(code, partner or "", before or "", after or "", old, new, _split(moved), _split(causes))


def compare(
    run: Run, against: Run, *, cause: str = "", flips: bool = False, start: int = 0, size: int = 50
) -> Comparison:
    """Compare `run` with the earlier `against`; show the rows from `start` on that `cause` and `flips` leave."""
    causes: Counter[str] = Counter()
    verdicts: Counter[tuple[str, str]] = Counter()
    shops = total = 0
    net = Decimal(0)
    rows: list[Change] = []
    for change in all_changes(run, against):
        shops += 1
        net += (change.amount_after or 0) - (change.amount_before or 0)
        causes.update(change.causes)
        if change.flips:
            verdicts[change.before_label, change.after_label] += 1
        if (cause and cause not in change.causes) or (flips and not change.flips):
            continue
        if start <= total < start + size:
            rows.append(change)
        total += 1
    return Comparison(
        shops=shops,
        flips=verdicts.total(),
        net=net,
        causes=tuple(Counted(key, str(CAUSE_WORDS[key]), count) for key, count in causes.most_common()),
        verdicts=tuple((before, after, count) for (before, after), count in verdicts.most_common()),
        total=total,
        rows=tuple(rows),
    )


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something the marketplace doesn't know, and how many shops wait for it.

    `kind`: rate (a currency on a date), stock, status. `example` is the code of one of the shops.
    """

    kind: str
    what: str
    shops: int
    example: str


def unknown_data(*, actor: Actor, run: Run) -> list[Unknown]:
    """What a run lacked, the most wanted first. Two queries. Index judgement_of_partner."""
    results = Result.objects.visible_to(actor).filter(run=run, verdict=Verdict.NEEDS_DATA)
    rates = (
        results.filter(activated=Outcome.UNKNOWN)
        .values(currency=F("facts__unrated_currency"), on=F("facts__unrated_on"))
        .annotate(count=Count("shop"), example=Min("shop__code"))
        .order_by("-count", "currency", "on")[:UNKNOWN_SHOWN]
    )
    found = [
        Unknown("rate", f"{row['currency']} {row['on']:%Y-%m-%d}", row["count"], row["example"])
        for row in rates
        if row["currency"]
    ]
    others = results.aggregate(
        stock=Count("shop", filter=Q(stocked=Outcome.UNKNOWN)),
        stock_example=Min("shop__code", filter=Q(stocked=Outcome.UNKNOWN)),
        status=Count("shop", filter=Q(shop_normal=Outcome.UNKNOWN)),
        status_example=Min("shop__code", filter=Q(shop_normal=Outcome.UNKNOWN)),
    )
    found += [
        Unknown(kind, "", others[kind], others[f"{kind}_example"]) for kind in ("stock", "status") if others[kind]
    ]
    return sorted(found, key=lambda unknown: -unknown.shops)


def waiting_for_data(*, actor: Actor, run: Run) -> Iterator[tuple[str, str, str, str]]:
    """Every shop that `run` lacked a fact about, a row for each fact, as `WAITING_COLUMNS` name it. By shop code."""
    waiting = (
        Result.objects.visible_to(actor)
        .filter(run=run, verdict=Verdict.NEEDS_DATA)
        .order_by("shop__code")
        .values_list(
            "shop__code",
            "partner__code",
            "activated",
            "facts__unrated_currency",
            "facts__unrated_on",
            "stocked",
            "shop_normal",
        )
    )
    for shop, partner, activated, currency, on, stocked, normal in waiting.iterator(chunk_size=2000):
        if activated == Outcome.UNKNOWN and currency:
            yield shop, partner, "rate", f"{currency} {on:%Y-%m-%d}"
        if stocked == Outcome.UNKNOWN:
            yield shop, partner, "stock", ""
        if normal == Outcome.UNKNOWN:
            yield shop, partner, "status", ""


def _verdict(verdict: str) -> str:
    return str(Verdict(verdict).label) if verdict else str(_("not judged"))


def _split(joined: str) -> tuple[str, ...]:
    return tuple(part for part in joined.split("|") if part)
