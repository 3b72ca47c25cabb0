"""A payout's life, step by step: states, people, amounts, ledger, trail (POLICY 6)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core import audit
from core.actors import Actor, Role
from core.errors import BadInput, Conflict, DomainError, NotAllowed
from core.models import AuditEvent, RoleGrant
from core.states import IllegalTransition
from incentives import ledger
from incentives.models import LedgerEntry, Payout, Posting
from incentives.services import (
    approve_payout,
    claw_back,
    hold_payout,
    mark_paid,
    refuse_payment,
    release_payout,
    return_payout,
    start_payment,
    submit_run,
    undo_void,
    void_line,
    void_payout,
)
from incentives.states import Account, PayoutState
from partners.models import Membership
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_program, make_run, make_user, make_world

PAID = Decimal("4000.00")


@pytest.fixture
def payout(world: World) -> Payout:
    """Haiqiao's payout, submitted by olga: two lines of 2,000."""
    return submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]


def standing(payout: Payout) -> dict[str, Decimal]:
    """The accounts that a payout has moved; fails where the whole doesn't balance."""
    assert sum(LedgerEntry.objects.values_list("amount", flat=True), Decimal(0)) == 0
    return {account.value: total for account, total in ledger.balances(payout_id=payout.pk).items() if total}


def test_from_review_to_the_bank(world: World, payout: Payout) -> None:
    omar, fiona = world.actor("omar"), world.actor("fiona")
    assert standing(payout) == {}

    payout = approve_payout(actor=omar, payout=payout)
    assert (payout.state, payout.approved_by_id, payout.version) == (PayoutState.APPROVED, world.omar.pk, 2)
    assert standing(payout) == {"incentive_expense": PAID, "partner_payable": -PAID}

    payout = start_payment(actor=fiona, payout=payout)
    assert standing(payout) == {"incentive_expense": PAID, "in_transit": -PAID}

    payout = refuse_payment(actor=fiona, payout=payout, reason="The account is closed.")
    assert payout.state == PayoutState.APPROVED
    assert standing(payout) == {"incentive_expense": PAID, "partner_payable": -PAID}

    payout = start_payment(actor=fiona, payout=payout)
    payout = mark_paid(actor=fiona, payout=payout, reference="BOC-2026-0701")
    assert (payout.state, payout.payment_reference) == (PayoutState.PAID, "BOC-2026-0701")
    assert standing(payout) == {"incentive_expense": PAID, "cash": -PAID}

    payout = claw_back(actor=omar, payout=payout, reason="The orders were fabricated.")
    assert payout.state == PayoutState.CLAWED_BACK
    assert standing(payout) == {"partner_receivable": PAID, "cash": -PAID}

    kinds = list(payout.decisions.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["submit", "approve", "start_payment", "refuse", "start_payment", "pay", "claw_back"]
    assert AuditEvent.objects.filter(subject_type="incentives.payout", subject_id=str(payout.pk)).count() == 6
    assert audit.verify_chain().intact


def test_the_trail_names_people_and_reasons_by_id_only(world: World, payout: Payout) -> None:
    void_payout(actor=world.actor("omar"), payout=payout, reason="Mr Invented Name forged it.")
    event = AuditEvent.objects.get(action="payout.voided")
    decision = payout.decisions.get(kind="void")
    assert event.details["note"] == decision.reason_id
    assert "Invented" not in str(event.details)


# --- Two people ----------------------------------------


def approver(world: World, name: str) -> Actor:
    """Give a persona the approver's role on top of its own."""
    RoleGrant.objects.get_or_create(user=getattr(world, name), role=Role.APPROVER)
    return world.actor(name)


def test_nobody_approves_what_they_submitted(world: World, payout: Payout) -> None:
    with pytest.raises(NotAllowed, match="You submitted"):
        approve_payout(actor=approver(world, "olga"), payout=payout)
    # Were the services wrong, the database would still refuse.
    with pytest.raises(IntegrityError, match="payout_two_people"), transaction.atomic():
        Payout.objects.filter(pk=payout.pk).update(approved_by=world.olga, version=payout.version + 1)


def test_nobody_approves_what_they_changed(world: World, payout: Payout) -> None:
    omar = world.actor("omar")
    void_line(actor=omar, line=payout.lines.order_by("pk")[0], reason="Wrong merchant.")
    with pytest.raises(NotAllowed, match="You changed"):
        approve_payout(actor=omar, payout=payout)
    # Undoing the own change is one more change.
    undo_void(actor=omar, decision=payout.decisions.get(kind="void_line"))
    with pytest.raises(NotAllowed, match="You changed"):
        approve_payout(actor=omar, payout=payout)
    oscar = make_user("oscar", Role.APPROVER)
    second = Actor(oscar.pk, frozenset({Role.APPROVER}))
    assert approve_payout(actor=second, payout=payout).state == PayoutState.APPROVED


def test_nobody_decides_on_the_payout_of_an_organisation_they_belong_to(world: World, payout: Payout) -> None:
    Membership.objects.create(partner=world.haiqiao, user=world.omar, role="viewer")
    omar = world.actor("omar")
    attempts: list[Callable[[], Payout]] = [
        lambda: approve_payout(actor=omar, payout=payout),
        lambda: void_payout(actor=omar, payout=payout, reason="x"),
        lambda: hold_payout(actor=omar, payout=payout, reason="x"),
        lambda: return_payout(actor=omar, payout=payout, reason="x"),
    ]
    for step in attempts:
        with pytest.raises(NotAllowed, match="belong"):
            step()


def test_approving_takes_a_person_with_the_permission(world: World, payout: Payout) -> None:
    with pytest.raises(NotAllowed, match="person"):
        approve_payout(actor=Actor.system("nightly"), payout=payout)
    for name in ("alice", "charlie", "fiona", "olga"):
        with pytest.raises(NotAllowed):
            approve_payout(actor=world.actor(name), payout=payout)
    payout.refresh_from_db()
    assert payout.state == PayoutState.IN_REVIEW


# --- Holds, states, versions ----------------------------------------


def test_a_hold_stops_approval_and_payment_until_it_is_released(world: World, payout: Payout) -> None:
    olga, omar, fiona = (world.actor(name) for name in ("olga", "omar", "fiona"))
    hold_payout(actor=olga, payout=payout, reason="A case is open.")
    with pytest.raises(Conflict, match="held"):
        approve_payout(actor=omar, payout=payout)
    with pytest.raises(Conflict, match="held already"):
        hold_payout(actor=olga, payout=payout, reason="Twice")
    release_payout(actor=olga, payout=payout)
    approve_payout(actor=omar, payout=payout)
    hold_payout(actor=fiona, payout=payout, reason="The account changed.")
    with pytest.raises(Conflict, match="held"):
        start_payment(actor=fiona, payout=payout)
    release_payout(actor=fiona, payout=payout)
    start_payment(actor=fiona, payout=payout)
    hold_payout(actor=fiona, payout=payout, reason="Stop the bank.")
    with pytest.raises(Conflict, match="held"):
        mark_paid(actor=fiona, payout=payout, reference="R-1")
    # Money under way is stopped by taking it back.
    assert refuse_payment(actor=fiona, payout=payout, reason="Recalled.").state == PayoutState.APPROVED


def test_steps_that_the_state_does_not_offer_are_refused(world: World, payout: Payout) -> None:
    omar, fiona = world.actor("omar"), world.actor("fiona")
    with pytest.raises(IllegalTransition):
        start_payment(actor=fiona, payout=payout)
    with pytest.raises(IllegalTransition):
        claw_back(actor=omar, payout=payout, reason="Not paid yet.")
    return_payout(actor=omar, payout=payout, reason="Look again.")
    attempts: list[Callable[[], Payout]] = [
        lambda: approve_payout(actor=omar, payout=payout),
        lambda: void_payout(actor=omar, payout=payout, reason="x"),
        lambda: hold_payout(actor=omar, payout=payout, reason="x"),
    ]
    for step in attempts:
        with pytest.raises(Conflict):
            step()
    with pytest.raises(DatabaseError, match="illegal transition"), transaction.atomic():
        Payout.objects.filter(pk=payout.pk).update(state=PayoutState.PAID, version=payout.version + 2)


@pytest.mark.parametrize("step", [return_payout, hold_payout, void_payout])
def test_what_hurts_somebody_needs_a_reason(world: World, payout: Payout, step: Callable[..., Payout]) -> None:
    with pytest.raises(BadInput, match="reason"):
        step(actor=world.actor("omar"), payout=payout, reason="  ")
    payout.refresh_from_db()
    assert (payout.state, payout.version) == (PayoutState.IN_REVIEW, 1)


def test_a_stale_page_is_told_who_was_quicker_and_when(world: World, payout: Payout) -> None:
    hold_payout(actor=world.actor("olga"), payout=payout, reason="A case is open.", version=1, at=AFTER_CLOSE)
    with pytest.raises(Conflict, match=r"Olga changed this payout at 2026-07-01 12:00 \(Held\)"):
        void_payout(actor=world.actor("omar"), payout=payout, reason="Forged.", version=1)


@pytest.mark.django_db(transaction=True)
def test_of_an_approval_and_a_void_at_the_same_time_one_wins() -> None:
    world = make_world()
    oscar = make_user("oscar", Role.APPROVER)
    payout = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]
    omar, second, start = world.actor("omar"), Actor(oscar.pk, frozenset({Role.APPROVER})), Barrier(2)

    def attempt(step: Callable[[], Payout]) -> str:
        try:
            start.wait(10)
            return step().state
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(
            pool.map(
                attempt,
                [
                    lambda: approve_payout(actor=omar, payout=payout, version=1),
                    lambda: void_payout(actor=second, payout=payout, reason="Forged.", version=1),
                ],
            )
        )
    assert sorted(outcomes) in (["approved", "stale"], ["stale", "void"])
    payout.refresh_from_db()
    assert (payout.state, payout.version) == (outcomes[0] if "approved" in outcomes else "void", 2)
    assert bool(standing(payout)) == (payout.state == PayoutState.APPROVED)
    assert audit.verify_chain().intact


