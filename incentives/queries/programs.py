"""Programs as pages show them: the last published run, one that is at work, verdicts, money by state."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Max, Prefetch, Q, Sum
from django.utils import timezone

from core.models import PolicyVersion, Program
from core.policy import Policy
from core.values import local_date
from incentives.models import Payout, PayoutLine, Run
from incentives.states import ChunkState, LineState, PayoutState, RunKind, RunState

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Progress:
    """A run at work: chunks done of all, as a whole per cent."""

    run_id: int
    state: str
    state_label: str
    done: int
    total: int
    percent: int


@dataclass(frozen=True, slots=True)
class Published:
    """A finished official run: its moment, its verdicts, its money. Amounts are previews: nothing is owed by them."""

    run_id: int
    as_of: datetime
    finished_at: datetime
    policy_number: int
    digest: str
    shops: int
    eligible: int
    pending: int
    needs_data: int
    not_eligible: int
    base_amount: Decimal
    net_amount: Decimal


@dataclass(frozen=True, slots=True)
class StateMoney:
    """How many payouts are in a state, and what they come to."""

    state: str
    label: str
    payouts: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ProgramOverview:
    """One program at a glance. Dates are local to `zone`; `days_left` counts to the last day, never below zero."""

    id: int
    code: str
    title: str
    first: date
    last: date
    zone: str
    days_left: int
    has_ended: bool
    closes_at: datetime
    is_open: bool
    currency: str
    example_tiers: bool
    run: Published | None
    progress: Progress | None
    money: tuple[StateMoney, ...]
    withheld_lines: int
    held: int


def latest_run(program: Program) -> Run | None:
    """The program's last published run: the one whose figures people are shown. Index run_latest."""
    return Run.objects.published().filter(program=program).select_related("program", "policy").order_by("-pk").first()


def latest_runs(programs: Iterable[Program] | None = None) -> list[Run]:
    """The last published run of each of the programs (of all: None), by program code. One query."""
    newest = Run.objects.published().values("program").annotate(newest=Max("pk")).values("newest")
    runs = Run.objects.filter(pk__in=newest).select_related("program", "policy").order_by("program__code")
    return list(runs if programs is None else runs.filter(program__in=list(programs)))


def program_overviews(*, now: datetime | None = None) -> list[ProgramOverview]:
    """Every program that has a policy, the latest to end first. A constant number of queries."""
    now = now or timezone.now()
    programs = Program.objects.prefetch_related(
        Prefetch("policies", PolicyVersion.objects.order_by("-number"), to_attr="versions")
    ).order_by("-ends_on", "code")
    published = {run.program_id: run for run in latest_runs()}
    at_work = {
        run.program_id: run
        for run in Run.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING], kind=RunKind.OFFICIAL)
        .annotate(total=Count("chunks"), done=Count("chunks", filter=Q(chunks__state=ChunkState.DONE)))
        .order_by("pk")
    }
    money = _money_by_program()
    return [
        _overview(
            program,
            program.versions[0],
            published.get(program.pk),
            at_work.get(program.pk),
            money.get(program.pk, {}),
            now=now,
        )
        for program in programs
        if program.versions
    ]


def current_policies() -> list[PolicyVersion]:
    """The latest policy of every program that has one, with its program, the latest to end first. One query."""
    newest = PolicyVersion.objects.order_by("program_id", "-number").distinct("program_id").select_related("program")
    return sorted(newest, key=lambda policy: (-policy.program.ends_on.toordinal(), policy.program.code))


def program_titles() -> list[tuple[str, str]]:
    """Every program's code and name, the latest to end first. One query."""
    return [(policy.program.code, policy.title) for policy in current_policies()]


def run_progress(run: Run) -> Progress:
    """How far a run is. One query."""
    done, total = run.chunks.aggregate(done=Count("pk", filter=Q(state=ChunkState.DONE)), total=Count("pk")).values()
    return _progress(run, done, total)


def _progress(run: Run, done: int, total: int) -> Progress:
    percent = 100 if run.state == RunState.FINISHED else 100 * done // total if total else 0
    return Progress(run.pk, run.state, run.get_state_display(), done, total, percent)


def published(run: Run) -> Published:
    """A finished run's figures. Fetch it with its policy."""
    if run.as_of is None or run.finished_at is None or run.policy is None:
        raise ValueError(f"run {run.pk} has published nothing")
    return Published(
        run.pk,
        run.as_of,
        run.finished_at,
        run.policy.number,
        run.digest,
        run.shops,
        run.eligible,
        run.pending,
        run.needs_data,
        run.not_eligible,
        run.base_amount,
        run.net_amount,
    )


def _overview(
    program: Program,
    policy: PolicyVersion,
    run: Run | None,
    working: Run | None,
    money: dict[str, tuple[int, Decimal, int, int]],
    *,
    now: datetime,
) -> ProgramOverview:
    rules: Policy = policy.rules
    today, closes_at = local_date(now, rules.zone), rules.closes_at(program.period)
    return ProgramOverview(
        id=program.pk,
        code=program.code,
        title=policy.title,
        first=program.starts_on,
        last=program.ends_on,
        zone=rules.timezone,
        days_left=max(0, (program.ends_on - today).days),
        has_ended=today > program.ends_on,
        closes_at=closes_at,
        is_open=now < closes_at,
        currency=rules.incentive.currency,
        example_tiers=rules.discount.example,
        run=published(run) if run else None,
        progress=_progress(working, working.done, working.total) if working else None,  # type: ignore[attr-defined]
        money=tuple(
            StateMoney(state.value, str(state.label), money[state][0], money[state][1])
            for state in PayoutState
            if state in money
        ),
        withheld_lines=sum(row[3] for row in money.values()),
        held=sum(row[2] for row in money.values()),
    )


def _money_by_program() -> dict[int, dict[str, tuple[int, Decimal, int, int]]]:
    """For each program and state: payouts, their sum, those that are held, their withheld lines."""
    withheld: dict[tuple[int, str], int] = {
        (program, state): count
        for program, state, count in PayoutLine.objects.filter(state=LineState.WITHHELD)
        .values_list("payout__program", "payout__state")
        .annotate(count=Count("pk"))
        .order_by()
    }
    found: dict[int, dict[str, tuple[int, Decimal, int, int]]] = {}
    rows = (
        Payout.objects.values_list("program", "state")
        .annotate(count=Count("pk"), amount=Sum("payable"), held=Count("pk", filter=Q(held=True)))
        .order_by()
    )
    for program, state, count, amount, held in rows:
        found.setdefault(program, {})[state] = (count, amount or ZERO, held, withheld.get((program, state), 0))
    return found
