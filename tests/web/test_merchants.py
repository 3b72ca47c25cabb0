"""The list of merchants: registrations and shops together, narrowed, sorted, taken along; and a rival's hand on it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.state import ROOT
from incentives.filters import ResultFilter
from incentives.merchant_files import MERCHANT_COLUMNS
from incentives.models import FrozenFacts, Result, Run
from incentives.queries.deadlines import until_expression
from incentives.queries.shops import shop_views
from incentives.states import Outcome, Verdict
from merchants.models import Attribution, Registration, Shop
from merchants.states import Cause
from partners.models import InviteLink, Partner
from tests.incentives.factories import Spec, World, batch, make_brand, make_merchant, make_run

SignIn = Callable[..., Client]
LIST = "/partner/POP-2026Q1/shops"
MET, PENDING, UNKNOWN, NOT_MET = Outcome.MET, Outcome.PENDING, Outcome.UNKNOWN, Outcome.NOT_MET
# The shops' windows run to 9 February; the period to 31 March; settlements count until 12 March.
IN_WINDOW = datetime(2026, 2, 5, 4, tzinfo=UTC)
AFTER_WINDOW = datetime(2026, 2, 20, 4, tzinfo=UTC)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().partition("<main")[2]))


def whole(answer: Any) -> bytes:
    """What was answered, to the end of a stream."""
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


def names(client: Client, query: str = "", path: str = LIST) -> list[str]:
    """The rows of the page, in their order: what stands in each row's first cell."""
    page = client.get(f"{path}?{query}")
    assert page.status_code == 200
    cells = re.findall(r'<td class="main-cell">(.*?)</td>', page.content.decode(), re.DOTALL)
    return [re.sub(r"<[^>]+>", "", re.split("<small>", cell)[0]).strip() for cell in cells]


def spec(code: str, partner: Partner, verdict: Verdict = Verdict.PENDING, **outcomes: Any) -> Spec:
    base = {"activated": MET} if verdict == Verdict.PENDING else {}
    merchant = make_merchant(f"Merchant {code}")
    return Spec(code, partner, verdict, merchant=merchant, outcomes={**base, **outcomes})


@pytest.fixture
def run(world: World) -> Run:
    """Five shops of Alice's, each in another state, and one of the rival's; the run stands within the window."""
    mine = world.haiqiao
    waits = spec("WAITS", mine, listed=PENDING)
    return make_run(
        world.program,
        [
            spec("SELLS", mine, activated=PENDING),
            spec("STOCK", mine, stocked=PENDING),
            waits,
            spec("GOOD", mine, Verdict.ELIGIBLE),
            spec("DATA", mine, Verdict.NEEDS_DATA),
            spec("LOST", mine, Verdict.NOT_ELIGIBLE, activated=MET, shop_normal=NOT_MET),
            spec("RIVAL", world.rival, activated=PENDING),
        ],
        as_of=IN_WINDOW,
    )


def register(partner: Partner, receipt: str, link: str = "", **given: Any) -> Registration:
    """A merchant that registered through a link of this partner."""
    code = link or f"L-{partner.code}"
    found = InviteLink.objects.filter(code=code).first() or InviteLink.objects.create(
        code=code,
        partner=partner,
        label=f"Fair of {partner.code}",
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        expires_at=datetime(2099, 1, 1, tzinfo=UTC),
        batch=batch(),
    )
    row: dict[str, Any] = {
        "registered_at": datetime(2026, 2, 1, tzinfo=UTC),
        "merchant_name": f"Newcomer {receipt}",
        "country": "HK",
        "registration_no": f"HK-{receipt}",
        "registration_key": f"HK{receipt}".replace("-", ""),
        "market": "DE",
    }
    made: Registration = Registration.objects.create(receipt=receipt, link=found, batch=batch(), **{**row, **given})
    return made


