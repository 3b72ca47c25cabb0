"""A statement to take along: signed, as CSV and XLSX; of a payout in every state; for nobody but its partner."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook
from pytest_django import DjangoAssertNumQueries

from config.state import ROOT
from incentives.keys import signing_key
from incentives.models import Payout, PayoutPreview
from incentives.services import (
    approve_payout,
    claw_back,
    hold_payout,
    mark_paid,
    return_payout,
    start_payment,
    submit_run,
    void_line,
    void_payout,
)
from incentives.signatures import Changed, verify
from incentives.states import PROVISIONAL, PayoutState
from merchants.models import Shop
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_run, make_world
from tests.incentives.test_signatures import changed, leaves, other
from tests.shell import Shell

PAGE = "/partner/POP-2026Q1/payout"


def signed_in(world: World, name: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(getattr(world, name))
    return client


def get(world: World, name: str, address: str) -> Any:
    return signed_in(world, name).get(address)


def statement(world: World, name: str = "alice", query: str = "") -> dict[str, Any]:
    """The signed statement that somebody downloads, verified."""
    answer = get(world, name, f"{PAGE}.json{query}")
    assert answer.status_code == 200
    found, key = verify(answer.content, [signing_key().public])
    assert key == signing_key().public
    return found


def table(world: World, query: str = "") -> list[dict[str, str]]:
    text = get(world, "alice", f"{PAGE}.csv{query}").content.decode()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def world(db: None) -> World:
    """Two partners with a submitted payout to come; Haiqiao's is discounted to half by one closed shop of three."""
    return make_world(discount={"tiers": [{"from": "0.10", "pay": "0.50"}]})


@pytest.fixture
def payout(world: World) -> Payout:
    return submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]


# --- What it holds -------------------------------------------------------------------------------------------------


def test_it_holds_what_the_page_shows(world: World, payout: Payout) -> None:
    found = statement(world)
    assert found["program"] == {
        "code": "POP-2026Q1",
        "starts_on": "2026-01-01",
        "ends_on": "2026-03-31",
        "time_zone": "Asia/Shanghai",
    }
    assert found["partner"] == {"code": "haiqiao", "name": "海桥物流"}
    assert found["policy"] == {"version": 1, "fingerprint": world.program.current_policy.fingerprint}
    assert (found["run"]["id"], found["run"]["digest"]) == (world.run.pk, world.run.digest)
    assert found["payout"] == {
        "id": payout.pk,
        "state": "in_review",
        "provisional": True,
        "held": False,
        "submitted_at": "2026-07-01T04:00:00Z",
        "approved_at": None,
        "paid_at": None,
        "payment_reference": None,
    }
    assert found["amounts"] == {
        "currency": "CNY",
        "base": "4000.00",
        "factor": f"{payout.factor.normalize():.2f}",
        "net": f"{payout.net_amount}",
        "adjustments": "0.00",
        "payable": f"{payout.payable}",
    }
    assert (found["discount"]["introduced"], found["discount"]["high_risk"]) == (3, 1)
    assert [(line["shop_code"], line["amount"], line["state"], line["component"]) for line in found["lines"]] == [
        ("S-1", "2000.00", "live", "incentive"),
        ("S-2", "2000.00", "live", "incentive"),
    ]


def test_what_nobody_submitted_is_the_runs_provisional_figure(world: World) -> None:
    found = statement(world)
    assert (found["payout"]["id"], found["payout"]["state"]) == (None, "computed")
    assert found["payout"]["provisional"] is True
    assert found["amounts"]["base"] == "4000.00"
    assert {row["provisional"] for row in table(world)} == {"true"}


Step = Callable[[World, Payout], Any]


def approve(world: World, payout: Payout) -> Payout:
    return approve_payout(actor=world.actor("omar"), payout=payout)


def begin_payment(world: World, payout: Payout) -> Payout:
    return start_payment(actor=world.actor("fiona"), payout=approve(world, payout))


def pay(world: World, payout: Payout) -> Payout:
    return mark_paid(actor=world.actor("fiona"), payout=begin_payment(world, payout), reference="BANK-7")


def take_back(world: World, payout: Payout) -> Payout:
    return claw_back(actor=world.actor("omar"), payout=pay(world, payout), reason="An invented reason.")


def close(world: World, payout: Payout) -> Payout:
    """Void every line of an approved payout: nothing is left to pay."""
    approve(world, payout)
    for line in payout.lines.order_by("pk"):
        void_line(actor=world.actor("omar"), line=line, reason="An invented reason.")
    return payout


