"""`/payees` of the API: the same rules as on the pages."""

from __future__ import annotations

import pytest
from django.test import Client

from core.actors import Role
from partners.models import Membership
from tests.partners.payees import NUMBER, OTHER_NUMBER, confirmed, state
from tests.partners.test_payee_pages import TYPED, browser, prove
from tests.people import actor, partner, person

pytestmark = pytest.mark.django_db
API = "/api/v1/payees"


def test_the_api_states_an_account_by_the_same_rules() -> None:
    alice = browser("alice")
    body = {key: value for key, value in TYPED.items() if key != "again"}
    assert alice.post(API, body, content_type="application/json").status_code == 403
    prove(alice)
    wrong = alice.post(API, {**body, "account_number": "12"}, content_type="application/json")
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["attr"].startswith("account_number")
    made = alice.post(API, {**body, "partner_code": "ALPHA"}, content_type="application/json")
    assert made.status_code == 201
    assert (made.json()["account"], made.json()["state"]) == ("•••• 0018", "waiting")
    assert NUMBER not in made.content.decode()
    assert alice.post(API, {**body, "partner_code": "GAMMA"}, content_type="application/json").status_code == 404
    withdrawn = alice.post(f"{API}/{made.json()['id']}/withdraw")
    assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn")
    assert alice.post(f"{API}/{made.json()['id']}/withdraw").status_code == 409
    bob = browser("bob")
    prove(bob)
    assert bob.post(API, body, content_type="application/json").status_code == 403


def test_it_shows_no_number_and_each_as_much_as_they_may() -> None:
    payee = confirmed(actor("alice"), partner("ALPHA"))
    state(actor("alice"), partner("ALPHA"), account_number=OTHER_NUMBER)
    Membership.objects.create(partner=partner("ALPHA"), user=person("vera"), role=Role.VIEWER.value)
    seen = {}
    for name in ("alice", "bob", "vera", "charlie", "rita"):
        client = Client()
        client.force_login(person(name))
        answers = [client.get(API), client.get(f"{API}/{payee.pk}")]
        assert all(NUMBER not in answer.content.decode() for answer in answers)
        assert all(payee.account_sealed not in answer.content.decode() for answer in answers)
        seen[name] = (answers[0].json()["count"], answers[1].status_code)
        if name != "alice":
            assert client.post(f"{API}/{payee.pk}/withdraw").status_code in (403, 404)
    assert seen["alice"] == seen["bob"] == seen["rita"] == (2, 200)
    assert seen["vera"] == seen["charlie"] == (0, 404)
