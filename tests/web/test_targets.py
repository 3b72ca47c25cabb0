"""The target list, claims and the checker on a partner's pages and in the API; a rival's hand on every address."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from core.models import AuditEvent, User
from merchants.models import Claim, LinkTarget, TargetEntry
from partners.models import Membership
from partners.services import suspend_partner
from tests import people
from tests.merchants.invites import certified
from tests.merchants.targets import claim, entry, running_program, shop, told_claim

pytestmark = pytest.mark.django_db
LIST = "/partner/NOW/targets"


def browser(name: str, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(people.person(name))
    return client


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().partition("<main")[2])).strip()


def row(answer: Any, code: str) -> str:
    """One entry's row of the list."""
    rows = [part for part in answer.content.decode().split("<tr>") if f'/targets/{code}"' in part]
    assert len(rows) == 1, rows
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", rows[0].partition("</tr>")[0])).strip()


@pytest.fixture
def listed() -> dict[str, TargetEntry]:
    """One entry of each kind, as ALPHA (alice, bob) sees it; GAMMA is charlie's."""
    certified("ALPHA"), certified("GAMMA")
    found = {
        "free": entry("T-FREE", name="Fernmoss Trading Ltd", number="F-1000", brand="Hoshi"),
        "mine": entry("T-MINE", name="岚渡舟电商有限公司", number="M-1"),
        "taken": entry("T-TAKEN", name="Waldkind GmbH", number="T-1"),
        "directed": entry("T-DIRECTED", name="Rivaforte", number="D-1", assigned_to="ALPHA"),
        "secret": entry("T-SECRET", name="Geheimnis AG", number="G-1", assigned_to="GAMMA"),
        "review": entry("T-REVIEW", name="Kirsche KK", number="R-1", review="pending"),
        "off": entry("T-OFF", name="Weg SA", number="O-1", review="rejected"),
        "shop": entry("T-SHOP", name="Erste Sarl", number="S-1"),
    }
    claim(found["mine"])
    claim(found["taken"], "charlie", "GAMMA")
    shop("S-1")
    return found


# --- The list ---------------------------------------------------------------------------------------------------------


def test_the_list_says_what_each_entry_is_and_never_whose(listed: dict[str, TargetEntry]) -> None:
    page = browser("alice").get(LIST)
    said = text(page)
    assert "2 entries of the list are free." in said
    assert "1 is directed to you." in said
    assert "You hold 1 of 50 claims." in said
    assert re.search(r"Free Claim Fernmoss", row(page, "T-FREE"))
    assert re.search(r"Yours 29 days left Make a link", row(page, "T-MINE"))
    assert row(page, "T-TAKEN").endswith("Taken")
    assert "It has to come through a link of yours." in row(page, "T-DIRECTED")
    assert "it counts once it is approved" in row(page, "T-REVIEW")
    assert row(page, "T-SHOP").endswith("A shop of it is certified: another one doesn't count.")
    for hidden in ("T-SECRET", "Geheimnis", "T-OFF", "Gamma", "GAMMA", "charlie"):
        assert hidden not in page.content.decode()
    # A whole registration number is nowhere on it.
    assert "F-1000" not in page.content.decode()


def test_search_and_filters_are_in_the_address_and_go_with_the_pages(listed: dict[str, TargetEntry]) -> None:
    alice = browser("alice")
    assert "Fernmoss" in text(alice.get(LIST, {"search": "ＦＥＲＮＭＯＳＳ limited"}))
    assert "Waldkind" not in text(alice.get(LIST, {"search": "ＦＥＲＮＭＯＳＳ limited"}))
    assert "Waldkind" in text(alice.get(LIST, {"place": "taken"}))
    assert "Weg SA" in text(alice.get(LIST, {"place": ["off", "taken"]}))
    for number in range(40):
        entry(f"N-{number:02}", name=f"Nummer {number:02}")
    page = alice.get(LIST, {"search": "nummer", "place": "free"}).content.decode()
    assert 'href="?search=nummer&amp;place=free&amp;page=2"' in page
    assert 'value="nummer"' in page
    assert re.search(r'value="free" checked', page)
    second = alice.get(LIST, {"search": "nummer", "place": "free", "page": "2"})
    assert "26–40 of 40" in text(second)
    assert alice.get(LIST, {"page": "x", "place": "no such", "country": "?"}).status_code == 200


