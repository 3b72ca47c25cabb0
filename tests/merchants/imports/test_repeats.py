"""What a repeat of a key may change, kind by kind: the last column of the contract's table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from core.errors import BadInput
from core.models import FactBatch
from merchants.models import (
    Claim,
    ClaimFact,
    Rate,
    Settlement,
    Shop,
    ShopFact,
    ShopStatus,
    StockObservation,
    TargetEntry,
    TargetFact,
    Violation,
)
from partners.models import Certification, CertificationFact, InviteLink, LinkRevocation, Partner
from tests.merchants.imports.feeds import GOOD, KINDS, Feeds, Row, counts, errors

UNCHANGED, UPDATED = "unchanged", "updated"
APPEALED, OVERTURNED = "2026-02-12T00:00:00Z", "2026-02-20T00:00:00Z"
CORRECTS = {"corrects": "true"}

# kind, what the repeat says instead; `unchanged`, `updated`, or the column of the forbidden repeat
REPEATS: list[tuple[str, Row, str]] = [
    ("partners", {"certified_from": "2025-02-01"}, UPDATED),
    ("partners", {"certified_until": ""}, UPDATED),
    ("partners", {"certified_from": "", "certified_until": "", "name": "Another"}, UPDATED),
    ("partners", {"name": "Another"}, UPDATED),
    ("partners", {"category": "erp"}, UPDATED),
    ("partners", {"country": ""}, UPDATED),
    ("partners", {"commitment": "41"}, UPDATED),
    ("partners", {"commitment": "40.0"}, UNCHANGED),
    ("targets", {"review": "pending"}, UPDATED),
    ("targets", {"listed_on": "2026-01-02"}, UPDATED),
    ("targets", {"delisted_on": "2026-02-01"}, UPDATED),
    ("targets", {"track": "target", "partner_code": ""}, UPDATED),
    ("targets", {"merchant_name": "Another"}, UPDATED),
    ("targets", {"registration_no": "m 1", "brand": " HOSHI "}, UNCHANGED),
    ("targets", {"registration_no": "M-2"}, "registration_no"),
    ("targets", {"registration_no": "", "country": ""}, "registration_no"),
    ("targets", {"country": "HK"}, "country"),
    ("targets", {"brand": "Tsuki"}, "brand"),
    ("invites", {"revoked_at": "2026-02-01T00:00:00Z"}, UPDATED),
    ("invites", {"starts_at": "2025-12-31T16:00:00Z"}, UNCHANGED),
    ("invites", {"starts_at": "2025-12-31T16:00:01Z"}, "starts_at"),
    ("invites", {"expires_at": "2026-04-01T00:00:00+08:00"}, "expires_at"),
    ("invites", {"target_code": ""}, "target_code"),
    ("invites", {"target_code": "", "program": ""}, "program"),
    ("claims", {"status": "rejected"}, UPDATED),
    ("claims", {"expires_at": "2026-02-05T00:00:00+08:00"}, "expires_at"),
    ("claims", {"claimed_at": "2026-01-04T16:00:00Z"}, UNCHANGED),
    ("shops", {"certified_at": "2026-01-21T10:00:00+08:00"}, UPDATED),
    ("shops", {"certified_at": ""}, UNCHANGED),
    ("shops", {"brand": "Tsuki"}, UPDATED),
    ("shops", {"brand": ""}, UPDATED),
    ("shops", {"brand": "ｈｏｓｈｉ"}, UNCHANGED),
    ("shops", {"merchant_name": "Another"}, UPDATED),
    ("shops", {"registration_no": "m1"}, UNCHANGED),
    ("shops", {"registration_no": "M-2"}, "registration_no"),
    ("shops", {"country": "HK"}, "country"),
    ("shops", {"market": "FR"}, "market"),
    ("shops", {"registered_at": "2026-01-10T02:00:00Z"}, UNCHANGED),
    ("shops", {"registered_at": "2026-01-10T10:00:01+08:00"}, "registered_at"),
    ("shops", {"invite_code": ""}, "invite_code"),
    ("shops", {"partner_code": ""}, "partner_code"),
    ("shop_statuses", {"at": "2026-01-20 10:00"}, UNCHANGED),
    ("shop_statuses", {"status": "closed"}, "status"),
    ("shop_statuses", {"reason": "another"}, "reason"),
    ("shop_statuses", {"status": "closed", **CORRECTS}, UPDATED),
    ("shop_statuses", CORRECTS, UNCHANGED),
    ("settlements", {"amount": "120.5000", "settled_at": "2026-02-01T02:00:00Z"}, UNCHANGED),
    ("settlements", {"amount": "120.51"}, "amount"),
    ("settlements", {"currency": "USD"}, "currency"),
    ("settlements", {"order_code": "O-2"}, "order_code"),
    ("settlements", {"kind": "refund", "amount": "-1"}, "kind"),
    ("settlements", {"ordered_at": "2026-01-21T10:00:01+08:00"}, "ordered_at"),
    ("settlements", {"settled_at": "2026-02-01T10:00:01+08:00"}, "settled_at"),
    ("stock", {"sellable": "12.0"}, UNCHANGED),
    ("stock", {"sellable": "13"}, "sellable"),
    ("stock", {"sellable": "13", **CORRECTS}, UPDATED),
    ("violations", {"appealed_at": APPEALED}, UPDATED),
    ("violations", {"appealed_at": APPEALED, "overturned_at": OVERTURNED}, UPDATED),
    ("violations", {"category": "other"}, "category"),
    ("violations", {"enforced_closure": "false"}, "enforced_closure"),
    ("violations", {"penalised_at": "2026-02-10T10:00:01+08:00"}, "penalised_at"),
    ("violations", {"category": "other", "enforced_closure": "false", **CORRECTS}, UPDATED),
    ("fx", {"rate": "8.1908000000010"}, UNCHANGED),
    ("fx", {"rate": "8.2"}, "rate"),
    ("fx", {"rate": "8.2", **CORRECTS}, UPDATED),
]

FACTS = (
    Partner,
    CertificationFact,
    TargetEntry,
    TargetFact,
    InviteLink,
    LinkRevocation,
    Claim,
    ClaimFact,
    Shop,
    ShopFact,
    ShopStatus,
    Settlement,
    StockObservation,
    Violation,
    Rate,
)


def recorded() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in FACTS}


@contextmanager
def undone() -> Iterator[None]:
    """Take back what is done in here: one world is enough for all repeats of a kind."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeat(feeds: Feeds, kind: str) -> None:
    feeds.world(until=kind)
    feeds.load(kind)
    before = recorded()
    for change, outcome in [(change, outcome) for name, change, outcome in REPEATS if name == kind]:
        repeat = {**GOOD[kind], **change}
        with undone():
            loaded = feeds.load(kind, repeat)
            if outcome == UNCHANGED:
                assert (counts(loaded), recorded()) == ((0, 1, 0, 0), before), change
            elif outcome == UPDATED:
                assert counts(loaded) == (0, 0, 1, 0), change
                # And once more, in another file: that changes nothing.
                assert counts(feeds.load(kind, repeat)) == (0, 1, 0, 0), change
            else:
                assert (errors(loaded), recorded()) == ([(2, outcome, "forbidden_repeat")], before), change
                assert counts(feeds.load(kind)) == (0, 1, 0, 0), change


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeat_within_one_file_is_as_if_in_the_next(feeds: Feeds, kind: str) -> None:
    feeds.world(until=kind)
    for change, outcome in [(change, outcome) for name, change, outcome in REPEATS if name == kind]:
        repeat = {**GOOD[kind], **change}
        with undone():
            loaded = feeds.load(kind, GOOD[kind], repeat, repeat)
            if outcome == UNCHANGED:
                assert counts(loaded) == (1, 2, 0, 0), change
            elif outcome == UPDATED:
                assert counts(loaded) == (1, 1, 1, 0), change
            else:
                assert errors(loaded) == [(3, outcome, "forbidden_repeat"), (4, outcome, "forbidden_repeat")], change
                assert counts(loaded) == (1, 0, 0, 2), change


