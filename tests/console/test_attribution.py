"""Whose a shop is, in the admin dashboard: shops of nobody, giving them to partners, contested registrations."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.actors import ROLE_CAPABILITIES, Capability, Role
from core.models import AuditEvent
from incentives.models import Payout
from incentives.services import approve_payout, submit_run
from merchants.models import Attribution, Claim, ClaimFact, Merchant, Registration, Shop
from merchants.services import assign_shop
from merchants.states import Cause, ClaimStatus
from tests.console.reading import text
from tests.incentives.factories import (
    AFTER_CLOSE,
    World,
    batch,
    make_entry,
    make_merchant,
    make_registration,
    make_user,
)
from tests.people import actor, person

PAGE = "/operator/attribution/S-9"


def browser(name: str) -> Client:
    """Somebody's browser, in English."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(person(name))
    return client


def make_orphan(code: str, merchant: Merchant | None = None, market: str = "DE") -> Shop:
    """A shop that nobody brought."""
    merchant = merchant or make_merchant()
    made: Shop = Shop.objects.create(
        code=code,
        merchant=merchant,
        merchant_name=f"Merchant of {code}",
        market=market,
        registered_at=datetime(2026, 1, 5, 2, 0, tzinfo=UTC),
        batch=batch(),
    )
    return made


@pytest.fixture
def orphan(world: World) -> Shop:
    return make_orphan("S-9")


def claim(world: World, merchant: Merchant) -> Claim:
    """Haiqiao's, in force when the orphans registered, and loaded only now."""
    landed = batch()
    made: Claim = Claim.objects.create(
        entry=make_entry(world.program, merchant),
        partner=world.haiqiao,
        claimed_at=datetime(2026, 1, 1, tzinfo=UTC),
        expires_at=datetime(2026, 1, 31, tzinfo=UTC),
        status=ClaimStatus.APPROVED,
        batch=landed,
    )
    ClaimFact.objects.create(claim=made, status=ClaimStatus.APPROVED, batch=landed)
    return made


def test_the_rules_are_applied_again_to_what_the_address_finds(world: World, orphan: Shop) -> None:
    make_orphan("S-10")
    claim(world, orphan.merchant)
    lena = browser("lena")
    assert "2 Shops that nobody brought" in text(lena.get("/operator/"))
    assert "Apply the rules again to 2 shops" in text(lena.get("/operator/unattributed"))
    said = text(lena.post("/operator/unattributed/apply?q=S-10", follow=True))
    assert "Applied the rules to 1 shop again: 0 found its partner." in said
    said = text(lena.post("/operator/unattributed/apply", follow=True))
    assert "Applied the rules to 2 shops again: 1 found their partner." in said
    assert Attribution.objects.get(shop=orphan).partner == world.haiqiao
    assert [shop.code for shop in lena.get("/operator/unattributed").context["page"]] == ["S-10"]
    assert "Choose at least one shop." in text(lena.post("/operator/unattributed/apply?q=zzz", follow=True))


def test_a_shop_is_given_to_a_partner_for_a_reason(world: World, orphan: Shop) -> None:
    lena = browser("lena")
    assert "Nobody's: no run has a row for it." in text(lena.get(PAGE))
    refused = lena.post(f"{PAGE}/assign", {"partner": "haiqiao", "reason": " ", "seen": "0"})
    assert refused.status_code == 409
    assert "Say why" in text(refused)
    assert 'value="haiqiao"' in refused.content.decode()
    refused = lena.post(f"{PAGE}/assign", {"partner": "nobody", "reason": "Theirs.", "seen": "0"})
    assert "There is no partner with the code nobody." in text(refused)
    assert not Attribution.objects.filter(shop=orphan).exists()
    given = {"partner": "haiqiao", "reason": "Their contract names it.", "seen": "0"}
    said = text(lena.post(f"{PAGE}/assign", given, follow=True))
    assert "S-9 is given to 海桥物流 (haiqiao). The next run counts it so." in said
    assert "Operator's decision · Lena Their contract names it." in said
    row = Attribution.objects.get(shop=orphan)
    assert (row.partner, row.cause) == (world.haiqiao, Cause.ASSIGNMENT)
    assert AuditEvent.objects.filter(action="shop.assigned", actor=person("lena")).count() == 1
    assert "It stops counting for 海桥物流" in said
    given = {"partner": "rival", "reason": "A mistake.", "seen": str(row.pk)}
    assert lena.post(f"{PAGE}/assign", given).status_code == 302
    assert Attribution.objects.filter(shop=orphan).latest("pk").partner == world.rival


