"""Starting runs, working on them, and telling how far they are.

A run's life: `start_run` fixes its moment and lays out its chunks; `work` does chunk after chunk, in as many
workers as look; the last chunk publishes. Celery messages (`incentives.tasks`) only say "look".
"""

import os
import socket
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from core import audit, recording
from core.actors import Actor, Capability
from core.errors import BadInput, Conflict
from core.models import PolicyVersion, Program
from core.policy import Policy
from incentives import wake
from incentives.engine import queue, reach, steps
from incentives.models import Run
from incentives.states import RunKind, RunState, RunTrigger, Step


def start_run(
    *,
    actor: Actor,
    program: Program,
    policy: PolicyVersion | None = None,
    as_of: datetime | None = None,
    full: bool = False,
    trigger: RunTrigger = RunTrigger.MANUAL,
    inline: bool = False,
) -> Run:
    """Start an official run of `program` as of a moment (default: now) and wake the workers, unless `inline`.

    It goes on from an earlier run where there is one to go on from (`reach.find_base`), unless `full`.
    `policy` defaults to the latest published version. An automatic run that is still queued is absorbed.
    Raises Conflict, naming the run, where one is running; BadInput for a moment in the future.
    """
    actor.require(Capability.START_RUN)
    policy = policy or program.policies.order_by("-number").first()
    if policy is None:
        raise BadInput(f"Program {program} has no published policy.")
    with transaction.atomic():
        # The lock makes starts line up; the unique constraint run_one_running is behind it.
        program = Program.objects.select_for_update(no_key=True).get(pk=program.pk)
        running = Run.objects.filter(program=program, state=RunState.RUNNING, kind=RunKind.OFFICIAL).first()
        if running is not None:
            raise Conflict(
                f"Run {running.pk} of {program} is running since {running.started_at:%Y-%m-%d %H:%M:%S} UTC."
            )
        Run.objects.filter(program=program, state=RunState.QUEUED).update(state=RunState.ABSORBED)
        run = _begin(actor, program, policy.rules, as_of, RunKind.OFFICIAL, trigger, full=full, policy=policy)
        audit.record(
            actor=actor,
            action="run.started",
            subject=run,
            details={
                "program": program.code,
                "policy": policy.number,
                "as_of": run.as_of.isoformat() if run.as_of else None,
                "trigger": str(trigger),
                "base": run.base_id,
            },
        )
        if not inline:
            # What fails here costs time, not the run: it is committed, and the sweep wakes workers too.
            transaction.on_commit(lambda: _set_going(run), robust=True)
    if inline:
        steps.refresh_statistics()
    return run


def try_policy(
    *, actor: Actor, program: Program, rules: Policy, as_of: datetime | None = None, inline: bool = True
) -> Run:
    """Judge `program` by a draft policy, in this process or (not `inline`) by the workers.

    Draft runs are never paid and never compared by default. Raises Conflict where workers try another draft of it.
    """
    actor.require(Capability.DRAFT_POLICY)
    with transaction.atomic():
        program = Program.objects.select_for_update(no_key=True).get(pk=program.pk)
        running = Run.objects.filter(program=program, state=RunState.RUNNING, kind=RunKind.DRAFT).first()
        if running is not None and not inline:
            raise Conflict(f"A draft of {program} is being tried already, as run {running.pk}.")
        run = _begin(actor, program, rules, as_of, RunKind.DRAFT, RunTrigger.MANUAL, full=True, policy=None)
        audit.record(
            actor=actor,
            action="run.draft_started",
            subject=run,
            details={"program": program.code, "policy_fingerprint": rules.fingerprint()},
        )
        if not inline:
            transaction.on_commit(lambda: _set_going(run), robust=True)
    if inline:
        work(run.pk)
        run.refresh_from_db()
    return run


