"""Entries and claims of the tests of the target list."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.models import Program
from core.policy import Policy
from core.recording import open_batch, seal
from core.services import create_program
from merchants.models import Brand, Claim, Merchant, Shop, TargetEntry, TargetFact
from merchants.naming import brand_key, registration_key
from merchants.services import claim_entry
from merchants.states import ClaimStatus, Review, Track
from tests import people
from tests.merchants.invites import certified

LISTED_ON = date(2026, 1, 1)


def running_program(code: str = "NOW", **document: Any) -> Program:
    """A program that runs today, with markets DE and FR unless the document says otherwise."""
    found = Program.objects.filter(code=code).first()
    if found is not None:
        return found
    today = timezone.now().date()
    return create_program(
        actor=people.actor("omar"),
        code=code,
        start=today - timedelta(days=40),
        end=today + timedelta(days=40),
        policy=Policy.parse({"name": {"en": f"Program {code}"}, "markets": ["DE", "FR"], **document}),
        accept_example_tiers=True,
    )


def entry(
    code: str = "T-1",
    *,
    program: Program | None = None,
    name: str | None = None,
    number: str | None = None,
    country: str = "HK",
    brand: str | None = None,
    assigned_to: str | None = None,
    **given: Any,
) -> TargetEntry:
    """An approved entry; of a merchant of its own unless a number or a brand is given."""
    if number is None and brand is None:
        number = f"INV-{code}"
    with transaction.atomic():
        batch = open_batch(source="feed", actor_id=None)
        facts = {
            "track": Track.DIRECTED if assigned_to else Track.TARGET,
            "assigned_to": people.partner(assigned_to) if assigned_to else None,
            "listed_on": LISTED_ON,
            "delisted_on": None,
            "review": Review.APPROVED,
            **given,
        }
        made: TargetEntry = TargetEntry.objects.create(
            program=program or running_program(),
            code=code,
            merchant_name=name,
            merchant=merchant(number, country, name or "") if number else None,
            brand=make_brand(brand) if brand else None,
            batch=batch,
            **facts,
        )
        TargetFact.objects.create(entry=made, batch=batch, **facts)
        seal(batch)
    return made


def merchant(number: str, country: str = "HK", name: str = "") -> Merchant:
    """The merchant of this number, made at the first call."""
    return Merchant.objects.get_or_create(
        country=country, registration_key=registration_key(number), defaults={"registration_no": number, "name": name}
    )[0]


def make_brand(name: str) -> Brand:
    """The brand of this name, made at the first call."""
    return Brand.objects.get_or_create(key=brand_key(name), defaults={"name": name})[0]


def claim(made: TargetEntry, who: str = "alice", code: str = "ALPHA", at: datetime | None = None) -> Claim:
    """A claim by a person of the partner of this code, which is certified."""
    return claim_entry(actor=people.actor(who), partner=certified(code), entry=made, at=at or timezone.now())


def told_claim(made: TargetEntry, code: str, *, status: str = ClaimStatus.APPROVED, days: int = 30) -> Claim:
    """A claim that a feed told of: begun a day ago."""
    with transaction.atomic():
        batch = open_batch(source="feed", actor_id=None)
        since = timezone.now() - timedelta(days=1)
        row: Claim = Claim.objects.create(
            entry=made,
            partner=certified(code),
            claimed_at=since,
            expires_at=since + timedelta(days=days),
            status=status,
            batch=batch,
        )
        row.facts.create(status=status, batch=batch)
        seal(batch)
    return row


def shop(number: str, *, market: str = "DE", brand: str | None = None, certified_at: datetime | None = None) -> Shop:
    """A certified shop of the merchant of this number."""
    with transaction.atomic():
        batch = open_batch(source="feed", actor_id=None)
        made: Shop = Shop.objects.create(
            code=f"S-{number}-{market}",
            merchant=merchant(number),
            merchant_name="Invented",
            market=market,
            brand=make_brand(brand) if brand else None,
            brand_name=brand,
            registered_at=timezone.now() - timedelta(days=400),
            certified_at=certified_at or timezone.now() - timedelta(days=2),
            batch=batch,
        )
        seal(batch)
    return made
