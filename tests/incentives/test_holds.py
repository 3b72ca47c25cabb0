"""Holds of payouts, lines and partners: each stops approval and payment until it is released by name (POLICY 6)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from core import audit
from core.errors import BadInput, Conflict, NotAllowed
from core.models import AuditEvent, Note, Notice
from incentives.models import Hold, Payout
from incentives.services import (
    approve_payout,
    approve_payouts,
    hold_line,
    hold_partner,
    hold_payout,
    release_line,
    release_partner,
    release_payout,
    return_payout,
    start_payment,
    submit_run,
    undo_void,
    void_line,
)
from incentives.states import PayoutState
from partners.models import Membership
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_program, make_run


@pytest.fixture
def payout(world: World) -> Payout:
    """Haiqiao's payout, submitted by olga: two lines of 2,000."""
    return submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]


def now(payout: Payout) -> Payout:
    return Payout.objects.get(pk=payout.pk)


def test_a_held_line_stops_its_payout_until_it_is_released(world: World, payout: Payout) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    line = payout.lines.order_by("pk")[0]
    hold_line(actor=olga, line=line, reason="A case is open.")
    with pytest.raises(Conflict, match="held"):
        approve_payout(actor=omar, payout=payout)
    refused = approve_payouts(actor=omar, versions={payout.pk: None})[payout.pk]
    assert isinstance(refused, Conflict)
    with pytest.raises(Conflict, match="line is held already"):
        hold_line(actor=olga, line=line, reason="Twice.")
    with pytest.raises(Conflict) as elsewhere:
        release_payout(actor=omar, payout=payout)
    assert elsewhere.value.code == "held_elsewhere"
    release_line(actor=omar, line=line, reason="The case is closed.")
    hold = Hold.objects.get()
    assert (hold.placed_by_id, hold.released_by_id) == (world.olga.pk, world.omar.pk)
    assert (str(hold.reason), str(hold.release_reason)) == ("A case is open.", "The case is closed.")
    approve_payout(actor=omar, payout=payout)
    told = AuditEvent.objects.order_by("pk").values_list("action", "actor__name")
    assert [row for row in told if row[0].startswith("payout.")] == [
        ("payout.line_held", "Olga"),
        ("payout.line_released", "Omar"),
        ("payout.approved", "Omar"),
    ]
    assert audit.verify_chain().intact


def test_each_hold_needs_its_own_release(world: World, payout: Payout) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    line = payout.lines.order_by("pk")[0]
    hold_payout(actor=olga, payout=payout, reason="The figures look odd.")
    hold_line(actor=olga, line=line, reason="A case is open.")
    hold_partner(actor=omar, partner=world.haiqiao, reason="An inquiry.")
    told = Notice.objects.filter(kind="payout.release").count()
    releases: list[Callable[[], Payout]] = [
        lambda: release_payout(actor=olga, payout=payout),
        lambda: release_line(actor=olga, line=line),
    ]
    for release in releases:
        release()
        assert now(payout).held
        with pytest.raises(Conflict, match="held"):
            approve_payout(actor=omar, payout=payout)
    # A release after which it is held all the same isn't told as one that lets it go on.
    assert Notice.objects.filter(kind="payout.release").count() == told
    assert [freed.pk for freed in release_partner(actor=olga, partner=world.haiqiao)] == [payout.pk]
    assert approve_payout(actor=omar, payout=payout).state == PayoutState.APPROVED


def test_voiding_the_held_line_lets_the_rest_go_on_and_undoing_stops_it_again(world: World, payout: Payout) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    line = payout.lines.order_by("pk")[0]
    hold_line(actor=olga, line=line, reason="A case is open.")
    void_line(actor=olga, line=line, reason="Forged.")
    assert not now(payout).held
    undo_void(actor=olga, decision=payout.decisions.get(kind="void_line"))
    assert now(payout).held
    assert str(payout.decisions.order_by("-pk")[0].reason) == "A case is open."
    with pytest.raises(Conflict, match="held"):
        approve_payout(actor=omar, payout=payout)