def test_empty_states_say_what_to_do(listed: dict[str, TargetEntry]) -> None:
    alice = browser("alice")
    nothing = text(alice.get(LIST, {"search": "no such name"}))
    assert "Nothing on the list fits this search." in nothing
    assert "check its registration number" in nothing
    running_program("EMPTY")
    assert "The list is empty yet." in text(alice.get("/partner/EMPTY/targets"))
    assert "No claim stands." in text(alice.get("/partner/EMPTY/claims"))
    assert alice.get("/partner/NONE/targets").status_code == 404
    assert alice.get(f"{LIST}/T%00").status_code == 404


# --- An entry, its claim, its link ------------------------------------------------------------------------------------


def test_an_entry_is_claimed_and_invited_in_three_clicks(listed: dict[str, TargetEntry]) -> None:
    alice = browser("alice")
    page = alice.get(f"{LIST}/T-FREE")
    assert "It is free. Claim it, and for 30 days it is yours." in text(page)
    assert "No exclusive link needed" in text(page)
    assert "claim → invite link" in text(page)
    assert "ends in 1000" in text(page)
    answer = alice.post(f"{LIST}/T-FREE/claim", follow=True)
    assert answer.redirect_chain == [(f"{LIST}/T-FREE", 302)]
    assert "The entry is yours for now." in text(answer)
    assert "It is yours until" in text(answer)
    (address,) = set(re.findall(r'href="(/partner/links\?[^"]*)"', answer.content.decode()))
    form = alice.get(address.replace("&amp;", "&")).content.decode()
    assert re.search(r'name="target" value="T-FREE"', form)
    ends = (timezone.now() + timedelta(days=20)).date().isoformat()
    alice.post("/partner/links", {"program": "NOW", "target": "T-FREE", "last_day": ends, "label": "Fernmoss"})
    made = LinkTarget.objects.get()
    assert made.entry == listed["free"]
    assert "Fernmoss works until" in text(alice.get(f"{LIST}/T-FREE"))
    assert AuditEvent.objects.filter(action="claim.made", actor=people.person("alice")).count() == 2


def test_a_claim_is_given_back_after_a_question_that_says_what_happens(listed: dict[str, TargetEntry]) -> None:
    bob = browser("bob")
    page = text(bob.get(f"{LIST}/T-MINE"))
    assert "becomes free for everybody at once, and that is not undone" in page
    assert "Shops that registered while you held it stay covered" in page
    assert bob.get(f"{LIST}/T-MINE/release").status_code == 405
    answer = bob.post(f"{LIST}/T-MINE/release", {"back": "claims"}, follow=True)
    assert answer.redirect_chain == [("/partner/NOW/claims", 302)]
    assert "given back" in text(answer)
    assert Claim.objects.get(entry=listed["mine"]).released_at is not None
    again = bob.post(f"{LIST}/T-MINE/release", follow=True)
    assert "has no claim on this entry now" in text(again)


def test_what_isnt_free_is_refused_in_neutral_words(listed: dict[str, TargetEntry]) -> None:
    alice = browser("alice")
    answer = alice.post(f"{LIST}/T-TAKEN/claim", follow=True)
    assert "This entry isn&#x27;t free now." in text(answer)
    page = text(alice.get(f"{LIST}/T-TAKEN"))
    assert "Not now: it isn&#x27;t free." in page or "Not now: it isn't free." in page
    assert "Nobody is told whose it is" in page
    assert "Make a link for it" not in page
    assert "Claim this entry" not in page
    assert "amma" not in answer.content.decode()
    assert "no exclusive link needed" not in text(alice.get(f"{LIST}/T-DIRECTED")).lower()
    assert "it is directed to you" in text(alice.get(f"{LIST}/T-DIRECTED"))
    assert "only the first one counts" in text(alice.get(f"{LIST}/T-SHOP")).lower()
    assert "Rejected: no shop of it counts." in text(alice.get(f"{LIST}/T-OFF"))


