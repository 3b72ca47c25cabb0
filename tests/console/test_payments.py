"""Payments in the admin dashboard: from approved payouts to the bank's answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.actors import Role
from incentives.models import BankResult, PaymentBatch, Payout
from incentives.services import approve_payout, create_payment_batch, hold_payout, release_payout, submit_run
from incentives.states import BatchState, ItemState, PayoutState
from partners.models import Membership
from tests.console.payouts import now
from tests.console.reading import text
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_partner, make_run, make_user

SignIn = Callable[..., Client]
HEADER = "reference,result,amount,bank_reference,reason"


@pytest.fixture
def approved(world: World, payout: Payout, others: Payout) -> list[Payout]:
    """Haiqiao's payout and the rival's, of 2,000.00 each."""
    return [approve_payout(actor=world.actor("omar"), payout=each) for each in (payout, others)]


@pytest.fixture
def batch(world: World, approved: list[Payout]) -> PaymentBatch:
    """A draft of both."""
    return create_payment_batch(actor=world.actor("fiona"), payouts=approved).batch


def move(client: Client, batch: PaymentBatch, step: str, **given: object) -> str:
    version = str(PaymentBatch.objects.get(pk=batch.pk).version)
    answer = client.post(f"/operator/payments/batches/{batch.pk}/{step}", {"version": version, **given}, follow=True)
    return text(answer)


def exported(client: Client, batch: PaymentBatch) -> list[dict[str, str]]:
    """Lock the batch, and read the file for the bank."""
    move(client, batch, "lock")
    answer = client.post(f"/operator/payments/batches/{batch.pk}/export")
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def looked_at(client: Client, *rows: str) -> Any:
    file = SimpleUploadedFile("result.csv", "\n".join([HEADER, *rows]).encode(), "text/csv")
    return client.post("/operator/payments/results", {"file": file}, follow=True)


def test_what_can_be_paid_and_what_cant_yet(world: World, sign_in: SignIn, approved: list[Payout]) -> None:
    poor = make_partner("poor", payee=False)
    submit_run(actor=world.actor("olga"), run=make_run(world.program, [Spec("P-1", poor)]), at=AFTER_CLOSE)
    approve_payout(actor=world.actor("omar"), payout=Payout.objects.get(partner=poor))
    hold_payout(actor=world.actor("olga"), payout=approved[1], reason="The bank asks.")
    fiona = sign_in("fiona")
    page = fiona.get("/operator/payments")
    assert "1 payout can be paid now: 2,000.00 CNY. 2 can't be paid yet: 4,000.00 CNY." in text(page)
    assert [row.partner_code for row in page.context["rows"]] == ["haiqiao"]
    assert "•••• 0018" in text(page)
    later = fiona.get("/operator/payments?show=not_yet")
    assert {row.partner_code: row.code for row in later.context["rows"]} == {"poor": "no_payee", "rival": "held"}
    assert "This partner has no confirmed account to be paid to." in text(later)
    assert [row.id for row in fiona.get("/operator/payments?show=not_yet&search=poo").context["rows"]] == [
        Payout.objects.get(partner=poor).pk
    ]
    lines = b"".join(fiona.get("/operator/payments.csv")).decode().splitlines()
    assert len(lines) == 4
    assert "held,The payout is held; release it first." in "\n".join(lines)


def test_an_invoice_is_asked_for_where_the_setting_says_so(
    sign_in: SignIn, approved: list[Payout], settings: Any
) -> None:
    settings.INVOICE_REQUIRED = True
    page = sign_in("fiona").get("/operator/payments?show=not_yet")
    assert {row.code for row in page.context["rows"]} == {"invoice_needed"}


def test_a_batch_is_made_locked_and_its_file_taken(world: World, sign_in: SignIn, approved: list[Payout]) -> None:
    fiona = sign_in("fiona")
    hold_payout(actor=world.actor("olga"), payout=approved[1], reason="The bank asks.")
    chosen = [f"{each.pk}:{each.version}" for each in approved]
    said = text(fiona.post("/operator/payments/batches", {"payout": chosen}, follow=True))
    assert "Put together: 1 payment, 2,000.00 CNY. Nothing is sent yet" in said
    assert "Left out: rival. The payout is held; release it first." in said
    batch = PaymentBatch.objects.get()
    assert "Locking sends 1 payment of 2,000.00 CNY on its way" in said
    assert now(approved[0]).state == PayoutState.APPROVED
    assert "Locked: its payouts are in payment" in move(fiona, batch, "lock")
    assert now(approved[0]).state == PayoutState.IN_PAYMENT
    answer = fiona.post(f"/operator/payments/batches/{batch.pk}/export")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="payments-{batch.pk:06d}.csv"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert b"6228480402564890018" in answer.content
    page = fiona.get(f"/operator/payments/batches/{batch.pk}")
    assert "1 payment waits for the bank's answer." in text(page)
    assert b"6228480402564890018" not in page.content
    assert fiona.post(f"/operator/payments/batches/{batch.pk}/export").content == answer.content


def test_all_that_fit_are_put_together_and_nothing_else(sign_in: SignIn, approved: list[Payout]) -> None:
    sign_in("fiona").post("/operator/payments/batches", {"fit": "1", "search": "haiq"})
    assert [item.payout_id for item in PaymentBatch.objects.get().items.all()] == [approved[0].pk]


def test_nothing_chosen_makes_no_batch(sign_in: SignIn, approved: list[Payout]) -> None:
    answer = sign_in("fiona").post("/operator/payments/batches", {"payout": ["x", "999999:1"]}, follow=True)
    assert "No payout was named." in text(answer)
    assert not PaymentBatch.objects.exists()


def test_what_cant_be_sent_is_marked_in_the_draft_and_taken_out(
    world: World, sign_in: SignIn, approved: list[Payout], batch: PaymentBatch
) -> None:
    hold_payout(actor=world.actor("olga"), payout=approved[1], reason="The bank asks.")
    fiona = sign_in("fiona")
    said = text(fiona.get(f"/operator/payments/batches/{batch.pk}"))
    assert "1 payment can't be sent as it stands" in said
    assert "The payout is held; release it first." in said
    assert "Some of it can't be paid as it was put together" in move(fiona, batch, "lock")
    assert "Taken out: 1 payment." in move(fiona, batch, "drop", payout=approved[1].pk)
    assert "Locked:" in move(fiona, batch, "lock")
    assert [now(each).state for each in approved] == [PayoutState.IN_PAYMENT, PayoutState.APPROVED]


def test_a_batch_that_changed_meanwhile_isnt_locked(
    sign_in: SignIn, approved: list[Payout], batch: PaymentBatch
) -> None:
    fiona = sign_in("fiona")
    move(fiona, batch, "drop", payout=approved[1].pk)
    answer = fiona.post(f"/operator/payments/batches/{batch.pk}/lock", {"version": "1"}, follow=True)
    assert "This batch has changed since you opened it." in text(answer)
    assert fiona.post(f"/operator/payments/batches/{batch.pk}/lock").status_code == 404
    assert now(approved[0]).state == PayoutState.APPROVED


def test_a_locked_batch_is_cancelled_with_a_reason(
    sign_in: SignIn, approved: list[Payout], batch: PaymentBatch
) -> None:
    fiona = sign_in("fiona")
    move(fiona, batch, "lock")
    assert "Give a reason" in move(fiona, batch, "cancel", text=" ")
    said = move(fiona, batch, "cancel", text="The wrong bank.")
    assert "Cancelled: its payouts are approved and owed" in said
    assert "The wrong bank." in said
    assert now(approved[0]).state == PayoutState.APPROVED


def test_a_result_is_looked_at_before_it_lands_and_stays_readable(
    world: World, sign_in: SignIn, approved: list[Payout], batch: PaymentBatch
) -> None:
    fiona = sign_in("fiona")
    file = exported(fiona, batch)
    page = looked_at(
        fiona,
        f"{file[0]['reference']},paid,2000.00,BOC-77,",
        f"{file[1]['reference']},refused,,,The account is closed.",
        "DY-999999-999999,paid,,BOC-78,",
    )
    said = text(page)
    assert "1 payment is paid: 2,000.00 CNY." in said
    assert "1 payment is refused: 2,000.00 CNY are owed again" in said
    assert "1 row is set aside:" in said
    assert "There is no payment DY-999999-999999." in said
    assert [now(each).state for each in approved] == [PayoutState.IN_PAYMENT] * 2
    assert not BankResult.objects.exists()

    answer = fiona.post("/operator/payments/results", {"token": page.context["token"]}, follow=True)
    result = BankResult.objects.get()
    assert answer.redirect_chain == [(f"/operator/payments/results/{result.pk}", 302)]
    assert "Loaded: 1 paid, 1 refused, 0 unchanged, 1 set aside." in text(answer)
    assert "There is no payment DY-999999-999999." in text(answer)
    assert [(row.kind, row.words) for row in answer.context["rows"]] == [
        ("paid", "BOC-77"),
        ("refused", "The account is closed."),
    ]
    assert [now(each).state for each in approved] == [PayoutState.PAID, PayoutState.APPROVED]
    rows = b"".join(fiona.get(f"/operator/payments/results/{result.pk}.csv")).decode().splitlines()
    assert rows[1].startswith("4,unknown_reference,There is no payment DY-999999-999999.")

    said = text(fiona.get(f"/operator/payments/batches/{batch.pk}"))
    assert "Settled: 1 paid, 1 refused." in said
    assert "The account is closed." in said
    assert "The payout now: Approved" in said
    only = fiona.get(f"/operator/payments/batches/{batch.pk}?state=refused").context["payments"]
    assert [each.state for each, _ in only] == [ItemState.REFUSED]
    # What was refused can be paid again, in another batch.
    assert [row.id for row in fiona.get("/operator/payments").context["rows"]] == [approved[1].pk]
    # The file isn't kept once it is loaded.
    again = fiona.post("/operator/payments/results", {"token": page.context["token"]}, follow=True)
    assert "The file has waited too long." in text(again)


def test_the_preview_says_exactly_what_loading_does(
    world: World, sign_in: SignIn, approved: list[Payout], batch: PaymentBatch
) -> None:
    """Rows of every kind, some of them about the same payment: row by row the preview and the load agree."""
    fiona = sign_in("fiona")
    file = exported(fiona, batch)
    first, second = file[0]["reference"], file[1]["reference"]
    hold_payout(actor=world.actor("olga"), payout=approved[1], reason="The bank asks.")
    draft_of = make_partner("third")
    submit_run(actor=world.actor("olga"), run=make_run(world.program, [Spec("T-1", draft_of)]), at=AFTER_CLOSE)
    third = approve_payout(actor=world.actor("omar"), payout=Payout.objects.get(partner=draft_of))
    draft = create_payment_batch(actor=world.actor("fiona"), payouts=[third]).batch
    rows = (
        f"{first},paid,1999.00,BOC-1,",  # another amount
        f"{first},paid,2000.00,BOC-1,",
        f"{first},paid,,BOC-1,",  # unchanged
        f"{first},refused,,,No.",  # contradiction
        f"{first},paid,,BOC-2,",  # contradiction
        f"{second},paid,,BOC-3,",  # held
        f"{second},perhaps,,,",
        f"{second},paid,,,",
        "DY-9-9,paid,,BOC-9,",
        f"{draft.items.get().reference},paid,,BOC-4,",  # its file was never taken
        f"{second},refused,x,,",
        f"{second},refused,,,The account is closed.",
        f"{second},refused,,,The account is closed.",  # unchanged
    )
    page = looked_at(fiona, *rows)
    foreseen = {each.outcome: each.count for each in page.context["sums"]}
    aside = {row.line: row.code for part, found, _ in page.context["parts"] if part == "quarantined" for row in found}
    fiona.post("/operator/payments/results", {"token": page.context["token"]})
    result = BankResult.objects.get()
    assert foreseen == {"paid": 1, "refused": 1, "unchanged": 2, "quarantined": 9}
    assert (result.paid, result.refused, result.unchanged, result.quarantined) == (1, 1, 2, 9)
    assert aside == dict(result.quarantine.values_list("line", "code"))
    assert set(aside.values()) == {
        "amount", "contradiction", "held", "malformed", "unknown_reference", "not_exported",
    }  # fmt: skip
    release_payout(actor=world.actor("olga"), payout=approved[1], reason="")


def test_a_preview_is_one_persons_own(world: World, sign_in: SignIn, batch: PaymentBatch) -> None:
    fiona = sign_in("fiona")
    file = exported(fiona, batch)
    token = looked_at(fiona, f"{file[0]['reference']},paid,,BOC-77,").context["token"]
    frank = Client(headers={"accept-language": "en"})
    frank.force_login(make_user("frank", Role.FINANCE))
    assert "The file has waited too long." in text(
        frank.post("/operator/payments/results", {"token": token}, follow=True)
    )
    assert not BankResult.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"reference\nDY-1", "The file has no column result."),
        (b"\xff\xfe", "The file isn't text in UTF-8."),
    ],
)
def test_what_isnt_such_a_file_is_refused_in_words(
    sign_in: SignIn, batch: PaymentBatch, content: bytes, said: str
) -> None:
    file = SimpleUploadedFile("result.csv", content)
    assert said in text(sign_in("fiona").post("/operator/payments/results", {"file": file}, follow=True))
    assert "Choose the file" in text(sign_in("fiona").post("/operator/payments/results", {}, follow=True))


def test_the_pages_ask_as_often_for_forty_as_for_two(world: World, sign_in: SignIn, approved: list[Payout]) -> None:
    fiona = sign_in("fiona")

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert fiona.get(path).status_code == 200
        return len(queries)

    asked("/operator/payments")
    few = [asked(f"/operator/payments?show={show}") for show in ("ready", "not_yet")]
    small = create_payment_batch(actor=world.actor("fiona"), payouts=approved[:1]).batch
    few_items = asked(f"/operator/payments/batches/{small.pk}")
    run = make_run(world.program, [Spec(f"M-{n}", make_partner(f"many-{n}", payee=n % 2 == 0)) for n in range(40)])
    made = submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE).payouts
    many = [approve_payout(actor=world.actor("omar"), payout=each) for each in made]
    assert [asked(f"/operator/payments?show={show}") for show in ("ready", "not_yet")] == few
    assert max(few) <= 20
    large = create_payment_batch(actor=world.actor("fiona"), payouts=many).batch
    assert asked(f"/operator/payments/batches/{large.pk}") == few_items <= 20


def test_who_belongs_to_a_partner_doesnt_pay_it(world: World, sign_in: SignIn, approved: list[Payout]) -> None:
    Membership.objects.create(partner=world.haiqiao, user=world.fiona, role=Role.VIEWER)
    said = text(sign_in("fiona").post("/operator/payments/batches", {"payout": approved[0].pk}, follow=True))
    assert "You belong to this partner" in said
    assert not PaymentBatch.objects.exists()


@pytest.mark.parametrize("who", ["audrey", "olga", "omar"])
def test_who_doesnt_pay_reads_and_changes_nothing(
    world: World, approved: list[Payout], batch: PaymentBatch, who: str
) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(make_user("audrey", Role.AUDITOR) if who == "audrey" else getattr(world, who))
    for path in ("", "?show=not_yet", "?show=batches", "?show=results", f"/batches/{batch.pk}"):
        page = client.get(f"/operator/payments{path}")
        assert page.status_code == 200
        assert b'<button class="btn go"' not in page.content, path
        assert b'type="file"' not in page.content, path
    refused = "Your role doesn't allow you"
    assert refused in text(client.post("/operator/payments/batches", {"payout": approved[0].pk}, follow=True))
    assert refused in text(looked_at(client, "DY-1,paid,,B,"))
    for step in ("lock", "export", "cancel", "drop"):
        assert refused in move(client, batch, step, text="because", payout=approved[0].pk), step
    assert PaymentBatch.objects.get().state == BatchState.DRAFT
    assert PaymentBatch.objects.get().version == 1


def test_to_partners_and_strangers_there_is_nothing_here(world: World, sign_in: SignIn, batch: PaymentBatch) -> None:
    reads = ("", ".csv", f"/batches/{batch.pk}", "/results/1", "/results/1.csv")
    posts = ("/batches", f"/batches/{batch.pk}/lock", f"/batches/{batch.pk}/export", "/results")
    for who in ("alice", "charlie"):
        client = sign_in(who)
        for path in reads:
            assert client.get(f"/operator/payments{path}").status_code == 404, path
        for path in posts:
            assert client.post(f"/operator/payments{path}", {"version": "1"}).status_code == 404, path
    for path in posts:
        assert Client().post(f"/operator/payments{path}").status_code == 302
    fiona = sign_in("fiona")
    for path in ("/batches/999999", "/results/999999", "/results/999999.csv"):
        assert fiona.get(f"/operator/payments{path}").status_code == 404
    assert fiona.post(f"/operator/payments/batches/{batch.pk}/nonsense", {"version": "1"}).status_code == 404
    assert PaymentBatch.objects.get().state == BatchState.DRAFT
    assert batch.items.get(payout__partner=world.rival).amount == Decimal("2000.00")
