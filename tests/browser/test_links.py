"""Sending a link and registering through it, as a recruiter and a merchant do it, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from merchants.models import Registration
from partners.models import Certification, InviteLink, LinkVisits
from tests.incentives.factories import World, make_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHONE = {"width": 390, "height": 844}
WECHAT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
    " MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN"
)


@pytest.fixture(scope="module", autouse=True)
def beside_a_loop() -> Iterator[None]:
    """Playwright keeps an event loop in this thread; Django would take that for a view that mustn't wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def world(transactional_db: None) -> World:
    """Alice's partner is certified, and has no link yet."""
    world = make_world()
    Certification.objects.create(partner=world.haiqiao, days=DateRange(date(2020, 1, 1), None))
    return world


@pytest.fixture
def alice(live_server: LiveServer, page: Any, world: World) -> Any:
    """Alice's browser, with a clipboard."""
    client = Client()
    client.force_login(world.alice)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


def test_three_clicks_from_the_overview_to_a_link_in_the_clipboard(live_server: LiveServer, alice: Any) -> None:
    alice.goto(f"{live_server.url}/partner/")
    alice.get_by_role("link", name="Links", exact=True).click()
    alice.get_by_role("button", name="Make the link").click()
    alice.get_by_role("button", name="Copy the link").click()
    alice.get_by_text("Copied").wait_for()
    made = InviteLink.objects.get()
    assert alice.evaluate("navigator.clipboard.readText()") == f"{live_server.url}/i/{made.code}"
    # One that is there already takes two: the button beside it.
    alice.get_by_role("link", name="Links", exact=True).click()
    alice.get_by_role("button", name="Copy").click()
    alice.get_by_role("button", name="Copied").wait_for()
    assert alice.locator("img.qr").count() == 0
    assert alice.complaints == []


def test_a_merchant_registers_on_a_phone_without_script(live_server: LiveServer, alice: Any) -> None:
    alice.goto(f"{live_server.url}/partner/links")
    alice.get_by_role("button", name="Make the link").click()
    made = InviteLink.objects.get()
    phone = alice.context.browser.new_context(
        viewport=PHONE, locale="zh-CN", user_agent=WECHAT, java_script_enabled=False
    ).new_page()
    phone.goto(f"{live_server.url}/i/{made.code}")
    header = phone.locator("header.top")
    for asked in ("公司名称", "微信号"):
        phone.get_by_label(asked).scroll_into_view_if_needed()
        # Who invites stays in view all the way down.
        assert header.bounding_box()["y"] == 0
        assert "海桥物流" in header.inner_text()
    phone.get_by_role("button", name="登记公司").click()
    assert phone.get_by_role("alert").is_visible()
    assert "尚未提交" in phone.title()
    phone.get_by_label("公司名称").fill("虚构星辰科技有限公司")
    phone.get_by_label("注册国家或地区").select_option("HK")
    phone.get_by_label("注册号").fill("INV-0001")
    phone.get_by_label("市场").select_option("DE")
    phone.get_by_label("微信号").fill("invented_1")
    phone.get_by_label("我已阅读并同意隐私声明").check()
    phone.get_by_role("button", name="登记公司").click()
    row = Registration.objects.get()
    assert phone.url == f"{live_server.url}/r/{row.receipt}"
    assert row.receipt in phone.locator("main").inner_text()
    assert LinkVisits.objects.get().visits == 1
    assert phone.context.cookies() == []


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_page_is_wider_than_a_phone(live_server: LiveServer, alice: Any, language: str) -> None:
    alice.goto(f"{live_server.url}/partner/links")
    alice.get_by_label("Label").fill("广交会 3 号馆 · Trade fair with a name that goes on and on")
    alice.get_by_role("button", name="Make the link").click()
    made = InviteLink.objects.get()
    alice.set_viewport_size(PHONE)
    alice.context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}])
    for path in ("/partner/links", f"/partner/links/{made.code}", f"/i/{made.code}?lang={language}", "/i/nothing"):
        alice.goto(f"{live_server.url}{path}")
        assert alice.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