def test_claims_show_what_is_left_of_each_and_what_became_of_the_others(listed: dict[str, TargetEntry]) -> None:
    told_claim(entry("T-HOURS", name="Bald"), "ALPHA", days=2)
    told_claim(entry("T-WAIT", name="Warte"), "ALPHA", status="pending")
    told_claim(entry("T-NO", name="Nein"), "ALPHA", status="rejected")
    Claim.objects.get(entry=listed["mine"])
    browser("alice").post(f"{LIST}/T-FREE/claim")
    browser("alice").post(f"{LIST}/T-FREE/release")
    page = text(browser("alice").get("/partner/NOW/claims"))
    assert "You hold 3 claims ; 50 are allowed. The next to end is Bald" in page
    assert re.search(r"Bald until [^·]*? 23 hours left", page)
    assert "In review at the marketplace" in page
    assert "rejected by the marketplace" in page
    assert "Fernmoss Trading Ltd T-FREE · Hoshi given back" in page
    suspend_partner(actor=people.actor("rita"), partner=people.partner("ALPHA"), reason="Invented reasons.")
    page = text(browser("alice").get("/partner/NOW/claims"))
    assert "Rests while the organisation is suspended" in page
    assert "it makes no new claims" in page
    assert "Make a link" not in page


def test_a_viewer_looks_and_changes_nothing(listed: dict[str, TargetEntry]) -> None:
    Membership.objects.filter(user=people.person("bob")).update(role="viewer")
    bob = browser("bob")
    before = Claim.objects.count()
    for page in (LIST, f"{LIST}/T-FREE", f"{LIST}/T-MINE", "/partner/NOW/claims"):
        body = bob.get(page).content.decode().partition("<main")[2]
        assert '<form method="post"' not in body, page
        assert "/partner/links?" not in body, page
    assert "Only an owner or a member" in text(bob.post(f"{LIST}/T-FREE/claim", follow=True))
    bob.post(f"{LIST}/T-MINE/release")
    assert bob.post("/api/v1/targets/NOW/T-FREE/claim").status_code == 403
    assert Claim.objects.filter(released_at=None).count() == before
    assert "Yes: it is on the list, and free." in text(bob.post("/partner/NOW/check", {"brand": "Hoshi"}))


# --- The checker ------------------------------------------------------------------------------------------------------


def test_the_checker_answers_and_leads_on(listed: dict[str, TargetEntry]) -> None:
    alice = browser("alice")
    assert "May I recruit this merchant?" in text(alice.get("/partner/NOW/check"))
    answer = alice.post("/partner/NOW/check", {"country": "HK", "registration_no": "f 1000", "brand": ""})
    assert "Yes: it is on the list, and free." in text(answer)
    assert f'href="{LIST}/T-FREE"' in answer.content.decode()
    taken = alice.post("/partner/NOW/check", {"country": "HK", "registration_no": "T-1"})
    assert "Not now: it is on the list, but not free." in text(taken)
    assert "amma" not in taken.content.decode()
    secret = alice.post("/partner/NOW/check", {"country": "HK", "registration_no": "G-1"})
    unknown = alice.post("/partner/NOW/check", {"country": "HK", "registration_no": "NO-SUCH"})
    assert "No: it isn't on the list for you." in text(secret).replace("&#x27;", "'")
    assert text(secret).replace("G-1", "NO-SUCH") == text(unknown)
    wrong = alice.post("/partner/NOW/check", {"country": "HK", "registration_no": "", "brand": ""})
    assert wrong.status_code == 422
    assert "Enter a registration number or a brand." in text(wrong)
    mistyped = alice.post("/partner/NOW/check", {"country": "CN", "registration_no": "91350100M000100Y44"})
    assert "check digit doesn't fit" in text(mistyped).replace("&#x27;", "'")


