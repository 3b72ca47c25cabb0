"""A quarter's close in a real browser, by the people whose work it is, with real workers behind the pages.

Lists and facts are handed in, one row is mended; a run is watched and compared; payouts are submitted, held, voided,
undone and approved by a second person; the bank pays one and refuses one; the partner reads it; what comes to light
afterwards is taken back with the partner's next payout. Whenever money has moved, the books are looked at.
"""

from __future__ import annotations

import os
import re
import signal
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from core.policy import Policy
from core.services import create_program
from incentives.models import LedgerEntry, Payout
from incentives.states import Account
from tests.browser.quarter import AMOUNT, BAD_AMOUNT, FIRST, LATE, MENDED, PERIODS, POLICY, SECOND, facts, late_facts
from tests.console.feeds import mended
from tests.incentives.factories import make_payee
from tests.notices.test_workers import Workers, broker, server, workers
from tests.people import actor, partner, person

__all__ = ["broker", "server", "workers"]

pytestmark = [pytest.mark.browser, pytest.mark.services, pytest.mark.slow]

ALPHA, GAMMA = "Alpha Services", "Gamma Services"
REFUSED = "The account was closed."
WHY_LATE = "A shop was closed for counterfeits in the quarter."


@pytest.fixture(autouse=True)
def beside_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def programs(transactional_db: None) -> None:
    """Two quarters that are over, and the accounts that the partners are paid to."""
    for code, (start, end) in PERIODS.items():
        policy = Policy.parse({"name": {"en": f"Program {code}", "zh-hans": f"计划 {code}"}, **POLICY})
        create_program(actor=actor("omar"), code=code, start=start, end=end, policy=policy)
    for name in ("alice", "charlie"):
        person(name)
    for code in ("ALPHA", "GAMMA"):
        make_payee(partner(code))


class Desk:
    """One person at a browser of their own."""

    def __init__(self, browser: Any, live_server: LiveServer, name: str) -> None:
        client = Client()
        client.force_login(person(name))
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        context = browser.new_context(locale="en", viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
        self.page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.address = live_server.url
        self.complaints: list[str] = []
        self.page.on("console", lambda said: self.complaints.extend([said.text] if said.type == "error" else []))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, path: str) -> None:
        assert self.page.goto(f"{self.address}{path}").status == 200, path

    def link(self, name: str | re.Pattern[str]) -> None:
        self.page.locator("main, #content").get_by_role("link", name=name).first.click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def reads(self, text: str) -> None:
        """The text is there, or comes by itself."""
        self.page.get_by_text(text).locator("visible=true").first.wait_for()

    def opens(self, summary: str) -> None:
        self.page.locator("summary").filter(has_text=summary).first.click()

    def hand_in(self, kind: str, content: str) -> None:
        """A feed's file, looked at and loaded; the page goes on to what came of it by itself."""
        self.go("/operator/feeds")
        self.page.locator("main [name=kind]").first.select_option(kind)
        file = {"name": f"{kind}.csv", "mimeType": "text/csv", "buffer": content.encode()}
        self.page.locator("main [name=file]").set_input_files(file)
        self.press("Look at the file")
        self.reads("Nothing is recorded yet.")
        rows = content.count("\n") - 1
        self.press(f"Load {rows} row{'' if rows == 1 else 's'}")

    def open_payout(self, name: str, query: str = "") -> None:
        self.go(f"/operator/payouts{query}")
        self.link(name)

    def decide(self, title: str, *, reason: str = "") -> None:
        """A decision that stays closed until somebody opens it."""
        self.opens(f"{title}…")
        form = self.page.locator("details[open] form").filter(has=self.page.get_by_role("button", name=title))
        if reason:
            form.locator("textarea").fill(reason)
        form.get_by_role("button", name=title).click()


