"""Payouts that were held before holds were rows of their own get the hold that says so."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps

from core.models import Note
from incentives.models import Decision, Hold, Payout
from incentives.services import release_payout, submit_run
from incentives.states import DecisionKind
from tests.incentives.factories import AFTER_CLOSE, World


def test_a_held_payout_keeps_who_held_it_and_why(world: World) -> None:
    mine, theirs = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts
    for payout in (mine, theirs):  # as the earlier version left them
        Payout.objects.filter(pk=payout.pk).update(held=True, version=payout.version + 1)
    Decision.objects.create(
        payout=mine,
        kind=DecisionKind.HOLD,
        actor=world.omar,
        at=AFTER_CLOSE,
        reason=Note.objects.create(text="A case is open."),
        state_before=mine.state,
        state_after=mine.state,
        details={"version": 2},
    )
    keep = import_module("incentives.migrations.0004_holds_adjustments").keep_what_is_held
    keep(apps, None)
    keep(apps, None)  # twice is once
    hold = Hold.objects.get(partner=world.haiqiao)
    assert (hold.program, hold.shop, hold.placed_by, str(hold.reason)) == (
        world.program,
        None,
        world.omar,
        "A case is open.",
    )
    assert Hold.objects.count() == 2
    assert not release_payout(actor=world.actor("olga"), payout=theirs).held
    assert not release_payout(actor=world.actor("olga"), payout=mine).held
