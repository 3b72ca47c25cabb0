"""Invite links are made, extended and revoked by those who may, and leave their trail."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.audit import verify_chain
from core.errors import BadInput, Conflict, DomainError, NotAllowed, NotFound
from core.models import AuditEvent, FactBatch
from merchants.models import Brand, LinkTarget, TargetEntry
from merchants.states import Review, Track
from partners.links import is_reader, live_links
from partners.models import Certification, InviteLink, Membership
from partners.services import extend_link, reinstate_partner, revoke_link, suspend_partner, terminate_partner
from tests import people
from tests.merchants.invites import certified, dead_codes, link, program

pytestmark = pytest.mark.django_db


WECHAT = (
    "AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0 Mobile Safari/537.36 XWEB/1160065"
    " MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F36) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN"
)


def entry(code: str = "T-1", *, assigned_to: str | None = None, **given: object) -> TargetEntry:
    made: TargetEntry = TargetEntry.objects.create(
        program=program(),
        code=code,
        brand=Brand.objects.get_or_create(key=code.lower(), defaults={"name": code})[0],
        track=Track.DIRECTED if assigned_to else Track.TARGET,
        assigned_to=people.partner(assigned_to) if assigned_to else None,
        listed_on=date(2026, 1, 1),
        batch=FactBatch.objects.create(source="operator"),
        **{"review": Review.APPROVED, **given},
    )
    return made


def is_live(made: InviteLink) -> bool:
    return live_links(timezone.now()).filter(pk=made.pk).exists()


def test_codes_are_long_and_never_alike() -> None:
    codes = {link().code for _ in range(20)}
    assert len(codes) == 20
    assert {len(code) for code in codes} == {27}
    # 31 ** 27 is more than 2 ** 128.
    assert 31**27 > 2**128


def test_making_a_link_is_a_fact_and_a_step_in_the_trail() -> None:
    made = link(label="  Fair,  hall 3 ", max_uses=200)
    assert made.label == "Fair, hall 3"
    assert is_live(made)
    assert made.batch.recorded_at is not None
    assert made.batch.source == "partner"
    event = AuditEvent.objects.order_by("-pk")[0]
    assert (event.action, event.subject_id, event.actor_id) == ("link.created", str(made.pk), people.person("alice").pk)
    assert "Fair" not in str(event.details)
    assert verify_chain().intact


def test_owner_and_member_may_viewer_and_rival_and_operator_may_not() -> None:
    assert link("bob").partner.code == "ALPHA"
    for name in ("charlie", "olga", "lena"):
        with pytest.raises(NotAllowed):
            link(name)
    Membership.objects.filter(user=people.person("bob")).update(role="viewer")
    made = link()
    for act in (
        lambda: link("bob"),
        lambda: revoke_link(actor=people.actor("bob"), link=made, at=timezone.now()),
        lambda: revoke_link(actor=people.actor("charlie"), link=made, at=timezone.now()),
        lambda: extend_link(
            actor=people.actor("bob"), link=made, expires_at=made.expires_at + timedelta(1), at=timezone.now()
        ),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert is_live(made)


def test_a_viewer_here_who_owns_another_organisation_only_looks_here() -> None:
    Membership.objects.create(user=people.person("charlie"), partner=people.partner("ALPHA"), role="viewer")
    with pytest.raises(NotAllowed):
        link("charlie")


def test_a_link_for_one_entry() -> None:
    own = entry("T-OWN", assigned_to="ALPHA")
    made = link(entry=own)
    assert LinkTarget.objects.get(link=made).entry == own
    assert made.program == own.program
    with pytest.raises(NotFound):
        link(entry=entry("T-RIVAL", assigned_to="GAMMA"))
    with pytest.raises(Conflict):
        link(entry=entry("T-NO", review=Review.REJECTED))
    with pytest.raises(Conflict):
        link(entry=entry("T-OFF", delisted_on=date(2026, 2, 1)))


@pytest.mark.parametrize(
    "given",
    [
        {"max_uses": 0},
        {"max_uses": 100_001},
        {"label": "x" * 121},
        {"label": "fair\u202e"},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"expires_at": timezone.now() + timedelta(days=500)},
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        link(**given)
    assert not InviteLink.objects.exists()


def test_only_a_certified_partner_makes_links() -> None:
    certified()
    Certification.objects.update(days=(date(2020, 1, 1), date(2021, 1, 1)))
    with pytest.raises(Conflict, match="certified"):
        link()


def test_every_kind_of_dead_link_is_dead() -> None:
    for kind, code in dead_codes().items():
        assert not live_links(timezone.now()).filter(code=code).exists(), kind


def test_a_revoked_link_stays_revoked() -> None:
    made = link()
    revoke_link(actor=people.actor("bob"), link=made, at=timezone.now())
    assert not is_live(made)
    assert made.revocation.batch.recorded_at is not None
    assert AuditEvent.objects.filter(action="link.revoked", subject_id=str(made.pk)).count() == 1
    with pytest.raises(Conflict):
        revoke_link(actor=people.actor("alice"), link=made, at=timezone.now())
    with pytest.raises(Conflict):
        extend_link(
            actor=people.actor("alice"), link=made, expires_at=made.expires_at + timedelta(1), at=timezone.now()
        )


def test_an_extended_link_works_longer() -> None:
    made, before = link(), timezone.now() + timedelta(days=30)
    row = extend_link(actor=people.actor("alice"), link=made, expires_at=before + timedelta(days=10), at=timezone.now())
    made.refresh_from_db()
    assert made.expires_at == row.expires_at == before + timedelta(days=10)
    assert row.batch.recorded_at is not None
    assert live_links(before + timedelta(days=5)).filter(pk=made.pk).exists()
    for expires_at in (made.expires_at, before, timezone.now() + timedelta(days=401)):
        with pytest.raises(BadInput):
            extend_link(actor=people.actor("alice"), link=made, expires_at=expires_at, at=timezone.now())


def test_neither_an_expired_link_nor_the_feeds_is_extended() -> None:
    old = link(at=timezone.now() - timedelta(days=3), expires_at=timezone.now() - timedelta(days=1))
    theirs = InviteLink.objects.create(
        code="FEED-1",
        partner=people.partner("ALPHA"),
        starts_at=timezone.now() - timedelta(days=1),
        expires_at=timezone.now() + timedelta(days=1),
        batch=FactBatch.objects.create(source="feed"),
    )
    for made in (old, theirs):
        with pytest.raises(Conflict):
            extend_link(
                actor=people.actor("alice"), link=made, expires_at=timezone.now() + timedelta(9), at=timezone.now()
            )


def test_a_suspension_turns_all_links_off_and_a_reinstatement_on() -> None:
    made, rival = link(), link("charlie", "GAMMA")
    suspend_partner(actor=people.actor("rita"), partner=made.partner, reason="Invented reasons.")
    assert not is_live(made)
    assert is_live(rival)
    for act in (
        link,
        lambda: extend_link(
            actor=people.actor("alice"), link=made, expires_at=made.expires_at + timedelta(1), at=timezone.now()
        ),
    ):
        with pytest.raises(DomainError, match="suspended"):
            act()
    reinstate_partner(actor=people.actor("rita"), partner=made.partner, reason="It was a mistake.")
    assert is_live(made)
    terminate_partner(actor=people.actor("rita"), partner=made.partner, reason="Invented reasons.")
    assert not is_live(made)


@pytest.mark.parametrize(
    ("agent", "reads"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 MicroMessenger/8.0.49(0x18003137)",
            True,
        ),
        (f"Mozilla/5.0 (Linux; Android 13; CUBOT_X70 Build/TP1A) {WECHAT}", True),
        ("Mozilla/5.0 (Linux; Android 11; ScanPal EDA52) AppleWebKit/537.36 Chrome/120.0 Safari/537.36", True),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0 Safari/537.36", False),
        ("DingTalkBot-LinkService/1.0", False),
        ("Mozilla/5.0 (compatible; Google-InspectionTool/1.0)", False),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36", True),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.example.com/search)", False),
        ("Mozilla/5.0 (compatible; Googlebot/2.1)", False),
        ("facebookexternalhit/1.1", False),
        ("curl/8.5.0", False),
        ("python-requests/2.32", False),
        ("", False),
    ],
)
def test_bots_are_told_from_readers(agent: str, reads: bool) -> None:
    assert is_reader(agent) is reads
