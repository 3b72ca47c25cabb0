"""Accounts and roles in the back office, as an administrator works there; and who may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core.actors import Capability, Role
from core.audit import verify_chain
from core.errors import BadInput, Conflict, NotAllowed
from core.models import AuditEvent, User
from core.services import create_user, deactivate_user, grant_role, reactivate_user, revoke_role
from partners.people import actor_of
from tests.people import actor, person

pytestmark = pytest.mark.django_db

PASSWORD = "calm-river-under-7-bridges"
ADD = "/admin/core/user/add/"
NINA = {"email": "Nina@Example.com", "name": "Nina", "language": "en", "password": PASSWORD, "again": PASSWORD}


def browser(name: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person(name))
    return client


def page_of(user: User) -> str:
    return reverse("admin:core_user_change", args=[user.pk])


def send(client: Client, address: str, **data: Any) -> tuple[Any, str]:
    """Send an admin form whose inline tables are to look at; return the answer and what is said."""
    empty = {"role_grants-TOTAL_FORMS": "0", "role_grants-INITIAL_FORMS": "0"}
    answer = client.post(address, {**empty, **data}, follow=True)
    return answer, " | ".join(str(message) for message in get_messages(answer.wsgi_request))


def trail() -> list[tuple[str, str | None]]:
    return [(event.action, event.details.get("role")) for event in AuditEvent.objects.order_by("pk")]


def test_an_administrator_makes_an_operator_who_then_signs_in() -> None:
    ada = browser("ada")
    assert ada.get(ADD).status_code == 200
    _, said = send(ada, ADD, **NINA, roles=["reviewer", "finance"])
    assert said == "nina@example.com has an account now."
    nina = User.objects.get(email="nina@example.com")
    assert actor_of(nina).roles == {Role.REVIEWER, Role.FINANCE}
    assert trail() == [("user.created", None), ("role.granted", "finance"), ("role.granted", "reviewer")]
    assert {event.actor_id for event in AuditEvent.objects.all()} == {person("ada").pk}
    assert "nina" not in str(list(AuditEvent.objects.values())).lower()
    assert verify_chain().intact
    assert not LogEntry.objects.exists()  # Django's own log would keep the address
    herself = Client()
    herself.post("/accounts/login/", {"login": "nina@example.com", "password": PASSWORD})
    assert herself.get("/admin/").status_code == 200


def test_roles_and_standing_change_and_close_what_they_opened() -> None:
    olga, ada = person("olga"), browser("ada")
    hers = browser("olga")
    assert hers.get("/admin/").status_code == 200
    _, said = send(ada, page_of(olga), is_active="on", roles=["auditor"])
    assert said == "olga@example.com: the account is open; roles: Auditor."
    assert actor_of(olga).roles == {Role.AUDITOR}
    send(ada, page_of(olga), is_active="on", roles=[])
    assert hers.get("/admin/").status_code == 302  # the last role took the back office along
    send(ada, page_of(olga), is_active="on", roles=["reviewer"])
    _, said = send(ada, page_of(olga), roles=["reviewer"])
    assert said == "olga@example.com: the account is closed; roles: Reviewer."
    assert hers.get("/operator/").status_code == 302  # her session ended with the account
    send(ada, page_of(olga), is_active="on", roles=["reviewer"])
    assert hers.get("/operator/").status_code == 200
    assert [action for action, _ in trail()] == [
        "role.granted",
        "role.revoked",
        "role.revoked",
        "role.granted",
        "user.deactivated",
        "user.reactivated",
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"email": "no address"}, "Enter a valid email address."),
        ({"email": "OLGA@example.com"}, "olga@example.com has an account already."),
        ({"again": "something else"}, "The two passwords differ."),
        ({"password": "password1234", "again": "password1234"}, "This password is too common."),
        ({"password": "short", "again": "short"}, "at least 12 characters"),
        ({"roles": ["owner"]}, "Select a valid choice."),
    ],
)
def test_what_can_not_be_an_account(wrong: dict[str, Any], told: str) -> None:
    person("olga")
    client = browser("ada")
    before = User.objects.count()
    answer, said = send(client, ADD, **{**NINA, **wrong})
    assert told in said + answer.content.decode()
    assert User.objects.count() == before
    assert trail() == []


def test_only_who_manages_users_does_so_and_never_their_own() -> None:
    ada, olga = person("ada"), person("olga")
    for name in ("olga", "omar", "rita"):
        client = browser(name)
        assert client.get(ADD).status_code == 403
        assert client.post(ADD, NINA).status_code == 403
        assert client.post(page_of(ada), {"is_active": "on"}).status_code == 403
        assert client.get(page_of(ada)).status_code == 200  # to look at
    assert browser("ada").post(page_of(ada), {"is_active": "on", "roles": ["approver"]}).status_code == 403
    for act in (
        lambda: grant_role(actor=actor("ada"), user=ada, role=Role.APPROVER),
        lambda: revoke_role(actor=actor("ada"), user=ada, role=Role.ADMINISTRATOR),
        lambda: deactivate_user(actor=actor("ada"), user=ada),
        lambda: grant_role(actor=actor("olga"), user=ada, role=Role.APPROVER),
        lambda: reactivate_user(actor=actor("omar"), user=olga),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert trail() == []
    assert actor("ada").can(Capability.MANAGE_USERS)


def test_what_holds_already_is_not_done_again() -> None:
    ada, olga = actor("ada"), person("olga")
    with pytest.raises(Conflict):
        grant_role(actor=ada, user=olga, role=Role.REVIEWER)
    with pytest.raises(Conflict):
        revoke_role(actor=ada, user=olga, role=Role.FINANCE)
    with pytest.raises(Conflict):
        reactivate_user(actor=ada, user=olga)
    with pytest.raises(BadInput, match="partner's team"):
        grant_role(actor=ada, user=olga, role=Role.OWNER)
    with pytest.raises(Conflict) as caught:
        create_user(actor=ada, email=" Olga@EXAMPLE.com", name="", password=PASSWORD, language="en")
    assert caught.value.code == "email_taken"
    assert trail() == []
