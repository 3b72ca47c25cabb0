"""Programs and their policies, made and published from the command line."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, ManagementUtility, call_command
from django.core.management.base import BaseCommand

from core.audit import verify_chain
from core.cli import Command, moment
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.models import AuditEvent, PolicyVersion, Program
from core.policy import Policy
from core.services import create_program, publish_policy
from tests.people import actor

PERIOD = ("--start", "2026-01-01", "--end", "2026-03-31")


def policy_file(folder: Path, document: object) -> str:
    path = folder / "policy.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return str(path)


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_program_and_its_next_policy(tmp_path: Path) -> None:
    path = policy_file(tmp_path, {"markets": ["DE"], "activation": {"gmv_above": "500"}})
    assert run("create_program", "Q1", *PERIOD, "--policy", path) == "program Q1 2026-01-01 to 2026-03-31 policy 1\n"
    policy_file(tmp_path, {"markets": ["DE", "JP"]})
    assert run("publish_policy", "Q1", path) == "program Q1 policy 2\n"
    program = Program.objects.get()
    assert (program.starts_on, program.ends_on) == (date(2026, 1, 1), date(2026, 3, 31))
    first, second = PolicyVersion.objects.order_by("number")
    # The whole document, so that a default that changes later changes no published policy.
    assert first.document == Policy.parse({"markets": ["DE"], "activation": {"gmv_above": "500"}}).document()
    assert first.document["claim"] == {"days": 30, "max_in_force": 50}
    assert second.fingerprint == second.rules.fingerprint()
    assert program.current_policy == second
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "program.created",
        "policy.published",
    ]
    assert verify_chain().intact


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({"discount": {"tiers": [{"from": "0.1", "pay": "0.5"}, {"from": "0.05", "pay": "0.7"}]}}, "order the tiers"),
        ({"discount": {"tiers": [{"from": "0", "pay": "1.01"}]}}, "between 0 and 1"),
        ({"activation": {"window_days": -1}}, "window_days"),
        ({"bonus": 1}, "bonus"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ("{not json", "no JSON"),
        ('{"markets": ["DE"], "markets": ["FR"]}', "twice"),
    ],
)
def test_a_policy_that_can_not_be_published(tmp_path: Path, document: object, word: str) -> None:
    path = policy_file(tmp_path, document)
    for name, arguments in (("create_program", ("Q1", *PERIOD, "--policy", path)), ("publish_policy", ("Q1", path))):
        with pytest.raises(BadInput, match=word) as caught:
            run(name, *arguments)
        assert caught.value.exit_status == 2
    assert not Program.objects.exists()


@pytest.mark.django_db
def test_example_tiers_need_a_word(tmp_path: Path) -> None:
    path = policy_file(tmp_path, {"discount": {"example": True, "tiers": [{"from": "0", "pay": "0.9"}]}})
    with pytest.raises(BadInput, match="--accept-example-tiers"):
        run("create_program", "Q1", *PERIOD, "--policy", path)
    run("create_program", "Q1", *PERIOD, "--policy", path, "--accept-example-tiers")
    with pytest.raises(BadInput, match="--accept-example-tiers"):
        run("publish_policy", "Q1", path)
    run("publish_policy", "Q1", path, "--accept-example-tiers")
    assert PolicyVersion.objects.count() == 2
    assert AuditEvent.objects.filter(details__example_tiers=True).count() == 2


@pytest.mark.django_db
def test_bad_arguments(tmp_path: Path) -> None:
    path = policy_file(tmp_path, {})
    for arguments, error in {
        ("Q 1", *PERIOD, "--policy", path): BadInput,
        ("x" * 65, *PERIOD, "--policy", path): BadInput,
        ("Q1", "--start", "2026-04-01", "--end", "2026-03-31", "--policy", path): BadInput,
        ("Q1", "--start", "20260101", "--end", "2026-03-31", "--policy", path): BadInput,
        ("Q1", *PERIOD, "--policy", str(tmp_path / "none.json")): BadInput,
        ("Q1", "--policy", path): CommandError,
    }.items():
        with pytest.raises(error):
            run("create_program", *arguments)
    with pytest.raises(NotFound):
        run("publish_policy", "Q9", path)
    run("create_program", "Q1", *PERIOD, "--policy", path)
    with pytest.raises(Conflict):
        run("create_program", "Q1", *PERIOD, "--policy", path)
    assert Program.objects.count() == 1


@pytest.mark.django_db
def test_who_may_publish() -> None:
    period = {"start": date(2026, 1, 1), "end": date(2026, 3, 31), "policy": Policy()}
    for name in ("olga", "alice"):
        with pytest.raises(NotAllowed):
            create_program(actor=actor(name), code="Q1", **period)  # type: ignore[arg-type]  # one dict for all
    omar = actor("omar")
    create_program(actor=omar, code="Q1", **period)  # type: ignore[arg-type]
    assert publish_policy(actor=omar, program_code="Q1", policy=Policy()).published_by_id == omar.user_id


def test_refusals_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    class Refusing(Command):
        def handle(self, *args: object, **options: object) -> None:
            raise BadInput("one\nclear line")

    class Cancelled(Command):
        def handle(self, *args: object, **options: object) -> None:
            raise KeyboardInterrupt

    class Failing(Command):
        def handle(self, *args: object, **options: object) -> None:
            raise Conflict("somebody was quicker")

    def status(command: BaseCommand) -> int:
        with pytest.raises(SystemExit) as caught:
            command.run_from_argv(["manage.py", "it"])
        assert isinstance(caught.value.code, int)
        return caught.value.code

    assert status(Refusing()) == 2
    assert capsys.readouterr().err == "one clear line\n"
    assert status(Failing()) == 1
    assert capsys.readouterr().err == "somebody was quicker\n"
    assert status(Cancelled()) == 130
    assert capsys.readouterr().err == "Cancelled; nothing was changed.\n"


def test_moments_on_the_command_line() -> None:
    assert moment("2026-03-31T18:00:00", option="--as-of").isoformat() == "2026-03-31T10:00:00+00:00"
    assert moment(" 2026-03-31 18:00:00Z", option="--as-of").isoformat() == "2026-03-31T18:00:00+00:00"
    for text in ("2026-03-31", "yesterday", "", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(BadInput, match="--as-of"):
            moment(text, option="--as-of")


@pytest.mark.django_db
@pytest.mark.parametrize(("start", "end"), [("0001-01-01", "0001-03-31"), ("9999-10-01", "9999-12-31")])
def test_a_period_that_no_window_can_follow_is_refused(tmp_path: Path, start: str, end: str) -> None:
    path = policy_file(tmp_path, {"markets": ["DE"]})
    with pytest.raises(BadInput, match="not within the years"):
        run("create_program", "FAR", "--start", start, "--end", end, "--policy", path)
    assert not Program.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [("publish_policy",), ("create_program", "Q1", "--start", "2026-01-01"), ("publish_policy", "Q1", "a", "b")],
)
def test_bad_arguments_are_one_line(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        ManagementUtility(["manage.py", *arguments]).execute()
    assert caught.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"manage.py {arguments[0]}: ")
    assert said.err.count("\n") == 1
