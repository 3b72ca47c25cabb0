"""A real browser, where one is installed; else these tests are skipped, visibly."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import TransactionTestCase

NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def started() -> Iterator[Any]:
    """A headless Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api")
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no browser: install chromium")
    with sync_api.sync_playwright() as playwright:
        # Root has no sandbox, and a small container little shared memory.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def page() -> Iterator[Any]:
    """A fresh page of a headless Chromium, reading English. Its `complaints` are what its console and policy said."""
    with started() as browser:
        page = browser.new_context(locale="en").new_page()
        page.complaints = []
        page.on("console", lambda said: said.type in ("error", "warning") and page.complaints.append(said.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("requestfailed", lambda request: page.complaints.extend(_failure(request)))
        yield page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One headless Chromium for a module that looks at many pages."""
    with pytest.MonkeyPatch.context() as patch, started() as browser:
        # Playwright keeps an event loop in this thread; Django would take that for a view that mustn't wait.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield browser


class _Tables(TransactionTestCase):
    databases = {"default"}  # noqa: RUF012  (Django reads it so)

    def runTest(self) -> None:  # noqa: N802  (unittest's name)
        """Nothing: only what comes after a test is wanted."""


@contextmanager
def emptied() -> Iterator[None]:
    """Whatever is committed inside is gone afterwards, as after any test that commits."""
    try:
        yield
    finally:
        _Tables()._fixture_teardown()  # type: ignore[attr-defined]  # Django's own, and it has no other name


def _failure(request: Any) -> list[str]:
    """What became of a request, unless the browser gave it up itself: that is what leaving a page does."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.url}: {request.failure}"]
