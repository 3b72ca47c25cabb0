"""Invoices for approved payouts: who hands one in, what is refused, and what a payment asks for."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import Client

from core.actors import Role
from core.audit import verify_chain
from core.errors import BadInput, Conflict, DomainError, NotAllowed
from core.models import RoleGrant
from core.notices.models import Notice
from incentives.models import Invoice, Payout
from incentives.services import (
    accept_invoice,
    approve_payout,
    hand_in_invoice,
    refuse_invoice,
    start_payment,
    submit_run,
    void_payout,
)
from partners.models import Membership
from partners.people import actor_of
from tests.incentives.factories import AFTER_CLOSE, World, make_user

pytestmark = pytest.mark.django_db
NOW = AFTER_CLOSE + timedelta(days=2)


@pytest.fixture(autouse=True)
def uploads_apart(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "private": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path), "base_url": None},
        },
    }


@pytest.fixture
def payout(world: World) -> Payout:
    """Haiqiao's, approved: net 4,000.00."""
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    for each in Payout.objects.all():
        approve_payout(actor=world.actor("omar"), payout=each, at=AFTER_CLOSE + timedelta(days=1))
    return Payout.objects.get(partner=world.haiqiao)


def pdf(name: str = "发票 1.pdf", content: bytes = b"%PDF-1.7 an invoice") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/pdf")


def hand_in(world: World, payout: Payout, by: str = "bob", at: datetime = NOW, **changes: Any) -> Invoice:
    given = {
        "number": "26442000000012345678",
        "amount": payout.net_amount,
        "issued_on": date(2026, 7, 2),
        "file": pdf(),
        **changes,
    }
    return hand_in_invoice(actor=world.actor(by), payout=payout, at=at, **given)


def test_a_member_hands_one_in_and_finance_accepts_it(world: World, payout: Payout) -> None:
    invoice = hand_in(world, payout, number=" 2644 2000 0000 1234 5678 ")
    assert (invoice.state, invoice.number, invoice.currency) == ("handed_in", "26442000000012345678", "CNY")
    assert invoice.content.read() == b"%PDF-1.7 an invoice"
    assert Notice.objects.filter(user=world.fiona, kind="invoice.to_check").count() == 1
    accept_invoice(actor=world.actor("fiona"), invoice=invoice, version=1, at=NOW)
    assert set(Notice.objects.filter(kind="invoice.accepted").values_list("user", flat=True)) == {
        world.alice.pk,
        world.bob.pk,
    }
    with pytest.raises(Conflict) as refused:
        hand_in(world, payout, number="OTHER-1")
    assert refused.value.code == "accepted"
    assert verify_chain().intact


