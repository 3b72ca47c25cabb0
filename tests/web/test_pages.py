"""The partner's and the operators' pages, as browsers get them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from incentives.services import approve_payout, submit_run, void_line
from incentives.states import Outcome, RunState, Verdict
from partners.models import Membership
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_program, make_run

SignIn = Callable[..., Client]
PARTNER_PAGES = [
    "/partner/",
    "/partner/POP-2026Q1/shops",
    "/partner/POP-2026Q1/shops/S-1",
    "/partner/POP-2026Q1/payout",
]


def text(response: object) -> str:
    """What a page says, without its tags."""
    body = response.content.decode()  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body.partition("<main")[2]))


def test_alice_signs_in_by_the_form_and_sees_her_shops(world: World, client: Client) -> None:
    answer = client.post(
        "/accounts/login/",
        {"login": "Alice@Example.com", "password": "a long and invented sentence"},
        follow=True,
        headers={"accept-language": "en"},
    )
    assert answer.redirect_chain[-1][0] == "/partner/"
    page = text(answer)
    assert "Program POP-2026Q1" in page
    # Two of three are eligible; one of three was closed: half is paid.
    assert "2,000.00 CNY" in page
    assert "provisional" in page


@pytest.mark.parametrize("path", PARTNER_PAGES[:2] + PARTNER_PAGES[3:])
def test_nobody_sees_a_rivals_shops(world: World, sign_in: SignIn, path: str) -> None:
    hers, his = sign_in("alice").get(path), sign_in("charlie").get(path)
    assert "S-4" not in text(hers)
    for code in ("S-1", "S-2", "S-3"):
        assert code not in text(his)
    assert "海桥物流" not in his.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/partner/POP-2026Q1/shops/S-4",  # a rival's
        "/partner/POP-2026Q1/shops/NO-SUCH",
        "/partner/NO-SUCH/shops",
        "/partner/NO-SUCH/payout",
        "/partner/?partner=rival",
        "/partner/?partner=no-such",
        "/operator/",
        "/operator/POP-2026Q1/shops",
        "/operator/POP-2026Q1/shops/S-1",
    ],
)
def test_foreign_and_absent_answer_alike(sign_in: SignIn, path: str) -> None:
    answer = sign_in("alice").get(path)
    assert answer.status_code == 404
    assert "There is nothing here, or nothing for you." in text(answer)


def test_the_card_says_what_is_missing(world: World, sign_in: SignIn) -> None:
    make_run(
        world.program,
        [Spec("S-1", world.haiqiao, Verdict.PENDING, outcomes={"activated": Outcome.PENDING})],
        as_of=AFTER_CLOSE.replace(month=2, day=1),
    )
    page = sign_in("alice").get("/partner/POP-2026Q1/shops/S-1")
    assert "817.60 CNY settled, more than 182.40 CNY to go" in text(page)
    assert "Judged by policy v1" in text(page)
    assert page.content.decode().count('<i class="mark ') == 8
    chinese = sign_in("alice", "zh-hans").get("/partner/POP-2026Q1/shops/S-1", headers={"accept-language": "zh-hans"})
    assert "已结算 ¥817.60，还需超过 ¥182.40" in text(chinese)


def test_the_statement_is_provisional_until_it_is_approved(world: World, sign_in: SignIn) -> None:
    alice = sign_in("alice")
    assert "Nothing has been submitted yet" in text(alice.get("/partner/POP-2026Q1/payout"))
    payout = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE, reason="internal words").payouts[0]
    page = text(alice.get("/partner/POP-2026Q1/payout"))
    assert "Provisional until it is approved" in page
    assert "internal words" not in page
    line = payout.lines.get(shop__code="S-2")
    void_line(actor=world.actor("olga"), line=line, reason="Forged licence.")
    approve_payout(actor=world.actor("omar"), payout=payout)
    page = text(alice.get("/partner/POP-2026Q1/payout"))
    assert "rovisional" not in page
    assert "Payable 1,000.00 CNY" in page  # 2,000.00 of one line, half paid
    assert "Forged licence." in page
    assert "Olga" not in page
    assert "Omar" not in page


def test_shops_are_searched_and_filtered(sign_in: SignIn) -> None:
    alice = sign_in("alice")
    found = text(alice.get("/partner/POP-2026Q1/shops?search=s-2"))
    assert "S-2" in found
    assert "S-1" not in found
    lost = text(alice.get("/partner/POP-2026Q1/shops?verdict=not_eligible"))
    assert "S-3" in lost
    assert "S-2" not in lost
    assert "No shop fits this search." in text(alice.get("/partner/POP-2026Q1/shops?search=zzz"))
    assert alice.get("/partner/POP-2026Q1/shops?verdict=nonsense&page=x").status_code == 200


def test_long_lists_come_in_pages(world: World, sign_in: SignIn) -> None:
    make_run(world.program, [Spec(f"M-{number:02}", world.haiqiao) for number in range(27)])
    first = sign_in("alice").get("/partner/POP-2026Q1/shops?verdict=eligible")
    assert "1–25 of 27" in text(first)
    assert "?verdict=eligible&amp;page=2" in first.content.decode()
    assert "M-26" in text(sign_in("alice").get("/partner/POP-2026Q1/shops?page=2"))


@pytest.mark.parametrize("path", [*PARTNER_PAGES, "/operator/", "/operator/POP-2026Q1/shops", "/"])
def test_more_rows_take_no_more_queries(world: World, sign_in: SignIn, path: str) -> None:
    client = Client() if path == "/" else sign_in("olga" if path.startswith("/operator") else "alice")
    make_run(world.program, [Spec("S-1", world.haiqiao), Spec("S-5", world.haiqiao, Verdict.PENDING)])
    with override_settings(DEMO=True):
        client.get(path)
        with CaptureQueriesContext(connection) as few:
            assert client.get(path).status_code == 200
        others = [Spec(f"M-{number}", world.haiqiao, verdict) for number, verdict in enumerate([*Verdict] * 4)]
        make_run(world.program, [Spec("S-1", world.haiqiao), *others])
        for number in range(3):
            program = make_program(f"POP-{number}")
            run = make_run(program, [Spec(f"P-{number}", world.haiqiao), Spec(f"R-{number}", world.rival)])
            submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE)
        with CaptureQueriesContext(connection) as many:
            client.get(path)
    assert len(many) <= len(few), [query["sql"] for query in many.captured_queries]


def test_a_person_of_two_organisations_switches(world: World, sign_in: SignIn) -> None:
    Membership.objects.create(partner=world.rival, user=world.alice, role="viewer")
    alice = sign_in("alice")
    assert "S-1" in text(alice.get("/partner/POP-2026Q1/shops"))
    alice.get("/partner/?partner=rival")
    assert "S-4" in text(alice.get("/partner/POP-2026Q1/shops"))
    assert "S-1" not in text(alice.get("/partner/POP-2026Q1/shops"))
    # Leaving the organisation takes the page away at once.
    world.alice.memberships.filter(partner=world.rival).delete()
    assert "S-4" not in text(alice.get("/partner/POP-2026Q1/shops"))


def test_an_operator_sees_the_card_as_the_partner_does(world: World, sign_in: SignIn) -> None:
    olga, alice = sign_in("olga"), sign_in("alice")

    def card(client: Client, path: str) -> str:
        return client.get(path).content.decode().partition('<ul class="conditions">')[2].partition("</ul>\n<p")[0]

    assert card(olga, "/operator/POP-2026Q1/shops/S-1") == card(alice, "/partner/POP-2026Q1/shops/S-1")
    assert "S-1" in text(olga.get("/partner/POP-2026Q1/shops?partner=haiqiao"))


def test_an_operator_watches_a_run(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    assert "hx-trigger" not in olga.get("/operator/").content.decode()
    running = make_run(world.program, [], state=RunState.RUNNING, as_of=AFTER_CLOSE + timedelta(days=1))
    page = olga.get("/operator/")
    assert 'hx-trigger="every 2s"' in page.content.decode()
    said = text(page)
    assert f"Run {running.pk}: Running" in said
    assert "0 of 0" not in said  # it isn't cut into parts yet


def test_the_front_page_tells_strangers_no_figures(world: World, client: Client) -> None:
    page = client.get("/", headers={"accept-language": "en"})
    assert "Recruit merchants" in text(page)
    assert "POP-2026Q1" not in page.content.decode()
    assert "@example.com" not in page.content.decode()
    with override_settings(DEMO=True):
        demo = text(client.get("/", headers={"accept-language": "en"}))
    assert "Program POP-2026Q1" in demo
    assert "5,000.00" not in demo
    assert "alice@example.com" in demo


def test_somebody_without_an_organisation_is_told_so(world: World, sign_in: SignIn) -> None:
    world.bob.memberships.all().delete()
    assert "Your account belongs to no organisation yet." in text(sign_in("bob").get("/"))
    assert sign_in("bob").get("/partner/").status_code == 404


def test_pages_keep_the_content_security_policy(world: World, sign_in: SignIn) -> None:
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    alice, olga = sign_in("alice"), sign_in("olga")
    pages = [alice.get(path) for path in PARTNER_PAGES]
    pages += [olga.get("/operator/"), olga.get("/operator/POP-2026Q1/shops"), Client().get("/accounts/login/")]
    for page in pages:
        body = page.content.decode()
        assert "unsafe" not in page["Content-Security-Policy"]
        assert " style=" not in body
        assert "<style" not in body
        assert not re.search(r"<script(?![^>]*(src=|application/json))", body)
        assert not re.search(r"\son\w+=", body)
        assert not re.search(r"(src|href)=\"(https?:)?//", body)


def test_the_accounts_language_is_the_first_one(world: World) -> None:
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(world.alice)  # alice reads English
    assert client.get("/").cookies["django_language"].value == "en"
    assert "Overview" in text(client.get("/partner/"))
    client.post("/i18n/setlang/", {"language": "zh-hans", "next": "/partner/"})
    assert "总览" in text(client.get("/partner/"))