def test_whoever_asks_too_often_is_told_when_to_come_again(listed: dict[str, TargetEntry], settings: Settings) -> None:
    settings.CHECKS_PER_MEMBER = 2
    alice = browser("alice")
    for _ in range(2):
        assert alice.post("/partner/NOW/check", {"brand": "Hoshi"}).status_code == 200
    page = alice.post("/partner/NOW/check", {"brand": "Hoshi"})
    assert page.status_code == 429
    assert "Try again in" in text(page)
    assert "on the list, and free" not in text(page)
    api = alice.post("/api/v1/targets/check", {"program": "NOW", "brand": "Hoshi"})
    assert api.status_code == 429
    assert 0 < int(api["Retry-After"]) <= 3600
    assert browser("bob").post("/partner/NOW/check", {"brand": "Hoshi"}).status_code == 200


# --- A rival, an operator, strangers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/partner/NOW/targets/CODE"),
        ("post", "/partner/NOW/targets/CODE/claim"),
        ("post", "/partner/NOW/targets/CODE/release"),
        ("get", "/api/v1/targets/NOW/CODE"),
        ("post", "/api/v1/targets/NOW/CODE/claim"),
        ("post", "/api/v1/targets/NOW/CODE/release"),
    ],
)
def test_a_rival_finds_nothing_of_what_is_directed(listed: dict[str, TargetEntry], method: str, path: str) -> None:
    ask = getattr(browser("charlie"), method)
    foreign, absent = ask(path.replace("CODE", "T-DIRECTED")), ask(path.replace("CODE", "NO-SUCH"))
    assert foreign.status_code == absent.status_code == 404
    assert "Rivaforte" not in foreign.content.decode()
    assert not Claim.objects.filter(entry=listed["directed"]).exists()


def test_a_rival_sees_and_ends_no_claim_of_hers(listed: dict[str, TargetEntry]) -> None:
    charlie = browser("charlie")
    assert "岚渡舟" not in text(charlie.get("/partner/NOW/claims"))
    assert {one["partner_code"] for one in charlie.get("/api/v1/claims").json()["results"]} == {"GAMMA"}
    assert row(charlie.get(LIST), "T-MINE").endswith("Taken")
    assert charlie.post("/api/v1/targets/NOW/T-MINE/release").status_code == 404
    assert charlie.post("/api/v1/targets/NOW/T-MINE/release", {"partner_code": "ALPHA"}).status_code == 404
    assert charlie.post("/api/v1/targets/NOW/T-FREE/claim", {"partner_code": "ALPHA"}).status_code == 404
    charlie.post(f"{LIST}/T-MINE/release")
    charlie.post(f"{LIST}/T-MINE/release?partner=ALPHA")
    assert charlie.get(f"{LIST}?partner=ALPHA").status_code == 404
    assert Claim.objects.get(entry=listed["mine"]).released_at is None
    one = charlie.get("/api/v1/targets/NOW/T-MINE").json()
    assert (one["place"], one["claimed_at"], one["expires_at"]) == ("taken", None, None)
    assert charlie.get("/api/v1/targets", {"place": "mine"}).json()["count"] == 1


def test_whoever_belongs_to_two_sees_each_ones_list_on_its_page(listed: dict[str, TargetEntry]) -> None:
    Membership.objects.create(user=people.person("charlie"), partner=people.partner("ALPHA"), role="viewer")
    charlie = browser("charlie")
    alpha = charlie.get(f"{LIST}?partner=ALPHA").content.decode()
    assert "Rivaforte" in alpha
    assert "Geheimnis" not in alpha
    gamma = charlie.get(f"{LIST}?partner=GAMMA").content.decode()
    assert "Rivaforte" not in gamma
    assert "Geheimnis" in gamma
    # A viewer there, an owner here: each role counts in its own organisation.
    assert charlie.post("/api/v1/targets/NOW/T-FREE/claim").status_code == 400
    assert charlie.post("/api/v1/targets/NOW/T-FREE/claim", {"partner_code": "ALPHA"}).status_code == 403
    assert charlie.post("/api/v1/targets/NOW/T-FREE/claim", {"partner_code": "GAMMA"}).status_code == 201


def test_an_operator_looks_in_and_claims_nothing(listed: dict[str, TargetEntry]) -> None:
    olga = browser("olga")
    assert olga.get(LIST).status_code == 404
    page = olga.get(f"{LIST}?partner=ALPHA")
    assert "Rivaforte" in text(page)
    assert "Geheimnis" not in text(page)
    assert "Claim Fernmoss" not in text(page)
    olga.post(f"{LIST}/T-FREE/claim")
    assert olga.post("/api/v1/targets/NOW/T-FREE/claim").status_code == 403
    assert olga.get("/api/v1/targets").json()["count"] == 7
    assert not Claim.objects.filter(entry=listed["free"]).exists()


