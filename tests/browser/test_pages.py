"""Every page in a real browser: axe finds nothing, it fits the screen, and every word is in the language asked for.

`make screenshots` takes pictures of the same pages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import NoReverseMatch, reverse
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import emptied
from tests.browser.house import House, build
from tests.browser.pages import NO_PAGES, PAGES, Page, names
from tests.browser.reading import leftovers, read, stored_texts

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = """tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']}).then(
  found => found.violations.map(
    each => `${each.id}: ${each.nodes.slice(0, 3).map(node => node.target.join(' ')).join(' | ')}`))"""

# What sticks out of the window at a side, and can't be scrolled to inside of something either.
STICKS_OUT = """() => [...document.querySelectorAll('body *')].filter(each => {
  const box = each.getBoundingClientRect();
  if (!box.width || !box.height || (box.right <= innerWidth + 1 && box.left >= -1)) return false;
  if (each.closest('.skip')) return false;
  for (let up = each.parentElement; up; up = up.parentElement)
    if (getComputedStyle(up).overflowX !== 'visible') return false;
  return true;
}).slice(0, 3).map(each => `${each.tagName.toLowerCase()}.${each.className.baseVal ?? each.className}`)"""


@dataclass(frozen=True, slots=True)
class Variant:
    """How a page is looked at."""

    language: str
    width: int
    theme: str

    def __str__(self) -> str:
        return f"{self.language}-{self.width}-{self.theme}"


VARIANTS = [Variant(*each) for each in product(("zh-hans", "en"), (1440, 390), ("light", "dark"))]
# Each language, width and theme with each other in four of the eight; `make proof` looks at the rest.
SOME = {"zh-hans-1440-light", "zh-hans-390-dark", "en-1440-dark", "en-390-light"}


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database for all of this module, in place of one for each test. What is committed is seen by a server."""
    with django_db_blocker.unblock(), emptied():
        yield


