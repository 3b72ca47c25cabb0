"""The inbox and its settings, through a browser's requests; the same through the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.audit import verify_chain
from core.models import AuditEvent, Notice
from core.notices import mailing
from core.notices.links import Link
from tests.incentives.factories import World
from tests.notices.helpers import tell_all

SignIn = Callable[..., Client]
pytestmark = pytest.mark.django_db


def text(response: object) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())  # type: ignore[attr-defined]


@pytest.fixture
def notice(world: World) -> Notice:
    """Alice is told of something."""
    tell_all(world.alice, link=Link("portal-payout", (world.program.code,), {"partner": "haiqiao"}))
    return Notice.objects.get()


def test_what_one_is_told_stands_in_the_inbox_and_in_the_top_bar(sign_in: SignIn, notice: Notice) -> None:
    page = text(sign_in("alice").get("/notices/"))
    assert "Spring: 1,204.77 CNY, 30 Apr" in page
    assert "Notices, 1 unread" in page
    assert "春季: ¥1,204.77, 4月30日" in text(sign_in("alice", "zh-hans").get("/notices/"))
    assert "Notices, 1 unread" in text(sign_in("alice").get("/partner/"))


def test_an_empty_inbox_says_what_will_be_there(sign_in: SignIn) -> None:
    for name in ("alice", "olga"):
        page = text(sign_in(name).get("/notices/"))
        assert "Nothing yet." in page
        assert "unread" not in page
        assert "Mark all as read" not in page


def test_opening_leads_on_and_counts_as_read(sign_in: SignIn, notice: Notice) -> None:
    alice = sign_in("alice")
    assert alice.head(f"/notices/{notice.pk}").status_code == 302
    assert "Notices, 1 unread" in text(alice.get("/notices/"))
    response = alice.get(f"/notices/{notice.pk}")
    assert response.headers["location"] == "/partner/POP-2026Q1/payout?partner=haiqiao"
    assert "unread" not in text(alice.get("/notices/"))


def test_a_notice_that_leads_nowhere_any_more_still_says_what_was(sign_in: SignIn, notice: Notice) -> None:
    Notice.objects.update(url_name="a-page-of-long-ago", params={})
    alice = sign_in("alice")
    assert "Statement" in text(alice.get("/notices/"))
    assert alice.get(f"/notices/{notice.pk}").headers["location"] == "/notices/"
    Notice.objects.update(kind="a.kind.of.long.ago")
    assert alice.get("/notices/").status_code == 200


def test_ticking_off_leaves_one_where_one_was(sign_in: SignIn, notice: Notice) -> None:
    alice = sign_in("alice")
    response = alice.post(f"/notices/{notice.pk}/read", {"next": "/notices/?unread=true"})
    assert response.headers["location"] == "/notices/?unread=true"
    page = text(alice.get("/notices/?unread=true"))
    assert "No notice is like that." in page
    elsewhere = alice.post(f"/notices/{notice.pk}/read", {"next": "https://elsewhere.example.org/"})
    assert elsewhere.headers["location"] == "/notices/"


def test_all_that_were_seen_are_ticked_off_and_none_that_came_since(world: World, sign_in: SignIn) -> None:
    tell_all(world.alice)
    alice = sign_in("alice")
    until = re.search(r'name="until" value="(\d+)"', alice.get("/notices/").content.decode())
    assert until
    tell_all(world.alice)
    page = text(alice.post("/notices/read", {"until": until[1]}, follow=True))
    assert "1 notice is read now." in page
    assert "Notices, 1 unread" in page
    assert alice.post("/notices/read", {"until": "x"}).status_code == 404


def test_filters_narrow_the_inbox(world: World, sign_in: SignIn, notice: Notice) -> None:
    tell_all(world.alice, kind="tests.quiet")
    alice = sign_in("alice")
    assert "Spring:" in text(alice.get("/notices/?kind=tests.tried"))
    assert "Spring:" not in text(alice.get("/notices/?kind=tests.quiet"))
    assert "No notice is like that." in text(alice.get("/notices/?kind=no.such.kind"))
    alice.post(f"/notices/{notice.pk}/read")
    assert "Spring:" not in text(alice.get("/notices/?unread=true"))


def test_pages_of_an_inbox(world: World, sign_in: SignIn) -> None:
    alice = sign_in("alice")
    tell_all(world.alice)
    alice.get("/notices/")
    with CaptureQueriesContext(connection) as few:
        alice.get("/notices/")
    for _ in range(30):
        tell_all(world.alice)
    with CaptureQueriesContext(connection) as many:
        page = alice.get("/notices/?unread=true")
    assert len(many) <= len(few)
    assert "1–25 / 31" in text(page)
    assert "?unread=true&amp;page=2" in page.content.decode()
    assert "26–31 / 31" in text(alice.get("/notices/?page=2"))


@pytest.mark.parametrize("name", ["bob", "charlie", "olga", "omar"])
def test_nobody_else_reads_opens_or_ticks_off(sign_in: SignIn, notice: Notice, name: str) -> None:
    other = sign_in(name)
    assert "Spring" not in text(other.get("/notices/"))
    assert other.get(f"/notices/{notice.pk}").status_code == 404
    assert other.post(f"/notices/{notice.pk}/read").status_code == 404
    other.post("/notices/read", {"until": str(notice.pk)})
    assert other.get("/api/v1/notices").json()["count"] == 0
    assert other.post(f"/api/v1/notices/{notice.pk}/read").status_code == 404
    assert other.post("/api/v1/notices/read").json() == {"unread": 0}
    assert Notice.objects.unread().count() == 1


def test_a_strangers_requests_lead_to_the_sign_in(notice: Notice) -> None:
    stranger = Client()
    for method, path in (("get", ""), ("get", notice.pk), ("post", f"{notice.pk}/read"), ("post", "read")):
        response = getattr(stranger, method)(f"/notices/{path}")
        assert response.status_code == 302
        assert "/accounts/login/" in response.headers["location"]
    assert Notice.objects.unread().count() == 1


# --- Settings ---------------------------------------------------------------------------------------------------------


def test_what_is_chosen_holds_from_then_on(world: World, sign_in: SignIn) -> None:
    alice = sign_in("alice")
    page = alice.get("/notices/settings").content.decode()
    assert re.search(r'name="mail:payout.approve" checked', page)
    assert re.search(r'name="mail:payout.claw_back" checked disabled', page)
    before = AuditEvent.objects.count()
    response = alice.post("/notices/settings", {"inbox:tests.tried": "on", "mail:tests.quiet": "on"}, follow=True)
    assert "From now on you are told as chosen here." in text(response)
    tell_all(world.alice, world.bob)
    tell_all(world.alice, kind="tests.quiet")
    tell_all(world.alice, kind="tests.fixed")
    mailing.send_waiting(seconds=20)
    assert sorted((each.to[0], each.subject) for each in mail.outbox) == [
        ("alice@example.com", "Base"),
        ("alice@example.com", "Payable"),  # switched off, but it can't be
        ("bob@example.com", "Spring"),
    ]
    listed = alice.get("/api/v1/notices").json()["results"]
    assert [row["kind"] for row in listed] == ["tests.tried"]
    assert AuditEvent.objects.count() == before + 1
    assert verify_chain().intact
    page = alice.get("/notices/settings").content.decode()
    assert not re.search(r'name="mail:payout.approve" checked', page)


def test_each_sees_what_can_be_told_to_them(sign_in: SignIn) -> None:
    assert "A payout is approved" in text(sign_in("alice").get("/notices/settings"))
    assert "A payout is approved" not in text(sign_in("olga").get("/notices/settings"))


def test_partners_people_and_operators_are_told_different_things(sign_in: SignIn) -> None:
    def kinds(name: str) -> set[str]:
        return set(re.findall(r'name="inbox:([\w.]+)"', sign_in(name).get("/notices/settings").content.decode()))

    operators = {"application.to_review", "application.answered"}
    assert operators <= kinds("olga")
    assert not operators & kinds("alice")
    assert {"application.asked", "program.new_policy", "partner.suspended", "team.joined"} <= kinds("alice")
    assert not {"application.asked", "program.new_policy", "partner.suspended", "team.joined"} & kinds("olga")
    # Only people without an account are told of it, and they have no settings.
    assert "team.invited" not in kinds("alice") | kinds("olga")


@pytest.mark.parametrize("path", ["/notices/", "/notices/settings"])
def test_the_rail_leads_everywhere_as_on_other_pages(sign_in: SignIn, path: str) -> None:
    def rail(page: str) -> set[str]:
        found = sign_in("alice").get(page).content.decode().partition('class="rail"')[2].partition("</nav>")[0]
        return set(re.findall(r'href="([^"]+)"', found))

    assert rail(path) == rail("/partner/team")
    assert "/partner/POP-2026Q1/shops" in rail(path)


# --- The API ----------------------------------------------------------------------------------------------------------


def test_the_api_lists_and_ticks_off(world: World, sign_in: SignIn, notice: Notice) -> None:
    alice = sign_in("alice")
    [row] = alice.get("/api/v1/notices?unread=true").json()["results"]
    assert row["sentence"] == "Spring: 1,204.77 CNY, 30 Apr"
    assert row["path"] == "/partner/POP-2026Q1/payout?partner=haiqiao"
    assert row["read_at"] is None
    assert alice.post(f"/api/v1/notices/{notice.pk}/read").json()["read_at"] is not None
    assert alice.get("/api/v1/notices?unread=true").json()["count"] == 0
    tell_all(world.alice)
    tell_all(world.alice)
    assert alice.post("/api/v1/notices/read").json() == {"unread": 0}
    assert alice.post("/api/v1/notices/12345/read").status_code == 404
    assert alice.get("/api/v1/notices?kind=no.such.kind").status_code == 400
    assert "春季" in sign_in("alice", "zh-hans").get("/api/v1/notices").json()["results"][0]["sentence"]