@pytest.mark.parametrize("kind", KINDS)
def test_a_backdated_file_loaded_twice_changes_nothing(feeds: Feeds, kind: str) -> None:
    feeds.world(until=kind)
    early, late = (timezone.now() - timedelta(days=days) for days in (20, 10))
    assert counts(feeds.load(kind, recorded_at=early)) == (1, 0, 0, 0)
    before = recorded()
    assert counts(feeds.load(kind, recorded_at=early)) == (0, 1, 0, 0)
    assert counts(feeds.load(kind, recorded_at=late)) == (0, 1, 0, 0)
    assert counts(feeds.load(kind)) == (0, 1, 0, 0)
    assert counts(feeds.load(kind, recorded_at=early - timedelta(days=1))) == (0, 1, 0, 0)
    assert recorded() == before


def test_what_is_shown_follows_the_latest_recorded_fact(feeds: Feeds) -> None:
    feeds.world(until="shop_statuses")
    early = timezone.now() - timedelta(days=1)
    # The history lies between nothing and what was recorded a moment ago: that stays the latest.
    feeds.load("targets", {**GOOD["targets"], "review": "pending"}, recorded_at=early)
    feeds.load("claims", {**GOOD["claims"], "status": "rejected"}, recorded_at=early)
    feeds.load("shops", {**GOOD["shops"], "brand": "Tsuki"}, recorded_at=early)
    feeds.load("partners", {**GOOD["partners"], "certified_from": "2024-01-01"}, recorded_at=early)
    assert (TargetFact.objects.count(), TargetEntry.objects.get().review) == (2, "approved")
    assert (ClaimFact.objects.count(), Claim.objects.get().status) == (2, "approved")
    shop = Shop.objects.get()
    assert (ShopFact.objects.count(), shop.brand and shop.brand.name) == (2, "Hoshi")
    assert Certification.objects.get().days.lower.year == 2025
    # And what is recorded now is the latest.
    feeds.load("targets", {**GOOD["targets"], "review": "rejected"})
    feeds.load("partners", {**GOOD["partners"], "certified_from": "2025-03-01", "certified_until": "9999-12-31"})
    assert TargetEntry.objects.get().review == "rejected"
    days = Certification.objects.get().days
    assert (days.lower.month, days.upper) == (3, None)