@contextmanager
def standing_still(worker: Any) -> Iterator[None]:
    """The worker does nothing for a while, so that somebody can look at what it hasn't done yet."""
    os.killpg(worker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(worker.pid, signal.SIGCONT)


def books_hold(**balances: str) -> None:
    """The ledger adds up to zero, posting by posting; the trail is whole; accounts stand at what is said."""
    postings: defaultdict[int, Decimal] = defaultdict(Decimal)
    accounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for posting, account, amount in LedgerEntry.objects.values_list("posting", "account", "amount"):
        postings[posting] += amount
        accounts[account] += amount
    assert postings
    assert set(postings.values()) == {0}
    assert sum(accounts.values()) == 0
    found = {account: str(accounts[account]) for account in balances}
    assert found == balances
    call_command("verify_audit", stdout=StringIO())


def states(program: str) -> dict[str, tuple[str, str]]:
    rows = Payout.objects.filter(program__code=program)
    return {row.partner.code: (str(row.state), str(row.payable)) for row in rows.select_related("partner")}


def test_a_quarter_is_closed(
    live_server: LiveServer, browser: Any, programs: None, workers: Workers, tmp_path: Path
) -> None:
    olga, omar, fiona, alice = (Desk(browser, live_server, name) for name in ("olga", "omar", "fiona", "alice"))
    worker = workers.start()
    bring_facts(olga)
    run(olga, worker)
    mend(olga)
    compare(olga)
    submit(olga, 2, "8,000.00")
    review(olga)
    approve(omar)
    pay(fiona, tmp_path)
    read_statement(alice)
    come_to_light(olga, omar)
    next_quarter(olga, omar, alice)
    assert [desk.complaints for desk in (olga, omar, fiona, alice)] == [[], [], [], []]


def bring_facts(olga: Desk) -> None:
    """Lists and facts; the settlements' file has a bad row, which is set aside."""
    for kind, content in facts():
        olga.hand_in(kind, content)
        olga.reads("1 row was set aside" if kind == "settlements" else "Every row is recorded.")
    olga.reads(BAD_AMOUNT)


def run(olga: Desk, worker: Any) -> None:
    """A run is started, watched while it works, and ends before her eyes."""
    with standing_still(worker):
        start_run(olga, FIRST)
        olga.page.get_by_role("progressbar", name="Progress").wait_for()
        olga.reads("0% done")
    olga.reads("What it found")


def start_run(olga: Desk, program: str) -> None:
    olga.go("/operator/runs")
    olga.opens("Start a run")
    olga.page.locator("main form [name=program]").first.select_option(program)
    olga.press("Start the run")
    olga.page.wait_for_url("**/operator/runs/*")


def mend(olga: Desk) -> None:
    """The row that was set aside is taken along, mended, and loaded."""
    olga.go("/operator/feeds?outcome=troubled")
    olga.link("settlements.csv")
    with olga.page.expect_download() as taken:
        olga.link("Take along 1 row to mend")
    content = Path(taken.value.path()).read_bytes()
    assert MENDED in content.decode()
    olga.hand_in("settlements", mended(content, amount=AMOUNT))
    olga.reads("Every row is recorded.")


def compare(olga: Desk) -> None:
    """The next run finds the mended shop eligible, and says why."""
    start_run(olga, FIRST)
    olga.reads("What it found")
    olga.go(olga.page.url.removeprefix(olga.address))
    olga.page.get_by_role("link", name=re.compile("Compare with run")).click()
    olga.reads("1 shop changed its verdict; shops with any change: 1.")
    row = olga.page.get_by_role("row").filter(has_text=MENDED)
    assert row.locator("del").inner_text() == "Not eligible"
    assert row.locator("ins").inner_text() == "Eligible"
    olga.link(re.compile(r"^Run \d+$"))


def submit(olga: Desk, payouts: int, amount: str) -> None:
    """The payouts of the run that she looks at: the button says what is chosen."""
    olga.page.get_by_role("link", name="Submit payouts of this run").click()
    count = f"{payouts} payout{'' if payouts == 1 else 's'}"
    olga.reads(f"{payouts} partner{' is' if payouts == 1 else 's are'} ready: {amount} CNY.")
    if payouts > 1:
        choice = olga.page.get_by_role("checkbox", name=f"Choose {GAMMA}, 2,000.00 CNY")
        choice.uncheck()
        olga.page.get_by_role("button", name="Submit 1 payout · 6,000.00 CNY", exact=True).wait_for()
        choice.check()
    olga.press(f"Submit {count} · {amount} CNY")
    olga.reads(f"{count} {'is' if payouts == 1 else 'are'} in review")


def review(olga: Desk) -> None:
    """One payout is held and released, a line of the other voided and undone; she can't approve what she submitted."""
    olga.open_payout(GAMMA)
    olga.decide("Hold 2,000.00 CNY", reason="An appeal is open.")
    olga.reads("This payout is held.")
    olga.decide("Release 2,000.00 CNY")
    olga.reads("Released.")
    olga.open_payout(ALPHA)
    assert olga.page.get_by_role("button", name="Approve").count() == 0
    olga.link(f"Decide about {LATE}")
    olga.decide(f"Void the line of {LATE}", reason="Merchant and partner are under one control.")
    olga.reads("The payout comes to 4,000.00 CNY now.")
    assert states(FIRST)["ALPHA"] == ("in_review", "4000.00")
    olga.link(f"Decide about {LATE}")
    olga.decide(f"Undo the void of {LATE}")
    olga.reads("The payout comes to 6,000.00 CNY now.")
    assert states(FIRST) == {"ALPHA": ("in_review", "6000.00"), "GAMMA": ("in_review", "2000.00")}


def approve(omar: Desk) -> None:
    """One on its page, one from the list, where a worker does it."""
    omar.open_payout(ALPHA)
    omar.press("Approve 6,000.00 CNY")
    omar.reads("Approved.")
    books_hold(**{Account.PARTNER_PAYABLE: "-6000.00"})
    omar.go("/operator/payouts?state=in_review")
    omar.page.get_by_role("checkbox", name=f"Choose {GAMMA}, 2,000.00 CNY").check()
    omar.press("Approve 1 payout · 2,000.00 CNY")
    omar.page.get_by_role("heading", name="Approve 1 payout · 2,000.00 CNY").wait_for()
    omar.press("Approve 1 payout · 2,000.00 CNY")
    omar.reads("Finished: 1 done, 0 left as they were.")
    assert states(FIRST) == {"ALPHA": ("approved", "6000.00"), "GAMMA": ("approved", "2000.00")}
    books_hold(**{Account.PARTNER_PAYABLE: "-8000.00"})


def pay(fiona: Desk, folder: Path) -> None:
    """A batch, its file, and the bank's answer: one paid, one refused."""
    fiona.go("/operator/payments")
    for name, amount in ((ALPHA, "6,000.00"), (GAMMA, "2,000.00")):
        fiona.page.get_by_role("checkbox", name=f"Choose {name}, {amount} CNY").check()
    fiona.press("Put 2 payouts in a batch · 8,000.00 CNY")
    fiona.press("Lock 2 payments · 8,000.00 CNY")
    with fiona.page.expect_download() as taken:
        fiona.press("Take the file for the bank")
    sent = Path(taken.value.path()).read_text(encoding="utf-8-sig").splitlines()[1:]
    paid, refused = (next(line for line in sent if amount in line).split(",")[0] for amount in ("6000.00", "2000.00"))
    books_hold()
    answer = folder / "answer.csv"
    answer.write_text(
        f"reference,result,bank_reference,reason\n{paid},paid,BOC-1,\n{refused},refused,,{REFUSED}\n", encoding="utf-8"
    )
    fiona.page.reload()
    fiona.page.get_by_label("The bank's result file (CSV)").set_input_files(answer)
    fiona.press("See what it would do")
    fiona.reads("1 payment is refused: 2,000.00 CNY")
    fiona.press("Load it: settle these payments")
    fiona.reads("Loaded: 1 paid, 1 refused, 0 unchanged, 0 set aside.")
    assert states(FIRST) == {"ALPHA": ("paid", "6000.00"), "GAMMA": ("approved", "2000.00")}
    books_hold(**{Account.PARTNER_PAYABLE: "-2000.00"})


def read_statement(alice: Desk) -> None:
    """Her partner's money has come, and the page says under which reference."""
    alice.go(f"/partner/{FIRST}/payout")
    alice.reads("BOC-1")
    said = alice.page.locator("main").inner_text()
    assert "6,000.00" in said
    assert "Paid" in said
    assert GAMMA not in said


def come_to_light(olga: Desk, omar: Desk) -> None:
    """A closure that was told late: the paid payout stays as it is, its difference is proposed and confirmed by two."""
    for kind, content in late_facts():
        olga.hand_in(kind, content)
        olga.reads("Every row is recorded.")
    start_run(olga, FIRST)
    olga.reads("What it found")
    assert states(FIRST)["ALPHA"] == ("paid", "6000.00")
    olga.open_payout(ALPHA, "?every=1")
    # Two shops are left of three, and nine tenths of them are paid: 3,600.00 of 6,000.00.
    olga.reads("would pay less: −2,400.00 CNY")
    olga.opens("Settle it in the next payout…")
    olga.page.locator("details[open] textarea").fill(WHY_LATE)
    olga.press("Propose −2,400.00 CNY")
    olga.reads("Proposed")
    books_hold(**{Account.PARTNER_PAYABLE: "-2000.00"})
    omar.open_payout(ALPHA, "?every=1")
    omar.press("Confirm −2,400.00 CNY for the next payout")
    omar.reads("Confirmed")
    books_hold(**{Account.PARTNER_PAYABLE: "-2000.00", Account.PARTNER_RECEIVABLE: "2400.00"})


def next_quarter(olga: Desk, omar: Desk, alice: Desk) -> None:
    """The next payout settles it: 4,000.00 are earned, 1,600.00 are owed, and she reads why."""
    start_run(olga, SECOND)
    olga.reads("What it found")
    olga.go(olga.page.url.removeprefix(olga.address))
    submit(olga, 1, "1,600.00")  # of 4,000.00, less what is carried in
    omar.open_payout(ALPHA, f"?program={SECOND}")
    omar.press("Approve 1,600.00 CNY")
    omar.reads("Approved.")
    assert states(SECOND) == {"ALPHA": ("approved", "1600.00")}
    assert states(FIRST)["ALPHA"] == ("paid", "6000.00")
    books_hold(**{Account.PARTNER_PAYABLE: "-3600.00", Account.PARTNER_RECEIVABLE: "0.00"})
    alice.go(f"/partner/{SECOND}/payout")
    alice.reads("1,600.00")
    assert "2,400.00" in alice.page.locator("main").inner_text()