def test_whoever_comes_second_is_told_who_and_when_and_keeps_the_words(world: World, orphan: Shop) -> None:
    keeper = make_user("kim", Role.LIST_KEEPER)
    kim = Client(headers={"accept-language": "en"})
    kim.force_login(keeper)
    assign_shop(actor=actor("lena"), shop=orphan, partner=world.haiqiao, reason="Their contract names it.")
    late = kim.post(f"{PAGE}/assign", {"partner": "rival", "reason": "I know them.", "seen": "0"})
    assert late.status_code == 409
    assert "The shop was given to haiqiao by Lena at 20" in text(late)
    assert "I know them." in text(late)
    assert Attribution.objects.get(shop=orphan).partner == world.haiqiao


def test_after_approval_a_shop_changes_hands_no_more(world: World) -> None:
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    approve_payout(actor=world.actor("omar"), payout=Payout.objects.get(partner=world.haiqiao))
    page, before = "/operator/attribution/S-1", Attribution.objects.count()
    said = browser("lena").get(page)
    assert "Payouts of POP-2026Q1 are approved" in text(said)
    assert f'action="{page}/assign"' not in said.content.decode()
    row = Attribution.objects.get(shop__code="S-1")
    given = {"partner": "rival", "reason": "Too late.", "seen": str(row.pk)}
    assert browser("lena").post(f"{page}/assign", given).status_code == 409
    assert Attribution.objects.count() == before


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OWNER, Role.MEMBER, Role.VIEWER}))
def test_whoever_may_not_assign_isnt_offered_it_and_is_refused(world: World, orphan: Shop, role: Role) -> None:
    reader = Client(headers={"accept-language": "en"})
    reader.force_login(make_user("reader", role))
    may = Capability.ASSIGN_SHOP in ROLE_CAPABILITIES[role]
    assert (f'action="{PAGE}/assign"' in reader.get(PAGE).content.decode()) is may
    listed = reader.get("/operator/unattributed").content.decode()
    assert ("/operator/unattributed/apply" in listed) is may
    if not may:
        before = AuditEvent.objects.count()
        given = {"partner": "haiqiao", "reason": "Theirs.", "seen": "0"}
        assert "Your role doesn't allow you" in text(reader.post(f"{PAGE}/assign", given))
        refused = reader.post("/operator/unattributed/apply", follow=True)
        assert "Your role doesn't allow you" in text(refused)
        assert AuditEvent.objects.count() == before
        assert not Attribution.objects.filter(shop=orphan).exists()


def test_a_shops_page_shows_what_speaks_for_whom(world: World, orphan: Shop) -> None:
    claim(world, orphan.merchant)
    registration = make_registration(world.rival, code="LINK-9", receipt="R-9")
    shop = make_orphan(
        "S-8", Merchant.objects.create(country="HK", registration_key="INV1", registration_no="INV-1", name="X")
    )
    assert "海桥物流 · POP-2026Q1" in text(browser("olga").get(PAGE))
    said = text(browser("olga").get(f"/operator/attribution/{shop.code}"))
    assert f"Rival Services · {registration.receipt} · 虚构商家" in said


