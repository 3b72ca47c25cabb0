"""What commands answer: to the name of something that isn't there, and to what can't be done now."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.audit import verify_chain
from core.models import AuditEvent
from incentives.models import Run
from incentives.states import RunState
from tests.incentives.factories import Spec, World, make_program, make_run
from tests.shell import Shell


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.json"
    path.write_text('{"markets": ["DE"]}', encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "line",
    [
        "recompute NONE --inline",
        "recompute POP-2026Q1 --inline --policy-version 99",
        "export results NONE",
        "export results POP-2026Q1 --run 999999",
        "export changes POP-2026Q1 --against 999999",
        "publish_policy NONE {policy}",
        "rejected_rows 999999",
        "rejected_rows --import 999999",
        "cancel_run 999999",
        "create_user nina@example.com --partner NONE --member-role owner --password-stdin",
    ],
)
def test_a_name_of_nothing_is_a_bad_argument(world: World, shell: Shell, policy: Path, line: str) -> None:
    answer = shell(*line.format(policy=policy).split())
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert not AuditEvent.objects.exists()


def test_nothing_there_yet_is_a_failure(world: World, shell: Shell) -> None:
    make_program("POP-2027Q1", year=2027)
    for line in ("export results POP-2027Q1", "export changes POP-2026Q1"):
        answer = shell(*line.split())
        assert (answer.status, answer.out, answer.err.count("\n")) == (1, "", 1)


def test_a_run_in_the_way_is_cancelled_once(world: World, shell: Shell) -> None:
    run = make_run(world.program, [Spec("C-1", world.haiqiao)], state=RunState.RUNNING)
    blocked = shell("recompute", "POP-2026Q1", "--inline")
    assert (blocked.status, str(run.pk) in blocked.err) == (1, True)
    assert shell("cancel_run", run.pk).out == f"run {run.pk} cancelled\n"
    assert Run.objects.get(pk=run.pk).state == RunState.CANCELLED
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_label, event.subject_id) == ("run.cancelled", "manage.py cancel_run", str(run.pk))
    again = shell("cancel_run", run.pk)
    assert (again.status, again.err) == (1, f"Run {run.pk} is cancelled and can't become cancelled.\n")
    assert shell("cancel_run", world.run.pk).status == 1  # a finished run stays
    assert shell("recompute", "POP-2026Q1", "--inline").status == 0
    assert verify_chain().intact


def test_a_run_has_a_number(world: World, shell: Shell) -> None:
    answer = shell("cancel_run", "latest")
    assert answer.status == 2
    assert "Traceback" not in answer.err