# --- Nothing to pay, debts ----------------------------------------


def test_a_payout_of_zero_closes_unpaid(db: None) -> None:
    world = make_world(discount={"tiers": [{"from": "0.10", "pay": "0"}]})
    payout = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]
    assert payout.payable == 0
    payout = approve_payout(actor=world.actor("omar"), payout=payout)
    assert payout.state == PayoutState.CLOSED
    assert not Posting.objects.exists()
    with pytest.raises(IllegalTransition):
        start_payment(actor=world.actor("fiona"), payout=payout)


def test_a_clawback_is_settled_by_the_next_payouts_however_many_it_takes(world: World, payout: Payout) -> None:
    olga, omar, fiona = (world.actor(name) for name in ("olga", "omar", "fiona"))
    approve_payout(actor=omar, payout=payout)
    start_payment(actor=fiona, payout=payout)
    mark_paid(actor=fiona, payout=payout, reference="R-1")
    claw_back(actor=omar, payout=payout, reason="Fabricated orders.")

    states = []
    for code, shops in (("POP-2", 1), ("POP-3", 2)):
        program = make_program(code)
        run = make_run(program, [Spec(f"{code}-{number}", world.haiqiao) for number in range(shops)])
        following = submit_run(actor=olga, run=run, at=AFTER_CLOSE).payouts[0]
        following = approve_payout(actor=omar, payout=following)
        states.append((following.state, following.adjustments, following.payable))
    assert states == [
        (PayoutState.CLOSED, Decimal("-4000.00"), Decimal("-2000.00")),
        (PayoutState.APPROVED, Decimal("-2000.00"), Decimal("2000.00")),
    ]
    balances = ledger.balances(partner_id=world.haiqiao.pk)
    assert balances[Account.PARTNER_RECEIVABLE] == 0
    assert balances[Account.PARTNER_PAYABLE] == Decimal("-2000.00")


