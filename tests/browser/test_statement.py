"""The statement on paper and taken along, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from incentives.keys import signing_key
from incentives.services import submit_run
from incentives.signatures import verify
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_run, make_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGE = "/partner/POP-2026Q1/payout"
# A sheet of A4 at 96 dots to the inch, without its margins: no wider than what counts as a phone on a screen.
PAPER = {"width": 696, "height": 1009}


@pytest.fixture(scope="module", autouse=True)
def beside_a_loop() -> Iterator[None]:
    """Playwright keeps an event loop in this thread; Django would take that for a view that mustn't wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def world(transactional_db: None) -> World:
    """A submitted payout with more lines than a sheet has room for."""
    world = make_world(discount={"tiers": [{"from": "0.01", "pay": "0.90"}], "example": True})
    specs = [Spec(f"S-{number}", world.haiqiao) for number in range(10, 60)]
    run = make_run(world.program, [*specs, Spec("S-1", world.haiqiao, high_risk=True), Spec("S-4", world.rival)])
    submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE)
    return world


def sign_in(page: Any, server: LiveServer, world: World) -> None:
    client = Client()
    client.force_login(world.alice)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": server.url}])


def test_on_paper_it_is_a_statement_and_not_a_phone(live_server: LiveServer, page: Any, world: World) -> None:
    sign_in(page, live_server, world)
    page.goto(f"{live_server.url}{PAGE}")
    assert not page.locator(".print-only").first.is_visible()
    page.emulate_media(media="print", color_scheme="light")
    page.set_viewport_size(PAPER)
    for gone in (".topbar", ".rail", "text=Download"):
        assert not page.locator(gone).first.is_visible(), gone
    for there in (".print-only", ".tag.provisional", ".table thead", ".sum .total", ".judged"):
        assert page.locator(there).first.is_visible(), there
    assert page.locator(".table tr").first.evaluate("row => getComputedStyle(row).display") == "table-row"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.pdf().startswith(b"%PDF-")
    assert page.complaints == []


def test_the_signed_file_that_is_downloaded_verifies(
    live_server: LiveServer, page: Any, world: World, tmp_path: Path
) -> None:
    sign_in(page, live_server, world)
    page.goto(f"{live_server.url}{PAGE}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Signed JSON").click()
    assert download.value.suggested_filename.endswith("-provisional.json")
    download.value.save_as(tmp_path / "statement.json")
    statement, _ = verify((tmp_path / "statement.json").read_bytes(), [signing_key().public])
    assert len(statement["lines"]) == 51
