"""Claims of the portal beside those of the feeds: whose a shop is, and what the feed may still say."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from merchants.models import Attribution, Claim, TargetEntry
from merchants.services import claim_entry, release_claim
from partners.models import Certification, Membership, Partner
from partners.services import suspend_partner, terminate_partner
from tests import people
from tests.merchants.imports.feeds import GOOD, Feeds, counts, errors
from tests.merchants.targets import running_program


@pytest.fixture
def listed(feeds: Feeds) -> TargetEntry:
    """An entry that the feed brought, and two partners: P-1 is alice's, P-2 charlie's."""
    running_program("Q1")
    for code, name in (("P-1", "alice"), ("P-2", "charlie")):
        feeds.load("partners", {**GOOD["partners"], "partner_code": code, "certified_until": "2099-12-31"})
        Membership.objects.create(user=people.person(name), partner=Partner.objects.get(code=code), role="owner")
    assert Certification.objects.count() == 2
    feeds.load("targets", {**GOOD["targets"], "brand": "", "track": "target", "partner_code": ""})
    return TargetEntry.objects.get()


def claim(entry: TargetEntry, name: str, code: str) -> Claim:
    return claim_entry(actor=people.actor(name), partner=Partner.objects.get(code=code), entry=entry, at=timezone.now())


def shop(feeds: Feeds, code: str, at: datetime) -> tuple[str, str] | None:
    """Load a shop that registered then, named for P-2 by the marketplace's record; return whose it is, and by what."""
    row = {
        **GOOD["shops"],
        "shop_code": code,
        "registered_at": at.isoformat(),
        "certified_at": "",
        "invite_code": "",
        "partner_code": "P-2",
    }
    assert feeds.load("shops", row).rejected == 0
    found = Attribution.objects.get(shop__code=code)
    return found.partner.code, found.cause


def test_a_claim_wins_its_shop_until_it_is_given_back_and_for_what_came_before(
    feeds: Feeds, listed: TargetEntry
) -> None:
    made = claim(listed, "alice", "P-1")
    during = timezone.now()
    release = release_claim(actor=people.actor("alice"), claim=made, at=timezone.now())
    just_before = release.released_at - timedelta(microseconds=1)
    assert shop(feeds, "S-1", during) == ("P-1", "claim")
    assert shop(feeds, "S-2", just_before) == ("P-1", "claim")
    assert shop(feeds, "S-3", release.released_at) == ("P-2", "record")
    assert shop(feeds, "S-4", made.claimed_at) == ("P-1", "claim")


@pytest.mark.parametrize("act", [suspend_partner, terminate_partner])
def test_a_claim_rests_with_its_partner(feeds: Feeds, listed: TargetEntry, act: object) -> None:
    claim(listed, "alice", "P-1")
    before = timezone.now()
    act(actor=people.actor("rita"), partner=Partner.objects.get(code="P-1"), reason="Invented reasons.")  # type: ignore[operator]
    assert shop(feeds, "S-1", timezone.now()) == ("P-2", "record")
    assert shop(feeds, "S-2", before) == ("P-1", "claim")


def test_a_feed_may_not_overlap_a_claim_of_the_portal_but_follow_it(feeds: Feeds, listed: TargetEntry) -> None:
    made = claim(listed, "alice", "P-1")
    row = {
        **GOOD["claims"],
        "partner_code": "P-2",
        "claimed_at": (made.claimed_at + timedelta(days=1)).isoformat(),
        "expires_at": (made.claimed_at + timedelta(days=5)).isoformat(),
    }
    assert errors(feeds.load("claims", row)) == [(2, "claimed_at", "claim_overlap")]
    # The marketplace tells of the portal's claim what it knows: nothing new, or that it is rejected.
    theirs = {
        **row,
        "partner_code": "P-1",
        "claimed_at": made.claimed_at.isoformat(),
        "expires_at": made.expires_at.isoformat(),
    }
    assert counts(feeds.load("claims", theirs)) == (0, 1, 0, 0)
    release_claim(actor=people.actor("alice"), claim=made, at=timezone.now())
    assert counts(feeds.load("claims", row)) == (1, 0, 0, 0)
    # Given back stays given back: telling of it again takes nothing from the next one.
    assert counts(feeds.load("claims", {**theirs, "status": "rejected"})) == (0, 0, 1, 0)
    assert counts(feeds.load("claims", theirs)) == (0, 0, 1, 0)
    made.refresh_from_db()
    assert made.released_at is not None
    with pytest.raises(Exception, match="isn't free"):
        claim(listed, "alice", "P-1")