STATES: dict[PayoutState, Step] = {
    PayoutState.IN_REVIEW: lambda world, payout: payout,
    PayoutState.RETURNED: lambda world, payout: return_payout(
        actor=world.actor("omar"), payout=payout, reason="An invented reason."
    ),
    PayoutState.APPROVED: approve,
    PayoutState.IN_PAYMENT: begin_payment,
    PayoutState.PAID: pay,
    PayoutState.CLAWED_BACK: take_back,
    PayoutState.CLOSED: close,
    PayoutState.VOID: lambda world, payout: void_payout(
        actor=world.actor("omar"), payout=payout, reason="An invented reason."
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_it_verifies_in_every_state_and_is_provisional_until_approved(
    world: World, payout: Payout, state: PayoutState, shell: Shell, tmp_path: Any
) -> None:
    STATES[state](world, payout)
    payout.refresh_from_db()
    assert payout.state == state
    provisional = state in PROVISIONAL
    answer = get(world, "alice", f"{PAGE}.json")
    found, _ = verify(answer.content, [signing_key().public])
    assert (found["payout"]["state"], found["payout"]["provisional"]) == (state, provisional)
    assert found["amounts"]["payable"] == f"{payout.payable:.2f}"
    assert ("-provisional." in answer["Content-Disposition"]) is provisional
    assert {(row["state"], row["provisional"]) for row in table(world)} == {(state, str(provisional).lower())}
    assert ('class="tag provisional"' in get(world, "alice", PAGE).content.decode()) is provisional

    (tmp_path / "statement.json").write_bytes(answer.content)
    told = shell("verify_statement", tmp_path / "statement.json")
    assert told.status == 0
    assert ("PROVISIONAL" in told.out) is provisional


def test_every_state_is_covered() -> None:
    assert {*STATES, PayoutState.COMPUTED} == set(PayoutState)


def test_paid_says_when_and_by_what_reference(world: World, payout: Payout) -> None:
    pay(world, payout)
    found = statement(world)["payout"]
    assert found["payment_reference"] == "BANK-7"
    assert found["approved_at"] <= found["paid_at"]


def test_held_is_said(world: World, payout: Payout) -> None:
    hold_payout(actor=world.actor("olga"), payout=payout, reason="An invented reason.")
    assert statement(world)["payout"]["held"] is True
    assert {row["held"] for row in table(world)} == {"true"}


def test_no_figure_of_it_can_be_changed(world: World, payout: Payout) -> None:
    document = json.loads(get(world, "alice", f"{PAGE}.json").content)
    paths = list(leaves(document["statement"], ("statement",)))
    assert len(paths) > 40
    for path in paths:
        value = document
        for name in path:
            value = value[name]
        with pytest.raises(Changed):
            verify(changed(document, path, other(value)), [signing_key().public])


def test_its_parts_are_documented(world: World, payout: Payout) -> None:
    text = (ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")
    told = re.search(r"`statement` holds:\n\n(.*?)\n\n", text, re.DOTALL)
    assert told
    held = {
        ".".join(map(str, path)).replace(".0.", "[].")
        for path in leaves(statement(world))
        if not {1, 2, 3, 4, 5} & set(path)
    }
    assert set(re.findall(r"^\| `([^`]+)`", told[1], re.MULTILINE)) == held


# --- As a table ----------------------------------------------------------------------------------------------------


def test_its_rows_add_up(world: World, payout: Payout) -> None:
    rows = table(world)
    assert [row["row"] for row in rows] == ["line", "line", "base", "discount", "adjustments", "payable"]
    amounts = [Decimal(row["amount"]) for row in rows]
    assert sum(amounts[:2]) == amounts[2]
    assert sum(amounts[2:5]) == amounts[5] == payout.payable
    assert rows[3]["factor"] == f"{payout.factor.normalize():.2f}"


def test_a_withheld_line_says_why_and_counts_for_nothing(world: World, payout: Payout) -> None:
    line = payout.lines.order_by("shop__code")[0]
    void_line(actor=world.actor("olga"), line=line, reason="An invented reason.")
    rows = table(world)
    assert [(row["shop_code"], row["line_state"]) for row in rows[:2]] == [("S-1", "void"), ("S-2", "live")]
    assert rows[2]["amount"] == "2000.00"


FORMULA = '=HYPERLINK("https://x.example.com")'


def test_cells_never_become_formulas(world: World) -> None:
    Shop.objects.filter(code="S-1").update(merchant_name=FORMULA)
    assert table(world)[0]["merchant_name"] == f"'{FORMULA}"

    answer = get(world, "alice", f"{PAGE}.xlsx")
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    rows = [{str(head.value): cell for head, cell in zip(sheet[1], row, strict=True)} for row in sheet.iter_rows(2)]
    assert rows[0]["merchant_name"].value == f"'{FORMULA}"
    assert {cell.data_type for row in rows for cell in row.values()} <= {"s", "n"}
    assert (rows[0]["amount"].value, rows[-1]["row"].value) == (2000, "payable")
    assert {row["provisional"].value for row in rows} == {"true"}


# --- Who may have it -----------------------------------------------------------------------------------------------

FILES = ("", ".csv", ".xlsx", ".json")


@pytest.mark.parametrize("suffix", FILES)
def test_a_rival_gets_its_own_or_nothing(world: World, payout: Payout, suffix: str) -> None:
    mine = signed_in(world, "charlie").get(f"{PAGE}{suffix}")
    assert mine.status_code == 200
    if suffix != ".xlsx":
        assert b"haiqiao" not in mine.content
        assert b"S-1" not in mine.content
    for query in (f"?payout={payout.pk}", "?partner=haiqiao", f"?partner=haiqiao&payout={payout.pk}"):
        assert get(world, "charlie", f"{PAGE}{suffix}{query}").status_code == 404, query
    theirs = Payout.objects.get(partner=world.rival)
    for query in (f"?payout={theirs.pk}", "?payout=0", "?payout=x", "?payout=", "?payout=" + "9" * 30):
        assert get(world, "alice", f"{PAGE}{suffix}{query}").status_code == 404, query


@pytest.mark.parametrize("suffix", FILES)
def test_colleagues_and_operators_get_the_same(world: World, payout: Payout, suffix: str) -> None:
    assert get(world, "bob", f"{PAGE}{suffix}").status_code == 200
    assert get(world, "olga", f"{PAGE}{suffix}").status_code == 404
    assert get(world, "olga", f"{PAGE}{suffix}?partner=haiqiao").status_code == 200
    assert Client().get(f"{PAGE}{suffix}").status_code == 302


def without_moment(document: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in document.items() if name != "issued_at"}


def test_the_api_gives_the_same_document(world: World, payout: Payout) -> None:
    approve(world, payout)
    api = "/api/v1/statements/POP-2026Q1/haiqiao"
    expected = without_moment(statement(world))
    for name in ("alice", "bob", "olga"):
        answer = get(world, name, api)
        assert answer["Content-Type"] == "application/json"
        found, _ = verify(answer.content, [signing_key().public])
        assert without_moment(found) == expected
    for address in (api, f"{api}?payout={payout.pk}", api.replace("haiqiao", "NOBODY"), api.replace("POP", "NONE")):
        assert get(world, "charlie", address).status_code == 404, address
    assert get(world, "alice", f"{api}?payout=x").status_code == 404
    assert Client().get(api).status_code == 403


# --- More than one payout ------------------------------------------------------------------------------------------


def test_earlier_payouts_keep_their_statements(world: World, payout: Payout) -> None:
    return_payout(actor=world.actor("omar"), payout=payout, reason="An invented reason.")
    again = make_run(world.program, [Spec("S-1", world.haiqiao), Spec("S-4", world.rival)])
    submit_run(actor=world.actor("olga"), run=again, at=AFTER_CLOSE)
    now = statement(world)
    assert (now["payout"]["state"], now["run"]["id"], now["amounts"]["base"]) == ("in_review", again.pk, "2000.00")
    earlier = statement(world, query=f"?payout={payout.pk}")
    assert (earlier["payout"]["state"], earlier["run"]["id"]) == ("returned", world.run.pk)
    assert len(earlier["lines"]) == 2
    page = get(world, "alice", PAGE).content.decode()
    assert f"{PAGE}?payout={payout.pk}" in page
    older = get(world, "alice", f"{PAGE}?payout={payout.pk}").content.decode()
    assert f"{PAGE}.json?payout={payout.pk}" in older


def test_more_lines_cost_no_more_queries(world: World, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    def queries() -> list[int]:
        counts = []
        for suffix in FILES:
            client = signed_in(world, "alice")
            with django_assert_max_num_queries(15) as caught:
                assert client.get(f"{PAGE}{suffix}").status_code == 200
            counts.append(len(caught))
        return counts

    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    few = queries()
    return_payout(
        actor=world.actor("omar"), payout=Payout.objects.get(partner=world.haiqiao), reason="An invented reason."
    )
    many = make_run(world.program, [Spec(f"S-{number}", world.haiqiao) for number in range(10, 40)])
    submit_run(actor=world.actor("olga"), run=many, at=AFTER_CLOSE)
    assert PayoutPreview.objects.filter(run=many).count() == 1
    assert queries() == few
