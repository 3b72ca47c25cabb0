"""The whole way in a real browser, in both languages: from applying to the amount that a merchant has earned.

An organisation applies, is certified, joins, sends a link; a merchant registers on a phone; the marketplace's feeds
arrive with the receipt; a run judges; the card, the overview and the statement say it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from core.models import Program
from core.policy import Policy
from core.services import create_program
from core.values import local_date
from merchants.models import Registration, Shop
from partners.models import Application, InviteLink, Partner
from partners.services import certify_application, claim_application
from tests.people import actor, person

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ZONE = ZoneInfo("Asia/Shanghai")
PROGRAM = "walk"
NAMED = {"en": "The walk's program", "zh-hans": "走一遍计划"}
PHONE = {"width": 390, "height": 844}
MERCHANT, BRAND = "虚构灯塔有限公司", "Leuchtturm"
# What each language says of a shop that meets everything, of what it earns, and of a statement that may still change.
SAYS = {
    "zh-hans": {"eligible": "已达标", "locale": "zh-CN", "provisional": "暂定"},
    "en": {"eligible": "Eligible", "locale": "en", "provisional": "provisional"},
}
Load = Callable[[str, dict[str, str]], None]


@pytest.fixture(autouse=True)
def beside_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def program(transactional_db: None) -> Program:
    """A program around today, whose list names the merchant."""
    today = local_date(timezone.now(), ZONE)
    return create_program(
        actor=actor("omar"),
        code=PROGRAM,
        start=today - timedelta(days=20),
        end=today + timedelta(days=60),
        policy=Policy.parse({"name": NAMED, "markets": ["DE", "FR"]}),
    )


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads one row of a feed by the command, as the marketplace does."""

    def loaded(kind: str, row: dict[str, str]) -> None:
        path = tmp_path / f"{kind}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, row.keys())
            writer.writeheader()
            writer.writerow(row)
        call_command("load", kind, str(path), stdout=StringIO())

    return loaded


class Hand:
    """What a person does with a page."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address

    def go(self, path: str) -> None:
        assert self.page.goto(f"{self.address}{path}").status == 200, path

    def fill(self, **typed: str) -> None:
        for name, value in typed.items():
            field = self.page.locator(f"main [name={name}]").first
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)

    def tick(self, name: str, *values: str) -> None:
        for value in values or ("",):
            self.page.locator(f"main [name={name}]" + (f'[value="{value}"]' if value else "")).check()

    def press(self, selector: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(f"main {selector}").first.click()

    def says(self, *texts: str) -> None:
        said = re.sub(r"\s+", " ", self.page.locator("main").inner_text())
        for text in texts:
            assert text in said, f"{text!r} isn't said by {self.page.url}: {said}"


def hand(browser: Any, server: LiveServer, language: str, *, who: str = "", phone: bool = False) -> Hand:
    context = browser.new_context(
        locale=SAYS[language]["locale"], viewport=PHONE if phone else {"width": 1280, "height": 900}, has_touch=phone
    )
    if who:
        user = person(who)
        user.language = language
        user.save(update_fields=["language"])
        client = Client()
        client.force_login(user)
        for name, value in {
            settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
            settings.LANGUAGE_COOKIE_NAME: language,
        }.items():
            context.add_cookies([{"name": name, "value": value, "url": server.url}])
    return Hand(context.new_page(), server.url)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_from_applying_to_the_statement(
    live_server: LiveServer, browser: Any, program: Program, load: Load, language: str
) -> None:
    zoe = hand(browser, live_server, language, who="zoe")
    apply(zoe)
    partner = certify()
    join(zoe, program)
    link = make_link(zoe, partner)
    registration = register(hand(browser, live_server, language, phone=True), link)
    facts_arrive(load, registration)
    call_command("recompute", PROGRAM, "--inline", stdout=StringIO())
    look(zoe, language)


def apply(zoe: Hand) -> None:
    """The application, by its form."""
    zoe.go("/apply/")
    zoe.press("a.btn.go")
    zoe.fill(
        name="Lantern Logistics",
        category="logistics",
        country="HK",
        registration_no="INV-77",
        contact_name="Zoe",
        contact_wechat="zoe-lantern",
    )
    zoe.tick("markets", "DE")
    zoe.tick("resources", "cross_border")
    zoe.tick("services", "logistics")
    zoe.press("button.go[value=submit]")
    zoe.says("Lantern Logistics")
    assert Application.objects.get().state == "submitted"


def certify() -> Partner:
    """The operators' part."""
    application = claim_application(actor=actor("rosa"), application=Application.objects.get())
    today = local_date(timezone.now(), ZONE)
    return certify_application(actor=actor("rosa"), application=application, code="LANTERN", effective_from=today)


