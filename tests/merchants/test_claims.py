"""Entries are claimed and given back: one at a time holds an entry, and nobody learns who."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from core import locks
from core.audit import verify_chain
from core.errors import Conflict, DomainError, NotAllowed, NotFound, Unavailable
from core.models import AuditEvent
from merchants.models import Claim, ClaimFact, ClaimRelease, TargetEntry
from merchants.services import claim_entry, claims, release_claim
from merchants.states import ClaimStatus, Review
from partners.models import Certification, Membership
from partners.services import reinstate_partner, suspend_partner, terminate_partner
from tests import people
from tests.merchants.invites import certified
from tests.merchants.targets import claim, entry, running_program, shop, told_claim

db = pytest.mark.django_db


def release(made: Claim, who: str = "alice", **given: Any) -> ClaimRelease:
    return release_claim(actor=people.actor(who), claim=made, at=given.get("at") or timezone.now())


def refusal(act: Callable[[], object]) -> tuple[str, str, type[DomainError]]:
    with pytest.raises(DomainError) as refused:
        act()
    return refused.value.code, refused.value.message, type(refused.value)


@db
def test_a_claim_is_a_fact_in_force_for_the_policys_days_and_a_step_in_the_trail() -> None:
    running_program(claim={"days": 12})
    at = timezone.now()
    made = claim(entry(), at=at)
    assert (made.status, made.claimed_at, made.expires_at) == (ClaimStatus.APPROVED, at, at + timedelta(days=12))
    assert made.batch.source == "partner"
    assert made.batch.recorded_at is not None
    assert ClaimFact.objects.get(claim=made).batch == made.batch
    event = AuditEvent.objects.order_by("-pk")[0]
    assert (event.action, event.subject_id, event.actor_id) == ("claim.made", str(made.pk), people.person("alice").pk)
    assert verify_chain().intact


@db
def test_owner_and_member_may_viewer_rival_and_operator_may_not() -> None:
    mine = claim(entry("T-1"), "bob")
    for name in ("charlie", "olga", "lena"):
        assert refusal(lambda name=name: claim(entry(f"T-{name}"), name))[2] is NotAllowed  # type: ignore[misc]  # bound
        assert refusal(lambda name=name: release(mine, name))[2] is NotAllowed  # type: ignore[misc]  # now
    Membership.objects.filter(user=people.person("bob")).update(role="viewer")
    assert refusal(lambda: claim(entry("T-2"), "bob"))[2] is NotAllowed
    assert refusal(lambda: release(mine, "bob"))[2] is NotAllowed
    assert Claim.objects.count() == 1
    assert not ClaimRelease.objects.exists()


@db
def test_the_second_is_told_in_the_same_words_whatever_the_first_has() -> None:
    """By a claim, one in review, another entry of the merchant or brand, another program's list, or a direction."""
    said = set()
    claimed = entry("T-CLAIMED")
    claim(claimed, "charlie", "GAMMA")
    waiting = entry("T-WAITING")
    told_claim(waiting, "GAMMA", status=ClaimStatus.PENDING)
    claim(entry("T-A", number="INV-1", brand="Hoshi"), "charlie", "GAMMA")
    last_quarter = running_program("OTHER")
    claim(entry("T-OLD", program=last_quarter, number="INV-2"), "charlie", "GAMMA")
    entry("T-DIRECTED", number="INV-3", assigned_to="GAMMA")
    for taken in (
        claimed,
        waiting,
        entry("T-B", number="INV-1"),
        entry("T-C", number="INV-9", brand="ＨＯＳＨＩ"),
        entry("T-NEW", number="INV-2"),
        entry("T-OPEN", number="INV-3"),
    ):
        said.add(refusal(lambda taken=taken: claim(taken)))  # type: ignore[misc]  # bound now
    assert {code for code, _, _ in said} == {"taken"}
    assert len(said) == 1
    assert "Gamma" not in str(said)


@db
def test_neither_an_own_nor_a_directed_nor_a_foreign_entry_is_claimed() -> None:
    mine = entry("T-1")
    claim(mine)
    assert refusal(lambda: claim(mine, "bob"))[0] == "yours"
    waiting = entry("T-2")
    told_claim(waiting, "ALPHA", status=ClaimStatus.PENDING)
    assert refusal(lambda: claim(waiting))[0] == "yours"
    assert refusal(lambda: claim(entry("T-3", assigned_to="ALPHA")))[0] == "directed"
    assert refusal(lambda: claim(entry("T-4", assigned_to="GAMMA")))[2] is NotFound
    assert refusal(lambda: claim(entry("T-5", review=Review.REJECTED)))[0] == "off_the_list"
    yesterday = timezone.now().date() - timedelta(days=1)
    assert refusal(lambda: claim(entry("T-6", delisted_on=yesterday)))[0] == "off_the_list"
    shop("HAS-ONE")
    assert refusal(lambda: claim(entry("T-9", number="HAS-ONE")))[0] == "has_shop"
    # What is only being reviewed, or delisted tomorrow, is on the list.
    claim(entry("T-7", review=Review.PENDING))
    claim(entry("T-8", delisted_on=yesterday + timedelta(days=9)))


