"""The merchant's page behind a link, as a phone gets it."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.state import ROOT
from merchants.models import Registration, RegistrationConsent
from merchants.onboarding import sign
from partners.models import InviteLink, LinkVisits, RateCount
from partners.services import revoke_link
from tests import people
from tests.merchants.invites import dead_codes, link, program

pytestmark = pytest.mark.django_db

PHONE = "Mozilla/5.0 (Linux; Android 8.1; V1) AppleWebKit/537.36 Version/4.0 Chrome/53.0 MicroMessenger/7.0"
FORM = {
    "merchant_name": "虚构星辰科技有限公司",
    "country": "HK",
    "registration_no": "INV-0001",
    "brand": "Hoshi",
    "market": "DE",
    "contact_name": "",
    "phone": "138 0000 0000",
    "wechat": "",
    "privacy": "on",
}


def browser(language: str = "en", agent: str = PHONE) -> Client:
    return Client(headers={"accept-language": language, "user-agent": agent}, enforce_csrf_checks=True)


def text(answer: Any) -> str:
    body = answer.content.decode().partition("<main")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def visits(made: InviteLink) -> int:
    return sum(LinkVisits.objects.filter(link=made).values_list("visits", flat=True))


def test_a_merchant_sees_who_invites_and_registers_and_keeps_the_receipt() -> None:
    made = link(program=program(), max_uses=1)
    phone = browser()
    page = phone.get(f"/i/{made.code}")
    assert page.status_code == 200
    said = text(page)
    for words in ("Alpha Services invites you to open a shop", "Europe &amp; Japan 2026 Q1", "Germany", "France"):
        assert words in said
    assert "What Alpha Services will see" in said
    # The partner stated nothing when it was certified: then what its category does.
    assert "Helps you with transport to the market and to the buyers" in said
    answer = phone.post(f"/i/{made.code}", FORM)
    assert answer.status_code == 302
    row = Registration.objects.get()
    assert answer["Location"] == f"/r/{row.receipt}"
    receipt = phone.get(answer["Location"])
    assert row.receipt in text(receipt)
    assert "The marketplace is looking at it." in text(receipt)
    assert "138" not in text(receipt)
    assert set(RegistrationConsent.objects.values_list("kind", flat=True)) == {"privacy"}
    # The same form again, with the link used up: the same receipt. A reload of the page: a dead link.
    assert phone.post(f"/i/{made.code}", FORM)["Location"] == answer["Location"]
    assert phone.get(f"/i/{made.code}").status_code == 404


def test_opening_a_link_uses_nothing_up_and_counts_people_only() -> None:
    made = link(max_uses=1)
    for _ in range(3):
        assert browser().get(f"/i/{made.code}").status_code == 200
    browser().head(f"/i/{made.code}")
    browser(agent="Googlebot/2.1").get(f"/i/{made.code}")
    Client().get(f"/i/{made.code}", headers={"user-agent": PHONE, "sec-purpose": "prefetch;prerender"})
    assert visits(made) == 3
    assert LinkVisits.objects.get().day == timezone.now().astimezone(program().zone).date()
    made.refresh_from_db()
    assert made.uses == 0


def test_mistakes_stand_beside_their_fields_and_what_was_typed_stays() -> None:
    made = link()
    page = browser().post(f"/i/{made.code}", {**FORM, "merchant_name": "", "phone": "", "country": "CN"})
    assert page.status_code == 422
    body = page.content.decode()
    for name, words in {
        "merchant_name": "Enter the company&#x27;s name",
        "registration_no": "This is no such number: enter the 18 signs",
        "phone": "Enter a phone number or a WeChat ID",
    }.items():
        assert re.search(rf'<div class="error" id="error_{name}">[^<]*{words}', body), name
        assert f'href="#id_{name}"' in body
        assert re.search(rf'<input[^>]*name="{name}"[^>]*aria-describedby="error_{name}"', body), name
    assert 'value="INV-0001"' in body
    assert not Registration.objects.exists()


def test_no_script_no_style_no_cookie_and_no_outside() -> None:
    made = link()
    phone = browser()
    for page in (
        phone.get(f"/i/{made.code}"),
        phone.post(f"/i/{made.code}", {}),
        phone.post(f"/i/{made.code}", FORM, follow=True),
        phone.get("/i/nothing"),
    ):
        body = page.content.decode()
        assert not re.search(r"<script|<style| style=|\son\w+=|https?://", body.replace("http://testserver", ""))
        assert page["X-Robots-Tag"] == "noindex, nofollow"
        assert "no-store" in page["Cache-Control"]
    assert not phone.cookies


def test_it_speaks_chinese_and_stays_with_the_language_that_was_chosen() -> None:
    made = link(program=program())
    assert "邀请您开店" in text(browser("zh-hans").get(f"/i/{made.code}"))
    phone = browser("zh-hans")
    assert "invites you to open a shop" in text(phone.get(f"/i/{made.code}?lang=en"))
    answer = phone.post(f"/i/{made.code}?lang=en", FORM)
    assert answer["Location"].endswith("?lang=en")
    assert "is registered" in text(phone.get(answer["Location"]))


@pytest.mark.parametrize("method", ["get", "post"])
def test_dead_links_look_alike(method: str) -> None:
    codes = dead_codes()
    for form in ({}, FORM) if method == "post" else (None,):
        answers = {kind: getattr(browser(), method)(f"/i/{code}", form) for kind, code in codes.items()}
        assert {answer.status_code for answer in answers.values()} == {404}
        assert len({answer.content for answer in answers.values()}) == 1
        kept = {"Content-Type", "Cache-Control", "Content-Length", "X-Robots-Tag", "Referrer-Policy", "Vary"}
        headers = {tuple((name, answer.get(name)) for name in sorted(kept)) for answer in answers.values()}
        assert len(headers) == 1
    assert not Registration.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_dead_links_cost_the_same_statements(method: str) -> None:
    asked = {}
    for kind, code in dead_codes().items():
        with CaptureQueriesContext(connection) as queries:
            getattr(browser(), method)(f"/i/{code}", FORM if method == "post" else None)
        asked[kind] = [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries.captured_queries]
        # The first in a span of time sweeps older counts; that has nothing to do with the link.
        asked[kind] = [sql for sql in asked[kind] if not sql.startswith('DELETE FROM "partners_ratecount"')]
    assert len({tuple(sqls) for sqls in asked.values()}) == 1, asked


def test_dead_links_take_the_same_time() -> None:
    codes, phone = dead_codes(), browser()
    times: dict[str, list[float]] = {kind: [] for kind in codes}
    for _ in range(60):
        for kind, code in codes.items():
            start = time.perf_counter()
            phone.get(f"/i/{code}")
            times[kind].append(time.perf_counter() - start)
    medians = [statistics.median(taken) for taken in times.values()]
    # Generous: what would give a link away is a page that isn't rendered, or a row that is written: many times as much.
    assert max(medians) / min(medians) < 1.5, dict(zip(times, medians, strict=True))


def test_a_hall_of_two_hundred_behind_one_address_gets_in() -> None:
    made = link(program=program())
    for number in range(200):
        hall = browser()
        assert hall.get(f"/i/{made.code}").status_code == 200
        # One of ten makes a mistake first.
        if number % 10 == 0:
            assert hall.post(f"/i/{made.code}", {**FORM, "phone": ""}).status_code == 422
        assert hall.post(f"/i/{made.code}", {**FORM, "registration_no": f"INV-{number}"}).status_code == 302
    assert Registration.objects.count() == 200


def test_a_flood_from_one_address_is_stopped() -> None:
    made = link()
    with override_settings(REGISTRATIONS_PER_ADDRESS=3):
        for number in range(3):
            assert browser().post(f"/i/{made.code}", {**FORM, "registration_no": f"INV-{number}"}).status_code == 302
        stopped = browser().post(f"/i/{made.code}", FORM)
        assert stopped.status_code == 429
        assert 0 < int(stopped["Retry-After"]) <= 600
        # Whatever the link, and also for one that never was: a limit tells nothing about links.
        assert browser().post("/i/nothing", FORM).status_code == 429
        assert browser().post(f"/i/{made.code}", FORM, REMOTE_ADDR="198.51.100.7").status_code == 302
    assert browser().post(f"/i/{made.code}", {**FORM, "registration_no": "INV-9"}).status_code == 302


def test_a_link_has_a_limit_of_its_own_and_counts_name_nobody() -> None:
    made, other = link(), link()
    with override_settings(REGISTRATIONS_PER_LINK=2):
        for number in range(2):
            browser().post(f"/i/{made.code}", FORM, REMOTE_ADDR=f"198.51.100.{number}")
        assert browser().post(f"/i/{made.code}", FORM, REMOTE_ADDR="198.51.100.9").status_code == 429
        assert browser().post(f"/i/{other.code}", FORM, REMOTE_ADDR="198.51.100.9").status_code == 302
    kept = " ".join(RateCount.objects.values_list("key", flat=True))
    assert "198.51" not in kept
    assert made.code not in kept
    # Counts whose span is over are swept when the next span is opened.
    RateCount.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    browser().post(f"/i/{other.code}", FORM, REMOTE_ADDR="198.51.100.77")
    assert RateCount.objects.filter(ends_at__lt=timezone.now()).count() <= 1


@override_settings(TRUSTED_PROXY_COUNT=1, REGISTRATIONS_PER_ADDRESS=1)
def test_behind_a_proxy_the_callers_address_counts() -> None:
    made = link()

    def send(forwarded: str) -> int:
        return browser().post(f"/i/{made.code}", FORM, HTTP_X_FORWARDED_FOR=forwarded).status_code

    assert send("203.0.113.1") == 302
    assert send("203.0.113.1") == 429
    # What a caller writes in front of it is not believed.
    assert send("203.0.113.77, 203.0.113.1") == 429
    assert send("203.0.113.2") == 302
    assert send("2001:db8::1") == 302
    assert send("2001:db8::2") == 429


@override_settings(ONBOARDING_URL="https://market.example.com/open?from=portal", ONBOARDING_KEY="invented" * 4)
def test_merchants_are_sent_to_the_marketplaces_own_form_with_a_signed_reference() -> None:
    made, dead = link(), link()
    revoke_link(actor=people.actor("alice"), link=dead, at=timezone.now())
    answer = browser().get(f"/i/{made.code}")
    assert answer.status_code == 302
    address, _, query = answer["Location"].partition("?")
    given = dict(part.split("=") for part in query.split("&"))
    assert address == "https://market.example.com/open"
    assert given["from"] == "portal"
    assert given["invite_code"] == made.code
    assert given["signature"] == sign(code=made.code, issued_at=int(given["issued_at"]), key="invented" * 4)
    assert visits(made) == 1
    assert browser().get(f"/i/{dead.code}").status_code == 404


@pytest.mark.parametrize("key", ["", "short"])
def test_a_house_does_not_start_with_references_that_anybody_could_sign(key: str) -> None:
    environment = {"ONBOARDING_URL": "https://market.example.com/open", "ONBOARDING_KEY": key}
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings.parts.invites"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "ONBOARDING_KEY has to have 32 characters" in done.stderr


def test_signing_in_counts_by_the_same_address() -> None:
    asked = "import config.settings.parts.invites as at; print(at.TRUSTED_PROXY_COUNT, at.ALLAUTH_TRUSTED_PROXY_COUNT)"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=ROOT,
        env=os.environ | {"TRUSTED_PROXY_COUNT": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["2", "2"]


def test_any_country_can_be_chosen_the_likeliest_first() -> None:
    page = browser().get(f"/i/{link().code}").content.decode()
    countries = page.partition('name="country"')[2].partition("</select>")[0]
    codes = re.findall(r'<option value="([A-Z]{2})"', countries)
    assert codes[:3] == ["CN", "HK", "JP"]
    assert len(codes) == len(set(codes)) == 249
    assert re.search(r'value="VN"[^>]*>Vietnam<', countries)
    assert re.search(r'value="VN"[^>]*>越南<', browser("zh-hans").get(f"/i/{link().code}").content.decode())


def test_an_unknown_receipt_is_nothing() -> None:
    assert browser().get("/r/R-NOTHING").status_code == 404
    assert Client().post("/r/R-NOTHING").status_code == 405


def test_operators_find_merchants_that_two_parties_registered() -> None:
    made, rivals = link(), link("charlie", "GAMMA")
    for code, number in ((made.code, "INV-1"), (rivals.code, "INV-1"), (made.code, "INV-2")):
        browser().post(f"/i/{code}", {**FORM, "registration_no": number})
    lena, page = Client(), "/admin/merchants/registration/"
    lena.force_login(people.person("lena"))
    assert lena.get(page).context["cl"].queryset.count() == 3
    found = lena.get(f"{page}?contested=yes").context["cl"].queryset
    assert {row.registration_no for row in found} == {"INV-1"}
    assert found.count() == 2
    alice = Client()
    alice.force_login(people.person("alice"))
    assert alice.get(page).status_code == 302
