"""An invoice on its payout's page in the admin dashboard: read, accepted, refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from core.audit import verify_chain
from core.models import AuditEvent
from incentives.models import Invoice, Payout
from incentives.services import approve_payout, submit_run
from tests.console.reading import text
from tests.incentives.factories import AFTER_CLOSE, World
from tests.incentives.test_invoices import hand_in

SignIn = Callable[..., Client]


@pytest.fixture
def payout(world: World) -> Payout:
    """Haiqiao's, approved: net 2,000.00."""
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    found = Payout.objects.get(partner=world.haiqiao)
    return approve_payout(actor=world.actor("omar"), payout=found, at=AFTER_CLOSE)


def test_finance_reads_it_with_what_is_wrong_and_accepts_it(world: World, sign_in: SignIn, payout: Payout) -> None:
    fiona, page = sign_in("fiona"), f"/operator/payouts/{payout.pk}"
    assert "None was handed in." in text(fiona.get(page))
    invoice = hand_in(world, payout, amount=Decimal("1900.00"))
    said = text(fiona.get(page))
    assert invoice.number in said
    assert "It says 100.00 CNY less than the payout's net of 2,000.00 CNY." in said
    assert b"".join(fiona.get(f"/partner/invoices/{invoice.pk}/file")).startswith(b"%PDF")
    said = text(fiona.post(f"{page}/invoices/{invoice.pk}/accept", {"version": "1"}, follow=True))
    assert f"Accepted the invoice {invoice.number}." in said
    assert f"Refuse {invoice.number}" not in said
    invoice.refresh_from_db()
    assert (invoice.state, invoice.decided_by) == ("accepted", world.fiona)
    assert AuditEvent.objects.get(action="invoice.accepted").actor == world.fiona
    assert verify_chain().intact


def test_a_refusal_says_why_and_the_partner_reads_it(world: World, sign_in: SignIn, payout: Payout) -> None:
    fiona, page = sign_in("fiona"), f"/operator/payouts/{payout.pk}"
    invoice = hand_in(world, payout)
    said = text(fiona.post(f"{page}/invoices/{invoice.pk}/refuse", {"version": "1", "text": " "}, follow=True))
    assert "Give a reason: the partner will read it." in said
    invoice.refresh_from_db()
    assert invoice.state == "handed_in"
    asked = {"version": "1", "text": "The title is another company's."}
    assert "may hand in another one" in text(fiona.post(f"{page}/invoices/{invoice.pk}/refuse", asked, follow=True))
    own = sign_in("alice").get(f"/partner/{payout.program.code}/payout?payout={payout.pk}", follow=True)
    assert "The title is another company's." in text(own)


@pytest.mark.parametrize("name", ["olga", "omar"])
def test_whoever_doesnt_pay_reads_it_and_decides_nothing(
    world: World, sign_in: SignIn, payout: Payout, name: str
) -> None:
    invoice, page = hand_in(world, payout), f"/operator/payouts/{payout.pk}"
    said = text(sign_in(name).get(page))
    assert invoice.number in said
    assert f"Accept {invoice.number}" not in said
    for answer in ("accept", "refuse"):
        form = {"version": "1", "text": "No."}
        assert sign_in(name).post(f"{page}/invoices/{invoice.pk}/{answer}", form).status_code == 403
    invoice.refresh_from_db()
    assert invoice.state == "handed_in"


def test_one_that_was_replaced_meanwhile_isnt_decided_on(world: World, sign_in: SignIn, payout: Payout) -> None:
    old, page = hand_in(world, payout), f"/operator/payouts/{payout.pk}"
    hand_in(world, payout, number="26442000000099999999")
    sign_in("fiona").post(f"{page}/invoices/{old.pk}/accept", {"version": "1"}, follow=True)
    assert set(Invoice.objects.values_list("state", flat=True)) == {"replaced", "handed_in"}


def test_an_invoice_isnt_decided_on_by_another_payout_or_an_unheard_of_answer(
    world: World, sign_in: SignIn, payout: Payout
) -> None:
    invoice, other = hand_in(world, payout), Payout.objects.get(partner=world.rival)
    fiona = sign_in("fiona")
    for address in (
        f"/operator/payouts/{other.pk}/invoices/{invoice.pk}/accept",
        f"/operator/payouts/{payout.pk}/invoices/{invoice.pk}/crown",
    ):
        assert fiona.post(address, {"version": "1"}).status_code == 404
    for name in ("alice", "charlie"):
        answer = sign_in(name).post(f"/operator/payouts/{payout.pk}/invoices/{invoice.pk}/accept", {"version": "1"})
        assert answer.status_code == 404


def test_the_review_table_finds_payouts_whose_invoice_waits(world: World, sign_in: SignIn, payout: Payout) -> None:
    fiona = sign_in("fiona")
    assert "Invoice to decide on" not in text(fiona.get("/operator/payouts"))
    invoice = hand_in(world, payout)
    assert "Invoice to decide on 1" in text(fiona.get("/operator/payouts"))
    shown = text(fiona.get("/operator/payouts?invoice=handed_in"))
    assert world.haiqiao.name in shown
    assert world.rival.name not in shown
    [row] = fiona.get("/api/v1/operator/payouts?invoice=handed_in").json()["results"]
    assert row["id"] == payout.pk
    fiona.post(f"/operator/payouts/{payout.pk}/invoices/{invoice.pk}/accept", {"version": "1"})
    assert fiona.get("/api/v1/operator/payouts?invoice=handed_in").json()["count"] == 0
