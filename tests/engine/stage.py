"""Plays sequences (`tests.engine.sequences`) on a small world, through the feeds, with a clock of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings

from core import recording
from core.models import PolicyVersion, Program
from incentives.engine import finish, queue, reach
from incentives.engine.run import start_run, try_policy, work
from incentives.engine.texts import statement
from incentives.models import FirstEntity, FrozenShop, PayoutPreview, Run
from incentives.states import RunState
from merchants.models import Shop as ShopRow
from merchants.services import apply_attribution_again, assign_shop, load_feed
from partners.models import Partner
from tests.engine import harness
from tests.engine import sequences as seq
from tests.engine.small_world import OTHER_RULES, PROGRAMS, RULES, STORY, instant, opening
from tests.engine.telling import Teller
from tests.oracle.batches import KINDS, Batch, write_csv
from tests.oracle.small import Small

Row = tuple[Any, ...]


@dataclass
class Told:
    """What the sequences came to, over a whole test: that they prove something at all."""

    counts: Counter[str] = field(default_factory=Counter)

    def run(self, run: Run) -> None:
        """Count what a finished run was like."""
        self.counts["runs"] += 1
        if run.base_id is not None:
            self.counts["went on"] += 1
            shops = ShopRow.objects.count()
            reached = "all" if run.reached is None or run.reached == shops else "some" if run.reached else "none"
            self.counts[f"reached {reached}"] += 1
            self.counts["changed" if run.base is not None and run.digest != run.base.digest else "same"] += 1
            self.counts["as of the past"] += run.as_of < run.started_at if run.as_of and run.started_at else 0
        for verdict in ("eligible", "pending", "needs_data", "not_eligible"):
            self.counts[verdict] += getattr(run, verdict)


class Stage:
    """The world, its clock, and the programs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.clock, self.files = folder, STORY, 0
        read_clock = recording._clock

        def tick() -> tuple[datetime, datetime, int]:
            self.clock += timedelta(microseconds=1)
            _, newest, sequence = read_clock()
            return self.clock.astimezone(UTC), newest, sequence

        monkeypatch.setattr(recording, "_clock", tick)
        base = Small(RULES).policy
        self.programs = [harness.publish_program(*program, base) for program in PROGRAMS]
        self.policies: list[list[PolicyVersion]] = [
            [program.current_policy, *(harness.publish(program, Small(RULES | more).policy) for more in OTHER_RULES)]
            for program in self.programs
        ]
        self.clock = STORY + timedelta(days=16)
        harness.load(opening().batches(), folder)
        self.told = Told()

    @contextmanager
    def rolled_back(self) -> Iterator[None]:
        """Everything done within is undone at the end."""
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    def play(self, sequence: seq.Sequence, monkeypatch: pytest.MonkeyPatch) -> None:
        """Play a sequence and check every run in it, and each of them once more at the end."""
        self.chunk_shops = sequence.chunk_shops
        monkeypatch.setattr(reach, "EVERYTHING_FROM", sequence.everything_from)
        self.clock = STORY + timedelta(days=sequence.starts, hours=11)
        with self.rolled_back():
            Play(self, past=sequence.past).through(sequence.steps)


