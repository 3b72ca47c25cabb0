"""Payment batches: put together, locked, exported, answered by the bank; nobody is paid twice (POLICY 6)."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from core import audit
from core.errors import BadInput, Conflict, DomainError, NotAllowed, NotFound
from core.models import AuditEvent, Notice
from core.states import IllegalTransition
from incentives import ledger
from incentives.bank_formats import BANK_COLUMNS
from incentives.models import LedgerEntry, PaymentBatch, PaymentItem, Payout
from incentives.services import (
    approve_payout,
    cancel_payment_batch,
    create_payment_batch,
    drop_from_batch,
    export_payment_batch,
    hold_payout,
    load_bank_result,
    lock_payment_batch,
    mark_paid,
    refuse_payment,
    release_payout,
    submit_run,
    void_payout,
)
from incentives.states import Account, BatchState, ItemState
from partners.models import Membership, Payee
from partners.services.payees import cipher
from partners.states import PayeeState
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_partner, make_program, make_run, make_world

NUMBER = "6228480402564890018"


def approved(world: World) -> list[Payout]:
    """Haiqiao's payout of 4,000 and the rival's of 2,000, approved."""
    found = submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts
    return [approve_payout(actor=world.actor("omar"), payout=payout) for payout in found]


@pytest.fixture
def payouts(world: World) -> list[Payout]:
    return approved(world)


@pytest.fixture
def batch(world: World, payouts: list[Payout]) -> PaymentBatch:
    """A draft of both."""
    return create_payment_batch(actor=world.actor("fiona"), payouts=payouts).batch


def exported(world: World, batch: PaymentBatch) -> list[dict[str, str]]:
    """The rows of the batch's file, after locking it."""
    fiona = world.actor("fiona")
    lock_payment_batch(actor=fiona, batch=batch)
    return rows_of(export_payment_batch(actor=fiona, batch=batch))


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def result(*rows: tuple[str, ...], header: str = "reference,result,amount,bank_reference,reason") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return f"{header}\n{text.getvalue()}".encode()


def states(payouts: list[Payout]) -> list[str]:
    return [Payout.objects.get(pk=payout.pk).state for payout in payouts]


def books() -> dict[str, Decimal]:
    assert not LedgerEntry.objects.values("posting").annotate(total=Sum("amount")).exclude(total=0).exists()
    assert sum(LedgerEntry.objects.values_list("amount", flat=True), Decimal(0)) == 0
    return {account.value: total for account, total in ledger.balances().items() if total}


# --- From approval to the bank and back -----------------------------------------------------------------------------


def test_from_approved_payouts_to_paid_ones_with_one_refusal(
    world: World, payouts: list[Payout], batch: PaymentBatch
) -> None:
    fiona = world.actor("fiona")
    assert states(payouts) == ["approved", "approved"]
    file = exported(world, batch)
    assert states(payouts) == ["in_payment", "in_payment"]
    assert books() == {"incentive_expense": Decimal("6000.00"), "in_transit": Decimal("-6000.00")}
    assert tuple(file[0]) == BANK_COLUMNS
    assert [(row["account_number"], row["amount"], row["currency"]) for row in file] == [
        (NUMBER, "4000.00", "CNY"),
        (NUMBER, "2000.00", "CNY"),
    ]
    assert [row["account_holder"] for row in file] == ["海桥物流", "Rival Services"]

    answer = result(
        (file[0]["reference"], "paid", "4000.00", "BOC-77", ""),
        (file[1]["reference"], "refused", "", "", "The account is closed."),
    )
    report = load_bank_result(actor=fiona, content=answer)
    assert (report.result.paid, report.result.refused, report.result.quarantined) == (1, 1, 0)
    assert states(payouts) == ["paid", "approved"]
    assert Payout.objects.get(pk=payouts[0].pk).payment_reference == "BOC-77"
    assert books() == {
        "incentive_expense": Decimal("6000.00"),
        "cash": Decimal("-4000.00"),
        "partner_payable": Decimal("-2000.00"),
    }
    assert Notice.objects.filter(kind="payout.pay", user=world.alice).count() == 1
    assert Notice.objects.filter(kind="payout.refuse", user=world.charlie).count() == 1

    # The same file again, or ten times, changes nothing.
    trail = AuditEvent.objects.count()
    again = load_bank_result(actor=fiona, content=answer).result
    assert (again.unchanged, again.paid, again.refused, again.quarantined) == (2, 0, 0, 0)
    assert AuditEvent.objects.count() == trail + 1
    # The refused one goes into the next batch, and only that.
    following = create_payment_batch(actor=fiona, payouts=payouts)
    assert (following.items, following.total) == (1, Decimal("2000.00"))
    assert [(left.partner_code, left.code) for left in following.left_out] == [("haiqiao", "not_approved")]
    assert audit.verify_chain().intact