def request_run(*, program: Program, trigger: RunTrigger, wait: timedelta, at_most: timedelta) -> Run:
    """Ask for an automatic run after `wait` without another request, `at_most` after the first of them."""
    now = timezone.now()
    with transaction.atomic():
        Program.objects.select_for_update(no_key=True).get(pk=program.pk)
        run = Run.objects.select_for_update().filter(program=program, state=RunState.QUEUED).first()
        if run is None:
            policy = program.current_policy
            run = Run.objects.create(
                program=program,
                policy=policy,
                document=policy.document,
                trigger=trigger,
                state=RunState.QUEUED,
                requested_at=now,
                not_before=now + wait,
            )
            audit.record(actor=queue.SYSTEM, action="run.requested", subject=run, details={"trigger": str(trigger)})
        else:
            run.not_before = min(now + wait, run.requested_at + at_most)
            run.save(update_fields=["not_before"])
    return run


def work(run_id: int, *, seconds: float | None = None) -> bool:
    """Do chunks of a run until there is none to take, or for about `seconds`. True where more is left to do.

    Inline (no `seconds`) it also waits for chunks that others hold, so that it returns when the run has ended.
    """
    worker = f"{socket.gethostname()}:{os.getpid()}"
    deadline = None if seconds is None else time.monotonic() + seconds
    while deadline is None or time.monotonic() < deadline:
        claimed = queue.claim(run_id, worker=worker)
        if claimed is not None:
            done = queue.perform(claimed)
            if done and claimed.chunk.step == Step.FIRST_ENTITIES and deadline is not None:
                wake.workers(run_id, settings.ENGINE_FAN_OUT)
            continue
        if queue.fail_exhausted(run_id) or not Run.objects.filter(pk=run_id, state=RunState.RUNNING).exists():
            return False
        if deadline is not None:
            # Whoever finishes a step goes on with the next one; the sweep brings back what is overdue.
            return False
        time.sleep(0.2)
    return queue.unfinished(run_id)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, for people: chunks done of all, shops judged so far."""

    state: str
    done: int
    total: int
    shops: int

    @property
    def percent(self) -> int:
        """Whole per cent of the chunks that are done."""
        return 100 * self.done // self.total if self.total else 0


def progress(run: Run) -> Progress:
    """Read the run's progress; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.state, count(c.id) FILTER (WHERE c.state = 'done'), count(c.id),"
            " coalesce(sum(c.rows) FILTER (WHERE c.step = 'shops'), 0)"
            " FROM incentives_run r LEFT JOIN incentives_runchunk c ON c.run_id = r.id WHERE r.id = %s GROUP BY r.id",
            [run.pk],
        )
        state, done, total, shops = cursor.fetchone()
    return Progress(state, done, total, shops)


def _set_going(run: Run) -> None:
    steps.refresh_statistics()
    wake.workers(run.pk, 1)


def _begin(
    actor: Actor,
    program: Program,
    rules: Policy,
    as_of: datetime | None,
    kind: RunKind,
    trigger: RunTrigger,
    *,
    full: bool,
    policy: PolicyVersion | None,
) -> Run:
    fixed, sequence = recording.fix_as_of()
    if as_of is not None and as_of > fixed:
        raise BadInput(f"as-of {as_of.isoformat()} lies in the future; give a moment that has passed.")
    base = None if full or policy is None else reach.find_base(program, policy, as_of or fixed)
    run = Run.objects.create(
        program=program,
        policy=policy,
        document=rules.document(),
        kind=kind,
        trigger=trigger,
        state=RunState.RUNNING,
        full=base is None,
        base=base,
        chain_id=base.chain_id if base else None,
        as_of=as_of or fixed,
        last_sequence=sequence,
        requested_at=fixed,
        requested_by_id=actor.user_id,
        started_at=fixed,
    )
    if base is None:
        run.chain_id = run.pk
        run.save(update_fields=["chain"])
        steps.lay_out(run, Step.FIRST_ENTITIES, Step.SHOPS, Step.PRICE)
    else:
        # The first step finds what is reached, and lays out the rest.
        steps.lay_out(run, Step.FIRST_ENTITIES, Step.PRICE)
    return run