# --- The API ----------------------------------------------------------------------------------------------------------


def test_the_api_lists_claims_and_gives_back(listed: dict[str, TargetEntry]) -> None:
    alice = browser("alice")
    found = alice.get("/api/v1/targets", {"search": "fernmoss", "program": "NOW"}).json()["results"]
    assert [(one["target_code"], one["place"], one["has_shop"]) for one in found] == [("T-FREE", "free", False)]
    made = alice.post("/api/v1/targets/NOW/T-FREE/claim")
    assert (made.status_code, made.json()["place"]) == (201, "mine")
    assert made.json()["expires_at"]
    assert alice.post("/api/v1/targets/NOW/T-FREE/claim").status_code == 409
    assert alice.post("/api/v1/targets/NOW/T-TAKEN/claim").json()["errors"][0]["detail"] == "This entry isn't free now."
    rows = alice.get("/api/v1/claims").json()["results"]
    assert [(one["target_code"], one["state"], one["days_left"]) for one in rows] == [
        ("T-FREE", "in_force", 29),
        ("T-MINE", "in_force", 29),
    ]
    back = alice.post("/api/v1/targets/NOW/T-FREE/release")
    assert (back.status_code, back.json()["place"]) == (200, "free")
    assert alice.post("/api/v1/targets/NOW/T-FREE/release").status_code == 404
    asked = alice.post("/api/v1/targets/check", {"program": "NOW", "country": "HK", "registration_no": "F-1000"})
    assert asked.json() == {
        "answer": "yes",
        "listed": True,
        "free": True,
        "has_shop": False,
        "target_codes": ["T-FREE"],
    }
    assert alice.post("/api/v1/targets/check", {"program": "NOW"}).status_code == 400
    assert alice.post("/api/v1/targets/check", {"program": "NONE", "brand": "x"}).status_code == 400


# --- Queries ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [LIST, "/partner/NOW/claims", "/api/v1/targets", "/api/v1/claims"])
def test_more_rows_take_no_more_queries(path: str) -> None:
    certified()
    told_claim(entry("A-0", name="Eins", brand="Eins"), "ALPHA")
    told_claim(entry("Z-0", name="Null"), "ALPHA", status="rejected")
    shop("INV-Z-0")
    alice = browser("alice")
    alice.get(path)
    with CaptureQueriesContext(connection) as few:
        assert alice.get(path).status_code == 200
    for number in range(1, 26):
        told_claim(entry(f"A-{number}", name=f"Noch {number}", brand=f"Noch {number}"), "ALPHA")
        told_claim(entry(f"Z-{number}", name=f"Null {number}"), "ALPHA", status="rejected")
        shop(f"INV-Z-{number}")
    with CaptureQueriesContext(connection) as many:
        alice.get(path)
    assert len(many) == len(few), [query["sql"] for query in many.captured_queries]
    assert len(many) < 15, [query["sql"][:160] for query in many.captured_queries]


def test_an_entrys_page_takes_few_queries(listed: dict[str, TargetEntry]) -> None:
    alice = browser("alice")
    for code in ("T-FREE", "T-MINE", "T-SHOP"):
        alice.get(f"{LIST}/{code}")
        with CaptureQueriesContext(connection) as caught:
            alice.get(f"{LIST}/{code}")
        assert len(caught) < 15, [query["sql"][:160] for query in caught.captured_queries]


@pytest.mark.parametrize(
    "path", [LIST, f"{LIST}/T-FREE", f"{LIST}/T-MINE", "/partner/NOW/claims", "/partner/NOW/check"]
)
def test_the_pages_are_there_in_chinese(listed: dict[str, TargetEntry], path: str) -> None:
    User.objects.filter(email="alice@example.com").update(language="zh-hans")
    page = browser("alice", "zh-hans").get(path)
    assert page.status_code == 200
    assert "靶向商家" in text(page)