@db
def test_a_partner_that_may_not_recruit_claims_nothing() -> None:
    made = entry()
    old = running_program("OLD")
    type(old).objects.filter(pk=old.pk).update(starts_on=date(2025, 1, 1), ends_on=date(2025, 3, 31))
    old.refresh_from_db()
    assert refusal(lambda: claim(entry("T-OLD", program=old)))[0] == "program_over"
    suspend_partner(actor=people.actor("rita"), partner=certified(), reason="Invented reasons.")
    assert refusal(lambda: claim(made))[0] == "standing"
    reinstate_partner(actor=people.actor("rita"), partner=certified(), reason="It was a mistake.")
    Certification.objects.update(days=(date(2020, 1, 1), date(2021, 1, 1)))
    assert refusal(lambda: claim(made))[0] == "standing"
    assert not Claim.objects.exists()


@db
def test_no_more_than_the_policy_allows_are_held_on_one_list() -> None:
    running_program(claim={"max_in_force": 2})
    first = claim(entry("T-1"))
    told_claim(entry("T-2"), "ALPHA", status=ClaimStatus.PENDING)
    told_claim(entry("T-3"), "ALPHA", status=ClaimStatus.REJECTED)
    assert refusal(lambda: claim(entry("T-4"), "bob"))[0] == "too_many"
    # Another program has its own limit, another partner its own claims.
    claim(entry("T-5", program=running_program("OTHER")))
    claim(entry("T-6"), "charlie", "GAMMA")
    release(first)
    claim(entry("T-7"))


@db
def test_a_claim_that_was_given_back_or_has_run_out_is_anybodys() -> None:
    made = entry()
    first = claim(made)
    row = release(first, "bob")
    first.refresh_from_db()
    assert first.released_at == row.released_at
    assert row.batch.recorded_at is not None
    event = AuditEvent.objects.order_by("-pk")[0]
    assert (event.action, event.subject_id) == ("claim.released", str(first.pk))
    assert refusal(lambda: release(first))[0] == "claim_over"
    second = claim(made, "charlie", "GAMMA")
    later = second.expires_at
    assert refusal(lambda: claim(made, at=later - timedelta(microseconds=1)))[0] == "taken"
    assert refusal(lambda: release(second, "charlie", at=later))[0] == "claim_over"
    assert claim(made, at=later).claimed_at == later  # half-open: it is over in that very instant


@db
def test_a_release_is_recorded_once_and_for_good() -> None:
    made = claim(entry())
    release(made)
    for broken in (
        lambda: ClaimRelease.objects.update(released_at=timezone.now()),
        lambda: ClaimRelease.objects.all().delete(),
        lambda: Claim.objects.update(released_at=timezone.now() + timedelta(days=1)),
    ):
        with pytest.raises(Exception, match="pgtrigger"), transaction.atomic():
            broken()


@db
def test_a_suspended_partners_place_is_kept_and_a_terminated_ones_is_free() -> None:
    made = entry()
    theirs = claim(made, "charlie", "GAMMA")
    rita = people.actor("rita")
    suspend_partner(actor=rita, partner=people.partner("GAMMA"), reason="Invented reasons.")
    assert refusal(lambda: claim(made))[0] == "taken"
    terminate_partner(actor=rita, partner=people.partner("GAMMA"), reason="Invented reasons.")
    mine = claim(made)
    theirs.refresh_from_db()
    assert theirs.released_at == mine.claimed_at
    assert ClaimRelease.objects.get(claim=theirs).batch == mine.batch
    assert AuditEvent.objects.order_by("-pk")[0].details["ended"] == [theirs.pk]


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_are_one_claim() -> None:
    """Twenty-five of each of two partners, over connections of their own."""
    made = entry()
    actors = {code: (people.actor(who), certified(code)) for who, code in (("alice", "ALPHA"), ("charlie", "GAMMA"))}

    def attempt(number: int) -> str:
        actor, partner = actors["ALPHA" if number % 2 else "GAMMA"]
        try:
            claim_entry(actor=actor, partner=partner, entry=TargetEntry.objects.get(pk=made.pk), at=timezone.now())
        except Conflict as refused:
            return refused.code
        else:
            return "won"
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=25) as pool:
        told = list(pool.map(attempt, range(50)))
    assert told.count("won") == 1
    assert set(told) == {"won", "taken", "yours"}
    assert told.count("taken") == 25
    assert Claim.objects.count() == 1
    assert AuditEvent.objects.filter(action="claim.made").count() == 1
    assert verify_chain().intact


@pytest.mark.django_db(transaction=True)
def test_many_entries_at_once_never_pass_the_limit() -> None:
    running_program(claim={"max_in_force": 3})
    entries = [entry(f"T-{number}") for number in range(12)]
    actor, partner = people.actor("alice"), certified()

    def attempt(made: TargetEntry) -> bool:
        try:
            claim_entry(actor=actor, partner=partner, entry=TargetEntry.objects.get(pk=made.pk), at=timezone.now())
        except Conflict:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=12) as pool:
        assert sum(pool.map(attempt, entries)) == 3
    assert Claim.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_behind_a_long_feed_a_claim_gives_up_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "PATIENCE", "100ms")
    made = entry()
    actor, partner = people.actor("alice"), certified()

    def attempt() -> None:
        try:
            claim_entry(actor=actor, partner=partner, entry=made, at=timezone.now())
        finally:
            connections.close_all()

    with transaction.atomic(), ThreadPoolExecutor(max_workers=1) as pool:
        locks.take(locks.Lock.FEED_LISTS)
        with pytest.raises(Unavailable):  # in the language of a thread of its own
            pool.submit(attempt).result()
    assert not Claim.objects.exists()
    claim_entry(actor=actor, partner=partner, entry=made, at=timezone.now())
