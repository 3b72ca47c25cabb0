"""Adjustments, differences of later runs, debts: carried to the next payout, and the books always add up (POLICY 6)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from core import audit
from core.actors import Role
from core.errors import BadInput, Conflict, DomainError, NotAllowed
from core.models import Notice, RoleGrant
from incentives import ledger
from incentives.models import Adjustment, LedgerEntry, Payout
from incentives.queries.books import account_views, ledger_balances, ledger_entries
from incentives.queries.desk import later_difference
from incentives.queries.statements import payout_steps
from incentives.services import (
    approve_payout,
    carry_account,
    claw_back,
    confirm_adjustment,
    decline_adjustment,
    mark_paid,
    propose_adjustment,
    propose_difference,
    return_payout,
    start_payment,
    submit_run,
    void_line,
    void_payout,
)
from incentives.states import Account, AdjustmentKind, AdjustmentState, LineState, PayoutState, Verdict
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_merchant, make_program, make_run

AMOUNT = Decimal("2000.00")


@pytest.fixture
def payout(world: World) -> Payout:
    """Haiqiao's payout, submitted by olga: two lines of 2,000 (S-1, S-2); S-3 wasn't eligible."""
    return submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]


def books(world: World) -> dict[str, Decimal]:
    """The accounts that aren't even; fails where the whole doesn't add up."""
    balances = ledger_balances(ledger_entries(world.actor("olga")))
    assert sum((each.balance for each in balances), Decimal(0)) == 0
    assert sum((each.debits for each in balances), Decimal(0)) == sum((each.credits for each in balances), Decimal(0))
    assert not LedgerEntry.objects.values("posting").annotate(total=Sum("amount")).exclude(total=0).exists()
    return {each.account: each.balance for each in balances if each.balance}


def adjust(world: World, amount: str, **more: object) -> Adjustment:
    """An adjustment of haiqiao's account that olga has proposed and omar has confirmed."""
    proposed = propose_adjustment(
        actor=world.actor("olga"),
        partner=world.haiqiao,
        program=world.program,
        amount=Decimal(amount),
        reason="A mistake of last quarter.",
        **more,  # type: ignore[arg-type]
    )
    return confirm_adjustment(actor=world.actor("omar"), adjustment=proposed)


def following(world: World, code: str, shops: int = 1) -> Payout:
    """Haiqiao's payout of a program of its own, with so many shops."""
    run = make_run(make_program(code), [Spec(f"{code}-{number}", world.haiqiao) for number in range(shops)])
    return submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE).payouts[0]


def pay(world: World, payout: Payout) -> Payout:
    fiona = world.actor("fiona")
    start_payment(actor=fiona, payout=payout)
    return mark_paid(actor=fiona, payout=payout, reference=f"BOC-{payout.pk}")


# --- Manual ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "state", "payable"),
    [
        ("500.00", PayoutState.APPROVED, "2500.00"),
        ("-500.00", PayoutState.APPROVED, "1500.00"),
        ("-2000.00", PayoutState.CLOSED, "0.00"),
        ("-3500.00", PayoutState.CLOSED, "-1500.00"),
    ],
)
def test_an_adjustment_goes_into_the_next_payout(world: World, amount: str, state: str, payable: str) -> None:
    adjust(world, amount)
    assert books(world)["partner_receivable"] == -Decimal(amount)
    payout = following(world, "POP-2")
    assert (payout.adjustments, payout.payable) == (Decimal(amount), Decimal(payable))
    payout = approve_payout(actor=world.actor("omar"), payout=payout)
    assert payout.state == state
    left = books(world)
    assert left.get("partner_receivable", Decimal(0)) == max(-payout.payable, Decimal(0))
    assert left.get("partner_payable", Decimal(0)) == -max(payout.payable, Decimal(0))
    if payout.payable < 0:  # closed unpaid, and carried forward
        assert following(world, "POP-3", shops=2).payable == Decimal("2500.00")
    assert audit.verify_chain().intact


def test_the_same_amount_is_carried_once(world: World) -> None:
    adjust(world, "500.00")
    first, second = following(world, "POP-2"), following(world, "POP-3")
    assert (first.adjustments, second.adjustments) == (Decimal("500.00"), Decimal(0))
    return_payout(actor=world.actor("omar"), payout=first, reason="Look again.")
    assert following(world, "POP-4").adjustments == Decimal("500.00")