def without(kind: str, *columns: str) -> list[str]:
    return [name for name in GOOD[kind] if name not in columns]


def test_an_absent_column_leaves_its_value_alone(feeds: Feeds) -> None:
    feeds.world(until="settlements")
    feeds.load("violations")
    for kind, columns in {
        "partners": without(
            "partners", "certified_from", "certified_until", "country", "registration_no", "commitment"
        ),
        "targets": without("targets", "merchant_name", "country", "registration_no", "brand", "partner_code"),
        "invites": without("invites", "target_code", "program", "revoked_at"),
        "shops": without("shops", "brand", "invite_code", "partner_code", "certified_at", "receipt"),
        "shop_statuses": without("shop_statuses", "reason", "corrects"),
        "violations": without("violations", "appealed_at", "overturned_at", "corrects"),
    }.items():
        loaded = feeds.load(kind, GOOD[kind], columns=columns)
        assert (errors(loaded), counts(loaded)) == ([], (0, 1, 0, 0)), kind
    # A directed entry's partner is carried over, and so is in the way of a change of track.
    columns = without("targets", "partner_code")
    assert counts(feeds.load("targets", {**GOOD["targets"], "review": "pending"}, columns=columns)) == (0, 0, 1, 0)
    assert TargetEntry.objects.get().assigned_to is not None
    loaded = feeds.load("targets", {**GOOD["targets"], "track": "target"}, columns=columns)
    assert errors(loaded) == [(2, "partner_code", "track_partner")]