def test_one_is_replaced_until_it_is_accepted(world: World, payout: Payout) -> None:
    first = hand_in(world, payout, amount=Decimal("3900.00"))
    second = hand_in(world, payout, by="alice")  # the same number, on a corrected paper
    first.refresh_from_db()
    assert (first.state, second.state) == ("replaced", "handed_in")
    with pytest.raises(Conflict):
        accept_invoice(actor=world.actor("fiona"), invoice=first)
    with pytest.raises(BadInput):
        refuse_invoice(actor=world.actor("fiona"), invoice=second, reason=" ")
    refuse_invoice(actor=world.actor("fiona"), invoice=second, reason="The title is wrong.", at=NOW)
    third = hand_in(world, payout)
    assert third.state == "handed_in"
    assert Notice.objects.filter(user=world.alice, kind="invoice.refused").exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": "  "}, "number"),
        ({"number": "9" * 41}, "number"),
        ({"number": "12<34>"}, "number"),
        ({"amount": Decimal(0)}, "amount"),
        ({"amount": Decimal("-1.00")}, "amount"),
        ({"amount": Decimal("1.001")}, "amount"),
        ({"issued_on": date(2026, 7, 4)}, "issued_on"),  # the program's clock says the third
    ],
)
def test_what_can_not_be_is_refused_beside_its_field(
    world: World, payout: Payout, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        hand_in(world, payout, **changes)
    assert list(refused.value.fields) == [field]  # type: ignore[attr-defined]  # BadInvoice
    hand_in(world, payout, issued_on=date(2026, 7, 3))


@pytest.mark.parametrize("content", [b"", b"<html><script>", b"PK\x03\x04", b"%PDF-" + b"x" * 2_000_000])
def test_files_are_judged_by_what_is_in_them(world: World, payout: Payout, settings: Any, content: bytes) -> None:
    settings.UPLOAD_MAX_BYTES = 1_000_000
    with pytest.raises(BadInput):
        hand_in(world, payout, file=pdf(content=content))
    assert not Invoice.objects.exists()


def test_only_the_partners_own_people_hand_in(world: World, payout: Payout) -> None:
    vera = make_user("vera")
    Membership.objects.create(partner=world.haiqiao, user=vera, role=Role.VIEWER.value)
    for stranger in (world.actor("charlie"), world.actor("fiona"), actor_of(vera)):
        with pytest.raises(NotAllowed):
            hand_in_invoice(
                actor=stranger,
                payout=payout,
                number="1",
                amount=payout.net_amount,
                issued_on=date(2026, 7, 1),
                file=pdf(),
                at=NOW,
            )
    assert not Invoice.objects.exists()


def test_finance_alone_decides_and_never_on_the_own(world: World, payout: Payout) -> None:
    invoice = hand_in(world, payout)
    RoleGrant.objects.create(user=world.alice, role=Role.FINANCE.value)
    for name in ("alice", "charlie", "olga", "omar"):
        with pytest.raises(NotAllowed):
            accept_invoice(actor=world.actor(name), invoice=invoice)
        with pytest.raises(NotAllowed):
            refuse_invoice(actor=world.actor(name), invoice=invoice, reason="No.")
    with pytest.raises(Conflict):
        accept_invoice(actor=world.actor("fiona"), invoice=invoice, version=2)
    assert Invoice.objects.get().state == "handed_in"


def test_an_unapproved_payout_takes_none(world: World) -> None:
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    payout = Payout.objects.get(partner=world.haiqiao)
    with pytest.raises(NotAllowed):
        hand_in(world, payout)
    void_payout(actor=world.actor("olga"), payout=payout, reason="Forged.", at=AFTER_CLOSE)
    with pytest.raises(NotAllowed):
        hand_in(world, payout)


def test_a_number_stands_on_one_payouts_invoice(world: World, payout: Payout) -> None:
    hand_in(world, payout)
    theirs = Payout.objects.get(partner=world.rival)
    hand_in(world, theirs, by="charlie")  # another seller's numbers are its own
    row = Invoice.objects.get(payout=payout)
    row.pk, row.payout, row.state = None, theirs, "handed_in"
    with pytest.raises(DatabaseError), transaction.atomic():
        row.save(force_insert=True)
    with pytest.raises(DatabaseError), transaction.atomic():
        Invoice.objects.filter(payout=payout).update(amount=1, version=2)
    with pytest.raises(DatabaseError), transaction.atomic():
        Invoice.objects.filter(payout=payout).delete()


def test_a_payment_asks_for_an_accepted_invoice_where_the_house_does(
    world: World, payout: Payout, settings: Any
) -> None:
    settings.INVOICE_REQUIRED = True

    def pay() -> None:
        start_payment(actor=world.actor("fiona"), payout=payout, at=NOW)

    for _ in range(2):
        with pytest.raises(Conflict) as refused:
            pay()
        assert refused.value.code == "invoice_needed"
        invoice = hand_in(world, payout)
    refuse_invoice(actor=world.actor("fiona"), invoice=invoice, reason="The title is wrong.")
    with pytest.raises(Conflict):
        pay()
    accept_invoice(actor=world.actor("fiona"), invoice=hand_in(world, payout))
    pay()
    payout.refresh_from_db()
    assert payout.state == "in_payment"


@pytest.mark.django_db(transaction=True)
def test_of_many_at_a_time_one_lives(world: World, payout: Payout) -> None:
    ends: list[str] = []

    def send(number: int) -> None:
        try:
            hand_in(world, payout, number=f"NR-{number}")
            ends.append("in")
        except DomainError as error:
            ends.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == ["in"] * 6
    assert Invoice.objects.filter(state="handed_in").count() == 1
    assert Invoice.objects.filter(state="replaced").count() == 5


# --- Pages and API ------------------------------------------------------------------------------------------


def browser(user: Any) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def typed(**changes: Any) -> dict[str, Any]:
    return {"number": "NR-1", "amount": "4000.00", "issued_on": "2026-07-01", "file": pdf(), **changes}


def test_the_page_hands_one_in_and_says_what_differs(world: World, payout: Payout) -> None:
    bob, page = browser(world.bob), f"/partner/POP-2026Q1/payout/{payout.pk}/invoice"
    assert "It should say <b>4,000.00 CNY</b>" in bob.get(page).content.decode()
    wrong = bob.post(page, typed(number="", amount="many", file=pdf(content=b"GIF89a")))
    assert wrong.status_code == 422
    for field in ("number", "amount"):
        assert f'id="id_{field}_error"' in wrong.content.decode()
    assert 'id="id_file_error"' in bob.post(page, typed(file=pdf(content=b"GIF89a"))).content.decode()
    done = bob.post(page, typed(amount="3900.00"), follow=True)
    assert "It says 100.00 CNY less than the payout&#x27;s net: check it" in done.content.decode()
    assert "It says 100.00 CNY less than the payout's net of 4,000.00 CNY." in done.content.decode()
    bob.post(page, typed())
    shown = bob.get(f"/partner/POP-2026Q1/payout?payout={payout.pk}").content.decode()
    assert "less than the payout" not in shown
    assert "NR-1" in shown
    invoice = Invoice.objects.get(state="handed_in")
    accept_invoice(actor=world.actor("fiona"), invoice=invoice)
    assert "accepted; it can&#x27;t be replaced" in bob.post(page, typed(), follow=True).content.decode()


def test_a_rival_neither_sees_nor_writes(world: World, payout: Payout) -> None:
    invoice = hand_in(world, payout)
    page, file = f"/partner/POP-2026Q1/payout/{payout.pk}/invoice", f"/partner/invoices/{invoice.pk}/file"
    charlie = browser(world.charlie)
    assert charlie.get(page).status_code == charlie.post(page, typed()).status_code == 404
    assert charlie.get(file).status_code == 404
    assert charlie.get(f"/api/v1/invoices/{invoice.pk}").status_code == 404
    assert charlie.get(f"/api/v1/invoices/{invoice.pk}/file").status_code == 404
    assert charlie.get("/api/v1/invoices").json()["count"] == 0
    assert charlie.post("/api/v1/invoices", {**typed(), "payout": payout.pk}).status_code == 404
    assert Client().get(file).status_code == 302
    assert "26442000000012345678" not in charlie.get("/partner/statements").content.decode()
    for user in (world.bob, world.fiona):
        answer = browser(user).get(file)
        assert answer.status_code == 200
        assert answer["Content-Disposition"].startswith("attachment")
        assert b"".join(answer.streaming_content) == b"%PDF-1.7 an invoice"  # type: ignore[attr-defined]  # a file
    assert Invoice.objects.count() == 1


def test_the_api_hands_one_in(world: World, payout: Payout) -> None:
    bob = browser(world.bob)
    made = bob.post("/api/v1/invoices", {**typed(amount="4100.00"), "payout": payout.pk})
    assert made.status_code == 201
    assert (made.json()["amount"], made.json()["net"], made.json()["state"]) == ("4100.00", "4000.00", "handed_in")
    assert bob.post("/api/v1/invoices", {**typed(number="?"), "payout": payout.pk}).status_code == 400
    accept_invoice(actor=world.actor("fiona"), invoice=Invoice.objects.get())
    assert bob.post("/api/v1/invoices", {**typed(), "payout": payout.pk}).status_code == 409


def test_finance_decides_in_the_back_office(world: World, payout: Payout) -> None:
    invoice = hand_in(world, payout, amount=Decimal("3900.00"))
    step = f"/admin/incentives/invoice/{invoice.pk}/step"
    fiona, olga = browser(world.fiona), browser(world.olga)
    assert "-100.00" in fiona.get(f"/admin/incentives/invoice/{invoice.pk}/change/").content.decode()
    assert f"{step}/accept/" in fiona.get(f"/admin/incentives/invoice/{invoice.pk}/change/").content.decode()
    assert "3,900.00 CNY; the payout" in fiona.get(f"{step}/accept/").content.decode()
    olga.post(f"{step}/accept/", {"version": 1})
    fiona.post(f"{step}/accept/", {"version": 2})
    assert Invoice.objects.get().state == "handed_in"
    fiona.post(f"{step}/refuse/", {"version": 1, "reason": "100.00 are missing."})
    assert Invoice.objects.get().state == "refused"
    assert "100.00 are missing." in browser(world.bob).get("/partner/POP-2026Q1/payout").content.decode()
    assert fiona.get("/admin/incentives/invoice/").status_code == 200