def test_the_list_is_narrowed_and_sorted_by_the_address(world: World, orphan: Shop) -> None:
    french = make_orphan("S-7", market="FR")
    link = make_registration(world.rival, code="LINK-9", receipt="R-9").link
    through = Shop.objects.create(
        code="S-6",
        merchant=make_merchant(),
        merchant_name="A late one",
        market="DE",
        registered_at=datetime(2026, 2, 5, tzinfo=UTC),
        link=link,
        link_valid=False,
        batch=batch(),
    )
    olga = browser("olga")

    def codes(query: str) -> list[str]:
        return [shop.code for shop in olga.get(f"/operator/unattributed?{query}").context["page"]]

    assert codes("") == [through.code, french.code, orphan.code]
    assert codes("market=fr") == ["S-7"]
    assert codes("link=link") == ["S-6"]
    assert codes("link=none") == ["S-7", "S-9"]
    assert codes("sort=-registered_at")[0] == "S-6"
    assert codes(f"q={orphan.merchant.registration_no}") == ["S-9"]
    assert "Link LINK-9 of Rival Services wasn't valid" in text(olga.get("/operator/unattributed"))
    assert "No shop fits." in text(olga.get("/operator/unattributed?q=zzz"))
    csv = b"".join(olga.get("/operator/unattributed.csv?link=link")).decode().splitlines()
    assert csv[0].startswith("shop_code,merchant_name,country,registration_no")
    assert [(line.split(",")[0], line.split(",")[-1]) for line in csv[1:]] == [("S-6", "rival")]


def test_registrations_that_contradict_each_other_stand_together(world: World) -> None:
    olga = browser("olga")
    make_registration(world.haiqiao, code="LINK-1", receipt="R-1")
    assert "No merchant was registered twice." in text(olga.get("/operator/registrations/contested"))
    make_registration(world.rival, code="LINK-2", receipt="R-2")
    said = text(olga.get("/operator/registrations/contested"))
    assert "海桥物流" in said
    assert "Rival Services" in said
    rows = olga.get("/operator/registrations/contested?partner=rival").context["page"]
    assert [row.receipt for row in rows] == ["R-2"]
    csv = b"".join(olga.get("/operator/registrations/contested.csv")).decode().splitlines()
    assert [line.split(",")[0] for line in csv] == ["receipt", "R-1", "R-2"]


def test_the_lists_ask_the_database_as_often_for_forty_rows_as_for_one(world: World, orphan: Shop) -> None:
    make_registration(world.haiqiao, code="LINK-0", receipt="R-0")
    make_registration(world.rival, code="LINK-00", receipt="R-00")
    olga = browser("olga")

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert olga.get(path).status_code == 200
        return len(queries)

    paths = ("/operator/unattributed", "/operator/registrations/contested", PAGE)
    olga.get(paths[0])
    few = [asked(path) for path in paths]
    for number in range(1, 40):
        make_orphan(f"S-{100 + number}", orphan.merchant)
        make_registration(world.haiqiao, code=f"LINK-{number}", receipt=f"R-{number}")
    for number in range(5):
        assign_shop(actor=actor("lena"), shop=orphan, partner=world.haiqiao, reason=f"For the {number}th time.")
    assert Registration.objects.contested().count() == 41
    assert [asked(path) for path in paths] == few


def test_to_partners_these_pages_dont_exist(world: World, orphan: Shop) -> None:
    for address in (
        "/operator/unattributed",
        "/operator/unattributed.csv",
        "/operator/registrations/contested",
        "/operator/registrations/contested.csv",
        PAGE,
        "/operator/attribution/S-1",
    ):
        assert Client().get(address).status_code == 302
        for name in ("alice", "charlie"):
            assert browser(name).get(address).status_code == 404
    before = AuditEvent.objects.count()
    given = {"partner": "rival", "reason": "Mine.", "seen": "0"}
    for name in ("alice", "charlie"):
        assert browser(name).post(f"{PAGE}/assign", given).status_code == 404
        assert browser(name).post("/operator/unattributed/apply").status_code == 404
    assert AuditEvent.objects.count() == before
    assert browser("olga").get("/operator/attribution/S-404").status_code == 404