def test_a_certification_is_never_retracted_by_an_empty_cell(feeds: Feeds) -> None:
    feeds.world(until="targets")
    certified = Certification.objects.get().days
    loaded = feeds.load("partners", {**GOOD["partners"], "certified_from": "", "certified_until": ""})
    # Such a row says nothing about the certification: it doesn't make it endless either.
    assert counts(loaded) == (0, 1, 0, 0)
    assert Certification.objects.get().days == certified
    # Only beside a first day is an empty last one a word: without end.
    assert counts(feeds.load("partners", {**GOOD["partners"], "certified_until": ""})) == (0, 0, 1, 0)
    days = Certification.objects.get().days
    assert (days.lower, days.upper) == (certified.lower, None)


def test_a_correction_that_would_end_before_it_began(feeds: Feeds) -> None:
    feeds.world(until="violations")
    feeds.load("violations", {**GOOD["violations"], "overturned_at": OVERTURNED})
    late = {**GOOD["violations"], "penalised_at": "2026-02-21T00:00:00Z", **CORRECTS}
    # What the file has no column for stays, and is in the way.
    loaded = feeds.load("violations", late, columns=without("violations", "overturned_at"))
    assert errors(loaded) == [(2, "overturned_at", "order_of_times")]


def test_a_correction_takes_an_overturn_back(feeds: Feeds) -> None:
    feeds.world(until="violations")
    feeds.load("violations", {**GOOD["violations"], "appealed_at": APPEALED, "overturned_at": OVERTURNED})
    # Without `corrects`, empty cells retract nothing; with it, the row supersedes all that was recorded for its key.
    assert counts(feeds.load("violations")) == (0, 1, 0, 0)
    assert counts(feeds.load("violations", {**GOOD["violations"], **CORRECTS})) == (0, 0, 1, 0)
    assert counts(feeds.load("violations", {**GOOD["violations"], **CORRECTS})) == (0, 1, 0, 0)
    latest = Violation.objects.latest("pk")
    assert (latest.appealed_at, latest.overturned_at) == (None, None)


def test_a_correction_of_nothing_is_simply_new(feeds: Feeds) -> None:
    feeds.world(until="fx")
    for kind in ("shop_statuses", "stock", "violations", "fx"):
        moved = {"shop_statuses": "at", "stock": "observed_at"}.get(kind)
        row = {**GOOD[kind], **CORRECTS}
        if moved:
            row[moved] = "2026-01-25T00:00:00Z"
        if kind == "violations":
            row["violation_code"] = "V-2"
        assert counts(feeds.load(kind, row)) == (1, 0, 0, 0)


def test_history_is_recorded_when_it_says(feeds: Feeds) -> None:
    moment = datetime(2026, 2, 1, tzinfo=UTC)
    loaded = feeds.load("fx", recorded_at=moment)
    batch = FactBatch.objects.get()
    assert loaded.batch == batch
    assert (batch.recorded_at, batch.backdated) == (moment, True)
    with pytest.raises(BadInput, match="future"):
        feeds.load("fx", recorded_at=timezone.now() + timedelta(hours=1))


def test_a_key_that_comes_without_end_is_set_aside(feeds: Feeds) -> None:
    feeds.world(until="fx")
    rates = [{**GOOD["fx"], "rate": f"7.{number:04}", "corrects": "true"} for number in range(1, 3001)]
    loaded = feeds.load("fx", *rates)
    assert counts(loaded) == (1, 0, 199, 2800)
    assert {code for _line, _column, code in errors(loaded)} == {"too_often"}
    assert Rate.objects.latest("pk").rate == Decimal("7.0200")
