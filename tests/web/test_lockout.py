"""Passwords and codes are refused after too many tries, whatever the cache remembers, and nobody learns who is here."""

from __future__ import annotations

import re
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from core.audit import verify_chain
from core.lockout import PASSWORD as A_PASSWORD
from core.lockout import begin_try
from core.models import AuditEvent, SignInTries, User

ADDRESS, PASSWORD, NEW = "ann@example.com", "a long and invented sentence", "calm-river-under-7-bridges"
FEW = override_settings(SIGN_IN_TRIES=3, SIGN_IN_LOCK_MINUTES=15)
LATER = timedelta(minutes=15, seconds=1)


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user(ADDRESS, PASSWORD, name="Ann", language="en")


def sign_in(password: str, address: str = ADDRESS) -> Any:
    client = Client(headers={"accept-language": "en"})
    return client.post("/accounts/login/", {"login": address, "password": password})


def code_of(secret: str, off: int = 0) -> str:
    """What an app would show now; with `off` another code than that."""
    shown = hotp_value(secret, int(time.time()) // 30)
    return str(format_hotp_value((shown + off) % 1_000_000))


def told(answer: Any) -> str:
    """What the page says, without what differs from one request to the next."""
    body: str = answer.content.decode().partition("<main")[2]
    body = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", body)
    return body.replace(ADDRESS, "ADDRESS").replace("nobody@example.com", "ADDRESS")


def wait(span: timedelta) -> None:
    """Let time pass: everything that was counted was so much longer ago."""
    for row in SignInTries.objects.all():
        row.last_at -= span
        row.locked_until = row.locked_until and row.locked_until - span
        row.save()


@FEW
def test_the_right_password_comes_too_late_and_after_a_while_it_does(ann: User) -> None:
    for _ in range(3):
        assert "isn&#x27;t right" in told(sign_in("wrong"))
    assert "Too many tries. Wait 15 minutes" in told(sign_in(PASSWORD))
    cache.clear()  # what remembers this is the database
    assert "Too many tries." in told(sign_in(PASSWORD))
    wait(timedelta(minutes=14))
    assert sign_in(PASSWORD).status_code == 200  # tries meanwhile don't prolong it, and don't open it
    wait(timedelta(minutes=1, seconds=1))
    assert sign_in(PASSWORD).status_code == 302
    assert not SignInTries.objects.exists()


@FEW
def test_an_address_without_an_account_is_answered_alike(ann: User) -> None:
    for _ in range(5):
        known, unknown = sign_in("wrong"), sign_in("wrong", "nobody@example.com")
        assert (known.status_code, told(known)) == (unknown.status_code, told(unknown))
    assert "Too many tries." in told(known)


@FEW
def test_a_lockout_is_written_down_once_and_names_nobody(ann: User) -> None:
    for _ in range(9):
        sign_in("wrong", "ANN@example.com")  # compared without case
    for _ in range(4):
        sign_in("wrong", "nobody@example.com")
    first, second = AuditEvent.objects.filter(action="sign_in.locked").order_by("pk")
    assert (first.subject_type, first.subject_id) == ("core.user", str(ann.pk))
    assert (first.details["what"], first.details["tries"], first.actor_id) == ("password", 3, None)
    assert second.subject_type == "address"
    assert "@" not in str(list(AuditEvent.objects.values()))
    assert "ann" not in str(list(SignInTries.objects.values()))
    assert verify_chain().intact


@FEW
def test_a_success_and_a_pause_begin_the_count_anew(ann: User) -> None:
    for _ in range(2):
        sign_in("wrong")
    assert sign_in(PASSWORD).status_code == 302
    for _ in range(3):
        sign_in("wrong")
    wait(LATER)
    for _ in range(2):
        sign_in("wrong")
    assert sign_in(PASSWORD).status_code == 302


@FEW
def test_a_new_password_by_mail_ends_the_wait(ann: User, django_capture_on_commit_callbacks: Any) -> None:
    for _ in range(4):
        sign_in("wrong")
    client = Client(headers={"accept-language": "en"})
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/password/reset/", {"email": ADDRESS})
    link = re.search(r"http://testserver(\S+)", str(mail.outbox[0].body))
    assert link
    form = client.get(link[1], follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": NEW, "password2": NEW})
    assert sign_in(NEW).status_code == 302
    assert AuditEvent.objects.filter(action="account.password_reset", subject_id=str(ann.pk)).count() == 1


@FEW
def test_a_right_password_gives_no_new_tries_at_the_second_factor(ann: User) -> None:
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(ann, secret)
    assert Authenticator.objects.filter(user=ann).count() == 1

    def code(given: str) -> Any:
        client = Client(headers={"accept-language": "en"})
        assert client.post("/accounts/login/", {"login": ADDRESS, "password": PASSWORD}).status_code == 302
        return client.post("/accounts/2fa/authenticate/", {"code": given})

    for _ in range(3):
        assert code(code_of(secret, off=1)).status_code == 200
    cache.clear()
    assert "Too many tries." in told(code(code_of(secret)))
    wait(LATER)
    assert code(code_of(secret)).status_code == 302
    event = AuditEvent.objects.get(action="sign_in.locked")
    assert event.details["what"] == "second_factor"


@FEW
@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_are_not_all_the_first() -> None:
    let_in: list[bool] = []

    def attempt() -> None:
        try:
            let_in.append(begin_try(address=ADDRESS, what=A_PASSWORD, at=timezone.now()))
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(let_in), sum(let_in)) == (20, 3)
    assert AuditEvent.objects.filter(action="sign_in.locked").count() == 1


@FEW
def test_rows_of_addresses_that_nobody_tries_any_more_go(db: None) -> None:
    now = timezone.now()
    begin_try(address="old@example.com", what=A_PASSWORD, at=now - LATER)
    for _ in range(4):
        begin_try(address="locked@example.com", what=A_PASSWORD, at=now - timedelta(minutes=14))
    begin_try(address="new@example.com", what=A_PASSWORD, at=now)
    assert SignInTries.objects.count() == 2