def test_a_debt_is_not_carried_twice(world: World, payout: Payout) -> None:
    olga, omar, fiona = (world.actor(name) for name in ("olga", "omar", "fiona"))
    approve_payout(actor=omar, payout=payout)
    start_payment(actor=fiona, payout=payout)
    mark_paid(actor=fiona, payout=payout, reference="R-1")
    line = payout.lines.order_by("pk")[0]
    payout = claw_back(actor=omar, payout=payout, reason="This shop's orders were fabricated.", lines=[line])
    assert (payout.state, payout.payable) == (PayoutState.PAID, PAID)
    runs = [make_run(make_program(code), [Spec(f"{code}-1", world.haiqiao)]) for code in ("POP-2", "POP-3")]
    carried = [submit_run(actor=olga, run=run, at=AFTER_CLOSE).payouts[0].adjustments for run in runs]
    assert carried == [Decimal("-2000.00"), Decimal(0)]


def test_a_clawed_back_payout_is_not_paid_again_by_accident(world: World, payout: Payout) -> None:
    olga, omar, fiona = (world.actor(name) for name in ("olga", "omar", "fiona"))
    approve_payout(actor=omar, payout=payout)
    start_payment(actor=fiona, payout=payout)
    mark_paid(actor=fiona, payout=payout, reference="R-1")
    claw_back(actor=omar, payout=payout, reason="Fabricated orders.")
    report = submit_run(actor=olga, run=world.run, at=AFTER_CLOSE, reason="All of them.")
    assert ("haiqiao", "clawed_back") in [(skip.partner_code, skip.code) for skip in report.skipped]
    again = submit_run(actor=olga, run=world.run, at=AFTER_CLOSE, partners=[world.haiqiao], reason="It was right.")
    assert again.payouts[0].payable == 0


def test_money_moves_in_whole_postings_only(world: World, payout: Payout) -> None:
    entries = {Account.CASH: Decimal("1.00"), Account.IN_TRANSIT: Decimal("-0.99")}
    with pytest.raises(ValueError, match="sum to zero"), transaction.atomic():
        ledger.post(cause="x", at=AFTER_CLOSE, payout=payout, entries=entries)
    approve_payout(actor=world.actor("omar"), payout=payout)
    posting = Posting.objects.get()
    with pytest.raises(DatabaseError, match="must sum to zero"), transaction.atomic():
        LedgerEntry.objects.create(posting=posting, account=Account.CASH, amount=Decimal("0.01"), currency="CNY")
    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.post(
            cause=posting.cause,
            at=AFTER_CLOSE,
            payout=payout,
            entries={Account.CASH: Decimal(1), Account.IN_TRANSIT: Decimal(-1)},
        )
    ledger.reverse(posting=posting, at=AFTER_CLOSE, payout=payout)
    with pytest.raises(Conflict, match="reversed before"):
        ledger.reverse(posting=posting, at=AFTER_CLOSE, payout=payout)
