"""Nobody approves what they submitted, changed or belong to: by API, in bulk, in the back office, whatever their roles
were or are; and an approval of what has changed since it was opened is refused and shows what has (POLICY 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core.actors import Role
from core.models import RoleGrant, User
from incentives.models import Payout
from incentives.services import carry_account, submit_run, undo_void, void_line
from incentives.services.bulk import work_on_bulk
from incentives.states import PayoutState
from partners.models import Membership
from tests.incentives.factories import AFTER_CLOSE, World, make_user

Attempt = Callable[[User, Payout], str]


@pytest.fixture
def payout(world: World) -> Payout:
    return submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]


def browser(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def by_api(user: User, payout: Payout) -> str:
    answer = browser(user).post(
        f"/api/v1/operator/payouts/{payout.pk}/approve", {"version": version(payout)}, content_type="application/json"
    )
    assert answer.status_code in (403, 409), answer.content
    return str(answer.json()["errors"][0]["detail"])


def by_bulk(user: User, payout: Payout) -> str:
    body = {"step": "approve", "payouts": [{"id": payout.pk, "version": version(payout)}]}
    client = browser(user)
    asked = client.post("/api/v1/operator/bulk", body, content_type="application/json")
    assert asked.status_code == 202, asked.content
    assert not work_on_bulk(asked.json()["id"])
    progress = client.get(f"/api/v1/operator/bulk/{asked.json()['id']}").json()
    assert (progress["done"], progress["refused"], progress["waiting"]) == (0, 1, 0)
    assert progress["finished_at"]
    return str(progress["refusals"][0]["message"])


def by_back_office(user: User, payout: Payout) -> str:
    address = f"{reverse('admin:incentives_payout_step', args=['approve'])}?ids={payout.pk}"
    answer: Any = browser(user).post(address, {f"version_{payout.pk}": str(version(payout))}, follow=True)
    return " | ".join(str(message) for message in get_messages(answer.wsgi_request))


def version(payout: Payout) -> int:
    return Payout.objects.get(pk=payout.pk).version


WAYS = pytest.mark.parametrize("attempt", [by_api, by_bulk, by_back_office])


def refused(payout: Payout) -> bool:
    found = Payout.objects.get(pk=payout.pk)
    return (found.state, found.approved_by_id) == (PayoutState.IN_REVIEW, None)


@WAYS
def test_the_submitter_who_became_an_approver(world: World, payout: Payout, attempt: Attempt) -> None:
    RoleGrant.objects.filter(user=world.olga).delete()
    RoleGrant.objects.create(user=world.olga, role=Role.APPROVER)
    assert "You submitted this payout" in attempt(world.olga, payout)
    assert refused(payout)


@WAYS
def test_whoever_changed_it_in_another_role(world: World, payout: Payout, attempt: Attempt) -> None:
    rhea = make_user("rhea", Role.REVIEWER)
    actor = world.actor("omar")
    void_line(actor=actor, line=payout.lines.order_by("pk")[0], reason="Wrong merchant.")
    undo_void(actor=actor, decision=payout.decisions.get(kind="void_line"))
    RoleGrant.objects.filter(user=world.omar).delete()
    RoleGrant.objects.create(user=world.omar, role=Role.APPROVER)
    assert "You changed this payout" in attempt(world.omar, payout)
    assert refused(payout)
    assert rhea.role_grants.exists()


@WAYS
def test_whoever_has_joined_the_partner_meanwhile(world: World, payout: Payout, attempt: Attempt) -> None:
    Membership.objects.create(partner=world.haiqiao, user=world.omar, role="viewer")
    assert "You belong to this partner" in attempt(world.omar, payout)
    assert refused(payout)


def test_a_role_that_was_taken_before_the_work_is_done_opens_nothing(world: World, payout: Payout) -> None:
    body = {"step": "approve", "payouts": [{"id": payout.pk, "version": version(payout)}]}
    asked = browser(world.omar).post("/api/v1/operator/bulk", body, content_type="application/json").json()
    RoleGrant.objects.filter(user=world.omar).delete()
    work_on_bulk(asked["id"])
    progress = browser(world.olga).get(f"/api/v1/operator/bulk/{asked['id']}").json()
    assert "Your role doesn't allow you to approve" in progress["refusals"][0]["message"]
    assert refused(payout)


@pytest.mark.parametrize("name", ["olga", "fiona", "aurora"])
def test_who_has_no_such_role_does_not_get_in(world: World, payout: Payout, name: str) -> None:
    make_user("aurora", Role.AUDITOR)
    client = browser(User.objects.get(email=f"{name}@example.com"))
    one = client.post(f"/api/v1/operator/payouts/{payout.pk}/approve", {}, content_type="application/json")
    body = {"step": "approve", "payouts": [{"id": payout.pk}]}
    many = client.post("/api/v1/operator/bulk", body, content_type="application/json")
    assert (one.status_code, many.status_code) == (403, 403)
    assert refused(payout)


def test_approving_what_has_changed_shows_what_has(world: World, payout: Payout) -> None:
    omar = browser(world.omar)
    seen = omar.get(f"/api/v1/operator/payouts/{payout.pk}").json()
    assert "approve" in seen["payout"]["steps"]
    void_line(actor=world.actor("olga"), line=payout.lines.order_by("pk")[0], reason="Wrong merchant.", at=AFTER_CLOSE)
    late = omar.post(
        f"/api/v1/operator/payouts/{payout.pk}/approve",
        {"version": seen["payout"]["version"]},
        content_type="application/json",
    )
    assert late.status_code == 409
    told = late.json()
    assert told["errors"][0] == {
        "code": "stale",
        "detail": "Olga changed this payout at 2026-07-01 12:00 (Line voided). Look at it again before you decide.",
        "attr": None,
    }
    assert [(c["kind"], c["who"], c["shop_code"], c["reason"], c["payable"]) for c in told["changes"]] == [
        ("void_line", "Olga", "S-1", "Wrong merchant.", "2000.00")
    ]
    assert told["version"] == seen["payout"]["version"] + 1
    done = omar.post(
        f"/api/v1/operator/payouts/{payout.pk}/approve", {"version": told["version"]}, content_type="application/json"
    )
    assert (done.status_code, done.json()["payout"]["state"]) == (200, "approved")


def test_carrying_an_account_anew_is_a_change(world: World, payout: Payout) -> None:
    RoleGrant.objects.create(user=world.omar, role=Role.REVIEWER)
    fabricate_a_debt(world)
    carry_account(actor=world.actor("omar"), payout=payout)
    assert "You changed this payout" in by_api(world.omar, payout)


def fabricate_a_debt(world: World) -> None:
    """A partner that owes 500: a confirmed adjustment."""
    from decimal import Decimal

    from incentives.services import confirm_adjustment, propose_adjustment

    proposed = propose_adjustment(
        actor=world.actor("olga"),
        partner=world.haiqiao,
        program=world.program,
        amount=Decimal("-500.00"),
        reason="Overpaid last year.",
    )
    confirm_adjustment(actor=world.actor("omar"), adjustment=proposed)
