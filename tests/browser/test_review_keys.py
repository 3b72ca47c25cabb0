"""The review of payouts as an approver works it off: by keys, and without any script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from incentives.models import BulkDecision, Payout
from incentives.services import submit_run
from incentives.services.bulk import work_on_bulk
from tests.incentives.factories import AFTER_CLOSE, World, make_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def beside_a_loop() -> Iterator[None]:
    """Playwright keeps an event loop in this thread; Django would take that for a view that mustn't wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def world(transactional_db: None) -> World:
    """Two payouts in review: 4,000.00 and 2,000.00."""
    world = make_world()
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    return world


def let_in(context: Any, world: World, live_server: LiveServer) -> None:
    client = Client()
    client.force_login(world.omar)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])


def test_two_payouts_are_approved_by_keys_alone(live_server: LiveServer, page: Any, world: World) -> None:
    let_in(page.context, world, live_server)
    page.goto(f"{live_server.url}/operator/payouts")
    dock = page.get_by_role("group", name="Decide on many payouts")
    assert "Nothing chosen yet" in dock.inner_text()
    assert page.get_by_role("button", name="Approve…").is_disabled()
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.evaluate("document.activeElement.closest('tr').classList.contains('on')")
    page.get_by_role("button", name="Approve 1 payout · 2,000.00 CNY").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_role("button", name="Approve 2 payouts · 6,000.00 CNY").wait_for()
    page.keyboard.press("x")
    page.keyboard.press("k")
    assert "1 payout · 2,000.00 CNY" in dock.inner_text()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("ax")  # letters, not keys
    assert page.locator("input[name=payout]:checked").count() == 1
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.get_by_text("to the next payout, to the one before").wait_for()
    page.keyboard.press("a")
    page.get_by_role("heading", name="Approve 1 payout · 2,000.00 CNY").wait_for()
    page.get_by_role("button", name="Approve 1 payout · 2,000.00 CNY").click()
    page.get_by_text("still waiting").wait_for()
    assert not work_on_bulk(BulkDecision.objects.get().pk)
    page.get_by_text("Finished: 1 done, 0 left as they were.").wait_for()  # it asks again by itself
    assert set(Payout.objects.values_list("partner__code", "state")) == {
        ("rival", "approved"),
        ("haiqiao", "in_review"),
    }
    assert page.complaints == []


def test_the_keys_can_be_turned_off(live_server: LiveServer, page: Any, world: World) -> None:
    let_in(page.context, world, live_server)
    page.goto(f"{live_server.url}/operator/payouts")
    page.locator("#keys summary").click()
    page.get_by_label("These keys are on").uncheck()
    page.reload()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.tagName") == "BODY"


def test_without_script_it_is_a_form(live_server: LiveServer, page: Any, world: World) -> None:
    context = page.context.browser.new_context(locale="en", java_script_enabled=False)
    let_in(context, world, live_server)
    plain = context.new_page()
    plain.goto(f"{live_server.url}/operator/payouts")
    plain.get_by_label("Choose 海桥物流, 4,000.00 CNY").check()
    plain.get_by_role("button", name="Hold…").click()
    plain.get_by_label("Reason, which the partners read").fill("The bank asks.")
    plain.get_by_role("button", name="Hold 1 payout · 4,000.00 CNY").click()
    plain.get_by_text("0% done, 1 still waiting.").wait_for()
    assert not work_on_bulk(BulkDecision.objects.get().pk)
    plain.reload()
    plain.get_by_text("Finished: 1 done, 0 left as they were.").wait_for()
    assert Payout.objects.get(held=True).partner == world.haiqiao
    context.close()
