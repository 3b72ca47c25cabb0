"""The demo as a person meets it: started, signed in to with what it prints, and looked at."""

from __future__ import annotations

import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from html import unescape
from http.cookiejar import CookieJar

import pytest

from config.state import State
from tests.config.processes import Up, eventually

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`manage.py up --demo`, serving, with its last runs done by the worker."""
    folder = tmp_path_factory.mktemp("demo")
    running = Up(folder / "var", folder / "up.out", "--demo")
    running.wait_for("ready http", seconds=400)
    yield running
    running.end()
    shutil.rmtree(State(folder / "var").sockets, ignore_errors=True)


class Browser:
    """Keeps cookies, reads English, and sends forms."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.opener.addheaders = [("Accept-Language", "en")]

    def get(self, path: str, **form: str) -> str:
        """The page as text, links and all; with `form`, what is sent to it."""
        url = path if path.startswith("http") else f"{self.address}{path}"
        data = urllib.parse.urlencode(form).encode() if form else None
        with self.opener.open(urllib.request.Request(url, data, {"Referer": url}), timeout=30) as answer:
            self.here: str = answer.geturl()
            return unescape(answer.read().decode())

    def sign_in(self, email: str, password: str) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get("/accounts/login/"))
        assert token
        return self.get("/accounts/login/", csrfmiddlewaretoken=token[1], login=email, password=password)


def printed(demo: Up) -> tuple[str, dict[str, tuple[str, str]]]:
    """The password that is printed, and path and description of each address."""
    password = re.search(r"Sign in with the password (\S+) as", demo.text)
    assert password
    people = re.findall(r"^  (\S+@\S+) +(/\S*) +(.+)$", demo.text, re.MULTILINE)
    return password[1], {email: (path, about) for email, path, about in people}


@pytest.fixture
def browser(demo: Up) -> Callable[[], Browser]:
    return lambda: Browser(demo.wait_for("ready http").split()[1])


@pytest.mark.parametrize(("email", "part"), [("alice@example.com", "owner"), ("bob@example.com", "colleague")])
def test_an_owner_and_a_member_have_something_to_see(
    demo: Up, browser: Callable[[], Browser], email: str, part: str
) -> None:
    password, people = printed(demo)
    path, about = people[email]
    assert part in about
    partner = browser()
    partner.sign_in(email, password)
    assert "/accounts/login" not in partner.here

    def page() -> str:
        return partner.get(f"{path}?language=en")

    assert eventually(lambda: re.search(r"/partner/[\w-]+/shops/[\w.-]+", page()) is not None, 120), page()
    overview = page()
    shop = re.search(r"/partner/([\w-]+)/shops/[\w.-]+", overview)
    assert shop
    assert 'class="conditions"' in partner.get(shop[0])
    for each in (f"/partner/{shop[1]}/shops", f"/partner/{shop[1]}/payout", "/partner/links", "/notices/"):
        assert re.search(r"<table|class=\"inbox\"|<li", partner.get(each).partition("<main")[2]), each


def test_a_merchants_receipt_can_be_opened_by_anybody(demo: Up, browser: Callable[[], Browser]) -> None:
    receipt = re.search(r"(?:http\S+)?(/r/[\w-]+)", demo.text)
    assert receipt, demo.text
    page = browser().get(receipt[1])
    assert receipt[1].removeprefix("/r/") in page
    assert 'class="steps"' in page


def test_what_it_would_have_mailed_is_on_the_outbox(demo: Up, browser: Callable[[], Browser]) -> None:
    def mails() -> list[str]:
        return re.findall(r"/demo/outbox/[\w-]+", browser().get("/demo/outbox"))

    assert eventually(lambda: bool(mails()), 120)
    assert "example.com" in browser().get(mails()[0])
