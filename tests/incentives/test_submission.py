"""From a run's previews to payouts: what is frozen, what is withheld, what is skipped (POLICY 6)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import NumericRange

from core import audit
from core.actors import Actor
from core.errors import BadInput, Conflict, NotAllowed
from core.models import AuditEvent, Note
from core.recording import open_batch, seal
from incentives.models import Payout, PayoutLine
from incentives.services import return_payout, submit_run, void_line, void_payout
from incentives.states import LineState, PayoutState, RunKind, RunState, Verdict
from partners.models import Suspension
from tests.incentives.factories import (
    AFTER_CLOSE,
    Spec,
    World,
    make_brand,
    make_entry,
    make_merchant,
    make_program,
    make_run,
)

BEFORE_CLOSE = datetime(2026, 5, 31, 15, 59, 59, tzinfo=UTC)  # 23:59:59 of 31 May in Shanghai


def test_submitting_freezes_the_figures_and_the_eligible_shops(world: World) -> None:
    report = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)

    mine, theirs = report.payouts
    assert (mine.partner, theirs.partner) == (world.haiqiao, world.rival)
    # One of three introduced shops was closed, but this program's policy has no tiers: the factor is 1.
    assert (mine.introduced, mine.high_risk, mine.factor) == (3, 1, Decimal(1))
    assert (mine.base_amount, mine.net_amount, mine.payable) == (Decimal("4000.00"),) * 3
    assert sorted(mine.lines.values_list("shop__code", "state", "amount")) == [
        ("S-1", "live", Decimal("2000.00")),
        ("S-2", "live", Decimal("2000.00")),
    ]
    assert (mine.state, mine.version, mine.submitted_by) == (PayoutState.IN_REVIEW, 1, world.olga)
    assert report.payable == Decimal("6000.00")
    assert [decision.kind for decision in mine.decisions.all()] == ["submit"]
    event = AuditEvent.objects.get(action="payouts.submitted")
    assert event.details["payouts"] == [mine.pk, theirs.pk]
    assert event.details["payable"] == "6000.00"
    assert audit.verify_chain().intact


def test_the_discount_is_rounded_once_half_up(db: None) -> None:
    from tests.incentives.factories import make_world

    world = make_world(
        incentive={"amount": "1000.01", "currency": "CNY"},
        discount={"tiers": [{"from": "0.10", "pay": "0.25"}]},
    )
    report = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    # 2000.02 × 0.25 = 500.005
    assert report.payouts[0].net_amount == Decimal("500.01")


def test_before_the_close_of_observation_a_reason_is_needed(world: World) -> None:
    with pytest.raises(BadInput, match="2026-06-01 00:00") as refusal:
        submit_run(actor=world.actor("olga"), run=world.run, at=BEFORE_CLOSE)
    assert refusal.value.code == "reason_needed"
    assert not Payout.objects.exists()

    report = submit_run(actor=world.actor("olga"), run=world.run, at=BEFORE_CLOSE, reason="Paid early by contract.")
    assert len(report.payouts) == 2
    decision = report.payouts[0].decisions.get()
    assert decision.reason is not None
    assert decision.reason.text == "Paid early by contract."
    # The trail points to the text and doesn't repeat it.
    assert "contract" not in str(AuditEvent.objects.get(action="payouts.submitted").details)


def test_the_first_instant_after_the_close_needs_no_reason(world: World) -> None:
    closed = datetime(2026, 5, 31, 16, 0, tzinfo=UTC)
    assert len(submit_run(actor=world.actor("olga"), run=world.run, at=closed).payouts) == 2


@pytest.mark.parametrize("verdict", [Verdict.PENDING, Verdict.NEEDS_DATA])
def test_a_partner_with_open_shops_waits_for_a_reason_and_holds_up_nobody(world: World, verdict: Verdict) -> None:
    run = make_run(
        world.program,
        [Spec("S-1", world.haiqiao), Spec("S-5", world.haiqiao, verdict), Spec("S-4", world.rival)],
    )
    report = submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE)
    assert [payout.partner for payout in report.payouts] == [world.rival]
    assert [(skip.partner_code, skip.code) for skip in report.skipped] == [("haiqiao", "needs_reason")]

    again = submit_run(
        actor=world.actor("olga"), run=run, at=AFTER_CLOSE, partners=[world.haiqiao], reason="The rest follows."
    )
    assert [payout.partner for payout in again.payouts] == [world.haiqiao]


def test_nobody_gets_a_second_payout_in_life_and_nothing_a_payout_of_nothing(world: World) -> None:
    run = make_run(world.program, [Spec("S-1", world.haiqiao), Spec("S-4", world.rival, Verdict.NOT_ELIGIBLE)])
    first = submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE)
    again = submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE)
    assert [skip.code for skip in first.skipped] == ["nothing"]
    assert again.payouts == ()
    assert {skip.partner_code: skip.code for skip in again.skipped} == {"haiqiao": "in_life", "rival": "nothing"}
    assert AuditEvent.objects.filter(action="payouts.submitted").count() == 1


def test_a_returned_payout_is_followed_by_a_new_one(world: World) -> None:
    old = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]
    return_payout(actor=world.actor("omar"), payout=old, reason="The rate of 3 March was wrong.")
    new = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]
    old.refresh_from_db()
    assert (old.state, new.state) == (PayoutState.RETURNED, PayoutState.IN_REVIEW)
    assert set(old.lines.values_list("state", flat=True)) == {LineState.RETURNED}
    assert set(new.lines.values_list("state", flat=True)) == {LineState.LIVE}


@pytest.mark.parametrize(
    ("kind", "state", "code"),
    [
        (RunKind.DRAFT, RunState.FINISHED, "draft_run"),
        (RunKind.OFFICIAL, RunState.RUNNING, "unfinished_run"),
        (RunKind.OFFICIAL, RunState.FAILED, "unfinished_run"),
    ],
)
def test_only_a_published_run_is_submitted(world: World, kind: RunKind, state: RunState, code: str) -> None:
    run = make_run(world.program, [Spec("S-1", world.haiqiao)], kind=kind, state=state)
    with pytest.raises(Conflict) as refusal:
        submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE)
    assert refusal.value.code == code


def test_a_later_run_replaces_the_figures_of_an_earlier_one(world: World) -> None:
    make_run(world.program, [Spec("S-1", world.haiqiao, Verdict.NOT_ELIGIBLE)])
    with pytest.raises(Conflict) as refusal:
        submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    assert refusal.value.code == "superseded_run"


@pytest.mark.parametrize("name", ["omar", "alice", "fiona"])
def test_submitting_takes_the_permission(world: World, name: str) -> None:
    with pytest.raises(NotAllowed):
        submit_run(actor=world.actor(name), run=world.run, at=AFTER_CLOSE)


def test_the_product_itself_submits_nothing(world: World) -> None:
    with pytest.raises(NotAllowed, match="person"):
        submit_run(actor=Actor.system("nightly"), run=world.run, at=AFTER_CLOSE)


# --- Lines that don't live ----------------------------------------


@pytest.mark.parametrize("what", ["merchant", "brand", "entry"])
def test_a_second_line_for_the_same_is_withheld_and_fails_nobody(world: World, what: str) -> None:
    merchant, brand = make_merchant(), make_brand("LANQO")
    entry = make_entry(world.program, merchant)
    one, other = Spec("A-1", world.haiqiao), Spec("A-2", world.rival)
    for spec in (one, other):
        setattr(spec, what, {"merchant": merchant, "brand": brand, "entry": entry}[what])
    run = make_run(world.program, [one, other, Spec("A-3", world.rival)])
    report = submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE)
    assert [(line.shop_code, line.code) for line in report.withheld] == [("A-2", f"same_{what}")]
    mine, theirs = report.payouts
    assert (mine.payable, theirs.payable) == (Decimal("2000.00"), Decimal("2000.00"))
    assert sorted(theirs.lines.values_list("shop__code", "state")) == [("A-2", "withheld"), ("A-3", "live")]


@pytest.mark.parametrize(("period", "withheld"), [("all_time", ["same_merchant"]), ("program", [])])
def test_the_first_entity_scope_decides_whether_another_program_counts(
    world: World, period: str, withheld: list[str]
) -> None:
    merchant = make_merchant()
    olga = world.actor("olga")
    for code in ("POP-A", "POP-B"):
        program = make_program(code, first_entity={"period": period})
        run = make_run(program, [Spec("A-1", world.haiqiao, merchant=merchant)])
        report = submit_run(actor=olga, run=run, at=AFTER_CLOSE)
    assert [line.code for line in report.withheld] == withheld


def test_the_database_itself_refuses_a_second_live_line(world: World) -> None:
    payout = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]
    line = payout.lines.get(shop__code="S-1")
    other = Payout.objects.get(partner=world.rival)
    with pytest.raises(IntegrityError, match="line_one_live_for_a_merchant"), transaction.atomic():
        PayoutLine.objects.create(
            payout=other,
            shop=line.shop,
            merchant=line.merchant,
            amount=line.amount,
            scope=NumericRange(None, None),
            state=LineState.LIVE,
        )


def test_a_voided_merchant_is_barred_for_everybody_until_it_is_undone(world: World) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    payout = submit_run(actor=olga, run=world.run, at=AFTER_CLOSE).payouts[0]
    line = payout.lines.get(shop__code="S-1")
    void_line(actor=omar, line=line, reason="Registered with a forged licence.")
    return_payout(actor=omar, payout=payout, reason="Again, please.")

    report = submit_run(actor=olga, run=world.run, at=AFTER_CLOSE)
    assert [(held.shop_code, held.code) for held in report.withheld] == [("S-1", "merchant_barred")]
    assert report.payouts[0].payable == Decimal("2000.00")


def test_a_voided_payout_bars_its_partner(world: World) -> None:
    olga = world.actor("olga")
    payout = submit_run(actor=olga, run=world.run, at=AFTER_CLOSE).payouts[0]
    void_payout(actor=world.actor("omar"), payout=payout, reason="Fabricated orders.")
    report = submit_run(actor=olga, run=world.run, at=AFTER_CLOSE)
    assert {skip.partner_code: skip.code for skip in report.skipped} == {"haiqiao": "barred", "rival": "in_life"}


def test_a_suspended_partners_payout_is_held_at_once(world: World) -> None:
    with transaction.atomic():
        batch = open_batch(source="operator", actor_id=world.olga.pk)
        Suspension.objects.create(
            partner=world.haiqiao,
            during=(datetime(2026, 6, 1, tzinfo=UTC), None),
            reason=Note.objects.create(text="Link misuse"),
            batch=batch,
        )
        seal(batch)
    mine, theirs = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts
    assert (mine.held, theirs.held) == (True, False)
    assert list(mine.decisions.order_by("pk").values_list("kind", flat=True)) == ["submit", "hold"]