def test_the_file_is_the_only_place_with_the_account_number(world: World, batch: PaymentBatch) -> None:
    fiona = world.actor("fiona")
    lock_payment_batch(actor=fiona, batch=batch)
    content = export_payment_batch(actor=fiona, batch=batch)
    assert export_payment_batch(actor=fiona, batch=batch) == content
    told = AuditEvent.objects.filter(action="payments.exported")
    assert [event.details["sha256"] for event in told] == [hashlib.sha256(content).hexdigest()] * 2
    assert [event.actor_id for event in told] == [world.fiona.pk] * 2
    assert NUMBER.encode() in content
    for table in (
        "core_auditevent",
        "core_note",
        "incentives_paymentitem",
        "incentives_paymentbatch",
        "partners_payee",
    ):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{NUMBER}%"])  # noqa: S608
            assert cursor.fetchone() == (0,), table


def test_a_name_that_a_spreadsheet_would_run_is_escaped(world: World) -> None:
    sly = make_partner("sly", name="=HYPERLINK(evil)")
    run = make_run(make_program("POP-2"), [Spec("P2-1", sly)])
    payout = submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE).payouts[0]
    approve_payout(actor=world.actor("omar"), payout=payout)
    batch = create_payment_batch(actor=world.actor("fiona"), payouts=[payout]).batch
    assert exported(world, batch)[0]["account_holder"] == "'=HYPERLINK(evil)"


# --- What isn't paid ------------------------------------------------------------------------------------------------


def test_what_cannot_be_paid_is_left_out_with_its_reason(world: World) -> None:
    fiona = world.actor("fiona")
    bare, waiting = make_partner("bare", payee=False), make_partner("waiting")
    Payee.objects.create(
        partner=waiting,
        number=2,
        state=PayeeState.WAITING,
        bank_name="Example Bank",
        bank_code="102584004017",
        country="CN",
        currency="CNY",
        account_sealed=cipher().seal(NUMBER, owner=f"payee:{waiting.pk}:2"),
        stated_by=world.alice,
        stated_at=AFTER_CLOSE,
    )
    run = make_run(make_program("POP-2"), [Spec("B-1", bare), Spec("W-1", waiting), Spec("H-1", world.haiqiao)])
    olga, omar = world.actor("olga"), world.actor("omar")
    submitted = {each.partner.code: each for each in submit_run(actor=olga, run=run, at=AFTER_CLOSE).payouts}
    for each in submitted.values():
        approve_payout(actor=omar, payout=each)
    hold_payout(actor=olga, payout=submitted["haiqiao"], reason="A case is open.")
    reviewed, good = submit_run(actor=olga, run=world.run, at=AFTER_CLOSE).payouts
    approve_payout(actor=omar, payout=good)
    report = create_payment_batch(actor=fiona, payouts=[*submitted.values(), reviewed, good])
    assert [(each.partner_code, each.code) for each in report.left_out] == [
        ("bare", "no_payee"),
        ("haiqiao", "held"),
        ("waiting", "payee_waiting"),
        ("haiqiao", "not_approved"),
    ]
    assert (report.items, report.total) == (1, Decimal("2000.00"))
    with pytest.raises(BadInput, match=r"batch \d+ already"):
        create_payment_batch(actor=fiona, payouts=[good])


def test_an_invoice_is_asked_for_where_a_setting_says_so(world: World, payouts: list[Payout], settings: Any) -> None:
    settings.INVOICE_REQUIRED = True
    with pytest.raises(BadInput, match="no accepted invoice"):
        create_payment_batch(actor=world.actor("fiona"), payouts=payouts)
    settings.INVOICE_REQUIRED = False
    batch = create_payment_batch(actor=world.actor("fiona"), payouts=payouts).batch
    settings.INVOICE_REQUIRED = True
    with pytest.raises(Conflict, match=r"haiqiao \(This payout has no accepted invoice"):
        lock_payment_batch(actor=world.actor("fiona"), batch=batch)


def test_nobody_pays_their_own_organisation(world: World, payouts: list[Payout]) -> None:
    Membership.objects.create(partner=world.haiqiao, user=world.fiona, role="viewer")
    report = create_payment_batch(actor=world.actor("fiona"), payouts=payouts)
    assert [(each.partner_code, each.code) for each in report.left_out] == [("haiqiao", "not_allowed")]