def test_registrations_and_shops_stand_in_one_list_most_urgent_first(world: World, run: Run, sign_in: SignIn) -> None:
    register(world.haiqiao, "R-1")
    register(world.rival, "R-2")
    alice = sign_in("alice")
    assert names(alice) == [
        "Merchant SELLS",  # until 9 February
        "Merchant STOCK",  # until 31 March, as the next
        "Newcomer R-1",
        "Merchant WAITS",
        "Merchant DATA",
        "Merchant GOOD",
        "Merchant LOST",
    ]
    page = text(alice.get(LIST))
    assert "817.60 CNY settled, more than 182.40 CNY to go; orders until 9 Feb count" in page
    assert "4 days left 9 Feb 24:00" in page
    assert "Registered on 1 Feb; its shop must be certified by 31 Mar; 54 days left" in page
    assert "through “Fair of haiqiao”" in page
    assert "◔ Waiting" in page
    assert "RIVAL" not in page
    chinese = text(sign_in("alice", "zh-hans").get(LIST))
    assert "2月1日提交入驻；店铺须在3月31日前完成认证，剩 54 天" in chinese
    assert "Registered" not in chinese


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("verdict=winnable", ["SELLS", "STOCK"]),
        ("verdict=waiting", ["WAITS"]),
        ("verdict=pending", ["SELLS", "STOCK", "WAITS"]),
        ("verdict=eligible&verdict=waiting", ["GOOD", "WAITS"]),
        ("verdict=registered", ["R-1"]),
        ("missing=stocked", ["STOCK"]),
        ("missing=stocked&missing=listed", ["STOCK", "WAITS"]),
        ("missing=onboarded", ["R-1"]),
        ("activated=unknown", ["DATA"]),
        ("shop_normal=not_met", ["LOST"]),
        ("listed=met&verdict=pending", ["SELLS", "STOCK"]),
        ("within=5", ["SELLS"]),
        ("within=4", []),
        ("within=55", ["R-1", "SELLS", "STOCK"]),
        ("within=54", ["SELLS"]),
        ("market=de", ["DATA", "GOOD", "LOST", "R-1", "SELLS", "STOCK", "WAITS"]),
        ("market=JP", []),
        ("search=ＭＥＲＣＨＡＮＴ　ｓｅｌｌｓ", ["SELLS"]),
        ("search=r-1", ["R-1"]),
        ("search=sells&sort=&missing=&stock_missing=&within=&market=&link=", ["SELLS"]),  # as the form sends it
        ("search=newcomer", ["R-1"]),
        ("search=merchant nobody", []),
        ("search=%00", []),
        ("link=L-haiqiao", ["R-1"]),
        ("link=L-rival", []),
        ("verdict=nonsense", []),
        ("within=x", []),
        ("partner=rival", None),
    ],
)
def test_it_is_narrowed(world: World, run: Run, sign_in: SignIn, query: str, expected: list[str] | None) -> None:
    register(world.haiqiao, "R-1")
    register(world.rival, "R-2")
    if expected is None:
        assert sign_in("alice").get(f"{LIST}?{query}").status_code == 404
        return
    found = [name.split()[-1] for name in names(sign_in("alice"), query)]
    assert sorted(found) == sorted(expected)
    # The API's results are narrowed by the same words to the same shops.
    api = sign_in("alice").get(f"/api/v1/results?{query.partition('&sort=&')[0]}")
    if api.status_code == 200:
        assert [row["shop_code"] for row in api.json()["results"]] == sorted(set(found) - {"R-1"})
    else:
        assert (api.status_code, found) == (400, [])


def test_stock_that_is_missing_in_a_country(world: World, run: Run, sign_in: SignIn) -> None:
    FrozenFacts.objects.filter(shop__code="STOCK").update(stock_countries=["DE", "FR"])
    alice = sign_in("alice")
    assert names(alice, "stock_missing=es") == ["Merchant STOCK"]
    assert names(alice, "stock_missing=DE") == []


def test_the_period_is_over_for_a_merchant_that_came_to_no_shop(world: World, sign_in: SignIn) -> None:
    register(world.haiqiao, "R-1")
    assert "No shop of this merchant was certified by 31 Mar" in text(sign_in("alice").get(LIST))


def test_a_registration_becomes_the_shop_that_names_it(world: World, run: Run, sign_in: SignIn) -> None:
    registration = register(world.haiqiao, "R-1")
    run.last_sequence = batch().sequence
    run.save(update_fields=["last_sequence"])
    recorded(registration, world.haiqiao, "NEW-1")
    assert "Its shop NEW-1 is known; the next run judges it" in text(sign_in("alice").get(LIST))
    make_run(world.program, [Spec("NEW-1", world.haiqiao)], as_of=IN_WINDOW)
    assert names(sign_in("alice"), "search=new-1") == ["Newcomer R-1"]
    assert "next run" not in text(sign_in("alice").get(LIST))


def test_a_shop_that_an_earlier_claim_won_is_a_conflict_and_names_nobody(
    world: World, run: Run, sign_in: SignIn
) -> None:
    shop = recorded(register(world.haiqiao, "R-1"), world.rival, "GONE", lost_by=world.haiqiao)
    page = text(sign_in("alice").get(LIST))
    assert "Conflict" in page
    assert shop.code not in page
    assert world.rival.name not in page


