"""A shop's page, over facts that came by the feeds and runs of the engine; and what it must not tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.models import Program
from incentives.models import FrozenShop, Run
from incentives.queries.sales import sales_of
from partners.models import Membership, Partner
from tests import people
from tests.engine import harness
from tests.oracle.small import Small, moment
from tests.web.test_merchants import whole

PAGE = "/partner/b/shops/LANQO-1"
EARLY, LATE = "2025-02-26T12:00:00+08:00", "2025-03-05T12:00:00+08:00"
NOT_CLAIMED = "2025-02-25T10:00:00+08:00"  # when P1's claim was over
Reader = Callable[..., Client]


def text(answer: Any, part: str = "<main") -> str:
    body = answer.content.decode().partition(part)[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def section(answer: Any, title: str) -> str:
    """What a card with this heading says."""
    found = re.search(rf"<h2>{re.escape(title)}</h2>(.*?)</section>", answer.content.decode(), re.DOTALL)
    assert found, title
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1]))


@pytest.fixture
def runs(db: None, tmp_path: Path) -> list[Run]:
    """A shop of P1 that came through its link and is about to sell enough; P2 has another shop of the same merchant.

    Between the two runs two settlements arrived, one of them in euros, and stock in Italy was seen.
    """
    world = Small(partners={"P1"}).partner("P1").partner("P2")
    world.entry("T-871", "M1").link("FAIR", "P1").link("OTHER", "P2")
    world.claim("T-871", "P1", "2025-01-20T10:00:00+08:00", "2025-02-19T10:00:00+08:00")
    world.shop("LANQO-1", merchant="M1", brand="LANQO", invite="FAIR", partner="")
    world.shop(
        "SECRET-2",
        merchant="M1",
        brand="LANQO",
        partner="P2",
        registered=NOT_CLAIMED,
        certified="2025-03-01T10:00:00+08:00",
    )
    world.status("LANQO-1", "open", "2025-02-10T12:00:00+08:00")
    world.line("LANQO-1", "678.10", ordered="2025-02-12T10:00:00+08:00", settled="2025-02-20T10:00:00+08:00")
    world.line("LANQO-1", "-38", ordered="2025-02-12T10:00:00+08:00", settled="2025-02-22T10:00:00+08:00")
    world.stock("LANQO-1", "DE FR", at="2025-02-20T10:00:00+08:00")
    world.stock("SECRET-2", "ES", "77", at="2025-02-21T10:00:00+08:00")
    later = "2025-03-04T19:40:00+08:00"
    ordered, settled = "2025-02-27T23:30:00+08:00", "2025-03-04T10:00:00+08:00"
    world.rate("2025-03-03", "EUR", "7.5", recorded=later)
    world.line("LANQO-1", "20", currency="EUR", ordered=ordered, settled=settled, recorded=later)
    world.line("LANQO-1", "27.50", ordered=ordered, settled=settled, recorded=later)
    # Not in the window, not settled yet at the second run, and recorded after it: none of them counts.
    world.line("LANQO-1", "5000", ordered="2025-02-09T10:00:00+08:00", settled=settled, recorded=later)
    world.line("LANQO-1", "3000", ordered=ordered, settled="2025-03-05T13:00:00+08:00", recorded=later)
    world.line("LANQO-1", "9", ordered=ordered, settled=settled, recorded="2025-03-05T18:00:00+08:00")
    world.stock("LANQO-1", "IT", at="2025-03-03T10:00:00+08:00", recorded=later)
    program = harness.publish_program("b", world.start, world.end, world.policy)
    harness.load(world.batches(), tmp_path)
    return [harness.evaluate(program, moment(as_of)) for as_of in (EARLY, LATE)]


@pytest.fixture
def reader(runs: list[Run]) -> Reader:
    """A signed-in browser: alice and bob of P1, charlie of P2, olga."""

    def browser(name: str, language: str = "en") -> Client:
        user = people.person(name)
        if name in people.COLLEAGUES:
            code = "P2" if name == "charlie" else "P1"
            Membership.objects.get_or_create(user=user, partner=Partner.objects.get(code=code), role="member")
            user.memberships.exclude(partner__code=code).delete()
        client = Client(headers={"accept-language": language})
        client.force_login(user)
        return client

    return browser


def test_the_card_says_how_it_stands_and_by_what(runs: list[Run], reader: Reader) -> None:
    page = reader("alice").get(PAGE)
    said = text(page)
    assert "817.60 CNY settled, more than 182.40 CNY to go; orders until 12 Mar count if settled by 12 Apr" in said
    assert f"Judged by policy v1 · run {runs[1].pk} · as of 5 Mar 2025, 12:00 (Beijing time)" in said
    assert "Stock seen in DE, ES, FR, IT" in said
    # Each condition opens the facts behind it, with who recorded them when.
    card = page.content.decode().partition('<ul class="conditions">')[2].partition('<p class="judged">')[0]
    facts = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", card.partition("Sells within the window")[2]))
    assert (
        "Settled: 1 sale, together 20.00 EUR · 4 Mar 2025, 10:00 · feed: Settlements, recorded 4 Mar 2025, 19:40"
        in facts
    )
    chinese = text(reader("alice", "zh-hans").get(PAGE))
    assert "已结算 ¥817.60，还需超过 ¥182.40" in chinese


def test_it_says_what_changed_since_the_run_before_and_why(runs: list[Run], reader: Reader) -> None:
    alice = reader("alice")
    since = section(alice.get(PAGE), f"Since run {runs[0].pk}")
    assert "640.10 CNY settled, more than 359.90 CNY to go" in since
    assert "817.60 CNY settled, more than 182.40 CNY to go" in since
    assert "settlements arrived" in since
    assert "Stock seen in DE, ES, FR; missing: Italy" in since
    assert "stock observations arrived" in since
    assert "First shop of its kind" not in since
    program = Program.objects.get()
    harness.evaluate(program, moment("2025-03-05T12:30:00+08:00"))
    assert "Nothing changed." in section(alice.get(PAGE), f"Since run {runs[1].pk}")
    harness.evaluate(program, moment("2025-03-13T12:00:00+08:00"))
    later = section(alice.get(PAGE), f"Since run {runs[1].pk + 1}")
    assert "eligible" in later.lower()  # by what had only settled after the run before


def test_the_sales_are_those_that_the_run_counted(runs: list[Run], reader: Reader) -> None:
    for run, days in zip(runs, ([640.10], [640.10, 177.50]), strict=True):
        frozen = FrozenShop.objects.get(run=run, shop__code="LANQO-1")
        sales = sales_of(run, frozen)
        assert sales is not None
        assert sales.total == frozen.gmv
        assert [float(day.amount) for day in sales.days] == days
        assert sales.days[-1].sum == sales.total
    page = reader("alice").get(PAGE)
    chart = section(page, "GMV day by day")
    assert "817.60 CNY so far; it takes more than 1,000.00 CNY" in chart
    assert re.search(r"27 Feb 2 0 177\.50 817\.60", chart)  # ordered at 23:30 Beijing time
    assert re.search(r"12 Feb 1 1 640\.10 640\.10", chart)
    body = page.content.decode()
    assert body.count('<rect class="bar"') == 2
    assert '<rect class="window"' in body
    assert sales_of(runs[1], FrozenShop.objects.get(run=runs[1], shop__code="LANQO-1")).total == Decimal("817.6")  # type: ignore[union-attr]


def test_the_timeline_says_who_recorded_what_when(runs: list[Run], reader: Reader) -> None:
    happened = section(reader("alice").get(PAGE), "What happened")
    order = [
        "5 Mar 2025, 12:00 Run",
        "Stock first seen: Italy feed: Stock, recorded 4 Mar 2025, 19:40",
        "Settled: 1 sale, 1 refund, together 640.10 CNY",
        "Stock first seen: Germany",
        "The shop is open feed: Shop statuses, recorded 1 Dec 2024, 08:00",
        "The shop was certified",
        "Registered through your link “FAIR”",
        "Entry T-871 of the target list: approved, listed from 1 Dec",
    ]
    found = [happened.find(said) for said in order[1:]]
    assert -1 not in found, dict(zip(order[1:], found, strict=True))
    assert found == sorted(found)
    assert "counts from the next run on" in happened  # the line that was recorded after the run
    assert "Yours by your claim" in happened


def test_a_partner_is_told_nothing_of_a_rivals_shop_of_the_same_merchant(runs: list[Run], reader: Reader) -> None:
    alice = reader("alice")
    for path in (PAGE, "/partner/b/shops", "/partner/b/shops.csv"):
        answer = alice.get(path)
        body = whole(answer)
        for secret in (b"SECRET-2", b"Invented P2", b"OTHER", b"77"):
            assert secret not in body.replace(b"177", b""), (path, secret)
    stock = section(alice.get(PAGE), "Stock by country")
    assert "Spain in another shop of this merchant" in stock
    # The rival sees its own shop, and that an earlier one exists; not whose.
    charlie = reader("charlie")
    his = text(charlie.get("/partner/b/shops/SECRET-2"))
    assert "An earlier shop of this merchant exists" in his
    for theirs in ("LANQO-1", "FAIR", "T-871 · ", "Invented P1", "640.10", "817.60"):
        assert theirs not in his, theirs


@pytest.mark.parametrize("code", ["LANQO-1", "NO-SUCH"])
def test_foreign_and_absent_answer_alike(reader: Reader, code: str) -> None:
    charlie = reader("charlie")
    for method in ("get", "head", "post", "put", "patch", "delete", "options"):
        answer = getattr(charlie, method)(f"/partner/b/shops/{code}")
        assert answer.status_code in (404, 405), method
        assert b"640.10" not in answer.content
    assert charlie.get(f"/operator/b/shops/{code}").status_code == 404
    assert reader("alice").get("/partner/no-such/shops/LANQO-1").status_code == 404


def test_an_operator_reads_the_same_page(runs: list[Run], reader: Reader) -> None:
    olga, alice = reader("olga").get("/operator/b/shops/LANQO-1"), reader("alice").get(PAGE)
    card = '<ul class="conditions">'
    assert text(olga, card).partition("Judged by")[0] == text(alice, card).partition("Judged by")[0]
    for title in ("GMV day by day", "What happened", f"Since run {runs[0].pk}"):
        assert section(olga, title) == section(alice, title)


def test_more_facts_take_no_more_queries(runs: list[Run], reader: Reader, tmp_path: Path) -> None:
    alice = reader("alice")

    def queries() -> int:
        with CaptureQueriesContext(connection) as taken:
            assert alice.get(PAGE).status_code == 200
        return len(taken)

    alice.get(PAGE)
    few = queries()
    more = Small(partners={"P1"})
    for number in range(12):
        recorded = f"2025-03-06T{number + 8:02}:00:00+08:00"
        ordered = f"2025-02-{11 + number:02}T09:00:00+08:00"
        more.line("LANQO-1", "1.5", ordered=ordered, settled="2025-03-05T16:00:00+08:00", recorded=recorded)
        more.said[-1][2]["line_code"] = f"N{number}"
        more.stock("LANQO-1", "DE FR IT ES PL", at=f"2025-03-05T{number + 8:02}:00:00+08:00", recorded=recorded)
        more.status("LANQO-1", "restricted", f"2025-03-05T{number + 8:02}:00:00+08:00", recorded=recorded)
    harness.load(more.batches(), tmp_path)
    harness.evaluate(Program.objects.get(), moment("2025-03-08T12:00:00+08:00"))
    assert "Nothing changed." not in text(alice.get(PAGE))
    assert queries() == few
