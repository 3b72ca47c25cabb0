"""The API's documents in a real browser, under the strict content security policy."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_they_open_whole_and_break_no_policy(live_server: LiveServer, page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(f"{live_server.url}/api/docs")
    assert "unsafe" not in answer.headers["content-security-policy"]
    for path in ("/api/v1/shops", "/api/v1/results", "/api/v1/payouts"):
        page.locator(f'.opblock-summary-path[data-path="{path}"]').wait_for()
    page.locator('.opblock-summary-path[data-path="/api/v1/shops"]').click()
    page.get_by_text("Parameters").first.wait_for()
    assert page.evaluate("getComputedStyle(document.body).marginTop") == "0px"  # the style in a file applies
    assert page.complaints == []
    assert {urlsplit(url).netloc for url in asked if not url.startswith("data:")} == {urlsplit(live_server.url).netloc}
