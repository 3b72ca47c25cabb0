"""What the sign-in's pages say: what happened, in the reader's language, and never that it went "successfully"."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.messages import get_messages
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse
from django.utils import translation

from tests.architecture.test_urls import ACCOUNT_PAGES, EVERY
from tests.incentives.factories import PASSWORD, World

SignIn = Callable[..., Client]
BOAST = re.compile(r"success|成功", re.IGNORECASE)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NEW = "calm-river-under-7-bridges"


def said(response: object) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_account_page_boasts(sign_in: SignIn, language: str) -> None:
    for client in (sign_in("alice", language), Client(headers={"accept-language": language})):
        for address in EVERY:
            if address.startswith(ACCOUNT_PAGES) and "<" not in address:
                assert not BOAST.search(client.get(f"/{address}").content.decode()), address


MESSAGES = [
    "account/messages/logged_in.txt",
    "account/messages/logged_out.txt",
    "account/messages/password_changed.txt",
    "account/messages/password_set.txt",
    "account/messages/email_confirmed.txt",
    "account/messages/email_deleted.txt",
    "account/messages/primary_email_set.txt",
    "mfa/messages/recovery_codes_generated.txt",
    "mfa/messages/totp_activated.txt",
    "mfa/messages/totp_deactivated.txt",
    "mfa/messages/webauthn_added.txt",
    "mfa/messages/webauthn_removed.txt",
]


@pytest.mark.parametrize("name", MESSAGES)
def test_no_message_boasts(name: str) -> None:
    for language, is_chinese in (("en", False), ("zh-hans", True)):
        with translation.override(language):
            text = get_template(name).render({"email": "alice@example.com"}).strip()
        assert not BOAST.search(text)
        assert bool(CHINESE.search(text)) == (is_chinese and text != "")


def test_an_english_page_has_no_chinese_message(world: World) -> None:
    # A Chinese browser, and an account that reads English.
    client = Client(headers={"accept-language": "zh-hans"})
    entered = client.post("/accounts/login/", {"login": world.alice.email, "password": PASSWORD}, follow=True)
    assert entered.redirect_chain[-1][0] == "/partner/"
    assert "Overview" in entered.content.decode()
    assert said(entered) == []
    changed = client.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}, follow=True
    )
    assert said(changed) == ["Your password is another one from now on."]
    assert said(client.post("/accounts/logout/", follow=True)) == ["You have signed out."]


def test_the_back_office_changes_passwords_where_everybody_does(sign_in: SignIn) -> None:
    answer = sign_in("omar").get(reverse("admin:password_change"))
    assert (answer.status_code, answer["Location"]) == (302, reverse("account_change_password"))


def test_the_sign_ins_tables_are_looked_at_and_not_edited(world: World, sign_in: SignIn) -> None:
    address = EmailAddress.objects.create(user=world.alice, email=world.alice.email)
    secret = Authenticator.objects.create(
        user=world.alice, type=Authenticator.Type.TOTP, data={"secret": "NEVER-SHOWN"}
    )
    omar = sign_in("omar")
    for row in (address, secret):
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        assert omar.get(reverse(f"{name}_add")).status_code == 403
        assert omar.get(reverse(f"{name}_delete", args=[row.pk])).status_code == 403
        page = omar.get(reverse(f"{name}_change", args=[row.pk]))
        assert page.status_code == 200
        assert "NEVER-SHOWN" not in page.content.decode()
        assert omar.post(reverse(f"{name}_change", args=[row.pk]), {"verified": "on"}).status_code == 403
        changelist = reverse(f"{name}_changelist")
        omar.post(changelist, {"action": "make_verified", "_selected_action": [row.pk]})
        omar.post(changelist, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    address.refresh_from_db()
    assert not address.verified
    assert Authenticator.objects.filter(pk=secret.pk).exists()
