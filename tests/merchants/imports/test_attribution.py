"""Who brought a shop in (POLICY 4), decided when the shop is recorded, by what is known then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from core.errors import BadInput, Conflict, NotAllowed
from merchants.models import Attribution, Registration, Shop
from merchants.services import apply_attribution_again, assign_shop
from merchants.states import Cause
from partners.models import InviteLink, Partner
from partners.services import reinstate_partner, suspend_partner, terminate_partner
from tests.merchants.imports.feeds import ACTOR, GOOD, Feeds, Row, counts, errors, make_program
from tests.people import actor

AT = "2026-01-10T10:00:00+08:00"
BEFORE, AFTER = "2026-01-10T09:59:59.999999+08:00", "2026-01-10T10:00:00.000001+08:00"
LATER = "2026-02-20T00:00:00+08:00"


@pytest.fixture
def market(feeds: Feeds) -> Feeds:
    """A program, three partners, and an entry that names merchant M-1."""
    make_program()
    feeds.load("partners", *({**GOOD["partners"], "partner_code": code} for code in ("P-1", "P-2", "P-3")))
    feeds.load("targets", {**GOOD["targets"], "brand": "", "track": "target", "partner_code": ""})
    return feeds


def invite(feeds: Feeds, code: str = "L-1", partner: str = "P-1", **more: str) -> None:
    row = {**GOOD["invites"], "invite_code": code, "partner_code": partner, "target_code": "", "program": "", **more}
    assert feeds.load("invites", row).rejected == 0


def claim(feeds: Feeds, partner: str = "P-2", **more: str) -> None:
    assert feeds.load("claims", {**GOOD["claims"], "partner_code": partner, **more}).rejected == 0


def shop(feeds: Feeds, *, known: datetime | None = None, **more: str) -> tuple[str, str, str] | None:
    """Load a shop and return its attribution: partner, cause, and who lost."""
    row: Row = {**GOOD["shops"], "registered_at": AT, "partner_code": "", "invite_code": "", **more}
    loaded = feeds.load("shops", row, recorded_at=known)
    assert (errors(loaded), counts(loaded)) == ([], (1, 0, 0, 0))
    found = Attribution.objects.filter(shop__code=row["shop_code"]).first()
    if found is None:
        return None
    assert found.batch == loaded.batch
    return found.partner.code, found.cause, found.lost_by.code if found.lost_by else ""


def test_nobody(market: Feeds) -> None:
    assert shop(market) is None


def test_the_record_is_the_last_resort(market: Feeds) -> None:
    invite(market)
    assert shop(market, partner_code="P-3") == ("P-3", "record", "")
    assert shop(market, shop_code="S-2", partner_code="P-3", invite_code="L-1") == ("P-1", "link", "")


def test_a_claim_protects_who_was_there_first(market: Feeds) -> None:
    invite(market)
    claim(market)
    assert shop(market, partner_code="P-3", invite_code="L-1") == ("P-2", "claim", "P-1")
    # Not lost to oneself.
    invite(market, "L-2", "P-2")
    assert shop(market, shop_code="S-2", invite_code="L-2") == ("P-2", "claim", "")


@pytest.mark.parametrize(
    ("when", "valid"),
    [
        ({"starts_at": AT}, True),
        ({"starts_at": AFTER}, False),
        ({"expires_at": AFTER}, True),
        ({"expires_at": AT}, False),
        ({"revoked_at": AFTER}, True),
        ({"revoked_at": AT}, False),
    ],
)
def test_a_link_is_half_open_in_time(market: Feeds, when: Row, valid: bool) -> None:
    invite(market, **when)
    assert shop(market, invite_code="L-1") == (("P-1", "link", "") if valid else None)
    assert Shop.objects.get().link_valid is valid


@pytest.mark.parametrize(
    ("when", "covers"),
    [
        ({"claimed_at": AT}, True),
        ({"claimed_at": AFTER}, False),
        ({"expires_at": AFTER}, True),
        ({"expires_at": AT}, False),
        ({"status": "pending"}, False),
        ({"status": "rejected"}, False),
    ],
)
def test_a_claim_is_half_open_in_time_and_approved(market: Feeds, when: Row, covers: bool) -> None:
    claim(market, **when)
    assert shop(market) == (("P-2", "claim", "") if covers else None)


def test_of_several_claims_the_earliest_then_the_lower_code(market: Feeds) -> None:
    entries = [
        {**GOOD["targets"], "target_code": code, "track": "target", "partner_code": "", **names}
        for code, names in {
            "T-2": {"brand": ""},
            "T-3": {"registration_no": "", "country": "", "merchant_name": ""},
        }.items()
    ]
    market.load("targets", *entries)
    claim(market, "P-3", target_code="T-2")
    claim(market, "P-2", target_code="T-3")
    assert shop(market) == ("P-2", "claim", "")
    claim(market, "P-1", target_code="T-1", claimed_at="2026-01-06T00:00:00+08:00")
    assert shop(market, shop_code="S-2") == ("P-2", "claim", "")
    # Another brand: the entry that names only the brand says nothing.
    assert shop(market, shop_code="S-3", brand="Tsuki") == ("P-3", "claim", "")


def test_a_link_made_for_another_merchant_does_not_apply(market: Feeds) -> None:
    market.load("targets", {**GOOD["targets"], "target_code": "T-9", "registration_no": "M-9", "brand": ""})
    invite(market, "L-9", target_code="T-9", program="Q1")
    invite(market, "L-1", target_code="T-1", program="Q1")
    assert shop(market, invite_code="L-9") is None
    # It was valid, though: which of the two it was is for the condition card.
    assert Shop.objects.get().link_valid is True
    assert shop(market, shop_code="S-2", invite_code="L-1") == ("P-1", "link", "")


def test_the_order_is_the_policys(market: Feeds) -> None:
    make_program("JAPAN", markets=["JP"], attribution={"order": ["record", "link"]})
    invite(market)
    claim(market)
    assert shop(market, market="JP", invite_code="L-1", partner_code="P-3") == ("P-3", "record", "")
    assert shop(market, shop_code="S-2", market="JP", invite_code="L-1") == ("P-1", "link", "")
    assert shop(market, shop_code="S-3", market="JP") is None
    # A market of no program goes by the usual order.
    assert shop(market, shop_code="S-4", market="BR", invite_code="L-1") == ("P-2", "claim", "P-1")


def test_what_is_recorded_later_does_not_reach_back(market: Feeds) -> None:
    invite(market)
    assert shop(market, invite_code="L-1") == ("P-1", "link", "")
    invite(market, revoked_at="2026-01-02T00:00:00+08:00")
    claim(market)
    assert market.load("shops", {**GOOD["shops"], "certified_at": LATER, "partner_code": ""}).updated == 1
    assert Attribution.objects.count() == 1
    assert Shop.objects.get().link_valid is True


def test_a_backdated_shop_knows_only_what_was_known(market: Feeds) -> None:
    moment = datetime(2026, 1, 15, tzinfo=UTC)
    invite(market)
    claim(market)
    assert shop(market, known=moment, invite_code="L-1") is None
    assert Shop.objects.get().link_valid is False
    assert shop(market, known=timezone.now(), shop_code="S-2", invite_code="L-1") == ("P-2", "claim", "P-1")


def test_a_suspended_partners_links_do_not_work(market: Feeds) -> None:
    invite(market, starts_at="2026-01-01T00:00:00Z", expires_at="9999-12-31T00:00:00Z")
    partner = Partner.objects.get(code="P-1")
    rita = actor("rita")
    with pytest.raises(NotAllowed):
        suspend_partner(actor=actor("olga"), partner=partner, reason="no permission")
    with pytest.raises(BadInput):
        suspend_partner(actor=rita, partner=partner, reason="  ")
    suspend_partner(actor=rita, partner=partner, reason="An invented reason")
    with pytest.raises(Conflict):
        suspend_partner(actor=rita, partner=partner, reason="twice")
    during = timezone.now()
    assert shop(market, registered_at=during.isoformat(), invite_code="L-1", certified_at="") is None
    # What registered before the suspension keeps its link.
    assert shop(market, shop_code="S-2", invite_code="L-1") == ("P-1", "link", "")
    reinstate_partner(actor=rita, partner=partner, reason="An invented reason")
    after = timezone.now() + timedelta(seconds=1)
    row = {"registered_at": after.isoformat(), "invite_code": "L-1", "certified_at": ""}
    assert shop(market, known=None, shop_code="S-3", **row) == ("P-1", "link", "")
    row["registered_at"] = during.isoformat()
    assert shop(market, known=None, shop_code="S-4", **row) is None
    terminate_partner(actor=rita, partner=partner, reason="An invented reason")
    with pytest.raises(Conflict):
        reinstate_partner(actor=rita, partner=partner, reason="too late")


def test_a_receipt_brings_its_link_and_instant(market: Feeds) -> None:
    invite(market)
    invite(market, "L-2", "P-2")
    link = InviteLink.objects.get(code="L-1")
    registration = Registration.objects.create(
        receipt="R-1",
        link=link,
        registered_at=datetime(2026, 1, 9, tzinfo=UTC),
        merchant_name="As typed",
        country="CN",
        registration_no="M-1",
        registration_key="M1",
        market="DE",
        batch=link.batch,
    )
    row = {**GOOD["shops"], "partner_code": "", "receipt": "R-1"}
    assert errors(market.load("shops", {**row, "invite_code": "L-2"})) == [(2, "receipt", "unknown_reference")]
    assert shop(market, receipt="R-1") == ("P-1", "link", "")
    loaded = Shop.objects.get()
    assert (loaded.registration, loaded.registered_at, loaded.link) == (registration, registration.registered_at, link)
    # The same row again, with and without the column, and another shop with the same receipt.
    for columns in (None, [name for name in row if name != "receipt"]):
        assert counts(market.load("shops", {**row, "invite_code": ""}, columns=columns)) == (0, 1, 0, 0)
    assert errors(market.load("shops", {**row, "shop_code": "S-2", "invite_code": "L-1"})) == [
        (2, "receipt", "unknown_reference")
    ]
    assert errors(market.load("shops", {**row, "invite_code": "", "receipt": ""})) == [
        (2, "receipt", "forbidden_repeat")
    ]


def test_two_shops_of_one_file_can_not_share_a_receipt(market: Feeds) -> None:
    invite(market)
    link = InviteLink.objects.get()
    Registration.objects.create(
        receipt="R-1",
        link=link,
        registered_at=datetime(2026, 1, 9, tzinfo=UTC),
        merchant_name="As typed",
        country="CN",
        registration_no="M-1",
        registration_key="M1",
        market="DE",
        batch=link.batch,
    )
    row = {**GOOD["shops"], "partner_code": "", "receipt": "R-1"}
    loaded = market.load("shops", row, {**row, "shop_code": "S-2"})
    assert errors(loaded) == [(3, "receipt", "unknown_reference")]
    assert loaded.new == 1


def test_an_operator_assigns_with_a_reason(market: Feeds) -> None:
    shop(market)
    partner = Partner.objects.get(code="P-3")
    with pytest.raises(NotAllowed):
        assign_shop(actor=actor("olga"), shop=Shop.objects.get(), partner=partner, reason="No permission")
    lena = actor("lena")
    with pytest.raises(BadInput):
        assign_shop(actor=lena, shop=Shop.objects.get(), partner=partner, reason=" ")

    def too_late(found: Shop) -> None:
        raise Conflict(f"{found.code} was paid for")

    with pytest.raises(Conflict, match="S-1 was paid for"):
        assign_shop(actor=lena, shop=Shop.objects.get(), partner=partner, reason="Signed contract", guard=too_late)
    assert not Attribution.objects.exists()
    row = assign_shop(actor=lena, shop=Shop.objects.get(), partner=partner, reason="Signed contract")
    assert (row.cause, row.partner, str(row.reason)) == (Cause.ASSIGNMENT, partner, "Signed contract")
    assert row.batch.recorded_at is not None


def test_the_rules_are_applied_again_to_unattributed_shops_only(market: Feeds) -> None:
    shop(market)
    shop(market, shop_code="S-2", partner_code="P-3")
    claim(market)
    lena = actor("lena")
    assert apply_attribution_again(actor=lena, shops=list(Shop.objects.all())) == 1
    assert apply_attribution_again(actor=lena, shops=list(Shop.objects.all())) == 0
    found = Attribution.objects.order_by("shop__code").values_list("shop__code", "partner__code", "cause")
    assert list(found) == [("S-1", "P-2", "claim"), ("S-2", "P-3", "record")]
    assert ACTOR.user_id is None