def test_an_adjustment_takes_two_people(world: World) -> None:
    olga = world.actor("olga")
    proposed = propose_adjustment(
        actor=olga, partner=world.haiqiao, program=world.program, amount=AMOUNT, reason="Agreed by phone."
    )
    assert books(world) == {}
    RoleGrant.objects.create(user=world.olga, role=Role.APPROVER)
    with pytest.raises(NotAllowed, match="You proposed"):
        confirm_adjustment(actor=world.actor("olga"), adjustment=proposed)
    for name in ("fiona", "alice"):
        with pytest.raises(NotAllowed):
            confirm_adjustment(actor=world.actor(name), adjustment=proposed)
    # Were the services wrong, the database would still refuse.
    with pytest.raises(IntegrityError, match="adjustment_two_people"), transaction.atomic():
        Adjustment.objects.filter(pk=proposed.pk).update(
            state="confirmed", version=2, decided_by=world.olga, decided_at=AFTER_CLOSE
        )
    confirm_adjustment(actor=world.actor("omar"), adjustment=proposed, at=AFTER_CLOSE)
    assert Notice.objects.filter(kind="account.adjusted", user=world.alice).count() == 1
    # Whoever comes second is told who was quicker, and when.
    with pytest.raises(Conflict, match=r"Omar has decided on this adjustment at 2026-07-01 12:00 \(Confirmed\)"):
        decline_adjustment(actor=world.actor("olga"), adjustment=proposed, reason="A second thought.", version=1)
    assert books(world)["partner_receivable"] == -AMOUNT


def test_declined_and_withdrawn_move_nothing(world: World) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    for who, state in ((omar, AdjustmentState.DECLINED), (olga, AdjustmentState.WITHDRAWN)):
        proposed = propose_adjustment(
            actor=olga, partner=world.haiqiao, program=world.program, amount=AMOUNT, reason="Agreed by phone."
        )
        assert decline_adjustment(actor=who, adjustment=proposed, reason="It wasn't.").state == state
    assert books(world) == {}


@pytest.mark.parametrize("amount", ["0", "0.001", "NaN", "Infinity", "1e30"])
def test_bad_amounts(world: World, amount: str) -> None:
    with pytest.raises(BadInput, match="amount"):
        propose_adjustment(
            actor=world.actor("olga"),
            partner=world.haiqiao,
            program=world.program,
            amount=Decimal(amount),
            reason="x",
        )


def test_an_account_that_moved_since_the_submission_is_carried_over_anew(world: World, payout: Payout) -> None:
    adjust(world, "-500.00")
    assert carry_account(actor=world.actor("olga"), payout=payout).payable == Decimal("3500.00")
    adjust(world, "300.00")
    with pytest.raises(Conflict) as refusal:
        approve_payout(actor=world.actor("omar"), payout=payout)
    assert refusal.value.code == "debt_changed"
    assert carry_account(actor=world.actor("olga"), payout=payout).payable == Decimal("3800.00")
    with pytest.raises(Conflict) as nothing:
        carry_account(actor=world.actor("olga"), payout=payout)
    assert nothing.value.code == "nothing_to_carry"
    approve_payout(actor=world.actor("omar"), payout=payout)
    assert books(world) == {"incentive_expense": Decimal("3800.00"), "partner_payable": Decimal("-3800.00")}


# --- Differences ------------------------------------------------------------------------------------------------


def run_again(world: World, **verdicts: Verdict) -> None:
    """A later run in which some of haiqiao's shops are judged in another way."""
    usual = {"S-1": Verdict.ELIGIBLE, "S-2": Verdict.ELIGIBLE, "S-3": Verdict.NOT_ELIGIBLE}
    found = usual | {code.replace("_", "-"): verdict for code, verdict in verdicts.items()}
    make_run(world.program, [Spec(code, world.haiqiao, verdict) for code, verdict in found.items()])