class Play:
    """One sequence being played."""

    def __init__(self, stage: Stage, *, past: bool) -> None:
        self.stage, self.told, self.past = stage, stage.told, past
        self.last = STORY + timedelta(days=3)  # the moment of the last run
        self.teller = Teller(self.last)
        self.finished: list[tuple[Run, list[Row]]] = []

    def through(self, steps: tuple[seq.Step, ...]) -> None:
        """Do one step after the other; at the end every run must still read as when it finished."""
        for number, step in enumerate(steps):
            match step:
                case seq.Load():
                    self.load(step)
                case seq.Wait():
                    self.wait(step)
                case seq.Assign():
                    self.assign(step)
                case seq.Judge():
                    self.judge(step, f"step {number}")
        for run, found in self.finished:
            assert fingerprint(run) == run.digest, f"run {run.pk} reads otherwise than when it finished"
            assert facts(run) == found, f"run {run.pk} knows otherwise than when it finished"

    @property
    def present(self) -> datetime:
        """What everything is relative to."""
        return min(self.stage.clock, self.last + timedelta(days=6)) if self.past else self.stage.clock

    def between(self, place: int, part: int | None = None) -> datetime:
        """The moment at `place`, of 8, between the last run's and the present; days before the last one's below 0.

        With `part` it is moved to that instant of its day.
        """
        at = self.last + (timedelta(days=place) if place < 0 else (self.present - self.last) * place / 8)
        if part is not None:
            at = instant(at, part)
        return min(self.stage.clock, at)

    # What happens -----------------------------------------------------------------------------------------------------

    def wait(self, step: seq.Wait) -> None:
        """Let time pass."""
        later = self.stage.clock + timedelta(days=step.days)
        if step.part:
            later = instant(later, step.part - 1)
        self.stage.clock = max(self.stage.clock, later)

    def load(self, step: seq.Load) -> None:
        """Load each fact as a feed of its own."""
        recorded = None if step.recorded is None else self.between(step.recorded)
        self.teller.present = self.present
        rows = [self.teller.row(fact) for fact in step.facts]
        for kind, row in sorted(rows, key=lambda each: KINDS.index(each[0])):
            self.stage.files += 1
            path = self.stage.folder / f"step-{self.stage.files}.csv"
            write_csv(Batch(kind, (row,), self.stage.clock), path)
            landed = load_feed(actor=harness.ACTOR, kind=kind, path=path, recorded_at=recorded)
            path.unlink()
            self.told.counts[f"{kind} {'landed' if landed.new or landed.updated else 'without effect'}"] += 1

    def assign(self, step: seq.Assign) -> None:
        """Do as an operator does."""
        shops = list(ShopRow.objects.order_by("code"))
        if step.partner is None:
            apply_attribution_again(actor=harness.ACTOR, shops=shops)
        else:
            partner = Partner.objects.get(code=f"P{step.partner + 1}")
            assign_shop(actor=harness.ACTOR, shop=shops[step.shop % len(shops)], partner=partner, reason="Decided.")

    # Runs -------------------------------------------------------------------------------------------------------------

    def judge(self, step: seq.Judge, where: str) -> None:
        """Run from changes only where that goes, and from nothing beside it: both must come to the same."""
        program: Program = self.stage.programs[step.program]
        policy = self.stage.policies[step.program][step.policy]
        as_of = None if step.place == 8 and not self.past else self.between(step.place, step.part)
        with override_settings(ENGINE_CHUNK_SHOPS=self.stage.chunk_shops):
            run = start_run(
                actor=harness.ACTOR, program=program, policy=policy, as_of=as_of, full=step.full, inline=True
            )
            if step.chunks is not None and self.stops(run, step):
                return
            work(run.pk)
        run.refresh_from_db()
        assert run.state == RunState.FINISHED, run.error
        assert run.as_of is not None
        self.last = max(run.as_of, self.last)
        self.told.run(run)
        full = try_policy(actor=harness.ACTOR, program=program, rules=policy.rules, as_of=run.as_of)
        compare(run, full, where)
        self.finished.append((run, facts(run)))

    def stops(self, run: Run, step: seq.Judge) -> bool:
        """Do some chunks and end the run. False where it finished before."""
        for _ in range(step.chunks or 0):
            claimed = queue.claim(run.pk, worker="stage")
            if claimed is None or not queue.perform(claimed):
                return False
        if not queue.unfinished(run.pk):
            return False
        if step.fails:
            finish.fail(run.pk, "The story wants it so.")
        else:
            finish.cancel_run(actor=harness.ACTOR, run_id=run.pk)
        self.told.counts["failed" if step.fails else "cancelled"] += 1
        return True


def compare(run: Run, full: Run, where: str) -> None:
    """Both runs found the same: the digest, and everything that is known and found about each shop."""
    __tracebackhide__ = True
    ours, theirs = facts(run), facts(full)
    if run.digest == full.digest and ours == theirs:
        return
    (results, payouts), (full_results, full_payouts) = harness.found(run), harness.found(full)
    told = harness.differences("shop_code", results, full_results)
    told += harness.differences("partner_code", payouts, full_payouts)
    told = [each.replace("oracle", "full run") for each in told]
    told += [f"only this run has: {row}" for row in ours if row not in theirs]
    told += [f"only the full run has: {row}" for row in theirs if row not in ours]
    raise AssertionError(
        f"{where}: run {run.pk} as of {run.as_of}, from {run.base_id}, reached {run.reached}, is not as a full run:\n"
        + "\n".join(told)
    )


def fingerprint(run: Run) -> str:
    """The run's digest, as its rows give it now."""
    with connection.cursor() as cursor:
        cursor.execute(statement("digest"), {"run": run.pk})
        return str(cursor.fetchone()[0])


def facts(run: Run) -> list[Row]:
    """All that a run froze and would pay, and its first entities."""
    frozen = FrozenShop.objects.filter(run=run).order_by("shop_id").values_list(*_columns(FrozenShop))
    previews = PayoutPreview.objects.filter(run=run).order_by("partner_id").values_list(*_columns(PayoutPreview))
    first = FirstEntity.objects.filter(chain_id=run.chain_id or 0, since_id__lte=run.pk, until_id__gt=run.pk)
    return [*frozen, *previews, *first.order_by("scope", "key").values_list("scope", "key", "shop_id", "certified_at")]


def _columns(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if field.attname not in ("run_id", "pk")]
