"""People, the audit trail and the second factor in the admin dashboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings

from core.actors import Role
from core.errors import DomainError
from core.models import AuditEvent, User
from tests.console.reading import text
from tests.incentives.factories import World, make_user

SignIn = Callable[..., Client]


@pytest.fixture
def ada(world: World) -> Client:
    """An administrator's browser."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(make_user("ada", Role.ADMINISTRATOR))
    return client


def test_roles_are_given_and_taken_back(world: World, ada: Client) -> None:
    page = f"/operator/people/{world.olga.pk}"
    said = text(ada.post(f"{page}/grant", {"role": "finance"}, follow=True))
    assert "Olga has the role “Finance” now." in said
    assert set(world.olga.role_grants.values_list("role", flat=True)) >= {"reviewer", "finance"}
    said = text(ada.post(f"{page}/revoke", {"role": "finance"}, follow=True))
    assert "Olga has the role “Finance” no longer." in said
    assert (
        AuditEvent.objects.filter(action__in=["role.granted", "role.revoked"], subject_id=str(world.olga.pk)).count()
        == 2
    )


def test_who_may_do_what_is_taken_along_for_a_review(world: World, ada: Client, sign_in: SignIn) -> None:
    sign_in("olga")
    lines = b"".join(ada.get("/operator/people.csv?role=any&sort=lately")).decode().splitlines()
    assert lines[0] == "id,name,email,open,roles,second_factor,devices,last_sign_in"
    rows = {line.split(",")[0]: line.split(",") for line in lines[1:]}
    assert rows[str(world.olga.pk)][3:6] == ["yes", "reviewer", "no"]
    assert str(world.alice.pk) not in rows
    narrowed = b"".join(ada.get(f"/operator/people.csv?q={world.alice.email}")).decode().splitlines()
    assert [line.split(",")[0] for line in narrowed[1:]] == [str(world.alice.pk)]


def test_the_people_are_sorted_as_asked(world: World, ada: Client) -> None:
    User.objects.update(last_login=None)
    User.objects.filter(pk=world.olga.pk).update(last_login=datetime(2026, 1, 1, tzinfo=UTC))
    User.objects.filter(pk=world.omar.pk).update(last_login=datetime(2026, 2, 1, tzinfo=UTC))

    def ids(sort: str) -> list[int]:
        lines = b"".join(ada.get(f"/operator/people.csv?role=any&sort={sort}")).decode().splitlines()
        return [int(line.split(",")[0]) for line in lines[1:]]

    latest_first, longest_ago_first = ids("lately"), ids("long-ago")
    assert latest_first[:2] == [world.omar.pk, world.olga.pk]
    assert longest_ago_first[-2:] == [world.olga.pk, world.omar.pk]
    known = User.objects.filter(pk__in=latest_first)
    assert ids("newest") == list(known.order_by("-joined_at", "-pk").values_list("pk", flat=True))
    assert ids("") == list(known.order_by("name", "pk").values_list("pk", flat=True))


def test_nobody_changes_their_own_roles(world: World, ada: Client) -> None:
    me = User.objects.get(email__startswith="ada")
    said = text(ada.post(f"/operator/people/{me.pk}/grant", {"role": "approver"}, follow=True))
    assert "Nobody changes their own" in said
    assert not me.role_grants.filter(role="approver").exists()


@pytest.mark.parametrize("step", ["grant", "revoke", "close", "open", "sign-out"])
def test_whoever_doesnt_manage_users_changes_nobody(world: World, sign_in: SignIn, step: str) -> None:
    before = AuditEvent.objects.count()
    answer = sign_in("olga").post(f"/operator/people/{world.omar.pk}/{step}", {"role": "finance"}, follow=True)
    assert "Your role doesn't allow" in text(answer)
    assert AuditEvent.objects.count() == before


def test_somebody_is_signed_out_on_all_devices(world: World, ada: Client) -> None:
    browser = Client(headers={"accept-language": "en"})
    browser.post("/accounts/login/", {"login": world.omar.email, "password": "a long and invented sentence"})
    assert browser.get("/operator/").status_code == 200
    said = text(ada.post(f"/operator/people/{world.omar.pk}/sign-out", follow=True))
    assert "Omar is signed out on 1 device." in said
    assert browser.get("/operator/").status_code == 302


def test_a_closed_account_is_signed_out_at_once_and_opens_again(world: World, ada: Client, sign_in: SignIn) -> None:
    omar = sign_in("omar")
    ada.post(f"/operator/people/{world.omar.pk}/close")
    assert omar.get("/operator/").status_code == 302
    said = text(ada.post(f"/operator/people/{world.omar.pk}/open", follow=True))
    assert "is open again" in said


@pytest.mark.parametrize("path", ["grant", "unheard-of"])
def test_an_unheard_of_role_or_step_isnt_there(world: World, ada: Client, path: str) -> None:
    assert ada.post(f"/operator/people/{world.omar.pk}/{path}", {"role": "king"}).status_code == 404


def test_the_trail_is_narrowed_and_taken_along(world: World, ada: Client) -> None:
    ada.post(f"/operator/people/{world.olga.pk}/grant", {"role": "finance"})
    said = text(ada.get("/operator/audit?action=role"))
    assert "role.granted" in said
    assert "run." not in said
    assert "role.granted" not in text(ada.get("/operator/audit?action=run"))
    assert "role.granted" in text(ada.get(f"/operator/audit?subject=user+{world.olga.pk}"))
    assert "No row fits." in text(ada.get("/operator/audit?until=2001-01-01"))
    csv = b"".join(ada.get("/operator/audit.csv?action=role.granted")).decode().splitlines()
    assert csv[0].startswith("id,at,actor_id")
    assert len(csv) == 2
    assert "olga" not in csv[1].lower()


def test_the_chain_is_verified_on_the_page_and_by_command(
    world: World, ada: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    ada.post(f"/operator/people/{world.olga.pk}/grant", {"role": "finance"})
    assert "The chain is whole" in text(ada.get("/operator/audit?verify=1"))
    call_command("verify_audit")
    assert "audit trail whole" in capsys.readouterr().out
    broken = AuditEvent.objects.order_by("pk")[0]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE core_auditevent DISABLE TRIGGER USER")
        cursor.execute("UPDATE core_auditevent SET action = 'other' WHERE id = %s", [broken.pk])
        cursor.execute("ALTER TABLE core_auditevent ENABLE TRIGGER USER")
    assert f"broken at row {broken.pk}" in text(ada.get("/operator/audit?verify=1"))
    with pytest.raises(DomainError, match=f"audit row {broken.pk} "):
        call_command("verify_audit")


@override_settings(OPERATORS_NEED_SECOND_FACTOR=True)
def test_operators_need_a_second_factor_where_the_house_asks_for_one(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    for path in ("/operator/", "/admin/"):
        answer = olga.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/2fa/")
    refused = olga.get("/api/v1/results")
    assert refused.status_code == 403
    assert refused.json()["errors"][0]["code"] == "second_factor_needed"
    TOTP.activate(world.olga, "JBSWY3DPEHPK3PXP")
    assert Authenticator.objects.filter(user=world.olga).exists()
    assert olga.get("/operator/").headers["Location"].startswith("/accounts/2fa/reauthenticate/")
    session = olga.session
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": 1.0}]
    session["account_authentication_methods_user"] = str(world.olga.pk)
    session.save()
    assert olga.get("/operator/").status_code == 200
    assert olga.get("/api/v1/results").status_code == 200
    alice = sign_in("alice")
    assert alice.get("/partner/").status_code == 200
    assert alice.get("/api/v1/results").status_code == 200
