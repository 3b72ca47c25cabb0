"""An organisation arrives: makes an account, proves its address, and goes on to its application."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client, override_settings

from core.actors import Actor
from core.audit import verify_chain
from core.models import AuditEvent, User
from core.services import create_user
from partners.people import actor_of
from tests.people import person

pytestmark = pytest.mark.django_db
ADDRESS, PASSWORD = "zoe@example.com", "calm-river-under-7-bridges"
FORM = {"name": "Zoe", "email": "Zoe@Example.com", "password1": PASSWORD, "password2": PASSWORD}
PAGE = "/accounts/signup/?next=/apply/"


def browser(language: str = "en") -> Client:
    return Client(headers={"accept-language": language})


def text(answer: Any) -> str:
    page = answer.content.decode().partition("<main")[2].replace("&#x27;", "'")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def link_in(message: Any) -> str:
    found = re.search(r"http://testserver(\S+)", message.body)
    assert found, message.body
    return found[1]


@pytest.fixture
def send(django_capture_on_commit_callbacks: Any) -> Any:
    """Post, and let what waits for the commit happen: here it never comes."""

    def post(client: Client, address: str, data: dict[str, str]) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(address, data, follow=True)

    return post


def test_from_the_program_to_the_application(send: Any) -> None:
    zoe = browser()
    assert "For organisations that want to recruit merchants." in text(zoe.get(PAGE))
    waiting = send(zoe, PAGE, {**FORM, "next": "/apply/"})
    assert "Look into your mail" in text(waiting)
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([ADDRESS], "Is this your address?")
    # Not before the address is proven.
    assert zoe.get("/apply/").status_code == 302
    user = User.objects.get(email=ADDRESS)
    assert (user.name, user.language, user.is_staff) == ("Zoe", "en", False)
    assert actor_of(user) == Actor(user_id=user.pk)
    link = link_in(message)
    assert "Is this your address?" in text(zoe.get(link))
    assert not EmailAddress.objects.get(user=user).verified  # looking proves nothing: mail scanners look, too
    arrived = send(zoe, link, {})
    assert arrived.redirect_chain[-1][0] == "/apply/"
    assert "Begin the application" in text(arrived)
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == [
        "user.signed_up",
        "account.address_verified",
    ]
    assert {event.actor_id for event in AuditEvent.objects.all()} == {user.pk}
    assert "zoe" not in str(list(AuditEvent.objects.values())).lower()
    assert verify_chain().intact
    # The link has been used.
    assert "This link doesn't work" in text(browser().get(link))


def test_signing_in_sends_the_link_again(send: Any) -> None:
    send(browser(), PAGE, FORM)
    answer = send(browser(), "/accounts/login/", {"login": ADDRESS, "password": PASSWORD})
    assert "Look into your mail" in text(answer)
    other = browser()
    other.post(link_in(mail.outbox[0]), follow=True)
    assert other.get("/apply/").status_code == 302  # the link proves the address, and opens no account elsewhere
    assert other.post("/accounts/login/", {"login": ADDRESS, "password": PASSWORD})["Location"] == "/"


def test_a_known_address_is_answered_alike(send: Any) -> None:
    person("zoe")

    def told(address: str) -> tuple[str, str]:
        answer = send(browser(), PAGE, {**FORM, "email": address})
        return answer.redirect_chain[-1][0], text(answer).replace(address, "ADDRESS")

    assert told("yan@example.com") == told(ADDRESS)
    _new, known = mail.outbox
    assert known.subject == "You have an account already"
    assert known.to == [ADDRESS]
    assert "/accounts/password/reset/" in known.body
    assert User.objects.count() == 2
    assert person("zoe").check_password(PASSWORD) is False


def test_what_is_wrong_stands_beside_its_field() -> None:
    answer = browser().post(PAGE, {"name": "", "email": "nonsense", "password1": "short", "password2": "else"})
    assert set(re.findall(r'id="id_(\w+)_error"', answer.content.decode())) >= {"name", "email", "password1"}
    assert not User.objects.exists()


def test_the_account_reads_the_language_of_its_form(send: Any) -> None:
    send(browser("zh-hans"), PAGE, FORM)
    assert User.objects.get().language == "zh-hans"
    assert mail.outbox[0].subject == "请确认邮箱地址"


@override_settings(SIGN_UP_OPEN=False)
def test_closed() -> None:
    assert "Accounts are made by invitation" in text(browser().get(PAGE))
    assert "Accounts are made by invitation" in text(browser().post(PAGE, FORM))
    assert not User.objects.exists()


def test_whoever_was_given_an_account_proves_nothing(send: Any) -> None:
    create_user(actor=Actor.system("tests"), email=ADDRESS, name="Zoe", password=PASSWORD, language="en")
    assert EmailAddress.objects.get().verified
    User.objects.create_user("yan@example.com", PASSWORD)
    for address in (ADDRESS, "yan@example.com"):
        entered = send(browser(), "/accounts/login/", {"login": address, "password": PASSWORD})
        assert entered.redirect_chain[-1][0] == "/"
    assert mail.outbox == []
    assert EmailAddress.objects.filter(verified=True, primary=True).count() == 2
