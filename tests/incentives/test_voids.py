"""Voids and their undoing: exactly what was changed, or a clear no (POLICY 6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.actors import Actor, Role
from core.errors import Conflict, NotAllowed
from incentives import ledger
from incentives.models import Bar, Payout
from incentives.services import (
    approve_payout,
    ensure_attribution_open,
    return_payout,
    submit_run,
    undo_void,
    void_line,
    void_payout,
)
from incentives.states import Account, PayoutState
from merchants.services import assign_shop
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_merchant, make_run, make_user, make_world


@pytest.fixture
def payout(world: World) -> Payout:
    return submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]


def picture(payout: Payout) -> dict[str, Any]:
    """Everything of a payout that a void may touch."""
    payout = Payout.objects.get(pk=payout.pk)
    return {
        "state": payout.state,
        "amounts": (payout.base_amount, payout.net_amount, payout.payable),
        "approved": (payout.approved_by_id, payout.approved_at),
        "held": payout.held,
        "lines": sorted(payout.lines.values_list("shop__code", "state", "withheld_for")),
        "ledger": ledger.balances(payout_id=payout.pk),
        "bars": Bar.objects.filter(program=payout.program, lifted_by=None).count(),
    }


@pytest.mark.parametrize("approved", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_undoing_restores_exactly_what_the_void_changed(
    world: World, payout: Payout, approved: bool, whole: bool
) -> None:
    omar = world.actor("omar")
    if approved:
        approve_payout(actor=omar, payout=payout)
    before = picture(payout)
    if whole:
        void_payout(actor=omar, payout=payout, reason="Forged.")
    else:
        void_line(actor=omar, line=payout.lines.order_by("pk")[0], reason="Forged.")
    voided = picture(payout)
    assert voided["bars"] == 1
    assert voided["lines"] != before["lines"]
    if whole:
        assert voided["state"] == PayoutState.VOID
        assert not any(voided["ledger"].values())
    else:
        assert voided["amounts"] == (Decimal("2000.00"),) * 3
        assert voided["ledger"][Account.PARTNER_PAYABLE] == (Decimal("-2000.00") if approved else 0)

    undo_void(actor=world.actor("olga"), decision=payout.decisions.get(kind__startswith="void"), reason="A mix-up.")
    assert picture(payout) == before


def test_the_discount_applies_to_what_is_left(db: None) -> None:
    world = make_world(
        incentive={"amount": "1000.01", "currency": "CNY"}, discount={"tiers": [{"from": "0.10", "pay": "0.25"}]}
    )
    payout = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]
    approve_payout(actor=world.actor("omar"), payout=payout)
    first, second = payout.lines.order_by("pk")
    void_line(actor=world.actor("omar"), line=first, reason="Forged.")
    assert picture(payout)["amounts"] == (Decimal("1000.01"), Decimal("250.00"), Decimal("250.00"))
    void_line(actor=world.actor("omar"), line=second, reason="Forged too.")
    assert picture(payout)["state"] == PayoutState.CLOSED
    assert not any(picture(payout)["ledger"].values())

    # In the order in which they come, the cents come out right.
    for decision in payout.decisions.filter(kind="void_line").order_by("pk"):
        undo_void(actor=world.actor("omar"), decision=decision)
    assert picture(payout)["state"] == PayoutState.APPROVED
    assert picture(payout)["ledger"][Account.PARTNER_PAYABLE] == Decimal("-500.01")


def test_an_amount_that_was_approved_is_not_raised_by_undoing(world: World, payout: Payout) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    void_line(actor=olga, line=payout.lines.order_by("pk")[0], reason="Doubtful.")
    approve_payout(actor=omar, payout=payout)
    with pytest.raises(Conflict) as refusal:
        undo_void(actor=olga, decision=payout.decisions.get(kind="void_line"))
    assert refusal.value.code == "approved_since"
    assert picture(payout)["amounts"] == (Decimal("2000.00"),) * 3


def test_a_void_is_undone_once(world: World, payout: Payout) -> None:
    omar = world.actor("omar")
    void_payout(actor=omar, payout=payout, reason="Forged.")
    decision = payout.decisions.get(kind="void")
    undo_void(actor=omar, decision=decision)
    with pytest.raises(Conflict, match="undone before"):
        undo_void(actor=omar, decision=decision)


def test_a_line_void_waits_for_the_payouts_own_void(world: World, payout: Payout) -> None:
    omar = world.actor("omar")
    void_line(actor=omar, line=payout.lines.order_by("pk")[0], reason="Forged.")
    void_payout(actor=omar, payout=payout, reason="All of it.")
    with pytest.raises(Conflict) as refusal:
        undo_void(actor=omar, decision=payout.decisions.get(kind="void_line"))
    assert refusal.value.code == "moved_on"
    undo_void(actor=omar, decision=payout.decisions.get(kind="void"))
    undo_void(actor=omar, decision=payout.decisions.get(kind="void_line"))
    assert picture(payout)["amounts"] == (Decimal("4000.00"),) * 3
    assert picture(payout)["bars"] == 0


def test_what_another_payout_has_taken_meanwhile_cannot_come_back(world: World) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    shared = make_merchant()
    run = make_run(
        world.program, [Spec("A-1", world.haiqiao, merchant=shared), Spec("A-2", world.rival, merchant=shared)]
    )
    mine, theirs = submit_run(actor=olga, run=run, at=AFTER_CLOSE).payouts
    void_payout(actor=omar, payout=mine, reason="Forged.")
    return_payout(actor=omar, payout=theirs, reason="It can be paid now.")
    taken = submit_run(actor=olga, run=run, at=AFTER_CLOSE).payouts[0]
    assert (taken.partner, taken.payable) == (world.rival, Decimal("2000.00"))

    with pytest.raises(Conflict) as refusal:
        undo_void(actor=omar, decision=mine.decisions.get(kind="void"))
    assert refusal.value.code == "taken_since"
    # Nothing of the attempt remains.
    assert picture(mine)["state"] == PayoutState.VOID
    assert picture(mine)["bars"] == 1


def test_a_line_dies_once(world: World, payout: Payout) -> None:
    line = payout.lines.order_by("pk")[0]
    void_line(actor=world.actor("omar"), line=line, reason="Forged.")
    with pytest.raises(Conflict, match="not live"):
        void_line(actor=world.actor("omar"), line=line, reason="Again.")


def test_voiding_takes_the_permission(world: World, payout: Payout) -> None:
    for name in ("alice", "fiona"):
        with pytest.raises(NotAllowed):
            void_payout(actor=world.actor(name), payout=payout, reason="x")
    void_payout(actor=world.actor("omar"), payout=payout, reason="Forged.")
    with pytest.raises(NotAllowed):
        undo_void(actor=world.actor("fiona"), decision=payout.decisions.get(kind="void"))


def test_an_attribution_is_settled_by_an_approval_and_opened_by_nothing_less_than_its_void(
    world: World, payout: Payout
) -> None:
    shop = payout.lines.order_by("pk")[0].shop
    keeper = Actor(make_user("kim", Role.LIST_KEEPER).pk, frozenset({Role.LIST_KEEPER}))

    def assign(reason: str) -> None:
        assign_shop(actor=keeper, shop=shop, partner=world.haiqiao, reason=reason, guard=ensure_attribution_open)

    assign("It was theirs all along.")
    approve_payout(actor=world.actor("omar"), payout=payout)
    with pytest.raises(Conflict, match=r"POP-2026Q1"):
        assign("Too late.")
    oscar = make_user("oscar", Role.APPROVER)
    void_payout(actor=Actor(oscar.pk, frozenset({Role.APPROVER})), payout=payout, reason="Forged.")
    assign("The payout is void.")
