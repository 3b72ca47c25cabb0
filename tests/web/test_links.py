"""A partner's links on its pages and in the API; a rival's hand on every address."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import AuditEvent
from merchants.entrants import Entrant
from merchants.models import Brand, LinkTarget, Registration, Shop, TargetEntry
from merchants.services import register_merchant
from merchants.states import Consent, Review, Track
from partners.models import Certification, InviteLink, LinkRevocation, LinkVisits, Membership, Partner
from partners.services import suspend_partner
from tests import people
from tests.incentives.factories import Spec, World, batch, make_run

SignIn = Callable[..., Client]
FUTURE = datetime(2099, 1, 1, tzinfo=UTC)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode().partition("<main")[2]))


@pytest.fixture
def hers(world: World) -> InviteLink:
    """Alice's link: two have registered, one of them allows to be called; one shop came, and is eligible."""
    for partner in (world.haiqiao, world.rival):
        Certification.objects.create(partner=partner, days=DateRange(date(2020, 1, 1), None))
    link = make_link(world.haiqiao, "HERS", label="Fair, hall 3")
    for number, consents in enumerate(({Consent.PRIVACY, Consent.SHARE_CONTACT}, {Consent.PRIVACY})):
        register_merchant(code="HERS", entrant=entrant(number, frozenset(consents)), at=timezone.now())
    LinkVisits.objects.create(link=link, day=date(2026, 1, 1), visits=40)
    LinkVisits.objects.create(link=link, day=date(2026, 1, 2), visits=2)
    make_run(world.program, [Spec("BY-LINK", world.haiqiao), Spec("ELSE", world.haiqiao)])
    attach("BY-LINK", link)
    return link


def make_link(partner: Partner, code: str, **given: Any) -> InviteLink:
    made: InviteLink = InviteLink.objects.create(
        code=code,
        partner=partner,
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        batch=given.pop("batch", None) or portal_batch(),
        **{"expires_at": timezone.now() + timedelta(days=30), **given},
    )
    return made


def portal_batch() -> Any:
    from django.db import transaction

    from core.recording import open_batch, seal

    with transaction.atomic():
        return seal(open_batch(source="partner", actor_id=None))