def test_an_approved_payout_is_untouched_and_the_difference_becomes_an_adjustment(world: World, payout: Payout) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    approve_payout(actor=omar, payout=payout)
    before = Payout.objects.filter(pk=payout.pk).values().get()
    run_again(world, S_3=Verdict.ELIGIBLE)
    assert submit_run(actor=olga, run=latest(world), at=AFTER_CLOSE).payouts == ()
    difference = later_difference(payout_now(payout))
    assert difference is not None
    assert [(line.shop_code, line.before, line.after) for line in difference.lines] == [("S-3", Decimal(0), AMOUNT)]
    assert (difference.settled, difference.should, difference.amount) == (AMOUNT * 2, AMOUNT * 3, AMOUNT)

    proposed = propose_difference(actor=olga, payout=payout, reason="Its stock was seen.", amount=AMOUNT)
    with pytest.raises(Conflict, match="proposed already"):
        propose_difference(actor=olga, payout=payout, reason="Twice.")
    confirm_adjustment(actor=omar, adjustment=proposed)
    assert Payout.objects.filter(pk=payout.pk).values().get() == before
    settled = later_difference(payout_now(payout))
    assert settled is not None
    assert (settled.amount, settled.lines) == (Decimal(0), ())
    with pytest.raises(Conflict, match="same amount"):
        propose_difference(actor=olga, payout=payout, reason="Again.")
    # The partner reads why, and nobody's name.
    told = payout_steps(payout, names=False)[-1]
    assert (told.kind, told.reason, told.who) == ("adjust", "Its stock was seen.", "")
    assert following(world, "POP-2").payable == AMOUNT * 2
    books(world)


def test_a_shop_that_an_adjustment_pays_is_not_paid_again(world: World, payout: Payout) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    approve_payout(actor=omar, payout=payout)
    run_again(world, S_3=Verdict.ELIGIBLE)
    confirm_adjustment(actor=omar, adjustment=propose_difference(actor=olga, payout=payout, reason="Late stock."))
    merchant = payout.lines.get(shop__code="S-3").merchant
    run = make_run(make_program("POP-2"), [Spec("P2-1", world.rival, merchant=merchant)])
    again = submit_run(actor=olga, run=run, at=AFTER_CLOSE)
    assert [line.code for line in again.withheld] == ["same_merchant"]


@pytest.mark.parametrize("paid", [False, True])
def test_a_lost_shop_is_taken_back_in_the_next_payout(world: World, payout: Payout, paid: bool) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    approve_payout(actor=omar, payout=payout)
    if paid:
        pay(world, payout)
    run_again(world, S_2=Verdict.NOT_ELIGIBLE)
    proposed = propose_difference(actor=olga, payout=payout, reason="The orders were refunded.")
    assert proposed.amount == -AMOUNT
    confirm_adjustment(actor=omar, adjustment=proposed)
    assert payout_now(payout).payable == AMOUNT * 2
    assert payout.lines.get(shop__code="S-2").state == LineState.DEDUCTED
    assert [account.owes for account in account_views(olga)] == [AMOUNT]
    # Its merchant's place is free again.
    merchant = payout.lines.get(shop__code="S-2").merchant
    run = make_run(make_program("POP-2"), [Spec("P2-1", world.haiqiao, merchant=merchant)])
    assert submit_run(actor=olga, run=run, at=AFTER_CLOSE).payouts[0].payable == 0
    # What the run says now is settled; that it says something else again is a new difference.
    run_again(world)
    settled = later_difference(payout_now(payout))
    assert settled is not None
    assert settled.amount == 0  # the place was taken meanwhile
    books(world)


def test_a_difference_that_has_changed_is_not_confirmed(world: World, payout: Payout) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    approve_payout(actor=omar, payout=payout)
    run_again(world, S_3=Verdict.ELIGIBLE)
    proposed = propose_difference(actor=olga, payout=payout, reason="Late stock.")
    run_again(world, S_3=Verdict.ELIGIBLE, S_2=Verdict.NOT_ELIGIBLE)
    with pytest.raises(Conflict) as refusal:
        confirm_adjustment(actor=omar, adjustment=proposed)
    assert refusal.value.code == "stale"
    with pytest.raises(Conflict, match=r"not 1\.00"):
        propose_difference(actor=olga, payout=payout, reason="x", amount=Decimal("1.00"))
    assert set(books(world)) == {"incentive_expense", "partner_payable"}


def test_a_void_is_no_difference_and_an_adjusted_payout_is_not_voided_whole(world: World, payout: Payout) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    approve_payout(actor=omar, payout=payout)
    void_line(actor=omar, line=payout.lines.get(shop__code="S-1"), reason="Forged.")
    run_again(world)
    difference = later_difference(payout_now(payout))
    assert difference is not None
    assert difference.amount == 0
    assert [(line.shop_code, line.note) for line in difference.lines] == [
        ("S-1", "This merchant was voided in this program")
    ]
    run_again(world, S_3=Verdict.ELIGIBLE)
    confirm_adjustment(actor=omar, adjustment=propose_difference(actor=olga, payout=payout, reason="Late stock."))
    with pytest.raises(Conflict) as refusal:
        void_payout(actor=omar, payout=payout, reason="All of it.")
    assert refusal.value.code == "adjusted_since"


