"""A result file of the bank is settled in pieces: what is written is what would be written row by row (POLICY 6)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from config.state import ROOT
from core import audit
from core.errors import BadInput
from core.models import AuditEvent, Notice
from incentives import ledger
from incentives.models import BankResult, Decision, LedgerEntry, PaymentItem, Payout
from incentives.services import bank_results, hold_payout, load_bank_result, mark_paid, refuse_payment
from incentives.services.bank_preview import preview_bank_result
from incentives.states import Account, DecisionKind
from partners.models import Membership
from tests.incentives.factories import World, make_world
from tests.incentives.settled import result, with_the_bank, written

AT = datetime(2026, 7, 20, 9, 30, tzinfo=UTC)


def state(payout: Payout) -> str:
    return Payout.objects.get(pk=payout.pk).state


# --- Row by row, and in pieces --------------------------------------------------------------------------------------


@pytest.fixture
def file_of_all_kinds(world: World) -> tuple[list[Payout], bytes]:
    """Eight payouts, and a file with rows of every kind about them; some name the same payment again."""
    payouts, names = with_the_bank(world, 8)
    olga = world.actor("olga")
    hold_payout(actor=olga, payout=payouts[2], reason="A case is open.")
    hold_payout(actor=olga, payout=payouts[3], reason="A case is open.")
    Membership.objects.create(partner=payouts[5].partner, user=world.fiona, role="viewer")
    return payouts, result(
        (names[1], "refused", "", "", "The account is closed."),
        (names[0], "paid", "1999.00", "BOC-1", ""),
        (names[0], "paid", "2000.00", "BOC-1", ""),
        (names[0], "paid", "", "BOC-1", ""),
        (names[0], "paid", "", "BOC-2", ""),
        (names[0], "refused", "", "", "No."),
        ("DY-999999-999999", "paid", "", "BOC-3", ""),
        (names[2], "paid", "", "BOC-4", ""),
        (names[6], "perhaps", "", "", ""),
        (names[6], "paid", "", "", ""),
        ("", "paid", "", "BOC-5", ""),
        (names[3], "refused", "", "", "Recalled."),
        (names[5], "paid", "", "BOC-6", ""),
        (names[1], "refused", "", "", "Said again in other words."),
        (names[1], "paid", "", "BOC-7", ""),
        (names[4], "paid", "", "BOC-8", ""),
        (names[6], "refused", "2000", "", "No such bank."),
        (names[4], "paid", "", "BOC-8", ""),
    )


EXPECTED = [
    (2, "refused", ""),
    (3, "quarantined", "amount"),
    (4, "paid", ""),
    (5, "unchanged", ""),
    (6, "quarantined", "contradiction"),
    (7, "quarantined", "contradiction"),
    (8, "quarantined", "unknown_reference"),
    (9, "quarantined", "held"),
    (10, "quarantined", "malformed"),
    (11, "quarantined", "malformed"),
    (12, "quarantined", "malformed"),
    (13, "refused", ""),
    (14, "quarantined", "not_allowed"),
    (15, "unchanged", ""),
    (16, "quarantined", "contradiction"),
    (17, "paid", ""),
    (18, "refused", ""),
    (19, "unchanged", ""),
]


class Undone(Exception):
    """Takes back what was done to be looked at."""


def looked_at(act: Callable[[], object]) -> dict[str, list[Any]]:
    """What would be written by `act`, which is then undone."""
    seen: dict[str, list[Any]] = {}
    try:
        with transaction.atomic():
            act()
            seen = written()
            raise Undone
    except Undone:
        return seen


@pytest.mark.parametrize("piece", [1, 4, 200])
def test_what_is_written_is_what_single_steps_write(
    world: World, file_of_all_kinds: tuple[list[Payout], bytes], monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    fiona, (payouts, content) = world.actor("fiona"), file_of_all_kinds

    def by_hand() -> None:
        refuse_payment(actor=fiona, payout=payouts[1], reason="The account is closed.", at=AT)
        mark_paid(actor=fiona, payout=payouts[0], reference="BOC-1", at=AT)
        refuse_payment(actor=fiona, payout=payouts[3], reason="Recalled.", at=AT)
        mark_paid(actor=fiona, payout=payouts[4], reference="BOC-8", at=AT)
        refuse_payment(actor=fiona, payout=payouts[6], reason="No such bank.", at=AT)

    before, single = written(), looked_at(by_hand)
    assert written() == before != single
    monkeypatch.setattr(bank_results, "PIECE", piece)
    load_bank_result(actor=fiona, content=content, at=AT)
    loaded = written()
    for what, rows in single.items():
        assert loaded[what] == rows, what
    assert audit.verify_chain().intact


@pytest.mark.parametrize("piece", [1, 4, 200])
def test_the_preview_says_what_becomes_of_each_row(
    world: World, file_of_all_kinds: tuple[list[Payout], bytes], monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    fiona, (_payouts, content) = world.actor("fiona"), file_of_all_kinds
    foreseen = preview_bank_result(actor=fiona, content=content)
    assert [(row.line, row.outcome, row.code) for row in foreseen] == EXPECTED
    monkeypatch.setattr(bank_results, "PIECE", piece)
    report = load_bank_result(actor=fiona, content=content, at=AT)
    aside = [(row.line, row.code, row.why) for row in foreseen if row.outcome == "quarantined"]
    assert [(row.line, row.code, row.message) for row in report.quarantined] == aside
    kept, counts = report.result, Counter(row.outcome for row in foreseen)
    assert (kept.paid, kept.refused, kept.unchanged, kept.quarantined) == (
        *(counts[outcome] for outcome in ("paid", "refused", "unchanged", "quarantined")),
    )
    settled = PaymentItem.objects.filter(settled_at=AT).values_list("payout", "state")
    assert dict(settled) == {row.payout: row.outcome for row in foreseen if row.outcome in ("paid", "refused")}
    # Once more, nothing moves: the good rows are unchanged, and the others are set aside as before.
    after = written()
    again = load_bank_result(actor=fiona, content=content)
    assert (again.result.unchanged, again.result.paid, again.result.refused) == (8, 0, 0)
    assert {row.line for row in again.quarantined} == {row[0] for row in aside}
    assert written() == after


def test_what_one_paid_and_one_refused_row_write(world: World) -> None:
    payouts, names = with_the_bank(world, 2)
    fiona, trail = world.actor("fiona"), AuditEvent.objects.count()
    answer = result((names[0], "refused", "", "", "The account is closed."), (names[1], "paid", "", "BOC-9", ""))
    load_bank_result(actor=fiona, content=answer, at=AT)
    back, paid = (Payout.objects.get(pk=payout.pk) for payout in payouts)
    assert (back.state, back.version, back.paid_at, back.payment_reference) == ("approved", 4, None, "")
    assert (paid.state, paid.version, paid.paid_at, paid.payment_reference) == ("paid", 4, AT, "BOC-9")
    refusal, payment = Decision.objects.get(kind=DecisionKind.REFUSE), Decision.objects.get(kind=DecisionKind.PAY)
    for decision, payout in ((refusal, back), (payment, paid)):
        assert (decision.payout_id, decision.actor_id, decision.at) == (payout.pk, world.fiona.pk, AT)
        assert (decision.state_before, decision.state_after) == ("in_payment", payout.state)
        assert decision.details == {"version": 4, "payable": "2000.00"}
    assert refusal.reason is not None
    assert (refusal.reason.text, payment.reason) == ("The account is closed.", None)
    told = {"before": "in_payment", "version": 4, "payable": "2000.00", "currency": "CNY"}
    assert [
        (event.action, event.subject_id, event.details) for event in AuditEvent.objects.order_by("pk")[trail:][:2]
    ] == [
        (
            "payout.payment_refused",
            str(back.pk),
            {**told, "decision": refusal.pk, "note": refusal.reason_id, "after": "approved"},
        ),
        ("payout.paid", str(paid.pk), {**told, "decision": payment.pk, "note": None, "after": "paid"}),
    ]
    moved = LedgerEntry.objects.filter(posting__at=AT).values_list("posting__payout", "account", "amount")
    assert sorted(moved) == sorted(
        [
            (back.pk, Account.IN_TRANSIT, Decimal(2000)),
            (back.pk, Account.PARTNER_PAYABLE, Decimal(-2000)),
            (paid.pk, Account.CASH, Decimal(-2000)),
            (paid.pk, Account.IN_TRANSIT, Decimal(2000)),
        ]
    )
    sent = Decision.objects.get(kind=DecisionKind.START_PAYMENT, payout=back)
    reversed_one = LedgerEntry.objects.filter(posting__at=AT, posting__payout=back).first()
    assert reversed_one is not None
    assert reversed_one.posting.reverses is not None
    assert reversed_one.posting.reverses.cause == f"decision:{sent.pk}"
    notices = Notice.objects.filter(created_at=AT).values_list("kind", "user__memberships__partner")
    assert set(notices) == {("payout.refuse", back.partner_id), ("payout.pay", paid.partner_id)}


# --- Pieces ---------------------------------------------------------------------------------------------------------


def test_statements_grow_with_the_pieces_only(world: World) -> None:
    _payouts, names = with_the_bank(world, 300)
    rows: list[tuple[str, ...]] = [
        (name, "paid", "", f"BOC-{number}", "") if number % 2 else (name, "refused", "", "", f"Reason {number}.")
        for number, name in enumerate(names)
    ]

    def statements(of: list[tuple[str, ...]]) -> int:
        with CaptureQueriesContext(connection) as queries:
            load_bank_result(actor=world.actor("fiona"), content=result(*of))
        return len(queries)

    nothing, one_piece, two_pieces = statements([]), statements(rows[:50]), statements(rows[50:])
    assert bank_results.PIECE == 200
    assert "pieces of 200 rows" in (ROOT / "docs" / "payouts.md").read_text(encoding="utf-8")
    assert two_pieces - nothing == 2 * (one_piece - nothing)
    assert one_piece - nothing < 40
    assert Counter(Payout.objects.values_list("state", flat=True)) == {"paid": 150, "approved": 150}
    references = Payout.objects.filter(state="paid").values_list("payment_items__reference", "payment_reference")
    assert dict(references) == {row[0]: row[3] for row in rows if row[1] == "paid"}
    reasons = Decision.objects.filter(kind="refuse").values_list("payout__payment_items__reference", "reason__text")
    assert dict(reasons) == {row[0]: row[4] for row in rows if row[1] == "refused"}
    assert ledger.balances()[Account.CASH] == -150 * Decimal(2000)
    assert ledger.balances()[Account.IN_TRANSIT] == 0
    assert audit.verify_chain().intact


def test_a_file_that_breaks_off_leaves_whole_pieces_and_is_loaded_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    payouts, names = with_the_bank(world, 5)
    monkeypatch.setattr(bank_results, "PIECE", 2)
    content = result(*[(name, "paid", "", f"BOC-{name}", "") for name in names])
    fiona, record = world.actor("fiona"), audit.record_all

    def fails_for_the_fourth(**given: Any) -> Any:
        if any(entry.subject == payouts[3] for entry in given["entries"]):
            raise ConnectionError
        return record(**given)

    with monkeypatch.context() as broken:
        broken.setattr(audit, "record_all", fails_for_the_fourth)
        with pytest.raises(ConnectionError):
            load_bank_result(actor=fiona, content=content)
    assert [state(payout) for payout in payouts] == ["paid", "paid", "in_payment", "in_payment", "in_payment"]
    assert PaymentItem.objects.filter(state="paid").count() == 2
    assert not BankResult.objects.exists()
    again = load_bank_result(actor=fiona, content=content).result
    assert (again.paid, again.unchanged, again.quarantined) == (3, 2, 0)
    assert {state(payout) for payout in payouts} == {"paid"}
    assert ledger.balances()[Account.CASH] == -5 * Decimal(2000)
    assert AuditEvent.objects.filter(action="payout.paid").count() == 5


def test_of_a_file_that_ends_as_none_nothing_lands(world: World) -> None:
    payouts, names = with_the_bank(world, 1)
    content = result((names[0], "paid", "", "BOC-1", ""), *[("x", "paid", "", "y", "")] * 50_000)
    for refused in (load_bank_result, preview_bank_result):
        with pytest.raises(BadInput, match="more than 50,000 rows"):
            refused(actor=world.actor("fiona"), content=content)
    assert state(payouts[0]) == "in_payment"


@pytest.mark.parametrize("amount", ["1e999999", "1e-999999", "1e19", "NaN", "-Infinity", "2,000.00"])
def test_what_is_no_amount_is_told_in_a_few_words(world: World, amount: str) -> None:
    payouts, names = with_the_bank(world, 1)
    content = result((names[0], "paid", amount, "BOC-1", ""), (names[0], "paid", "9e18", "BOC-1", ""))
    report = load_bank_result(actor=world.actor("fiona"), content=content)
    assert [row.code for row in report.quarantined] == ["malformed", "amount"]
    assert all(len(row.message) < 100 for row in report.quarantined)
    assert state(payouts[0]) == "in_payment"


@pytest.mark.django_db(transaction=True)
def test_a_payout_that_is_held_meanwhile_is_set_aside() -> None:
    world = make_world()
    payouts, names = with_the_bank(world, 3)
    content = result(*[(name, "paid", "", f"BOC-{name}", "") for name in names])
    aside: list[tuple[int, str, str]] = []

    def load() -> None:
        translation.activate("en")  # a thread starts with the house's language
        try:
            report = load_bank_result(actor=world.actor("fiona"), content=content)
            aside.extend((row.line, row.code, row.message) for row in report.quarantined)
        finally:
            connection.close()

    loading = threading.Thread(target=load)
    with transaction.atomic():
        hold_payout(actor=world.actor("olga"), payout=payouts[1], reason="A case is open.")
        loading.start()
        with connection.cursor() as cursor:
            while not cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                assert loading.is_alive()
                time.sleep(0.02)
    loading.join(30)
    assert aside == [(3, "held", "The payout is held; release it first.")]
    assert [state(payout) for payout in payouts] == ["paid", "in_payment", "paid"]