def attach(shop: str, link: InviteLink) -> None:
    """Make it a shop that came through the link: that is decided once, so a copy takes its place in the tables."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE merchants_shop SET link_id = %s, link_valid = true WHERE code = %s RETURNING id", [link.pk, shop]
        )
        assert cursor.fetchone()
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def entrant(number: int, consents: frozenset[Consent] = frozenset({Consent.PRIVACY})) -> Entrant:
    return Entrant(
        merchant_name=f"虚构商家 {number}",
        country="HK",
        registration_no=f"INV-{number:04}",
        market="DE",
        phone=f"139000000{number:02}",
        consents=consents,
    )


def test_the_list_says_what_each_link_brought(hers: InviteLink, sign_in: SignIn) -> None:
    page = sign_in("alice").get("/partner/links")
    said = text(page)
    assert "Fair, hall 3" in said
    row = page.content.decode().partition('href="/partner/links/HERS"')[2].partition("</tr>")[0]
    assert re.findall(r'class="num"[^>]*>(\d+)', row) == ["42", "3", "1", "1"]
    assert "1 link works now. So far 3 merchants came, 1 shops are certified and 1 eligible." in said


def test_three_clicks_make_a_link_that_works(hers: InviteLink, sign_in: SignIn, world: World) -> None:
    alice = sign_in("alice")
    page = alice.get("/partner/links").content.decode()
    # The first click was on "Links". The form is there, with defaults that work, and says which.
    defaults = dict(re.findall(r'name="(last_day)" value="([^"]*)"', page))
    assert date.fromisoformat(defaults["last_day"]) > timezone.now().date()
    assert "For any merchant," in page
    answer = alice.post("/partner/links", defaults, follow=True)
    made = InviteLink.objects.latest("pk")
    assert answer.redirect_chain == [(f"/partner/links/{made.code}", 302)]
    # The third: the button copies the address, as the one beside the link in the list does.
    address = f"http://testserver/i/{made.code}"
    assert re.search(f'<button class="btn go"[^>]*data-copy="{address}"[^>]*>Copy the link', answer.content.decode())
    assert f'data-copy="{address}"' in alice.get("/partner/links").content.decode()
    assert len(made.code) == 27
    assert Client().get(f"/i/{made.code}").status_code == 200
    assert AuditEvent.objects.latest("pk").actor_id == world.alice.pk


def test_mistakes_are_told_beside_the_fields_and_make_nothing(hers: InviteLink, sign_in: SignIn) -> None:
    before = InviteLink.objects.count()
    answer = sign_in("alice").post("/partner/links", {"last_day": "", "target": "NO-SUCH", "max_uses": "0"})
    assert answer.status_code == 422
    said = text(answer)
    assert "Choose the last day on which the link works." in said
    assert "There is no such entry on this program&#x27;s list, or it is not for you." in said
    assert re.search(r"<details[^>]* open", answer.content.decode())
    assert "passed already" in text(sign_in("alice").post("/partner/links", {"last_day": "2026-01-01"}))
    assert InviteLink.objects.count() == before


def test_a_link_shows_who_registered_and_a_contact_only_where_it_was_agreed_to(
    hers: InviteLink, sign_in: SignIn
) -> None:
    said = text(sign_in("alice").get("/partner/links/HERS"))
    assert "虚构商家 0" in said
    assert "虚构商家 1" in said
    assert "13900000000" in said
    assert "13900000001" not in said
    assert "not shared" in said


def test_it_is_extended_and_revoked_on_its_page(hers: InviteLink, sign_in: SignIn) -> None:
    bob = sign_in("bob")
    late = (timezone.now() + timedelta(days=60)).date()
    assert bob.post("/partner/links/HERS/extend", {"last_day": "2026-01-01"}).status_code == 422
    assert bob.post("/partner/links/HERS/extend", {"last_day": late.isoformat()}).status_code == 302
    hers.refresh_from_db()
    assert hers.expires_at.date() == late
    assert "stops working at once and for good" in text(bob.get("/partner/links/HERS"))
    assert bob.post("/partner/links/HERS/revoke").status_code == 302
    assert Client().get("/i/HERS").status_code == 404
    page = text(bob.get("/partner/links/HERS"))
    assert "Nobody can register through this link now" in page
    assert "Revoke this link" not in page
    # Neither a QR code nor a button hands out what leads nowhere.
    assert "QR code" not in page
    assert "data-copy" not in bob.get("/partner/links/HERS").content.decode()
    assert "data-copy" not in bob.get("/partner/links").content.decode()


def test_the_qr_code_holds_the_address(hers: InviteLink, sign_in: SignIn) -> None:
    import io

    import segno

    alice = sign_in("alice")
    svg, png = alice.get("/partner/links/HERS/qr.svg"), alice.get("/partner/links/HERS/qr.png?download")
    assert (svg["Content-Type"], png["Content-Type"]) == ("image/svg+xml", "image/png")
    assert svg["Content-Disposition"].startswith("inline")
    assert png["Content-Disposition"] == 'attachment; filename="HERS.png"'
    expected = io.BytesIO()
    segno.make("http://testserver/i/HERS", error="m", micro=False).save(
        expected, kind="png", scale=10, border=4, light="#fff"
    )
    assert png.content == expected.getvalue()


def test_a_viewer_looks_and_changes_nothing(hers: InviteLink, sign_in: SignIn, world: World) -> None:
    Membership.objects.filter(user=world.bob).update(role="viewer")
    bob = sign_in("bob")
    assert "Make the link" not in text(bob.get("/partner/links"))
    assert "Revoke" not in text(bob.get("/partner/links/HERS"))
    assert "Only an owner or a member" in text(bob.post("/partner/links", {"last_day": "2098-01-01"}))
    bob.post("/partner/links/HERS/revoke")
    assert bob.post("/partner/links/HERS/extend", {"last_day": "2098-01-01"}).status_code == 422
    assert bob.post("/api/v1/links/HERS/revoke").status_code == 403
    assert not LinkRevocation.objects.exists()
    assert InviteLink.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/partner/links/HERS"),
        ("post", "/partner/links/HERS/revoke"),
        ("post", "/partner/links/HERS/extend"),
        ("get", "/partner/links/HERS/qr.svg"),
        ("get", "/partner/links/HERS/qr.png"),
        ("get", "/api/v1/links/HERS"),
        ("post", "/api/v1/links/HERS/revoke"),
        ("post", "/api/v1/links/HERS/extend"),
    ],
)
def test_a_rival_finds_nothing(hers: InviteLink, sign_in: SignIn, method: str, path: str) -> None:
    late = FUTURE - timedelta(days=26_000)
    form = {"last_day": late.date().isoformat(), "expires_at": late.isoformat()}
    ask = getattr(sign_in("charlie"), method)
    foreign, absent = ask(path, form), ask(path.replace("HERS", "NO-SUCH"), form)
    assert foreign.status_code == absent.status_code == 404
    assert "Fair, hall 3" not in foreign.content.decode()
    assert not LinkRevocation.objects.exists()
    assert Client().get("/i/HERS").status_code == 200


def test_a_rivals_lists_show_nothing_of_hers(hers: InviteLink, sign_in: SignIn) -> None:
    charlie = sign_in("charlie")
    for path in ("/partner/links", "/api/v1/links"):
        body = charlie.get(path).content.decode()
        assert "HERS" not in body
        assert "Fair, hall 3" not in body
    assert sign_in("olga").get("/api/v1/links").json()["count"] == 1


@pytest.mark.parametrize("path", ["/partner/links", "/api/v1/links"])
def test_fifty_links_take_no_more_queries_than_one(
    hers: InviteLink, sign_in: SignIn, world: World, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incentives.views.links.PER_PAGE", 100)
    alice = sign_in("alice")
    alice.get(path)
    with CaptureQueriesContext(connection) as one:
        assert alice.get(path).content.count(b"HERS") >= 1
    for number in range(49):
        made = make_link(world.haiqiao, f"L-{number:02}", program=world.program)
        register_merchant(code=made.code, entrant=entrant(number + 2), at=timezone.now())
        LinkVisits.objects.create(link=made, day=date(2026, 1, 1), visits=number)
    with CaptureQueriesContext(connection) as fifty:
        shown = alice.get(path).content.decode()
    assert all(f"L-{number:02}" in shown for number in range(49))
    assert len(fifty) == len(one) < 15, [query["sql"] for query in fifty.captured_queries]


def test_more_registrations_take_no_more_queries(hers: InviteLink, sign_in: SignIn) -> None:
    alice, path = sign_in("alice"), "/partner/links/HERS"
    alice.get(path)
    with CaptureQueriesContext(connection) as few:
        alice.get(path)
    for number in range(20):
        register_merchant(code="HERS", entrant=entrant(number + 2), at=timezone.now())
    with CaptureQueriesContext(connection) as many:
        assert text(alice.get(path)).count("虚构商家") == 22
    assert len(many) == len(few) < 15, [query["sql"] for query in many.captured_queries]


def test_a_links_end_is_said_with_the_days_that_are_left(hers: InviteLink, sign_in: SignIn) -> None:
    alice = sign_in("alice")
    last = (timezone.now() + timedelta(days=20)).date()
    alice.post("/partner/links", {"last_day": last.isoformat()})
    said = text(alice.get("/partner/links"))
    assert re.search(rf"until the end of {last.day} \w+ {last.year} · (19|20|21) days left", said)


def test_the_api_makes_extends_and_revokes(hers: InviteLink, sign_in: SignIn, world: World) -> None:
    alice = sign_in("alice")
    ends = (timezone.now() + timedelta(days=10)).replace(microsecond=0)
    answer = alice.post("/api/v1/links", {"label": "API", "expires_at": ends.isoformat(), "max_uses": 5})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["state"], made["max_uses"], made["visits"]) == ("live", 5, 0)
    assert made["url"] == f"http://testserver/i/{made['invite_code']}"
    where = f"/api/v1/links/{made['invite_code']}"
    later = (ends + timedelta(days=5)).isoformat()
    assert alice.post(f"{where}/extend", {"expires_at": later}).status_code == 200
    assert alice.post(f"{where}/extend", {"expires_at": ends.isoformat()}).status_code == 400
    assert alice.post(f"{where}/revoke").json()["state"] == "revoked"
    assert alice.post(f"{where}/revoke").status_code == 409
    assert alice.get(where).json()["revoked_at"]
    assert sign_in("olga").post("/api/v1/links", {"expires_at": later}).status_code == 403
    assert alice.post("/api/v1/links", {"expires_at": later, "partner_code": world.rival.code}).status_code == 404
    assert alice.post("/api/v1/links", {"expires_at": "2026-01-01T00:00:00Z"}).status_code == 400
    suspend_partner(actor=people.actor("rita"), partner=world.haiqiao, reason="Invented reasons.")
    assert alice.get("/api/v1/links/HERS").json()["state"] == "suspended"
    assert alice.post("/api/v1/links", {"expires_at": later}).status_code == 409


def test_a_link_is_made_for_one_entry_of_the_list(hers: InviteLink, sign_in: SignIn, world: World) -> None:
    open_one, own, rivals = (
        TargetEntry.objects.create(
            program=world.program,
            code=code,
            brand=Brand.objects.create(key=code.lower(), name=name),
            track=Track.DIRECTED if partner else Track.TARGET,
            assigned_to=partner,
            listed_on=date(2026, 1, 1),
            review=Review.APPROVED,
            batch=batch(),
        )
        for code, name, partner in (
            ("T-OPEN", "Hoshi", None),
            ("T-OWN", "Tsuki", world.haiqiao),
            ("T-RIVAL", "Taiyo", world.rival),
        )
    )
    alice, program = sign_in("alice"), world.program.code
    # As the list of targets leads here: the form stands open, with the entry in it.
    asked = alice.get(f"/partner/links?program={program}&target=T-OPEN").content.decode()
    assert re.search(r"<details[^>]* open", asked)
    assert re.search(r'name="target" value="T-OPEN"', asked)
    form = {"program": program, "last_day": (timezone.now() + timedelta(days=9)).date().isoformat()}
    for entry in (open_one, own):
        assert alice.post("/partner/links", {**form, "target": entry.code}).status_code == 302
        assert LinkTarget.objects.latest("pk").entry == entry
    alice.get("/partner/links")  # says of both that they work
    refused = alice.post("/partner/links", {**form, "target": "T-RIVAL"})
    absent = alice.post("/partner/links", {**form, "target": "T-NONE"})
    assert refused.status_code == absent.status_code == 422
    assert text(refused).replace("T-RIVAL", "") == text(absent).replace("T-NONE", "")
    ends = (timezone.now() + timedelta(days=9)).isoformat()
    given = {"expires_at": ends, "program": program}
    made = alice.post("/api/v1/links", {**given, "target_code": own.code}).json()
    assert made["target_code"] == "T-OWN"
    assert alice.post("/api/v1/links", {**given, "target_code": rivals.code}).status_code == 400
    assert LinkTarget.objects.count() == 3
    # It goes by the name of whom it is for.
    assert re.search(
        rf'href="/partner/links/{made["invite_code"]}">Tsuki<', alice.get("/partner/links").content.decode()
    )


def test_a_shop_that_a_rival_has_now_counts_for_the_link_no_more(
    hers: InviteLink, sign_in: SignIn, world: World
) -> None:
    from merchants.models import Attribution
    from merchants.states import Cause

    shop = Shop.objects.get(code="BY-LINK")
    Attribution.objects.create(shop=shop, partner=world.rival, cause=Cause.CLAIM, batch=batch())
    found = sign_in("alice").get("/api/v1/links/HERS").json()
    assert (found["registrations"], found["certified"]) == (2, 0)
    assert Registration.objects.filter(link=hers).count() == 2