@pytest.fixture(scope="module")
def house(db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house to walk through."""
    folder = tmp_path_factory.mktemp("house")
    changed = override_settings(
        DEMO=True,
        EMAIL_BACKEND="config.mailbox.EmailBackend",
        EMAIL_FILE_PATH=folder / "mail",
        ACCOUNT_REAUTHENTICATION_TIMEOUT=3600,
    )
    with changed:
        yield build(folder)


@pytest.fixture(scope="module")
def stored(house: House) -> str:
    return stored_texts()


@pytest.fixture(scope="module")
def server(house: House) -> Iterator[LiveServer]:
    server = LiveServer("localhost")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


class Walk:
    """A browser that opens pages in one variant, each as the person that it is for."""

    def __init__(self, server: LiveServer, browser: Any, house: House, variant: Variant) -> None:
        self.browser, self.server, self.house, self.variant = browser, server, house, variant
        self.pages: dict[str, Any] = {}

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, *_: object) -> None:
        for page in self.pages.values():
            page.context.close()

    def open(self, page: Page) -> tuple[Any, int]:
        """The browser's page, and what the server answered."""
        tab = self._of(page.who)
        tab.complaints.clear()
        answer = tab.goto(f"{self.server.url}{page.path(self.house)}")
        if page.press:
            with tab.expect_navigation() as pressed:
                tab.locator(page.press).first.evaluate("button => { button.form.noValidate = true; button.click() }")
            answer = pressed.value
        return tab, answer.status

    def _of(self, who: str) -> Any:
        if who not in self.pages:
            context = self.browser.new_context(
                locale="zh-CN" if self.variant.language == "zh-hans" else "en",
                viewport={"width": self.variant.width, "height": 900},
                color_scheme=self.variant.theme,
                reduced_motion="reduce",
            )
            cookies = {settings.LANGUAGE_COOKIE_NAME: self.variant.language}
            if who:
                cookies[settings.SESSION_COOKIE_NAME] = self.house.session(who)
            context.add_cookies([{"name": key, "value": cookies[key], "url": self.server.url} for key in cookies])
            context.set_default_timeout(15_000)
            tab = self.pages[who] = context.new_page()
            tab.complaints = []
            tab.on("console", lambda said: said.type in ("error", "warning") and tab.complaints.append(said.text))
            tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        return self.pages[who]


def wrong_with(tab: Any, status: int, page: Page, variant: Variant, axe: str, stored: str) -> list[str]:
    """Everything that is wrong with one page."""
    found = [] if status == page.status else [f"answers {status}"]
    language = tab.evaluate("document.documentElement.lang").lower()
    if language != variant.language:
        found.append(f"says that it is in {language}")
    found += [f"complains: {text}" for text in tab.complaints if f"status of {page.status}" not in text]
    width = tab.evaluate("document.documentElement.scrollWidth")
    if width > variant.width:
        found.append(f"is {width} wide")
    found += [f"has {each} beside the screen" for each in tab.evaluate(STICKS_OUT)]
    found += [f"says {text!r}" for text in leftovers(read(tab), language=variant.language, stored=stored)]
    tab.evaluate(axe)
    return [*found, *(f"axe: {violation}" for violation in tab.evaluate(AXE, TAGS))]


@pytest.mark.parametrize(
    "variant",
    [pytest.param(each, id=str(each), marks=() if str(each) in SOME else pytest.mark.proof) for each in VARIANTS],
)
def test_every_page_can_be_used_and_read(
    server: LiveServer, browser: Any, house: House, axe: str, stored: str, variant: Variant
) -> None:
    wrong = {}
    with Walk(server, browser, house, variant) as walk:
        for page in PAGES:
            tab, status = walk.open(page)
            if found := wrong_with(tab, status, page, variant, axe, stored):
                wrong[str(page)] = found
    assert not wrong, "\n".join(f"{page}: {'; '.join(found)}" for page, found in wrong.items())


def test_every_address_with_a_name_has_its_page() -> None:
    listed = {page.name for page in PAGES} | NO_PAGES.keys()
    assert sorted(set(names()) - listed) == [], "add what it shows to tests/browser/pages.py"
    assert sorted(listed - set(names())) == []
    assert {page.name for page in PAGES}.isdisjoint(NO_PAGES)


def test_what_is_said_to_be_no_page_is_none(house: House) -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = house.session("alice")
    for name in NO_PAGES.keys() - {"api-docs"}:
        try:
            path = reverse(name)
        except NoReverseMatch:
            continue
        answer = client.get(path)
        assert not (answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")), name


def test_the_walk_finds_what_is_wrong(server: LiveServer, browser: Any, house: House, axe: str, stored: str) -> None:
    """A page that is spoilt on purpose: each kind of mistake is seen."""
    variant, page = Variant("zh-hans", 390, "light"), Page("programs")
    with Walk(server, browser, house, variant) as walk:
        tab, status = walk.open(page)
        assert wrong_with(tab, status, page, variant, axe, stored) == []
        tab.evaluate(
            """() => {
              const main = document.querySelector('main');
              main.insertAdjacentHTML('beforeend', '<p>Nobody has translated this</p><p><button></button></p><hr>');
              main.lastChild.width = 900;
              Object.assign(main.querySelector('h1').style, {color: '#777', background: '#888'});
            }"""
        )
        said = "\n".join(wrong_with(tab, 404, page, variant, axe, stored))
    for mistake in ("answers 404", "wide", "'Nobody has translated this'", "axe: button-name", "axe: color-contrast"):
        assert mistake in said


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="takes pictures only where SCREENSHOTS names a folder")
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_pictures(server: LiveServer, browser: Any, house: House, variant: Variant) -> None:
    folder, wanted = Path(os.environ["SCREENSHOTS"]), os.environ.get("PAGES", "")
    folder.mkdir(parents=True, exist_ok=True)
    with Walk(server, browser, house, variant) as walk:
        for page in PAGES:
            if re.search(wanted, str(page)):
                tab, _ = walk.open(page)
                name = re.sub(r"[^a-z]+", "-", str(page).lower()).strip("-")
                tab.screenshot(path=folder / f"{name}.{variant}.png", full_page=True)