def recorded(registration: Registration, partner: Partner, code: str, lost_by: Partner | None = None) -> Shop:
    """A shop in the feed that names the registration, and whose it is."""
    landed = batch()
    shop = Shop.objects.create(
        code=code,
        merchant=make_merchant(),
        merchant_name=registration.merchant_name,
        market="DE",
        registered_at=registration.registered_at,
        link=registration.link,
        link_valid=True,
        registration=registration,
        batch=landed,
    )
    Attribution.objects.create(
        shop=shop, partner=partner, cause=Cause.CLAIM if lost_by else Cause.LINK, lost_by=lost_by, batch=landed
    )
    return shop


def test_the_address_says_how_it_is_sorted(world: World, run: Run, sign_in: SignIn) -> None:
    register(world.haiqiao, "R-1")
    FrozenFacts.objects.filter(shop__code="STOCK").update(gmv="950.5")
    alice = sign_in("alice")
    assert names(alice, "sort=name")[:2] == ["Merchant DATA", "Merchant GOOD"]
    assert names(alice, "sort=name")[-1] == "Newcomer R-1"
    assert names(alice, "sort=-name")[0] == "Newcomer R-1"
    assert names(alice, "sort=code")[0] == "Merchant DATA"
    assert names(alice, "sort=-gmv")[:2] == ["Merchant GOOD", "Merchant STOCK"]
    assert names(alice, "sort=-registered")[0] == "Newcomer R-1"
    api = alice.get("/api/v1/results?sort=-gmv").json()["results"]
    assert [row["shop_code"] for row in api][:2] == ["GOOD", "STOCK"]


def test_the_next_page_keeps_the_filter_and_a_page_too_far_is_the_last(world: World, sign_in: SignIn) -> None:
    make_run(world.program, [Spec(f"M-{number:02}", world.haiqiao) for number in range(27)])
    alice = sign_in("alice")
    first = alice.get(f"{LIST}?sort=code&verdict=eligible&market=&search=")
    assert "1–25 of 27" in text(first)
    assert "?sort=code&amp;verdict=eligible&amp;page=2" in first.content.decode()
    assert len(names(alice, "page=99")) == 2
    assert len(names(alice, "page=x")) == 25
    pushed = alice.get(f"{LIST}?sort=code&market=&search=", headers={"hx-request": "true"})
    assert pushed["HX-Push-Url"] == f"{LIST}?sort=code"


def test_a_filter_without_a_control_is_shown_and_can_be_taken_away(world: World, run: Run, sign_in: SignIn) -> None:
    page = sign_in("alice").get(f"{LIST}?activated=pending&sort=code").content.decode()
    assert "Sells within the window · Pending" in page
    assert '<input type="hidden" name="activated" value="pending">' in page
    assert 'href="?sort=code"' in page


def test_it_is_taken_along_as_it_is_shown(world: World, run: Run, sign_in: SignIn) -> None:
    register(world.haiqiao, "R-1", merchant_name="=HYPERLINK(1)")
    alice = sign_in("alice")
    answer = alice.get(f"{LIST}.csv?verdict=winnable&verdict=registered&verdict=eligible")
    assert answer["Content-Disposition"] == 'attachment; filename="merchants-POP-2026Q1-2026-02-05.csv"'
    rows = list(csv.DictReader(io.StringIO(whole(answer).decode())))
    assert tuple(rows[0]) == MERCHANT_COLUMNS
    assert [row["shop_code"] or row["receipt"] for row in rows] == ["SELLS", "STOCK", "R-1", "GOOD"]
    assert rows[2]["merchant_name"] == "'=HYPERLINK(1)"
    assert (rows[2]["verdict"], rows[2]["until"], rows[2]["listed"]) == ("registered", "2026-03-31", "")
    assert (rows[0]["activated"], rows[0]["gmv_cny"], rows[0]["until"]) == ("pending", "817.60", "2026-02-09")
    assert rows[0]["missing"].startswith("817.60 CNY settled")
    assert (rows[3]["amount"], rows[3]["missing"]) == ("2000.00", "")
    book = openpyxl.load_workbook(io.BytesIO(alice.get(f"{LIST}.xlsx?verdict=registered").content)).active
    assert book is not None
    cells = list(book.iter_rows(values_only=True))
    assert cells[0] == MERCHANT_COLUMNS
    assert len(cells) == 2
    assert "'=HYPERLINK(1)" in cells[1]
    assert [cell.data_type for cell in book[2] if cell.value] == ["s", "n", *["s"] * (sum(map(bool, cells[1])) - 2)]


