"""Feeds the product what the oracle was fed, and puts the two answers side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from core.actors import Actor
from core.models import PolicyVersion, Program
from core.policy import Policy
from core.services import create_program, publish_policy
from incentives import exports
from incentives.engine.run import start_run, work
from incentives.exports import Table, cell_text
from incentives.models import Run
from incentives.states import RunState
from merchants.services import load_feed
from tests.oracle.batches import Batch, write_csv

Row = dict[str, str]
ACTOR = Actor.system("test")
ONE_SECOND = timedelta(seconds=1)
NOT_COMPARED = frozenset({"program", "run", "state"})


def publish_program(code: str, start: date, end: date, document: Mapping[str, Any]) -> Program:
    """Create a program under this policy, its tiers accepted whether example or not."""
    return create_program(
        actor=ACTOR,
        code=code,
        start=start,
        end=end,
        policy=Policy.parse(document),
        accept_example_tiers=True,
    )


def publish(program: Program, document: Mapping[str, Any]) -> PolicyVersion:
    """Publish the next policy version."""
    return publish_policy(
        actor=ACTOR, program_code=program.code, policy=Policy.parse(document), accept_example_tiers=True
    )


def load(batches: Iterable[Batch], folder: Path) -> None:
    """Load every batch through the feed, as a file; a rejected row is a defect of the quarter or the feed."""
    for number, batch in enumerate(batches):
        path = folder / f"{number:04}-{batch.kind}.csv"
        write_csv(batch, path)
        landed = load_feed(actor=ACTOR, kind=batch.kind, path=path, recorded_at=batch.recorded_at)
        bad = [(row.line, row.column, row.code, row.cells) for row in landed.rejected_rows.all()[:3]]
        assert not bad, f"{batch.kind} recorded at {batch.recorded_at}: {bad}"
    # A test's rows are never committed, so nothing else would tell the planner of them.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def evaluate(program: Program, as_of: datetime, policy: PolicyVersion | None = None) -> Run:
    """Run the engine in this process and return the finished run."""
    run = start_run(actor=ACTOR, program=program, as_of=as_of, policy=policy, inline=True)
    work(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.FINISHED, run.error
    return run


def rows(table: Table) -> list[Row]:
    """The table as the oracle writes it: instants in UTC, no run's own columns."""
    kept = [place for place, column in enumerate(table.columns) if column not in NOT_COMPARED]
    return [{table.columns[place]: _cell(cells[place]) for place in kept} for cells in table.rows]


def found(run: Run) -> tuple[list[Row], list[Row]]:
    """The run's results and payouts."""
    return rows(exports.results(run)), rows(exports.payouts(run))


def differences(key: str, engine: Sequence[Row], oracle: Sequence[Row]) -> list[str]:
    """Where two tables differ, cell by cell; empty when they are the same, order included."""
    ours, theirs = {row[key]: row for row in engine}, {row[key]: row for row in oracle}
    told = [f"{code}: only the engine has it" for code in sorted(ours.keys() - theirs.keys())]
    told += [f"{code}: only the oracle has it" for code in sorted(theirs.keys() - ours.keys())]
    told += [
        f"{code} {column}: engine {ours[code].get(column)!r}, oracle {value!r}"
        for code in sorted(ours.keys() & theirs.keys())
        for column, value in theirs[code].items()
        if ours[code].get(column) != value
    ]
    if not told and [row[key] for row in engine] != [row[key] for row in oracle]:
        told.append(f"the order by {key} differs")
    return told


def _cell(cell: Any) -> str:
    return cell.astimezone(UTC).isoformat() if isinstance(cell, datetime) else cell_text(cell)
