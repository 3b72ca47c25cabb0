"""The demo in a real database: everything that a page can show is there, and a second call changes nothing."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client
from pytest_django import Settings

from core.audit import verify_chain
from core.errors import Conflict, NotAllowed
from core.models import AuditEvent, FactBatch, Program, User
from incentives.demo.cast import ALICE, CHARLIE, OVERTURNED
from incentives.demo.invites import a_receipt
from incentives.demo.seeding import Seeded
from incentives.demo.signins import PASSWORD, SIGNINS
from incentives.engine.changes import changes
from incentives.models import Payout, PayoutLine, PayoutPreview, Result, Run
from incentives.queries.links import link_rows, to_show
from incentives.states import LineState, PayoutState, Verdict
from merchants.listing import Place
from merchants.models import Attribution, Import, Registration, RejectedRow, Shop
from merchants.queries.claims import claim_rows, claims_of
from merchants.queries.targets import entries_of, place_counts
from partners.models import InviteLink, Partner
from partners.people import actor_of
from tests.demo.test_season import MID_QUARTER, judge, read
from tests.oracle.reading import CONDITIONS

pytestmark = pytest.mark.slow


def running(seeded: Seeded) -> Run:
    return seeded.runs[1]


def test_every_row_landed_but_those_that_are_wrong_on_purpose(seeded: Seeded) -> None:
    assert seeded.rejected == sum(file.bad_rows for file in seeded.season.files) == RejectedRow.objects.count() == 6
    assert seeded.rows == sum(len(file.rows) for file in seeded.season.files)
    assert len(set(RejectedRow.objects.values_list("code", flat=True))) >= 4
    assert set(Import.objects.values_list("state", flat=True)) == {"landed"}


def test_every_verdict_and_every_outcome_of_every_condition(seeded: Seeded) -> None:
    results = Result.objects.filter(run__in=seeded.runs)
    assert set(results.values_list("verdict", flat=True)) == set(Verdict.values)
    always = {"met", "not_met", "pending"}
    more = {
        "exclusive_link": {"met", "not_met", "not_applicable"},
        "onboarded": always,
        "activated": always | {"unknown"},
        "stocked": always | {"unknown", "not_applicable"},
        "shop_normal": always | {"unknown"},
    }
    for key in CONDITIONS:
        assert set(results.values_list(key, flat=True)) == more.get(key, always), key


def test_the_engine_finds_what_the_oracle_reads(seeded: Seeded) -> None:
    world = read(seeded.season)
    for plan, run in zip(seeded.season.programs, seeded.runs, strict=True):
        assert run.state == "finished"
        expected = {row["shop_code"]: row["verdict"] for row in judge(world, plan, seeded.season.moments.now)}
        # The file with mistakes has four good rows that the oracle wasn't told of; they move no verdict.
        assert dict(run.results.values_list("shop__code", "verdict")) == expected


def test_payouts_in_every_state_decided_by_two_people(seeded: Seeded) -> None:
    payouts = Payout.objects.filter(program__code=seeded.season.closed.code)
    assert set(payouts.values_list("state", flat=True)) == set(PayoutState.values) - {PayoutState.COMPUTED}
    # `computed`: a preview that nobody submitted.
    assert PayoutPreview.objects.filter(run=seeded.runs[0], eligible__gt=0).exclude(
        partner__in=payouts.values("partner")
    )
    assert payouts.filter(held=True, state="in_review")
    assert payouts.filter(held=True, state="approved")
    assert set(PayoutLine.objects.values_list("state", flat=True)) >= {
        LineState.LIVE,
        LineState.RETURNED,
        LineState.VOID,
        LineState.CLAWED_BACK,
    }
    assert not payouts.filter(approved_by=F("submitted_by"))
    assert {payout.submitted_by.email for payout in payouts} == {"olga@example.com"}
    assert {payout.approved_by.email for payout in payouts if payout.approved_by} == {"omar@example.com"}
    assert not payouts.filter(submitted_at__gt=MID_QUARTER)


def test_discounts_below_one_and_one_that_an_appeal_lifted(seeded: Seeded) -> None:
    factors = {str(factor.normalize()) for factor in Payout.objects.values_list("factor", flat=True)}
    assert {"0.9", "0.7", "0.5"} <= factors
    assert Payout.objects.filter(factor=0, state=PayoutState.CLOSED)
    before = Payout.objects.get(partner__code=OVERTURNED)
    after = PayoutPreview.objects.get(run=seeded.runs[0], partner__code=OVERTURNED)
    assert before.factor < after.factor == 1


def test_alice_has_plenty_to_see(seeded: Seeded) -> None:
    alice = actor_of(User.objects.get(email="alice@example.com"))
    own = Result.objects.visible_to(alice).filter(run=running(seeded))
    assert own.count() >= 40
    assert set(own.values_list("verdict", flat=True)) == set(Verdict.values)
    assert {result.partner.code for result in own.select_related("partner")} == {ALICE}
    assert Payout.objects.visible_to(alice).get().state == PayoutState.PAID
    charlie = actor_of(User.objects.get(email="charlie@example.com"))
    assert not set(own.values_list("shop", flat=True)) & set(
        Result.objects.visible_to(charlie).filter(run=running(seeded)).values_list("shop", flat=True)
    )


def test_attributions_of_every_cause_and_conflicts_both_ways(seeded: Seeded) -> None:
    assert set(Attribution.objects.values_list("cause", flat=True)) >= {"claim", "link", "record"}
    assert Attribution.objects.filter(partner__code=ALICE, lost_by__isnull=False)
    assert Attribution.objects.filter(partner__code=CHARLIE, lost_by__isnull=False)
    assert Shop.objects.filter(attributions=None, certified_at__isnull=False)


def test_this_morning_s_facts_explain_what_changed(seeded: Seeded) -> None:
    earlier = Run.objects.filter(program=running(seeded).program, pk__lt=running(seeded).pk).order_by("-pk")[0]
    table = changes(running(seeded), earlier)
    cause = table.columns.index("cause")
    found = {part for row in table.rows for part in str(row[cause]).split("|")}
    assert {"settlement", "stock", "status", "rate", "listing", "certification", "partner"} <= found


def test_links_that_people_made_and_merchants_who_came_through_them(seeded: Seeded) -> None:
    alice = actor_of(User.objects.get(email="alice@example.com"))
    links = list(to_show(InviteLink.objects.visible_to(alice)))
    rows = link_rows(actor=alice, links=links, at=MID_QUARTER)
    assert {"live", "revoked", "used_up", "expired"} <= {row.state for row in rows}
    assert all(row.visits >= row.registrations for row in rows)
    assert sum(row.eligible for row in rows) >= 5
    fair = next(row for row in rows if "Trade fair" in row.label)
    assert (fair.registrations, fair.certified) == (3, 1)
    assert Registration.objects.contested().count() == 2
    # What `make demo` prints: a merchant's receipt, whose shop is certified by now.
    shop = Shop.objects.get(registration__receipt=str(a_receipt()).removeprefix("/r/"))
    assert shop.certified_at is not None
    assert Attribution.objects.get(shop=shop).cause == "link"
    page = Client().get(a_receipt() or "", headers={"accept-language": "en"}).content.decode()
    assert page.count('<li class="done">') == 3


def test_claims_of_every_kind_for_alice(seeded: Seeded) -> None:
    alice = actor_of(User.objects.get(email="alice@example.com"))
    now, program = seeded.season.moments.now, Program.objects.get(code=seeded.season.running.code)
    partner = Partner.objects.get(code=ALICE)
    rows = claim_rows(
        actor=alice,
        claims=list(claims_of(actor=alice, program=program, partner_id=partner.pk)),
        at=now,
    )
    assert {row.state for row in rows} >= {"in_force", "in_review", "released", "expired", "rejected"}
    left = sorted((row.left.days, row.left.hours) for row in rows if row.left)
    assert left[0] == (1, 41)
    assert left[-1][0] >= 28
    counts = place_counts(entries_of(actor=alice, version=program.current_policy, partner_id=partner.pk, at=now))
    assert set(counts.by_place) == set(Place.values)
    assert counts.free >= 40


def test_the_sign_ins_work(seeded: Seeded) -> None:
    for sign_in in SIGNINS:
        user = User.objects.get(email=sign_in.email)
        assert user.check_password(PASSWORD)
        assert user.is_staff == sign_in.is_operator
        assert actor_of(user).roles == set(sign_in.roles)
        client = Client()
        client.force_login(user)
        assert client.get(sign_in.path).status_code == 200, sign_in
        assert sign_in.path.startswith("/operator/" if sign_in.is_operator else "/partner/")


def test_a_second_call_changes_nothing(seeded: Seeded, settings: Settings) -> None:
    settings.DEMO = True
    counts = (FactBatch.objects.count(), AuditEvent.objects.count(), Run.objects.count(), User.objects.count())
    output = StringIO()
    call_command("seed_demo", stdout=output)
    assert counts == (
        FactBatch.objects.count(),
        AuditEvent.objects.count(),
        Run.objects.count(),
        User.objects.count(),
    )
    for sign_in in SIGNINS:
        assert sign_in.email in output.getvalue()
    assert f"without signing in: {a_receipt()}\n" in output.getvalue()
    assert verify_chain().intact


@pytest.mark.django_db
def test_refused_outside_the_demo(settings: Settings) -> None:
    settings.DEMO = False
    with pytest.raises(NotAllowed, match="known passwords"):
        call_command("seed_demo", stdout=StringIO())
    assert not User.objects.exists()


def test_up_shows_no_demo_where_others_reach_the_server(settings: Settings) -> None:
    assert not settings.DEMO_ALLOWED  # only config.settings.local allows it
    with pytest.raises(CommandError, match="known passwords"):
        call_command("up", "--demo")
    assert not settings.DEMO


@pytest.mark.django_db
def test_a_database_in_use_is_left_alone(settings: Settings) -> None:
    settings.DEMO = True
    User.objects.create_user("alice@example.com", "somebody's own")
    with pytest.raises(Conflict, match="empty database"):
        call_command("seed_demo", stdout=StringIO())
    assert User.objects.get().check_password("somebody's own")
