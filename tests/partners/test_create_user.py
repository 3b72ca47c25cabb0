"""`manage.py create_user`: the first people of a portal, and everybody after them."""

from __future__ import annotations

import getpass
import io
from collections.abc import Callable

import pytest
from django.test import Client

from core.actors import Role
from core.audit import verify_chain
from core.errors import BadInput, Conflict, NotAllowed
from core.models import AuditEvent, User
from partners.models import Membership
from partners.people import actor_of
from partners.services import add_member, remove_member
from tests.people import actor, partner, person
from tests.shell import Shell

pytestmark = pytest.mark.django_db

PASSWORD = "calm-river-under-7-bridges"
Run = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    """Standard input that somebody sits at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(shell: Shell) -> Callable[..., tuple[int, str, str]]:
    """Run the command with a password on its standard input, or with another standard input."""

    def create(*arguments: str, stdin: io.StringIO | None = None) -> tuple[int, str, str]:
        answer = shell("create_user", *arguments, stdin=stdin or io.StringIO(PASSWORD + "\n"))
        return answer.status, answer.out, answer.err

    return create


def test_an_operator(run: Run, client: Client) -> None:
    status, out, _ = run(
        "Nina@example.com", "--name", "Nina", "--role", "reviewer", "--role", "risk", "--password-stdin"
    )
    nina = User.objects.get()
    assert (status, out) == (0, f"user {nina.pk} nina@example.com roles reviewer,risk\n")
    assert (nina.name, nina.language, nina.is_superuser) == ("Nina", "zh-hans", False)
    client.post("/accounts/login/", {"login": "nina@example.com", "password": PASSWORD})
    assert client.get("/admin/").status_code == 200
    events = AuditEvent.objects.order_by("pk").values_list("action", "actor_label", "subject_id")
    assert list(events) == [
        (action, "manage.py create_user", str(nina.pk)) for action in ("user.created", "role.granted", "role.granted")
    ]
    assert verify_chain().intact


def test_a_partners_colleague_who_stays_out_of_the_back_office(run: Run, client: Client) -> None:
    alpha = partner("ALPHA")
    team = ("--partner", "ALPHA", "--member-role", "viewer")
    status, out, _ = run("bo@example.com", *team, "--language", "en", "--password-stdin")
    bo = User.objects.get()
    assert (status, out) == (0, f"user {bo.pk} bo@example.com roles none partner ALPHA as viewer\n")
    assert actor_of(bo).roles == {Role.VIEWER}
    assert actor_of(bo).partner_ids == {alpha.pk}
    client.post("/accounts/login/", {"login": "bo@example.com", "password": PASSWORD})
    assert client.get("/admin/").status_code == 302


def test_the_password_is_asked_for_twice_at_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = [PASSWORD, PASSWORD + "!", PASSWORD, PASSWORD]
    monkeypatch.setattr(getpass, "getpass", lambda prompt: typed.pop(0))  # which shows nothing of it
    assert run("nina@example.com", stdin=Terminal()) == (2, "", "The two passwords differ; nothing was made.\n")
    assert run("nina@example.com", stdin=Terminal())[0] == 0
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    ("arguments", "typed", "told", "expected"),
    [
        (("nina",), PASSWORD, "valid email", 2),
        (("nina@example.com",), "short\n", "at least 12 characters", 2),
        (("nina@example.com",), "", "at least 12 characters", 2),
        (("nina@example.com", "--role", "owner"), PASSWORD, "invalid choice", 2),
        (("nina@example.com", "--language", "fr"), PASSWORD, "invalid choice", 2),
        (("nina@example.com", "--partner", "NOBODY", "--member-role", "owner"), PASSWORD, "no partner 'NOBODY'", 2),
        (("nina@example.com", "--partner", "ALPHA"), PASSWORD, "go together", 2),
        (("OLGA@example.com",), PASSWORD, "olga@example.com has an account already.", 1),
    ],
)
def test_bad_input_makes_nothing(run: Run, arguments: tuple[str, ...], typed: str, told: str, expected: int) -> None:
    person("olga")
    status, out, err = run(*arguments, "--role", "reviewer", "--password-stdin", stdin=io.StringIO(typed))
    assert (status, out) == (expected, "")
    assert told in err
    assert "Traceback" not in err
    assert User.objects.count() == 1
    assert not AuditEvent.objects.exists()


def test_without_a_terminal_it_says_how_to_pass_the_password(run: Run) -> None:
    status, _, err = run("nina@example.com")
    assert (status, err.count("\n")) == (2, 1)
    assert "--password-stdin" in err


def test_a_team_is_changed_by_who_manages_users() -> None:
    ada, bob, gamma = actor("ada"), person("bob"), partner("GAMMA")
    add_member(actor=ada, partner=gamma, user=bob, role=Role.VIEWER)
    assert gamma.pk in actor_of(bob).partner_ids
    with pytest.raises(Conflict):
        add_member(actor=ada, partner=gamma, user=bob, role=Role.OWNER)
    remove_member(actor=ada, partner=gamma, user=bob)
    assert gamma.pk not in actor_of(bob).partner_ids
    with pytest.raises(Conflict):
        remove_member(actor=ada, partner=gamma, user=bob)
    with pytest.raises(BadInput):
        add_member(actor=ada, partner=gamma, user=bob, role=Role.REVIEWER)
    for name, user in (("alice", bob), ("olga", bob), ("ada", person("ada"))):
        with pytest.raises(NotAllowed):
            add_member(actor=actor(name), partner=gamma, user=user, role=Role.MEMBER)
    events = AuditEvent.objects.order_by("pk").values_list("action", "subject_id", "details")
    assert list(events) == [
        ("member.added", str(gamma.pk), {"user": bob.pk, "role": "viewer"}),
        ("member.removed", str(gamma.pk), {"user": bob.pk}),
    ]
    assert not Membership.objects.filter(partner=gamma, user=bob).exists()
