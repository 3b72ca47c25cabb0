"""Whoever is suspended or terminated has its unpaid payouts held at once, whatever else goes on (POLICY 6)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from core import audit
from core.actors import Role
from core.errors import BadInput, Conflict, NotAllowed
from core.models import AuditEvent
from incentives.models import Payout
from incentives.services import (
    approve_payout,
    mark_paid,
    release_payout,
    start_payment,
    submit_run,
    suspend_partner_and_hold,
    terminate_partner_and_hold,
    undo_void,
    void_payout,
)
from partners.models import Membership, Suspension
from partners.people import actor_of
from partners.services import reinstate_partner
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_program, make_run, make_user, make_world

REASON = "Its link was spread in a chat group."


@pytest.fixture
def payouts(world: World) -> dict[str, Payout]:
    """Haiqiao's payouts, one in each state that money can be stopped in and one that is paid; and the rival's."""
    olga, omar, fiona = (world.actor(name) for name in ("olga", "omar", "fiona"))
    found = {}
    for state in ("in_review", "approved", "in_payment", "paid"):
        run = make_run(make_program(f"POP-{state}"), [Spec(f"{state}-1", world.haiqiao)])
        found[state] = submit_run(actor=olga, run=run, at=AFTER_CLOSE).payouts[0]
        if state != "in_review":
            approve_payout(actor=omar, payout=found[state])
        if state in ("in_payment", "paid"):
            start_payment(actor=fiona, payout=found[state])
        if state == "paid":
            mark_paid(actor=fiona, payout=found[state], reference="BOC-1")
    found["rival"] = submit_run(actor=olga, run=world.run, at=AFTER_CLOSE, partners=[world.rival]).payouts[0]
    return found


def held(payouts: dict[str, Payout]) -> set[str]:
    now = Payout.objects.in_bulk([payout.pk for payout in payouts.values()])
    return {name for name, payout in payouts.items() if now[payout.pk].held}


def test_a_suspension_holds_what_is_unpaid_and_nothing_else(world: World, payouts: dict[str, Payout]) -> None:
    rita = actor_of(make_user("rita", Role.RISK))
    before = AuditEvent.objects.count()
    suspension, stopped = suspend_partner_and_hold(actor=rita, partner=world.haiqiao, reason=REASON)
    assert held(payouts) == {"in_review", "approved", "in_payment"}
    assert {payout.pk for payout in stopped} == {payouts[name].pk for name in held(payouts)}
    decision = payouts["approved"].decisions.order_by("-pk")[0]
    assert (decision.kind, str(decision.reason), str(suspension.reason)) == ("hold", REASON, REASON)
    with pytest.raises(Conflict, match="held"):
        mark_paid(actor=world.actor("fiona"), payout=payouts["in_payment"], reference="BOC-2")
    told = AuditEvent.objects.order_by("pk").values_list("action", flat=True)[before:]
    assert list(told) == ["partner.suspended", "payout.held", "payout.held", "payout.held"]
    assert audit.verify_chain().intact


def test_a_termination_holds_what_was_released_meanwhile(world: World, payouts: dict[str, Payout]) -> None:
    rita = actor_of(make_user("rita", Role.RISK))
    suspend_partner_and_hold(actor=rita, partner=world.haiqiao, reason=REASON)
    reinstate_partner(actor=rita, partner=world.haiqiao, reason="It was not its own doing.")
    assert held(payouts) == {"in_review", "approved", "in_payment"}  # each release is a decision of its own
    release_payout(actor=world.actor("omar"), payout=payouts["approved"])
    _, stopped = terminate_partner_and_hold(actor=rita, partner=world.haiqiao, reason=REASON)
    assert [payout.pk for payout in stopped] == [payouts["approved"].pk]
    assert Suspension.objects.filter(partner=world.haiqiao, terminal=True).count() == 1


def test_a_void_that_is_undone_under_a_suspension_comes_back_held(world: World, payouts: dict[str, Payout]) -> None:
    rita, omar = actor_of(make_user("rita", Role.RISK)), world.actor("omar")
    void_payout(actor=omar, payout=payouts["approved"], reason="Forged licence.")
    suspend_partner_and_hold(actor=rita, partner=world.haiqiao, reason=REASON)
    assert held(payouts) == {"in_review", "in_payment"}
    undone = undo_void(actor=omar, decision=payouts["approved"].decisions.get(kind="void"))
    assert (undone.state, undone.held) == ("approved", True)
    assert undone.version == Payout.objects.get(pk=undone.pk).version
    assert [decision.kind for decision in undone.decisions.order_by("pk")][-2:] == ["undo_void", "hold"]


def test_both_or_neither(world: World, payouts: dict[str, Payout]) -> None:
    rita = make_user("rita", Role.RISK)
    with pytest.raises(BadInput):
        suspend_partner_and_hold(actor=actor_of(rita), partner=world.haiqiao, reason=" ")
    with pytest.raises(NotAllowed):
        suspend_partner_and_hold(actor=world.actor("omar"), partner=world.haiqiao, reason=REASON)
    # She may suspend any partner, but belongs to this one, and so may not decide on its payouts.
    Membership.objects.create(partner=world.haiqiao, user=rita, role=Role.VIEWER)
    with pytest.raises(NotAllowed):
        terminate_partner_and_hold(actor=actor_of(rita), partner=world.haiqiao, reason=REASON)
    assert held(payouts) == set()
    assert not Suspension.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_submission_slips_past_a_suspension() -> None:
    world = make_world()
    rita, olga, start = actor_of(make_user("rita", Role.RISK)), world.actor("olga"), Barrier(2)

    def at_once(act: Callable[[], object]) -> None:
        start.wait(10)
        try:
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(at_once, lambda: submit_run(actor=olga, run=world.run, at=AFTER_CLOSE)),
            pool.submit(at_once, lambda: suspend_partner_and_hold(actor=rita, partner=world.haiqiao, reason=REASON)),
        ]
        for one in both:
            one.result(30)
    assert dict(Payout.objects.values_list("partner__code", "held")) == {"haiqiao": True, "rival": False}