def test_only_a_settled_payout_has_a_difference(world: World, payout: Payout) -> None:
    run_again(world, S_3=Verdict.ELIGIBLE)
    assert later_difference(payout_now(payout)) is None
    with pytest.raises(Conflict, match="once it is approved"):
        propose_difference(actor=world.actor("olga"), payout=payout, reason="x")


def test_a_clawback_of_lost_lines_by_decision(world: World, payout: Payout) -> None:
    omar = world.actor("omar")
    approve_payout(actor=omar, payout=payout)
    pay(world, payout)
    run_again(world, S_2=Verdict.NOT_ELIGIBLE)
    claw_back(actor=omar, payout=payout, reason="Refunded.", lines=[payout.lines.get(shop__code="S-2")])
    difference = later_difference(payout_now(payout))
    assert difference is not None
    assert difference.amount == 0
    assert following(world, "POP-2").payable == 0


# --- Debts ------------------------------------------------------------------------------------------------


def test_a_debt_is_recovered_or_written_off_and_never_more_than_that(world: World) -> None:
    adjust(world, "-3000.00")
    adjust(world, "1000.00", kind=AdjustmentKind.RECOVERY, reference="BOC-IN-1")
    assert books(world)["cash"] == Decimal("1000.00")
    with pytest.raises(DomainError, match=r"owes 2,000\.00"):
        adjust(world, "2000.01", kind=AdjustmentKind.WRITE_OFF)
    with pytest.raises(BadInput, match="reference"):
        adjust(world, "1.00", kind=AdjustmentKind.RECOVERY)
    # Two proposals that each fit: the second doesn't any more.
    first, second = (
        propose_adjustment(
            actor=world.actor("olga"),
            partner=world.haiqiao,
            program=world.program,
            amount=Decimal("1500.00"),
            reason="It went out of business.",
            kind=AdjustmentKind.WRITE_OFF,
        )
        for _ in range(2)
    )
    confirm_adjustment(actor=world.actor("omar"), adjustment=first)
    with pytest.raises(Conflict, match=r"owes 500\.00"):
        confirm_adjustment(actor=world.actor("omar"), adjustment=second)
    assert books(world) == {
        "incentive_expense": Decimal("-3000.00"),
        "cash": Decimal("1000.00"),
        "partner_receivable": Decimal("500.00"),
        "written_off": Decimal("1500.00"),
    }
    assert ledger.receivables([world.haiqiao.pk], currency="CNY") == {world.haiqiao.pk: Decimal("500.00")}
    assert [(view.partner_code, view.owes) for view in account_views(world.actor("olga"))] == [
        ("haiqiao", Decimal("500.00"))
    ]
    assert account_views(world.actor("alice")) == []
    assert not ledger_entries(world.actor("alice")).exists()


def test_an_approval_waits_for_the_account_that_it_settles(world: World, payout: Payout) -> None:
    adjust(world, "-1000.00")
    carry_account(actor=world.actor("olga"), payout=payout)
    adjust(world, "400.00", kind=AdjustmentKind.WRITE_OFF)
    with pytest.raises(Conflict, match=r"owes 600\.00"):
        approve_payout(actor=world.actor("omar"), payout=payout)
    assert Account.PARTNER_RECEIVABLE.value in books(world)


def test_a_voided_merchant_is_not_paid_by_the_next_submission(world: World) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    merchant = make_merchant()
    run = make_run(world.program, [Spec("V-1", world.haiqiao, merchant=merchant), Spec("V-2", world.haiqiao)])
    payout = submit_run(actor=olga, run=run, at=AFTER_CLOSE).payouts[0]
    void_line(actor=omar, line=payout.lines.get(shop__code="V-1"), reason="Fabricated orders.")
    return_payout(actor=omar, payout=payout, reason="Compute it again.")
    again = make_run(world.program, [Spec("V-1", world.haiqiao), Spec("V-2", world.haiqiao)])
    report = submit_run(actor=olga, run=again, at=AFTER_CLOSE)
    assert report.payable == AMOUNT
    assert [(line.shop_code, line.code) for line in report.withheld] == [("V-1", "merchant_barred")]


def payout_now(payout: Payout) -> Payout:
    found: Payout = Payout.objects.select_related("run", "program").get(pk=payout.pk)
    return found


def latest(world: World):  # type: ignore[no-untyped-def]
    return world.program.runs.order_by("-pk")[0]
