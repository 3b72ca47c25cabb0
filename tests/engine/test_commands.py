"""`recompute` and `export` from outside: what they refuse, with which words and exit status, and what they keep."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.core.management import call_command
from django.utils import timezone

from config.state import ROOT
from core.errors import BadInput, Conflict, DomainError, NotFound
from core.models import Program
from incentives.engine import finish, queue
from incentives.engine.run import request_run, start_run, work
from incentives.exports import cell_text
from incentives.models import FirstEntity, Payout, PayoutPreview, Run
from incentives.services import submit_run
from incentives.states import RunKind, RunState, RunTrigger
from tests.engine import harness
from tests.oracle.small import Small, moment

AS_OF = moment("2025-06-30T00:00:00+08:00")


@pytest.fixture
def program(db: None, tmp_path: Path) -> Program:
    small = Small().good("S-1").good("-S2", without="line")
    made = harness.publish_program("b", small.start, small.end, small.policy)
    harness.load(small.batches(), tmp_path)
    return made


def recompute(*arguments: str) -> str:
    out = io.StringIO()
    call_command("recompute", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip().splitlines()[-1]


def test_the_moment_may_not_lie_in_the_future(program: Program) -> None:
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    with pytest.raises(BadInput, match="lies in the future"):
        recompute("b", "--inline", "--as-of", tomorrow)
    assert not Run.objects.exists()


@pytest.mark.parametrize("text", ["yesterday", "2025-06-30", "2025-13-01T00:00:00", "2025-06-30T00:00:00+99:00"])
def test_a_moment_that_is_none_is_refused(program: Program, text: str) -> None:
    with pytest.raises(BadInput, match="is no timestamp"):
        recompute("b", "--inline", "--as-of", text)


def test_unknown_programs_and_versions_are_named(program: Program) -> None:
    with pytest.raises(NotFound, match=r"There is no program 'q9'\. Programs: b") as refusal:
        recompute("q9", "--inline")
    assert refusal.value.exit_status == 2
    with pytest.raises(NotFound, match="b has no policy version 7") as refusal:
        recompute("b", "--inline", "--policy-version", "7")
    assert refusal.value.exit_status == 2


def test_a_running_run_blocks_and_is_named(program: Program) -> None:
    run = start_run(actor=harness.ACTOR, program=program, inline=True)
    with pytest.raises(Conflict, match=f"Run {run.pk} of b is running") as refusal:
        recompute("b", "--inline")
    assert refusal.value.exit_status == 1


def test_a_queued_automatic_run_is_absorbed(program: Program) -> None:
    queued = request_run(
        program=program, trigger=RunTrigger.IMPORT, wait=timedelta(hours=1), at_most=timedelta(hours=2)
    )
    assert recompute("b", "--inline").startswith(f"run {queued.pk + 1} digest ")
    queued.refresh_from_db()
    assert queued.state == RunState.ABSORBED


def test_requests_wait_for_quiet_but_not_for_ever(program: Program) -> None:
    asked = [
        request_run(
            program=program, trigger=RunTrigger.IMPORT, wait=timedelta(minutes=1), at_most=timedelta(seconds=90)
        )
        for _ in range(3)
    ]
    assert len({run.pk for run in asked}) == 1
    assert asked[-1].not_before is not None
    assert asked[-1].not_before <= asked[-1].requested_at + timedelta(seconds=90)


def test_each_version_judges_by_its_own_rules(program: Program, tmp_path: Path) -> None:
    document = Small().policy
    document["activation"]["gmv_above"] = "99999999"
    harness.publish(program, document)
    assert " eligible 1 " in recompute("b", "--inline", "--policy-version", "1")
    assert " eligible 0 " in recompute("b", "--inline")
    assert " eligible 1 " in recompute("b", "--inline", "--policy-version", "1", "--full")


def test_a_dry_run_prints_the_same_line_and_keeps_nothing_payable(program: Program, tmp_path: Path) -> None:
    policy = tmp_path / "draft.json"
    policy.write_text(json.dumps(Small().policy), encoding="utf-8")
    real = recompute("b", "--inline", "--as-of", AS_OF.isoformat())
    draft = recompute("b", "--dry-run", "--policy", str(policy), "--as-of", AS_OF.isoformat())
    assert draft.split(" ", 2)[2] == real.split(" ", 2)[2]
    run = Run.objects.get(kind=RunKind.DRAFT)
    assert program.policies.count() == 1
    with pytest.raises(DomainError):
        submit_run(actor=harness.ACTOR, run=run, reason="It was only tried.")
    assert not Payout.objects.exists()
    # The export without --run takes the official one.
    rows = export("results", "b")
    assert {row["run"] for row in rows} == {str(Run.objects.published().get().pk)}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dry-run"], "go together"),
        (["--policy", "x.json"], "go together"),
        (["--dry-run", "--policy", "missing.json"], "missing.json can't be read"),
    ],
)
def test_a_dry_run_asks_for_a_readable_policy(program: Program, arguments: list[str], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        recompute("b", *arguments)


def test_a_run_that_fails_each_time_ends_loudly_and_publishes_nothing(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incentives.engine.steps.PLANNING", "SELECT 1/0")
    run = start_run(actor=harness.ACTOR, program=program, inline=True)
    work(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert f"after {queue.MOST_ATTEMPTS} tries: division by zero" in run.error
    assert not PayoutPreview.objects.exists()
    monkeypatch.undo()
    assert recompute("b", "--inline").startswith(f"run {run.pk + 1} ")


def test_a_cancelled_run_publishes_nothing_and_blocks_nothing(program: Program) -> None:
    run = start_run(actor=harness.ACTOR, program=program, inline=True)
    finish.cancel_run(actor=harness.ACTOR, run_id=run.pk)
    assert work(run.pk) is False
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert not run.results.exists()
    assert recompute("b", "--inline").startswith(f"run {run.pk + 1} ")
    with pytest.raises(Conflict, match="is cancelled and can't become"):
        finish.cancel_run(actor=harness.ACTOR, run_id=run.pk)


def test_a_worker_that_lost_its_lease_writes_nothing(program: Program) -> None:
    run = start_run(actor=harness.ACTOR, program=program, inline=True)
    slow = queue.claim(run.pk, worker="slow")
    assert slow is not None
    slow.chunk.lease_until = None
    slow.chunk.save(update_fields=["lease_until"])
    quick = queue.claim(run.pk, worker="quick")
    assert quick is not None
    assert (quick.chunk.pk, quick.epoch) == (slow.chunk.pk, slow.epoch + 1)
    assert queue.perform(slow) is False
    assert not FirstEntity.objects.filter(since_id=run.pk).exists()
    assert queue.perform(quick) is True
    assert queue.perform(quick) is False, "done once is done"


def export(*arguments: str) -> list[dict[str, str]]:
    path = Path(os.environ["PYTEST_EXPORT"])
    call_command("export", *arguments, "-o", str(path), stderr=io.StringIO())
    return list(csv.DictReader(path.open(encoding="utf-8", newline="")))


@pytest.fixture(autouse=True)
def export_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_EXPORT", str(tmp_path / "export.csv"))


def test_exports_are_sorted_by_bytes_and_escape_formulas(program: Program, tmp_path: Path) -> None:
    recompute("b", "--inline")
    codes = [row["shop_code"] for row in export("results", "b")]
    assert codes == ["'-S2", "S-1"]
    book = tmp_path / "results.xlsx"
    call_command("export", "results", "b", "-o", str(book), stderr=io.StringIO())
    sheet = openpyxl.load_workbook(book).active
    assert sheet is not None
    header, first, second = ([cell.value for cell in row] for row in sheet.iter_rows())
    assert first[header.index("shop_code")] == "'-S2"
    assert (second[header.index("shop_code")], second[header.index("amount")]) == ("S-1", 2000)
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-12.50", "-12.50"),
        ("-S2", "'-S2"),
        ("@cmd", "'@cmd"),
        ("\tx", "'\tx"),
        ("plain", "plain"),
        (Decimal("-0.50"), "-0.50"),
        (None, ""),
        (datetime(2026, 3, 1, 8, tzinfo=ZoneInfo("Asia/Shanghai")), "2026-03-01T08:00:00+08:00"),
    ],
)
def test_a_cell_that_would_run_as_a_formula_is_escaped(cell: object, text: str) -> None:
    assert cell_text(cell) == text  # type: ignore[arg-type]  # the table above holds every kind of cell


def test_an_export_that_can_not_be_written_leaves_nothing(program: Program, tmp_path: Path) -> None:
    recompute("b", "--inline")
    with pytest.raises(BadInput, match="can't be written"):
        call_command("export", "payouts", "b", "-o", str(tmp_path / "no" / "such" / "file.csv"))
    with pytest.raises(NotFound, match="has no finished run 99"):
        call_command("export", "payouts", "b", "--run", "99")
    with pytest.raises(Conflict, match="to compare with"):
        call_command("export", "changes", "b")


def test_what_changed_is_told_with_its_cause(program: Program, tmp_path: Path) -> None:
    recompute("b", "--inline", "--as-of", AS_OF.isoformat())
    late = Small().status("S-1", "closed", "2025-05-20T12:00:00+08:00", recorded="2025-07-02T00:00:00+08:00")
    (tmp_path / "late").mkdir()
    harness.load([batch for batch in late.batches() if batch.kind == "shop_statuses"], tmp_path / "late")
    recompute("b", "--inline")
    (row,) = export("changes", "b")
    assert row == {
        "shop_code": "S-1",
        "partner_code": row["partner_code"],
        "verdict_before": "eligible",
        "verdict_after": "not_eligible",
        "amount_before": "2000.00",
        "amount_after": "0.00",
        "conditions_changed": "shop_normal",
        "cause": "status",
    }


@pytest.mark.parametrize(
    ("away", "words"),
    [
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "The database that DATABASE_URL names"),
        ({}, "No database: start one with `python manage.py up"),
    ],
)
def test_a_database_that_is_away_is_one_line(away: dict[str, str], words: str, tmp_path: Path) -> None:
    done = run_outside(tmp_path, away, "recompute", "b")
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_starts_nothing(tmp_path: Path, django_db_setup: None) -> None:
    from django.db import connection

    small = Small().good("S-1")
    harness.publish_program("b", small.start, small.end, small.policy)
    settings = connection.settings_dict
    host = settings["HOST"].replace("/", "%2F")
    here = f"postgresql://{settings['USER']}@/{settings['NAME']}?host={host}"
    done = run_outside(tmp_path, {"DATABASE_URL": here, "REDIS_URL": "redis://127.0.0.1:1/0"}, "recompute", "b")
    assert done.returncode == 1
    assert "The broker doesn't answer" in done.stderr
    assert "--inline" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not Run.objects.exists()


def run_outside(state: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as from another terminal, with only these servers named."""
    hidden = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "DINGYAO_TEST_FOLDER", "PYTEST_XDIST_WORKER"}
    inherited = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**inherited, "DINGYAO_STATE": str(state), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