@pytest.mark.parametrize("path", [LIST, f"{LIST}.csv", f"{LIST}.xlsx"])
def test_a_rival_finds_nothing_of_hers(world: World, run: Run, sign_in: SignIn, path: str) -> None:
    register(world.haiqiao, "R-1")
    charlie = sign_in("charlie")
    for query in ("", "search=SELLS", "link=L-haiqiao", "search=R-1", "verdict=registered", "sort=name"):
        answer = charlie.get(f"{path}?{query}")
        assert answer.status_code == 200
        said = whole(answer)
        if path.endswith(".xlsx"):
            book = openpyxl.load_workbook(io.BytesIO(said)).active
            said = str(list(book.iter_rows(values_only=True)) if book else "").encode()
        for hers in (b"Merchant SELLS", b"Newcomer R-1", b"Fair of haiqiao", b"Merchant GOOD"):
            assert hers not in said, query
    assert charlie.get(f"{path}?partner=haiqiao").status_code == 404
    assert charlie.get(f"{path.replace('partner', 'operator')}").status_code == 404


@pytest.mark.parametrize(("name", "path"), [("alice", LIST), ("olga", "/operator/POP-2026Q1/shops")])
def test_fifty_rows_take_no_more_queries_than_one(world: World, sign_in: SignIn, name: str, path: str) -> None:
    make_run(world.program, [Spec("S-1", world.haiqiao)], as_of=IN_WINDOW)
    register(world.haiqiao, "R-1")
    client = sign_in(name)
    client.get(path)

    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as taken:
            assert client.get(f"{path}?{query}").status_code == 200
        return len(taken)

    every = ("", "search=s&sort=name&verdict=winnable&verdict=registered&within=30&missing=activated", "link=L-haiqiao")
    few = [queries(query) for query in every]
    brand = make_brand("Lanqo")
    for number in range(50):
        register(world.haiqiao, f"R-X{number}", link=f"L-{number}")
    make_run(
        world.program,
        [Spec(f"N-{number}", world.haiqiao, [*Verdict][number % 4], brand=brand) for number in range(50)],
        as_of=IN_WINDOW,
    )
    many = [queries(query) for query in every]
    assert many == few
    assert max(many) <= 15


def test_python_and_sql_agree_until_when_a_shop_can_be_won(world: World) -> None:
    keys = ("listed", "onboarded", "stocked", "activated")
    specs = [
        spec(f"P-{number}", world.haiqiao, Verdict.PENDING, **dict(zip(keys, outcomes, strict=True)))
        for number, outcomes in enumerate(product((MET, PENDING), repeat=4))
        if PENDING in outcomes
    ]
    moments = (IN_WINDOW, datetime(2026, 2, 9, 15, 59, tzinfo=UTC), datetime(2026, 2, 9, 16, tzinfo=UTC), AFTER_WINDOW)
    until = set()
    for as_of in moments:
        run = make_run(world.program, [*specs, spec("DONE", world.haiqiao, Verdict.ELIGIBLE)], as_of=as_of)
        results = list(
            Result.objects.filter(run=run)
            .annotate(until=until_expression(run))
            .select_related("shop", "partner", "run__program")
        )
        views = shop_views(results)
        assert len(views) == 16
        assert [view.until for view in views] == [result.until for result in results]
        until |= {view.until for view in views}
    assert until == {None, date(2026, 2, 9), date(2026, 3, 31)}


def test_what_waits_for_settlements_but_lacks_stock_can_still_be_won(world: World, sign_in: SignIn) -> None:
    make_run(
        world.program,
        [
            spec("ONLY-WAITS", world.haiqiao, activated=PENDING),
            spec("LACKS-STOCK", world.haiqiao, activated=PENDING, stocked=PENDING),
        ],
        as_of=AFTER_WINDOW,
    )
    assert names(sign_in("alice"), "verdict=waiting") == ["Merchant ONLY-WAITS"]
    assert names(sign_in("alice"), "verdict=winnable") == ["Merchant LACKS-STOCK"]


def test_the_document_names_every_parameter() -> None:
    told = (ROOT / "docs" / "merchants.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)`", told, re.MULTILINE))
    assert rows == set(ResultFilter.base_filters) | {"page"}
