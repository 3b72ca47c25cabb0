"""What tests of payouts in the admin dashboard share: two payouts in review, and the ways to decide on them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from incentives.models import BulkDecision, Payout
from incentives.services import approve_payout, mark_paid, start_payment, submit_run
from incentives.services.bulk import work_on_bulk
from tests.console.reading import text
from tests.incentives.factories import AFTER_CLOSE, World


@pytest.fixture
def payout(world: World) -> Payout:
    """Haiqiao's payout in review: two shops, half of 4,000.00 is paid. The rival's, of 2,000.00, waits beside it."""
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    return Payout.objects.get(partner=world.haiqiao)


@pytest.fixture
def others(world: World, payout: Payout) -> Payout:
    """The rival's."""
    return Payout.objects.get(partner=world.rival)


def now(payout: Payout) -> Payout:
    return Payout.objects.get(pk=payout.pk)


def take(client: Client, payout: Payout, step: str, **given: Any) -> Any:
    given = {"version": str(now(payout).version), **given}
    return client.post(f"/operator/payouts/{payout.pk}/{step}", given, follow=True)


def chosen(*payouts: Payout) -> str:
    return " ".join(f"{payout.pk}:{payout.version}" for payout in payouts)


def in_bulk(client: Client, step: str, *payouts: Payout, reason: str = "") -> str:
    """Ask for a step on many, have it worked off, and read what its page says then."""
    answer = client.post("/operator/payouts/decide", {"step": step, "chosen": chosen(*payouts), "text": reason})
    bulk = BulkDecision.objects.latest("pk")
    assert answer.headers["Location"] == f"/operator/payouts/bulk/{bulk.pk}"
    assert not work_on_bulk(bulk.pk)
    return text(client.get(answer.headers["Location"]))


def paid(world: World, payout: Payout) -> Payout:
    approve_payout(actor=world.actor("omar"), payout=payout)
    start_payment(actor=world.actor("fiona"), payout=payout)
    return mark_paid(actor=world.actor("fiona"), payout=payout, reference="BANK-1")
