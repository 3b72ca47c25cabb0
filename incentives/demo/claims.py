"""Claims that the demo's people made on their own pages, beside those that the season's feeds told of.

One of each kind, so that the list and the page of claims have something to see: with weeks, days and hours left, in
review, given back, run out and rejected; and one of a rival, which alice sees as taken and nothing more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from core.actors import Actor
from core.models import Program, User
from incentives.demo.feeds import File, stamp
from incentives.demo.moments import DAY, HOUR
from incentives.demo.signins import ALICE_PARTNER, CHARLIE_PARTNER
from merchants.listing import Place
from merchants.models import Claim, TargetEntry
from merchants.queries.targets import entries_of
from merchants.services import claim_entry, load_feed, release_claim
from merchants.states import ClaimStatus, Review
from partners.models import Partner
from partners.people import actor_of


def make_claims(*, now: datetime, program: str, keeper: Actor, folder: Path) -> None:
    """Make the claims on the running program's list, as of `now`; `keeper` loads what the marketplace decided."""
    running = Program.objects.get(code=program)
    lasts = running.current_policy.rules.claim.days * DAY
    alice, bob, charlie = (
        actor_of(User.objects.get(email=f"{name}@example.com")) for name in ("alice", "bob", "charlie")
    )
    hers, theirs = Partner.objects.get(code=ALICE_PARTNER), Partner.objects.get(code=CHARLIE_PARTNER)
    entries = iter(_nobodys(alice, running, hers, now))

    def claim(actor: Actor, partner: Partner, ago: timedelta) -> Claim:
        return claim_entry(actor=actor, partner=partner, entry=next(entries), at=now - ago)

    claim(alice, hers, lasts - 41 * HOUR)
    claim(bob, hers, lasts - 5 * DAY)
    claim(alice, hers, 12 * DAY)
    claim(bob, hers, 26 * HOUR)
    release_claim(actor=alice, claim=claim(alice, hers, 20 * DAY), at=now - 9 * DAY)
    claim(alice, hers, lasts + 6 * DAY)
    claim(charlie, theirs, 3 * DAY)
    decided = ((ClaimStatus.PENDING, 30 * HOUR), (ClaimStatus.REJECTED, 15 * DAY))
    rows = tuple(_row(next(entries), status, now - ago, lasts) for status, ago in decided)
    path = File("claims", 0, now, rows, label="-decided").write(folder)
    load_feed(actor=keeper, kind="claims", path=path)
    path.unlink()


def _nobodys(actor: Actor, program: Program, partner: Partner, now: datetime) -> list[TargetEntry]:
    """Free entries of merchants and brands without a shop, by code."""
    free = entries_of(actor=actor, version=program.current_policy, partner_id=partner.pk, at=now).filter(
        place=Place.FREE, review=Review.APPROVED, merchant__shops=None, brand__shops=None
    )
    return list(free.exclude(merchant=None).select_related("program").order_by("code"))


def _row(entry: TargetEntry, status: ClaimStatus, claimed_at: datetime, lasts: timedelta) -> dict[str, str]:
    return {
        "program": entry.program.code,
        "target_code": entry.code,
        "partner_code": ALICE_PARTNER,
        "claimed_at": stamp(claimed_at),
        "expires_at": stamp(claimed_at + lasts),
        "status": status.value,
    }