def join(zoe: Hand, program: Program) -> None:
    """Accepting the rules, with a commitment."""
    zoe.go("/partner/programs")
    zoe.press(f'a[href$="/partner/{program.code}/rules"]')
    zoe.fill(commitment="12")
    zoe.tick("agreed")
    zoe.press("form button.go")
    zoe.says("12")
    assert program.joinings.get().commitment == 12


def make_link(zoe: Hand, partner: Partner) -> InviteLink:
    """Three clicks: the rail's, the button's, the copying one."""
    zoe.page.locator('nav.rail a[href$="/partner/links"]').click()
    zoe.press("form[method=post] button.go")
    link: InviteLink = InviteLink.objects.get(partner=partner)
    assert zoe.page.url.endswith(f"/partner/links/{link.code}")
    assert zoe.page.locator(f'input[value$="/i/{link.code}"]').is_visible()
    return link


def register(merchant: Hand, link: InviteLink) -> Registration:
    """The merchant's form, on a phone, without an account."""
    merchant.go(f"/i/{link.code}")
    merchant.says("Lantern Logistics")
    assert merchant.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    merchant.fill(
        merchant_name=MERCHANT, country="HK", registration_no="INV-4711", brand=BRAND, market="DE", phone="13900000000"
    )
    merchant.tick("privacy")
    merchant.press("button.go")
    registration = Registration.objects.get()
    merchant.says(registration.receipt, MERCHANT)
    return registration


def facts_arrive(load: Load, registration: Registration) -> None:
    """What the marketplace knows: a shop with the receipt, its entity checked, orders settled, stock seen."""
    today = local_date(timezone.now(), ZONE)
    now = timezone.now().isoformat()
    entity = {"merchant_name": MERCHANT, "country": "HK", "registration_no": "INV-4711", "brand": BRAND}
    entry = {"program": PROGRAM, "target_code": "T-1", "track": "target", "listed_on": str(today), "review": "approved"}
    load("targets", {**entry, **entity})
    shop = {"shop_code": "WALK-1"}
    load(
        "shops",
        {**shop, **entity, "market": "DE", "registered_at": now, "certified_at": now, "receipt": registration.receipt},
    )
    load("shop_statuses", {**shop, "status": "open", "at": now})
    later = timezone.now().isoformat()
    line = {"line_code": "L-1", "order_code": "O-1", "kind": "sale", "amount": "1204.77", "currency": "CNY"}
    load("settlements", {**shop, **line, "ordered_at": later, "settled_at": later})
    for country in ("DE", "FR", "IT", "ES"):
        load("stock", {**shop, "country": country, "sellable": "7", "observed_at": later})
    found = Shop.objects.get()
    assert (found.link_id, found.registration_id) == (registration.link_id, registration.pk)


def look(zoe: Hand, language: str) -> None:
    """The card, the overview and the statement say the same."""
    says = SAYS[language]
    zoe.go(f"/partner/{PROGRAM}/shops/WALK-1")
    zoe.says(MERCHANT, says["eligible"], "1,204.77", "2,000.00")
    assert zoe.page.locator("ul.conditions > li").count() == 8
    assert zoe.page.evaluate("document.documentElement.lang").lower() == language
    zoe.go("/partner/")
    zoe.says(NAMED[language], "2,000.00")
    zoe.go(f"/partner/{PROGRAM}/payout")
    zoe.says(MERCHANT, "2,000.00", says["provisional"])
    zoe.page.locator('nav.rail a[href$="/partner/links"]').click()
    zoe.says("1")
