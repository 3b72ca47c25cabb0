"""A person's own account: name and language, address, password, second factor, devices; each change written down."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.audit import verify_chain
from core.models import AuditEvent, User
from core.sessions import forget_ended_sessions
from tests.people import partner, person
from tests.web.test_lockout import code_of

pytestmark = pytest.mark.django_db
PASSWORD, NEW = "a long and invented sentence", "calm-river-under-7-bridges"
SECRET = re.compile(r"\b[A-Z2-7]{32}\b")  # what an app for one-time codes is given
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 MicroMessenger/8.0.50"


def account(name: str) -> User:
    user = person(name)
    user.set_password(PASSWORD)
    user.save()
    return user


def browser(name: str, agent: str = FIREFOX, language: str = "en") -> Client:
    """A browser in which the person has signed in with the password, as people do."""
    client = Client(headers={"accept-language": language, "user-agent": agent})
    answer = client.post("/accounts/login/", {"login": person(name).email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def text(answer: Any) -> str:
    page = answer.content.decode().partition("<main id")[2].partition(">")[2].replace("&#x27;", "'")
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def trail() -> list[str]:
    return [event.action for event in AuditEvent.objects.order_by("pk")]


@pytest.fixture
def send(django_capture_on_commit_callbacks: Any) -> Any:
    """Post, and let what waits for the commit happen: here it never comes."""

    def post(client: Client, address: str, data: dict[str, str]) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(address, data, follow=True)

    return post


def test_one_page_leads_to_everything() -> None:
    account("alice")
    page = browser("alice").get("/account/").content.decode()
    for address in (
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/accounts/2fa/webauthn/",
        "/account/sessions",
        "/notices/settings",
        "/partner/?partner=ALPHA",
    ):
        assert f'href="{address}"' in page
    assert 'href="/account/"' in browser("alice").get("/programs/").content.decode()  # on every page


def test_name_and_language() -> None:
    alice = account("alice")
    client = browser("alice")
    changed = client.post("/account/", {"name": " 艾丽丝 ", "language": "zh-hans"})
    assert changed.cookies[settings.LANGUAGE_COOKIE_NAME].value == "zh-hans"
    assert "姓名和语言已保存" in text(client.get("/account/")).replace(" ", "")
    alice.refresh_from_db()
    assert (alice.name, alice.language) == ("艾丽丝", "zh-hans")
    assert client.post("/account/", {"name": "A", "language": "tlh"}).status_code == 422
    assert trail() == ["user.described"]
    assert "艾" not in str(list(AuditEvent.objects.values()))


def test_signing_out_elsewhere() -> None:
    account("alice")
    here, phone, third = browser("alice"), browser("alice", WECHAT), browser("alice")
    page = text(here.get("/account/sessions"))
    assert "Firefox on Linux this one" in page
    assert "WeChat on iPhone" in page
    lost = UserSession.objects.get(session_key=phone.session.session_key)
    assert "You are signed out there." in text(here.post("/account/sessions", {"session": str(lost.pk)}, follow=True))
    assert phone.get("/account/").status_code == 302
    assert third.get("/account/").status_code == 200
    assert "You are signed in on 2 devices." in text(here.get("/account/"))
    here.post("/account/sessions", {"session": "others"})
    assert third.get("/account/").status_code == 302
    assert "You are signed in on 1 device." in text(here.get("/account/"))
    assert trail() == ["session.ended", "session.others_ended"]
    assert verify_chain().intact


def test_nobody_ends_another_persons_session() -> None:
    account("alice"), account("charlie")
    alice, charlie = browser("alice"), browser("charlie")
    hers = UserSession.objects.get(user=person("alice"))
    for wish in (str(hers.pk), "999999", "nonsense", ""):
        assert charlie.post("/account/sessions", {"session": wish}).status_code == 404
    charlie.post("/account/sessions", {"session": "others"})
    assert alice.get("/account/").status_code == 200
    assert str(hers.ip) in text(charlie.get("/account/sessions"))  # their own, from the same address
    assert text(charlie.get("/account/sessions")).count("since ") == 1


def test_devices_take_no_more_queries_when_there_are_more() -> None:
    account("alice")
    here = browser("alice")

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            here.get("/account/sessions")
        return len(caught)

    few = queries()
    for _ in range(4):
        browser("alice")
    assert queries() == few


def test_a_changed_password_signs_out_elsewhere(send: Any) -> None:
    alice = account("alice")
    here, other = browser("alice"), browser("alice")
    done = send(here, "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert "Your password is another one from now on." in text(done)
    assert here.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302
    assert "You are signed in on 1 device." in text(here.get("/account/"))
    assert trail() == ["account.password_changed"]
    assert AuditEvent.objects.get().subject_id == str(alice.pk)
    assert mail.outbox[-1].subject == "Your password was changed"
    assert "set a new password at once" in mail.outbox[-1].body


def test_what_is_over_is_forgotten() -> None:
    account("alice")
    client, other = browser("alice"), browser("alice")
    Session.objects.filter(pk=other.session.session_key).delete()
    assert forget_ended_sessions() == 1
    assert UserSession.objects.get().session_key == client.session.session_key


def test_an_address_is_changed_once_the_new_one_is_proven(send: Any) -> None:
    alice = account("alice")
    client = browser("alice")
    asked = send(client, "/accounts/email/", {"action_add": "", "email": "new@example.com"})
    assert asked.redirect_chain[-1][0].startswith("/accounts/reauthenticate/")
    send(client, asked.redirect_chain[-1][0], {"password": PASSWORD, "next": "/accounts/email/"})
    page = text(client.get("/accounts/email/"))
    assert "new@example.com waits to be confirmed" in page
    assert "waits to be confirmed: new@example.com" in text(client.get("/account/"))
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    link = re.search(r"http://testserver(\S+)", str(mail.outbox[-1].body))
    assert link
    send(client, link[1], {})
    alice.refresh_from_db()
    assert alice.email == "new@example.com"
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("new@example.com", True, True)]
    assert trail() == ["account.address_changed"]
    told = mail.outbox[-1]
    assert told.to == ["alice@example.com"]  # the old address learns of it
    assert "new@example.com" in told.body
    assert "example.com" not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize("has_signed_in", [False, True])
def test_anothers_address_is_not_taken_and_not_told_of(send: Any, has_signed_in: bool) -> None:
    account("alice"), account("bob")
    if has_signed_in:
        browser("bob")
    client = browser("alice")
    asked = send(client, "/accounts/email/", {"action_add": "", "email": "bob@example.com"})
    answer = send(client, asked.redirect_chain[-1][0], {"password": PASSWORD, "next": "/accounts/email/"})
    assert answer.status_code == 200
    assert "bob@example.com waits to be confirmed" in text(client.get("/accounts/email/"))  # as any address does
    (message,) = mail.outbox
    link = re.search(r"http://testserver(\S+)", str(message.body))
    assert message.to == ["bob@example.com"]
    assert link
    send(Client(headers={"accept-language": "en"}), link[1], {})
    assert (person("alice").email, person("bob").email) == ("alice@example.com", "bob@example.com")
    assert trail() == []


def test_a_second_factor_from_setting_up_to_switching_off(send: Any) -> None:
    alice = account("alice")
    client = browser("alice")
    assert "the password alone opens this account" in text(client.get("/account/"))
    asked = client.get("/accounts/2fa/totp/activate/", follow=True)
    assert "Is it still you?" in text(asked)
    form = send(client, asked.redirect_chain[-1][0], {"password": PASSWORD, "next": "/accounts/2fa/totp/activate/"})
    secret = re.search(r'class="secret">(\w+)<', form.content.decode())
    assert secret
    wrong = send(client, "/accounts/2fa/totp/activate/", {"code": code_of(secret[1], off=1)})
    assert 'id="id_code_error"' in wrong.content.decode()
    send(client, "/accounts/2fa/totp/activate/", {"code": code_of(secret[1])})
    codes = re.findall(r"<code>(\d{8})</code>", client.get("/accounts/2fa/recovery-codes/").content.decode())
    assert len(codes) == 10
    assert "An app on your phone confirms each sign-in. You have recovery codes." in text(client.get("/account/"))

    # The next sign-in asks for it; a recovery code does, once.
    again = Client(headers={"accept-language": "en"})
    asked = again.post("/accounts/login/", {"login": alice.email, "password": PASSWORD}, follow=True)
    assert "Code from your app, or a recovery code" in text(asked)
    assert again.get("/account/").status_code == 302
    assert again.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 302
    assert again.get("/account/").status_code == 200
    assert "9 of 10 codes can still be used" in text(client.get("/accounts/2fa/recovery-codes/"))

    send(client, "/accounts/2fa/totp/deactivate/", {})
    assert not Authenticator.objects.exists()
    assert trail() == [
        "account.totp_activated",
        "account.totp_deactivated",
    ]
    assert [message.subject for message in mail.outbox] == [
        "The second factor is on",
        "The second factor is off",
    ]
    assert secret[1] not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_account_page_is_in_the_houses_design(language: str) -> None:
    """No page of another hand: each has our style sheet, our frame, and words of its language alone."""
    account("alice")
    client = browser("alice", language=language)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    stranger = Client(headers={"accept-language": language})
    signed_in = ("email/", "password/change/", "2fa/", "2fa/totp/activate/", "2fa/webauthn/", "2fa/webauthn/add/")
    entrance = ("login/", "signup/", "confirm-email/", "inactive/", "password/reset/", "password/reset/done/")
    dead_links = ("password/reset/key/done/", "password/reset/key/1-nonsense/", "confirm-email/nonsense/")
    pages = {
        client: ["/account/", "/account/sessions", *(f"/accounts/{page}" for page in (*signed_in, "reauthenticate/"))],
        stranger: [f"/accounts/{page}" for page in (*entrance, *dead_links)],
    }
    for visitor, addresses in pages.items():
        for address in addresses:
            answer = visitor.get(address)
            assert answer.status_code == 200, address
            body = answer.content.decode()
            assert 'class="page-head"' in body, address
            assert "<style" not in body, address
            assert " style=" not in body, address
            assert re.findall(r"<script(?![^>]*(?: src=|application/json))", body) == [], address
            if language == "zh-hans":
                words = set(re.findall(r"[A-Za-z]{4,}", SECRET.sub("", text(answer))))
                assert words <= {"Alpha", "Services", "Alice", "alice", "example", "Firefox", "Linux", "English"}, (
                    address
                )


def test_a_colleague_who_came_by_invitation_finds_the_session() -> None:
    partner("ALPHA")
    client = Client(headers={"accept-language": "en", "user-agent": FIREFOX})
    client.force_login(account("alice"))
    assert "Firefox on Linux this one" in text(client.get("/account/sessions"))