@pytest.mark.parametrize("what", ["payout", "line", "partner"])
def test_returning_and_submitting_again_does_not_slip_past_a_hold(world: World, payout: Payout, what: str) -> None:
    olga, omar = world.actor("olga"), world.actor("omar")
    if what == "payout":
        hold_payout(actor=omar, payout=payout, reason="A case is open.")
    elif what == "line":
        hold_line(actor=omar, line=payout.lines.order_by("pk")[0], reason="A case is open.")
    else:
        hold_partner(actor=omar, partner=world.haiqiao, reason="A case is open.")
    return_payout(actor=olga, payout=payout, reason="Compute it again.")
    again = submit_run(actor=olga, run=world.run, at=AFTER_CLOSE).payouts[0]
    assert again.pk != payout.pk
    assert again.held
    with pytest.raises(Conflict, match="held"):
        approve_payout(actor=omar, payout=again)


def test_all_of_a_partner_is_held_now_and_later_and_nobody_elses(world: World, payout: Payout) -> None:
    olga, omar, fiona = (world.actor(name) for name in ("olga", "omar", "fiona"))
    approve_payout(actor=omar, payout=payout)
    stopped = hold_partner(actor=olga, partner=world.haiqiao, reason="An inquiry.")
    assert [each.pk for each in stopped] == [payout.pk]
    with pytest.raises(Conflict, match="held already"):
        hold_partner(actor=olga, partner=world.haiqiao, reason="Twice.")
    with pytest.raises(Conflict, match="held"):
        start_payment(actor=fiona, payout=payout)
    run = make_run(make_program("POP-2"), [Spec("P2-1", world.haiqiao), Spec("P2-2", world.rival)])
    later = {each.partner.code: each.held for each in submit_run(actor=olga, run=run, at=AFTER_CLOSE).payouts}
    assert later == {"haiqiao": True, "rival": False}
    freed = release_partner(actor=omar, partner=world.haiqiao, reason="It was cleared.")
    assert len(freed) == 2
    assert not Payout.objects.filter(held=True).exists()
    actions = AuditEvent.objects.filter(action__startswith="partner.").values_list("action", flat=True)
    assert list(actions) == ["partner.money_held", "partner.money_released"]


def test_a_hold_needs_a_reason_a_permission_and_somebody_else(world: World, payout: Payout) -> None:
    line = payout.lines.order_by("pk")[0]
    for name in ("alice", "charlie"):
        with pytest.raises(NotAllowed):
            hold_line(actor=world.actor(name), line=line, reason="x")
        with pytest.raises(NotAllowed):
            hold_partner(actor=world.actor(name), partner=world.haiqiao, reason="x")
    with pytest.raises(BadInput, match="reason"):
        hold_partner(actor=world.actor("omar"), partner=world.haiqiao, reason=" ")
    Membership.objects.create(partner=world.haiqiao, user=world.omar, role="viewer")
    with pytest.raises(NotAllowed, match="belong"):
        hold_partner(actor=world.actor("omar"), partner=world.haiqiao, reason="x")
    with pytest.raises(NotAllowed, match="belong"):
        release_line(actor=world.actor("omar"), line=line)
    assert not Hold.objects.exists()
    assert now(payout).version == 1


def test_a_line_that_does_not_count_is_not_held(world: World, payout: Payout) -> None:
    line = payout.lines.order_by("pk")[0]
    void_line(actor=world.actor("olga"), line=line, reason="Forged.")
    with pytest.raises(Conflict, match="not live"):
        hold_line(actor=world.actor("olga"), line=line, reason="Too late.")
    assert now(payout).payable == Decimal("2000.00")


def test_the_reason_of_a_hold_can_be_erased(world: World, payout: Payout) -> None:
    hold_payout(actor=world.actor("olga"), payout=payout, reason="Mr Invented Name.")
    event = AuditEvent.objects.get(action="payout.held")
    assert "Invented" not in str(event.details)
    assert Note.objects.get(pk=event.details["note"]).text == "Mr Invented Name."