@pytest.mark.parametrize("name", ["olga", "omar", "alice", "charlie"])
def test_paying_takes_the_permission(world: World, payouts: list[Payout], batch: PaymentBatch, name: str) -> None:
    actor = world.actor(name)
    attempts: list[Callable[[], Any]] = [
        lambda: create_payment_batch(actor=actor, payouts=payouts),
        lambda: lock_payment_batch(actor=actor, batch=batch),
        lambda: cancel_payment_batch(actor=actor, batch=batch, reason="x"),
        lambda: drop_from_batch(actor=actor, batch=batch, payouts=payouts),
        lambda: export_payment_batch(actor=actor, batch=batch),
        lambda: load_bank_result(actor=actor, content=result()),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            attempt()


def test_a_draft_that_has_changed_is_not_locked(world: World, payouts: list[Payout], batch: PaymentBatch) -> None:
    fiona, omar = world.actor("fiona"), world.actor("omar")
    hold_payout(actor=omar, payout=payouts[0], reason="A case is open.")
    with pytest.raises(Conflict, match=r"haiqiao \(The payout is held"):
        lock_payment_batch(actor=fiona, batch=batch)
    assert states(payouts) == ["approved", "approved"]
    drop_from_batch(actor=fiona, batch=batch, payouts=[payouts[0]], version=1)
    with pytest.raises(NotFound):
        drop_from_batch(actor=fiona, batch=batch, payouts=[payouts[0]])
    with pytest.raises(Conflict, match="has changed since"):
        lock_payment_batch(actor=fiona, batch=batch, version=1)
    lock_payment_batch(actor=fiona, batch=batch, version=2)
    assert states(payouts) == ["approved", "in_payment"]
    with pytest.raises(IllegalTransition, match="Locked: by Fiona"):
        lock_payment_batch(actor=fiona, batch=batch)
    # Money under way isn't voided.
    with pytest.raises(IllegalTransition):
        void_payout(actor=omar, payout=payouts[1], reason="Too late.")


def test_a_change_of_account_or_a_hold_after_the_lock_stops_the_file(
    world: World, payouts: list[Payout], batch: PaymentBatch
) -> None:
    fiona = world.actor("fiona")
    lock_payment_batch(actor=fiona, batch=batch)
    hold_payout(actor=fiona, payout=payouts[0], reason="A case is open.")
    with pytest.raises(Conflict, match="Held since the batch was locked: haiqiao"):
        export_payment_batch(actor=fiona, batch=batch)
    refuse_payment(actor=fiona, payout=payouts[0], reason="Recalled.")
    payee = Payee.objects.get(partner=world.rival)
    Payee.objects.filter(pk=payee.pk).update(state=PayeeState.REPLACED, version=payee.version + 1)
    with pytest.raises(Conflict, match="account of rival was changed"):
        export_payment_batch(actor=fiona, batch=batch)
    assert PaymentBatch.objects.get().state == BatchState.LOCKED


def test_what_was_settled_by_hand_is_not_in_the_file(world: World, payouts: list[Payout], batch: PaymentBatch) -> None:
    fiona = world.actor("fiona")
    lock_payment_batch(actor=fiona, batch=batch)
    mark_paid(actor=fiona, payout=payouts[0], reference="BY-HAND")
    assert PaymentItem.objects.get(payout=payouts[0]).state == ItemState.PAID
    content = export_payment_batch(actor=fiona, batch=batch)
    assert [row["amount"] for row in rows_of(content)] == ["2000.00"]
    mark_paid(actor=fiona, payout=payouts[1], reference="BY-HAND-2")
    assert export_payment_batch(actor=fiona, batch=batch) == content


def test_cancelling_gives_the_payouts_back(world: World, payouts: list[Payout], batch: PaymentBatch) -> None:
    fiona = world.actor("fiona")
    owed = books()
    lock_payment_batch(actor=fiona, batch=batch)
    with pytest.raises(BadInput, match="reason"):
        cancel_payment_batch(actor=fiona, batch=batch, reason=" ")
    cancel_payment_batch(actor=fiona, batch=batch, reason="The wrong day.")
    assert states(payouts) == ["approved", "approved"]
    assert books() == owed
    again = create_payment_batch(actor=fiona, payouts=payouts).batch
    exported(world, again)
    with pytest.raises(IllegalTransition, match="Exported: by Fiona"):
        cancel_payment_batch(actor=fiona, batch=again, reason="Too late.")
    assert audit.verify_chain().intact


# --- The bank's answer ----------------------------------------------------------------------------------------------


def test_rows_that_cannot_be_settled_are_set_aside_and_told(
    world: World, payouts: list[Payout], batch: PaymentBatch
) -> None:
    fiona = world.actor("fiona")
    mine, theirs = (row["reference"] for row in exported(world, batch))
    hold_payout(actor=fiona, payout=payouts[1], reason="A case is open.")
    answer = result(
        ("DY-999999-999999", "paid", "", "BOC-1", ""),
        (mine, "paid", "4000.01", "BOC-2", ""),
        (mine, "maybe", "", "BOC-3", ""),
        (mine, "paid", "", "", ""),
        (mine, "refused", "", "", ""),
        (mine, "paid", "x", "BOC-4", ""),
        ("", "paid", "", "BOC-5", ""),
        (mine, "paid", "4000.00", "BOC-6", ""),
        (mine, "refused", "", "", "Closed."),
        (mine, "paid", "", "BOC-7", ""),
        (theirs, "paid", "", "BOC-8", ""),
    )
    report = load_bank_result(actor=fiona, content=answer)
    assert [(row.line, row.code) for row in report.quarantined] == [
        (2, "unknown_reference"),
        (3, "amount"),
        (4, "malformed"),
        (5, "malformed"),
        (6, "malformed"),
        (7, "malformed"),
        (8, "malformed"),
        (10, "contradiction"),
        (11, "contradiction"),
        (12, "held"),
    ]
    kept = report.result
    assert (kept.rows, kept.paid, kept.quarantined) == (11, 1, 10)
    assert kept.quarantine.count() == 10
    assert states(payouts) == ["paid", "in_payment"]
    release_payout(actor=fiona, payout=payouts[1])
    again = load_bank_result(actor=fiona, content=answer).result
    assert (again.paid, again.unchanged) == (1, 1)
    assert states(payouts) == ["paid", "paid"]
    books()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff\xfe\x00", "not_utf8"),
        (b"reference,amount\nDY-1,2\n", "missing_columns"),
        (b"", "missing_columns"),
        (b'reference,result\n"a\x00b",paid\n', "not_utf8"),
        (b"x" * (10 * 1024 * 1024 + 1), "file_too_large"),
    ],
)
def test_what_is_no_result_file_is_refused_whole(world: World, content: bytes, code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        load_bank_result(actor=world.actor("fiona"), content=content)
    assert refusal.value.code == code


def test_a_bank_that_knows_more_than_it_can_is_not_believed(
    world: World, payouts: list[Payout], batch: PaymentBatch
) -> None:
    reference = batch.items.get(payout=payouts[0]).reference
    answer = "\ufeffResult,Reference,other\npaid," + reference + ",x\n"
    report = load_bank_result(actor=world.actor("fiona"), content=answer.encode())
    assert [row.code for row in report.quarantined] == ["malformed"]  # it has no reference of the bank's
    answer = f"reference,result,bank_reference\n{reference},PAID,BOC-1\n"
    report = load_bank_result(actor=world.actor("fiona"), content=answer.encode())
    assert [row.code for row in report.quarantined] == ["not_exported"]
    assert states(payouts) == ["approved", "approved"]


@pytest.mark.django_db(transaction=True)
def test_two_people_batch_lock_and_load_at_once_and_everybody_is_paid_once() -> None:
    world = make_world()
    payouts, fiona = approved(world), world.actor("fiona")

    def both(act: Callable[[], Any]) -> list[str]:
        start = Barrier(2)

        def attempt(_: int) -> str:
            try:
                start.wait(10)
                act()
                return "done"
            except DomainError as refusal:
                return refusal.code
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            return sorted(pool.map(attempt, range(2)))

    assert both(lambda: create_payment_batch(actor=fiona, payouts=payouts)) == ["done", "nothing_to_pay"]
    batch = PaymentBatch.objects.get()
    assert both(lambda: lock_payment_batch(actor=fiona, batch=batch)) == ["done", "illegal_transition"]
    assert states(payouts) == ["in_payment", "in_payment"]
    file = rows_of(export_payment_batch(actor=fiona, batch=batch))
    answer = result(*[(row["reference"], "paid", row["amount"], f"BOC-{row['reference']}", "") for row in file])
    assert both(lambda: load_bank_result(actor=fiona, content=answer)) == ["done", "done"]
    assert states(payouts) == ["paid", "paid"]
    assert PaymentItem.objects.filter(state=ItemState.PAID).count() == 2
    assert ledger.balances()[Account.CASH] == Decimal("-6000.00")
    assert AuditEvent.objects.filter(action="payout.paid").count() == 2
    assert audit.verify_chain().intact
