"""The payee's pages: masked for those who may see it, asked again who one is, and closed to everybody else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from core.actors import Role
from core.models import User
from partners.models import Membership, Payee
from tests.partners.payees import DETAILS, NUMBER, OTHER_NUMBER, confirmed, state
from tests.people import actor, partner, person

pytestmark = pytest.mark.django_db
PASSWORD = "calm-river-under-7-bridges"
PAGE, CHANGE, WITHDRAW = "/partner/payee", "/partner/payee/change", "/partner/payee/withdraw"
PROVE = "/accounts/reauthenticate/?next=%2Fpartner%2Fpayee%2Fchange"
TYPED = {
    "holder": DETAILS.holder,
    "country": DETAILS.country,
    "currency": DETAILS.currency,
    "bank_name": DETAILS.bank_name,
    "bank_code": DETAILS.bank_code,
    "account_number": "6228 4804 0256 4890 018",
    "again": NUMBER,
}


def browser(name: str) -> Client:
    """Somebody with a password, who signed in at the form."""
    user: User = person(name)
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    client = Client(headers={"accept-language": "en"})
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert client.session.get("_auth_user_id") == str(user.pk)
    return client


def prove(client: Client, password: str = PASSWORD) -> Any:
    return client.post(f"/accounts/reauthenticate/?next={CHANGE}", {"password": password})


def text(answer: Any) -> str:
    page = answer.content.decode().partition("<main")[2].replace("&#x27;", "'")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_an_owner_proves_itself_and_states_an_account() -> None:
    alice = browser("alice")
    assert "You haven't stated an account yet" in text(alice.get(PAGE))
    asked = alice.get(CHANGE)  # having signed in is not enough
    assert (asked.status_code, asked["Location"]) == (302, PROVE)
    assert alice.post(CHANGE, TYPED).status_code == 302
    assert not Payee.objects.exists()
    prove(alice, "not my password at all")
    assert alice.get(CHANGE).status_code == 302
    assert prove(alice)["Location"] == CHANGE
    form = alice.get(CHANGE)
    assert form.status_code == 200
    assert "no-store" in form["Cache-Control"]
    done = alice.post(CHANGE, TYPED, follow=True)
    assert done.redirect_chain[-1][0] == PAGE
    assert "A new account, •••• 0018, waits for the marketplace's confirmation. Nothing is paid until then." in text(
        done
    )
    assert Payee.objects.get().state == "waiting"


def test_a_proof_that_is_too_old_is_asked_for_anew_and_nothing_typed_is_kept() -> None:
    alice = browser("alice")
    prove(alice)
    session = alice.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= 301
    session.save()
    late = alice.post(CHANGE, TYPED)
    assert late.status_code == 302
    assert "/accounts/reauthenticate/" in late["Location"]
    assert not Payee.objects.exists()
    assert NUMBER not in "".join(str(row.get_decoded()) for row in Session.objects.all())
    assert "type the account again" in text(alice.get(late["Location"]))
    prove(alice)
    assert alice.get(CHANGE).status_code == 200


def test_a_person_without_a_password_is_led_to_set_one() -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person("alice"))
    assert client.get(CHANGE)["Location"] == "/accounts/password/reset/"
    assert client.post(CHANGE, TYPED)["Location"] == "/accounts/password/reset/"
    assert not Payee.objects.exists()


def test_what_is_wrong_stands_beside_its_field_and_the_number_is_not_repeated() -> None:
    alice = browser("alice")
    prove(alice)
    wrong = alice.post(CHANGE, {**TYPED, "again": OTHER_NUMBER, "bank_code": "12", "holder": ""})
    assert wrong.status_code == 422
    page = wrong.content.decode()
    for field in ("again", "bank_code", "holder"):
        assert f'id="id_{field}_error"' in page
    assert "The two account numbers differ." in text(wrong)
    assert DETAILS.bank_name in page
    for number in (NUMBER, OTHER_NUMBER, TYPED["account_number"]):
        assert number not in page
    assert not Payee.objects.exists()


def test_nobody_sees_the_whole_number_and_each_as_much_as_they_may() -> None:
    payee = confirmed(actor("alice"), partner("ALPHA"))
    state(actor("alice"), partner("ALPHA"), account_number=OTHER_NUMBER)
    Membership.objects.create(partner=partner("ALPHA"), user=person("vera"), role=Role.VIEWER.value)
    seen = {}
    for name in ("alice", "bob", "vera", "charlie", "rita"):
        client = Client(headers={"accept-language": "en"})
        client.force_login(person(name))
        if name == "rita":
            client.get("/partner/payee?partner=ALPHA")
        page = client.get(PAGE)
        assert NUMBER not in page.content.decode()
        assert payee.account_sealed not in page.content.decode()
        seen[name] = ("•••• 0018" in text(page), "•••• 1107" in text(page))
    assert seen["alice"] == seen["bob"] == seen["rita"] == (True, True)
    assert seen["vera"] == seen["charlie"] == (False, False)
    vera = Client(headers={"accept-language": "en"})
    vera.force_login(person("vera"))
    assert "No payment can be made at present" in text(vera.get(PAGE))
    assert "Alpha Services Ltd" not in text(vera.get(PAGE))


def test_a_change_is_withdrawn_by_an_owner_alone() -> None:
    payee = state(actor("alice"), partner("ALPHA"))
    for name in ("bob", "charlie", "rita"):
        client = Client()
        client.force_login(person(name))
        assert client.post(WITHDRAW, {"payee": payee.pk}).status_code == 404
        if name != "charlie":  # she is an owner elsewhere
            assert client.get(CHANGE).status_code == 404
    alice = browser("alice")
    for bad in ("", "x", "999999999999999999999", str(payee.pk + 1)):
        assert alice.post(WITHDRAW, {"payee": bad}).status_code == 404
    done = alice.post(WITHDRAW, {"payee": payee.pk}, follow=True)
    assert "The account •••• 0018 was withdrawn." in text(done)
    assert "has changed since" in text(alice.post(WITHDRAW, {"payee": payee.pk}, follow=True))


def test_operators_decide_in_the_back_office() -> None:
    payee = state(actor("alice"), partner("ALPHA"))
    step = f"/admin/partners/payee/{payee.pk}/step"
    olga, rita = browser("olga"), browser("rita")
    assert "Your role doesn" in olga.get(f"{step}/confirm/").content.decode()
    olga.post(f"{step}/confirm/", {"version": 1})
    assert Payee.objects.get().state == "waiting"
    page = rita.get(f"/admin/partners/payee/{payee.pk}/change/").content.decode()
    assert f"{step}/confirm/" in page
    assert NUMBER not in page
    assert payee.account_sealed not in page
    rita.post(f"{step}/confirm/", {"version": 7})  # somebody else was quicker
    assert Payee.objects.get().state == "waiting"
    asked = rita.get(f"{step}/refuse/").content.decode()
    assert "•••• 0018" in asked
    rita.post(f"{step}/refuse/", {"version": 1, "reason": "The holder is another company."})
    assert Payee.objects.get().state == "refused"
    alice = browser("alice")
    assert "The account •••• 0018 was refused. The holder is another company." in text(alice.get(PAGE))
    again = state(actor("alice"), partner("ALPHA"), at=timezone.now())
    rita.post(f"/admin/partners/payee/{again.pk}/step/confirm/", {"version": 1})
    assert "You are paid to the account •••• 0018" in text(alice.get(PAGE))
    assert rita.get("/admin/partners/payee/").status_code == 200
    assert rita.get(f"/admin/partners/payee/{again.pk}/step/erase/").status_code == 404
