"""Passkeys and the second factor in a real browser, under the policy that forbids inline scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from core.models import AuditEvent, User
from tests.web.test_lockout import code_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ADDRESS, PASSWORD = "ann@example.com", "a long and invented sentence"
# A key in the machine itself, which asks for the finger and is never refused.
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module", autouse=True)
def beside_a_loop() -> Iterator[None]:
    """Playwright keeps an event loop in this thread; Django would take that for a view that mustn't wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def ann(transactional_db: None) -> User:
    return User.objects.create_user(ADDRESS, PASSWORD, name="Ann", language="en")


def sign_in(page: Any, server: LiveServer) -> None:
    page.goto(f"{server.url}/accounts/login/")
    page.get_by_label("E-mail address").fill(ADDRESS)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"/$"))


def show_password_again(page: Any) -> None:
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def test_a_passkey_signs_in_without_a_password(live_server: LiveServer, page: Any, ann: User) -> None:
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/accounts/2fa/webauthn/add/")
    show_password_again(page)
    page.get_by_label("What you call it").fill("My phone")
    page.get_by_label("Sign in with it alone, without a password").check()
    page.get_by_role("button", name="Add it").click()
    page.wait_for_url(re.compile("/accounts/2fa/(recovery-codes|webauthn)/$"))
    page.goto(f"{live_server.url}/accounts/2fa/webauthn/")
    assert "signs in without a password" in page.locator("main").inner_text()
    page.goto(f"{live_server.url}/account/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(re.compile(r":\d+/$"))
    page.goto(f"{live_server.url}/account/")
    assert "1 passkey or security key" in page.locator("main").inner_text()
    assert AuditEvent.objects.filter(action="account.passkey_added", subject_id=str(ann.pk)).count() == 1
    assert page.complaints == []


def test_an_app_is_set_up_at_phone_size(live_server: LiveServer, page: Any, ann: User) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/account/")
    page.get_by_role("link", name="Set it up").click()
    page.get_by_role("link", name="Set it up").click()
    show_password_again(page)
    qr = page.locator("img.qr")
    assert qr.evaluate("image => image.complete && image.naturalWidth > 0")
    page.get_by_label("Six digits").fill(code_of(page.locator(".secret").inner_text()))
    page.get_by_role("button", name="Switch the second factor on").click()
    page.wait_for_url(re.compile("/accounts/2fa/"))
    page.goto(f"{live_server.url}/accounts/2fa/recovery-codes/")
    assert page.locator(".codes li").count() == 10
    for address in ("/account/", "/account/sessions", "/accounts/2fa/", "/accounts/2fa/recovery-codes/"):
        page.goto(f"{live_server.url}{address}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
    # A page that is left before its icon has come isn't one that complains.
    assert page.complaints == []
