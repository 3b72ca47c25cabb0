"""Telling people: rows with what happens, mails after it, each person in their own way and language."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.test import override_settings
from django.urls import NoReverseMatch
from django.utils import timezone

from core.models import Notice, NoticePreference, User
from core.notices import mailing
from core.notices.kinds import Kind, register
from core.notices.links import Link
from core.notices.telling import tell
from tests.notices.helpers import PARAMS, TRIED, tell_all
from tests.people import actor, person

pytestmark = pytest.mark.django_db


def send_all() -> int:
    return mailing.send_waiting(seconds=20)


def chinese(name: str) -> User:
    user = person(name)
    user.language = "zh-hans"
    user.save()
    return user


def test_each_is_told_in_their_own_language() -> None:
    tell_all(person("alice"), chinese("bob").pk)
    assert send_all() == 2
    to_alice, to_bob = mail.outbox
    assert to_alice.subject == "Spring"
    assert "Spring: 1,204.77 CNY, 30 Apr" in to_alice.body
    assert to_bob.subject == "春季"
    assert "春季: ¥1,204.77, 4月30日" in to_bob.body
    for each in mail.outbox:
        assert isinstance(each, EmailMultiAlternatives)
        html = str(each.alternatives[0][0])
        assert "http://portal.example.com/partner/" not in html
        assert "/partner/" in html
        assert "/partner/" in each.body


@override_settings(PORTAL_URL="https://portal.example.com")
def test_a_mail_leads_to_the_whole_address_with_its_query() -> None:
    tell_all(person("alice"), link=Link("portal-overview", query={"partner": "ALPHA"}))
    send_all()
    assert "https://portal.example.com/partner/?partner=ALPHA\n" in mail.outbox[0].body


def test_nothing_is_told_of_what_did_not_happen() -> None:
    with transaction.atomic():
        tell(kind="tests.tried", people=[person("alice")], params=PARAMS)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_telling_outside_a_transaction_is_a_defect() -> None:
    with pytest.raises(RuntimeError):
        tell(kind="tests.tried", people=[], params=PARAMS)


def test_what_could_not_be_shown_is_refused_at_once() -> None:
    with pytest.raises(KeyError):
        tell(kind="tests.tried", people=[person("alice")], params={"program": "Spring"})
    with pytest.raises(KeyError):
        tell(kind="tests.unheard", people=[person("alice")])
    with pytest.raises(NoReverseMatch):
        tell(kind="tests.tried", people=[person("alice")], params=PARAMS, link=Link("no-such-page"))
    with pytest.raises(RuntimeError):
        register(Kind("tests.tried", title=TRIED.title, sentence=TRIED.sentence))
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("kind", "inbox", "mailed", "told"),
    [
        ("tests.tried", True, False, (1, 0)),
        ("tests.tried", False, True, (0, 1)),
        ("tests.tried", False, False, (0, 0)),
        ("tests.fixed", False, False, (0, 1)),  # what protects money comes by mail, whatever was chosen
    ],
)
def test_preferences_decide(kind: str, inbox: bool, mailed: bool, told: tuple[int, int]) -> None:
    NoticePreference.objects.create(user=person("alice"), kind=kind, inbox=inbox, mail=mailed)
    tell_all(person("alice"), kind=kind)
    send_all()
    assert (Notice.objects.visible_to(actor("alice")).count(), len(mail.outbox)) == told


@pytest.mark.parametrize(("kind", "told"), [("tests.tried", (1, 1)), ("tests.fixed", (0, 1)), ("tests.quiet", (1, 0))])
def test_whoever_has_not_chosen_is_told_as_the_kind_is(kind: str, told: tuple[int, int]) -> None:
    tell_all(person("alice"), kind=kind)
    send_all()
    assert (Notice.objects.visible_to(actor("alice")).count(), len(mail.outbox)) == told


def test_only_the_own_inbox_is_visible() -> None:
    tell_all(person("alice"))
    assert Notice.objects.visible_to(actor("alice")).count() == 1
    for other in ("bob", "charlie", "olga", "ada"):
        assert not Notice.objects.visible_to(actor(other)).exists()


def test_closed_accounts_are_told_nothing_and_mailed_nothing() -> None:
    bob = person("bob")
    tell_all(bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert tell_all(bob) == 0
    send_all()
    assert mail.outbox == []
    assert not mailing.waiting()


def test_the_same_is_told_once() -> None:
    for _ in range(2):
        tell_all(person("alice"), person("bob"), once="digest:2026-W14")
    assert Notice.objects.count() == 2
    tell_all(person("alice"), once="digest:2026-W15")
    assert Notice.objects.count() == 3


def test_a_stranger_gets_a_mail_and_is_forgotten() -> None:
    tell_all(addresses=["nina@example.org"], language="en")
    assert send_all() == 1
    assert mail.outbox[0].to == ["nina@example.org"]
    assert "Spring" in mail.outbox[0].subject
    assert not Notice.objects.exists()


# --- A mail server that doesn't want, or isn't there ------------------------------------------------------------------


class Server(EmailBackend):
    """Refuses Charlie, or everybody."""

    away = False

    def send_messages(self, messages: Any) -> int:
        if Server.away:
            raise smtplib.SMTPServerDisconnected("gone")
        if messages[0].to == ["charlie@example.com"]:
            raise smtplib.SMTPRecipientsRefused({"charlie@example.com": (550, b"no such box")})
        return super().send_messages(messages)


@pytest.fixture
def server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[Server]:
    settings.EMAIL_BACKEND = "tests.notices.test_telling.Server"
    monkeypatch.setattr(Server, "away", False)
    return Server


def test_a_refused_mail_stops_no_other_and_is_given_up_in_the_end(server: type[Server]) -> None:
    tell_all(person("charlie"), person("alice"))
    assert send_all() == 1
    assert mail.outbox[0].to == ["alice@example.com"]
    assert not mailing.waiting()
    assert mailing.waiting(timezone.now() + timedelta(minutes=2))
    moment = timezone.now()
    for _ in range(10):
        moment += timedelta(days=1)
        assert mailing.send_waiting(seconds=20, now=moment) == 0
    refused = Notice.objects.get(user=person("charlie"))
    assert (refused.mail_due_at, refused.mailed_at, refused.mail_tries) == (None, None, 1 + len(mailing.PAUSES))
    assert refused.in_inbox


def test_a_server_that_is_away_costs_no_try(server: type[Server]) -> None:
    tell_all(person("alice"), person("bob"))
    server.away = True
    assert send_all() == 0
    assert set(Notice.objects.values_list("mail_tries", "mailed_at")) == {(0, None)}
    server.away = False
    assert send_all() == 2
    assert send_all() == 0
    assert len(mail.outbox) == 2


def test_a_mail_that_cannot_be_made_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    tell_all(person("alice"))
    Notice.objects.update(params={})
    tell_all(person("bob"))
    assert send_all() == 1
    assert mail.outbox[0].to == ["bob@example.com"]
