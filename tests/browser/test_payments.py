"""Finance pays a quarter: from what can be paid to what the bank said, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from incentives.models import Adjustment, Payout
from incentives.services import approve_payout, submit_run
from tests.browser.test_pages import AXE, TAGS
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
    """Two approved payouts: 4,000.00 and 2,000.00."""
    world = make_world()
    for payout in submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts:
        approve_payout(actor=world.actor("omar"), payout=payout)
    return world


def let_in(page: Any, world: World, live_server: LiveServer) -> None:
    client = Client()
    client.force_login(world.fiona)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])


def look_through(page: Any) -> None:
    """Nothing is wrong with the page that has just come, wide and narrow."""
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
        assert page.evaluate(AXE, TAGS) == []


def test_from_what_can_be_paid_to_what_the_bank_said(
    live_server: LiveServer, page: Any, world: World, tmp_path: Path
) -> None:
    let_in(page, world, live_server)
    page.goto(f"{live_server.url}/operator/payments")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_role("button", name="Put 2 payouts in a batch · 6,000.00 CNY").click()
    page.get_by_text("Put together: 2 payments, 6,000.00 CNY. Nothing is sent yet").wait_for()
    page.get_by_role("button", name="Lock 2 payments · 6,000.00 CNY").click()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Take the file for the bank").click()
    sent = Path(taken.value.path()).read_text(encoding="utf-8").splitlines()
    first, second = (line.split(",")[0] for line in sent[1:])

    answer = tmp_path / "answer.csv"
    answer.write_text(
        f"reference,result,bank_reference,reason\n{first},paid,BOC-1,\n{second},refused,,Closed.\nDY-0,paid,BOC-2,\n"
    )
    page.reload()
    page.get_by_label("The bank's result file (CSV)").set_input_files(answer)
    page.get_by_role("button", name="See what it would do").click()
    page.get_by_text("1 payment is paid: 4,000.00 CNY.").wait_for()
    assert set(Payout.objects.values_list("state", flat=True)) == {"in_payment"}
    look_through(page)
    page.get_by_role("button", name="Load it: settle these payments").click()
    page.get_by_text("Loaded: 1 paid, 1 refused, 0 unchanged, 1 set aside.").wait_for()
    assert set(Payout.objects.values_list("partner__code", "state")) == {("haiqiao", "paid"), ("rival", "approved")}
    assert page.complaints == []


def test_an_adjustment_says_what_it_would_do_before_it_is_proposed(
    live_server: LiveServer, page: Any, world: World
) -> None:
    let_in(page, world, live_server)
    page.goto(f"{live_server.url}/operator/ledger/partners/haiqiao")
    page.get_by_label("Amount").fill("500.00")
    page.get_by_label("Reason, which the partner reads").fill("A shop too few.")
    page.get_by_role("button", name="See what it would do").click()
    page.get_by_text("The account is even now. Then it will be owed 500.00 CNY").wait_for()
    assert not Adjustment.objects.exists()
    look_through(page)
    page.get_by_role("button", name="Propose 500.00 CNY").click()
    page.get_by_text("Nothing has moved: a second person confirms or declines it.").wait_for()
    assert Adjustment.objects.get().amount == 500
    assert page.complaints == []
