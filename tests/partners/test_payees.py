"""The account that a partner is paid to: stated by an owner, confirmed by an operator, and nothing paid in between."""

from __future__ import annotations

import threading
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from core.actors import Actor, Role
from core.audit import verify_chain
from core.errors import BadInput, Conflict, DomainError, NotAllowed
from core.models import AuditEvent, RoleGrant
from core.notices.models import Notice
from partners.ciphers import AccountCipher, Unreadable
from partners.models import Membership, Payee
from partners.payees import payees_view, payment_obstacle, payment_obstacles
from partners.people import actor_of
from partners.services import (
    Incomplete,
    change_payee,
    confirm_payee,
    lock_payee_for_payment,
    read_account_number,
    refuse_payee,
    withdraw_payee,
)
from tests.partners.payees import DETAILS, NUMBER, OTHER_NUMBER, confirmed, state
from tests.people import actor, partner, person

pytestmark = pytest.mark.django_db


def code(partner_code: str = "ALPHA") -> str | None:
    obstacle = payment_obstacle(partner(partner_code))
    return obstacle.code if obstacle else None


def told(name: str) -> list[str]:
    return list(Notice.objects.filter(user=person(name)).order_by("pk").values_list("kind", flat=True))


def everything_written() -> str:
    """Every text column of what is kept beside the sealed account."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(t::text, ' ') FROM (SELECT a::text FROM core_auditevent a UNION ALL "
            "SELECT n::text FROM core_notice n UNION ALL SELECT p::text FROM partners_payee p "
            "UNION ALL SELECT s::text FROM django_session s) AS every(t)"
        )
        return str(cursor.fetchone()[0])


def test_an_account_is_stated_and_confirmed_and_only_then_paid_to() -> None:
    assert code() == "no_payee"
    for name in ("rita", "olga", "bob"):
        person(name)
    second = person("zoe")
    Membership.objects.create(partner=partner("ALPHA"), user=second, role=Role.OWNER.value)
    payee = state(actor("alice"), partner("ALPHA"))
    assert (payee.state, payee.number, payee.masked) == ("waiting", 1, "•••• 0018")
    assert code() == "payee_waiting"
    assert told("alice") == told("zoe") == ["payee.stated"]
    assert Notice.objects.filter(kind="payee.stated", mail_due_at__isnull=False).count() == 2
    assert (told("rita"), told("olga"), told("bob")) == (["payee.to_confirm"], [], [])
    confirm_payee(actor=actor("rita"), payee=payee, version=payee.version)
    assert code() is None
    assert told("alice")[-1] == "payee.confirmed"
    assert read_account_number(actor=actor("fiona"), payee=payee) == NUMBER
    assert AuditEvent.objects.filter(action="payee.account_read", actor=person("fiona")).count() == 1
    assert verify_chain().intact


def test_a_change_stops_payments_and_leaves_the_confirmed_account_in_sight() -> None:
    first = confirmed(actor("alice"), partner("ALPHA"))
    second = state(actor("alice"), partner("ALPHA"), account_number=OTHER_NUMBER)
    assert code() == "payee_waiting"
    with transaction.atomic(), pytest.raises(Conflict) as refused:
        lock_payee_for_payment(partner_id=first.partner_id)
    assert refused.value.code == "payee_waiting"
    view = payees_view(actor=actor("bob"), partner=partner("ALPHA"))
    assert view.confirmed
    assert view.waiting
    assert (view.confirmed.account, view.waiting.account) == ("•••• 0018", "•••• 1107")
    refuse_payee(actor=actor("rita"), payee=second, reason="The bank knows no such account.")
    assert code() is None
    view = payees_view(actor=actor("alice"), partner=partner("ALPHA"))
    assert view.confirmed
    assert view.confirmed.id == first.pk
    assert view.refused
    assert view.refused.reason == "The bank knows no such account."
    third = state(actor("alice"), partner("ALPHA"), account_number=OTHER_NUMBER)
    confirm_payee(actor=actor("rita"), payee=third)
    first.refresh_from_db()
    assert (first.state, first.ended_at is not None) == ("replaced", True)
    with transaction.atomic():
        found = lock_payee_for_payment(partner_id=first.partner_id)
    assert found == third
    assert told("alice")[-3:] == ["payee.refused", "payee.stated", "payee.confirmed"]


def test_a_new_change_takes_the_place_of_the_one_that_waits_and_can_be_withdrawn() -> None:
    first = state(actor("alice"), partner("ALPHA"))
    second = state(actor("alice"), partner("ALPHA"), account_number=OTHER_NUMBER)
    first.refresh_from_db()
    assert (first.state, second.number) == ("withdrawn", 2)
    with pytest.raises(Conflict):
        confirm_payee(actor=actor("rita"), payee=first)
    withdraw_payee(actor=actor("alice"), payee=second)
    assert code() == "no_payee"
    with pytest.raises(Conflict):
        withdraw_payee(actor=actor("alice"), payee=second)
    confirmed(actor("alice"), partner("ALPHA"))
    with pytest.raises(Conflict) as same:
        state(actor("alice"), partner("ALPHA"), account_number=" 6228 4804 0256 4890 018 ")
    assert same.value.code == "same_payee"
    assert code() is None


def test_nothing_that_is_written_has_the_number() -> None:
    payee = confirmed(actor("alice"), partner("ALPHA"))
    refuse_payee(
        actor=actor("rita"), payee=state(actor("alice"), partner("ALPHA"), account_number=OTHER_NUMBER), reason="No."
    )
    written = everything_written()
    assert "payee.confirmed" in written
    assert NUMBER not in written
    assert OTHER_NUMBER not in written
    assert NUMBER[:-4] not in written
    assert NUMBER not in repr(DETAILS)
    with pytest.raises(Incomplete) as wrong:
        state(actor("alice"), partner("ALPHA"), account_number="62284804o2564890018")
    assert "62284804" not in str(wrong.value.fields)
    assert NUMBER not in str(payee)


@pytest.mark.parametrize("name", ["bob", "charlie", "rita", "ada", "viewer"])
def test_only_an_owner_changes_or_withdraws(name: str) -> None:
    payee = state(actor("alice"), partner("ALPHA"))
    if name == "viewer":
        Membership.objects.create(partner=partner("ALPHA"), user=person(name), role=Role.VIEWER.value)
    with pytest.raises(NotAllowed):
        state(actor(name), partner("ALPHA"), account_number=OTHER_NUMBER)
    with pytest.raises(NotAllowed):
        withdraw_payee(actor=actor(name), payee=payee)
    # An owner of another organisation who is a mere member here.
    Membership.objects.create(partner=partner("ALPHA"), user=person("dora"), role=Role.MEMBER.value)
    Membership.objects.create(partner=partner("DELTA"), user=person("dora"), role=Role.OWNER.value)
    with pytest.raises(NotAllowed):
        state(actor("dora"), partner("ALPHA"), account_number=OTHER_NUMBER)
    assert Payee.objects.get().state == "waiting"


@pytest.mark.parametrize("age", [None, timedelta(minutes=5, seconds=1), timedelta(seconds=-1)])
def test_the_person_has_proved_itself_just_before(age: timedelta | None) -> None:
    now = timezone.now()
    with pytest.raises(NotAllowed) as refused:
        change_payee(
            actor=actor("alice"),
            partner=partner("ALPHA"),
            details=DETAILS,
            proved_at=None if age is None else now - age,
            at=now,
        )
    assert refused.value.code == "proof_needed"
    change_payee(
        actor=actor("alice"), partner=partner("ALPHA"), details=DETAILS, proved_at=now - timedelta(minutes=5), at=now
    )


def test_an_operator_decides_who_is_no_party() -> None:
    payee = state(actor("alice"), partner("ALPHA"))
    for name in ("alice", "charlie", "olga", "omar", "rosa", "ada"):
        with pytest.raises(NotAllowed):
            confirm_payee(actor=actor(name), payee=payee)
        with pytest.raises(NotAllowed):
            refuse_payee(actor=actor(name), payee=payee, reason="No.")
        with pytest.raises(NotAllowed):
            read_account_number(actor=actor(name), payee=payee)
    with pytest.raises(NotAllowed):
        confirm_payee(actor=Actor.system("nightly"), payee=payee)
    # In the house and in the partner, and even its owner.
    RoleGrant.objects.create(user=person("bob"), role=Role.RISK.value)
    with pytest.raises(NotAllowed) as own:
        confirm_payee(actor=actor("bob"), payee=payee)
    assert "You belong to this partner" in own.value.message
    RoleGrant.objects.create(user=person("alice"), role=Role.FINANCE.value)
    Membership.objects.create(partner=partner("ALPHA"), user=person("zoe"), role=Role.OWNER.value)
    Membership.objects.filter(user=person("alice")).delete()
    with pytest.raises(NotAllowed) as stated:
        confirm_payee(actor=actor_of(person("alice")), payee=payee)
    assert "You stated this account" in stated.value.message
    with pytest.raises(BadInput):
        refuse_payee(actor=actor("rita"), payee=payee, reason="  ")
    with pytest.raises(Conflict):
        read_account_number(actor=actor("fiona"), payee=payee)  # not confirmed
    with pytest.raises(Conflict):
        confirm_payee(actor=actor("rita"), payee=payee, version=payee.version + 1)
    assert code() == "payee_waiting"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"holder": " \u200b "}, "holder"),
        ({"holder": "x" * 121}, "holder"),
        ({"bank_name": ""}, "bank_name"),
        ({"country": "XX"}, "country"),
        ({"currency": "BTC"}, "currency"),
        ({"bank_code": "10258400401"}, "bank_code"),
        ({"bank_code": "EXAMHKHH"}, "bank_code"),
        ({"country": "HK", "bank_code": "102584004017"}, "bank_code"),
        ({"account_number": ""}, "account_number"),
        ({"account_number": "622848"}, "account_number"),
        ({"account_number": "6228480402564890O18"}, "account_number"),
        ({"country": "DE", "bank_code": "EXAMDEFF", "account_number": "DE89370400440532013001"}, "account_number"),
        ({"country": "DE", "bank_code": "EXAMDEFF", "account_number": "DE8937040044053201300"}, "account_number"),
        ({"country": "DE", "bank_code": "EXAMDEFF", "account_number": "FR8937040044053201300"}, "account_number"),
    ],
)
def test_details_that_can_not_be_are_refused_beside_their_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Incomplete) as refused:
        state(actor("alice"), partner("ALPHA"), **changes)
    assert list(refused.value.fields) == [field]
    assert not Payee.objects.exists()


def test_details_are_kept_as_banks_write_them() -> None:
    payee = confirmed(
        actor("alice"),
        partner("ALPHA"),
        holder="  Alpha\u3000Services  Ltd ",
        country="de",
        currency="eur",
        bank_code="exam de ff",
        account_number="de89 3704 0044 0532 0130 00",
    )
    assert (payee.holder, payee.bank_code, payee.country, payee.currency) == (
        "Alpha Services Ltd",
        "EXAMDEFF",
        "DE",
        "EUR",
    )
    assert read_account_number(actor=actor("fiona"), payee=payee) == "DE89370400440532013000"


def test_the_database_keeps_what_was_stated() -> None:
    payee = confirmed(actor("alice"), partner("ALPHA"))
    rows = Payee.objects.filter(pk=payee.pk)
    for change in (
        {"bank_code": "EXAMCNBJ"},
        {"holder": "Mallory Ltd"},
        {"account_end": "9999"},
        {"stated_by": person("bob")},
        {"state": "waiting", "version": 3, "decided_by": None, "decided_at": None},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**{"version": payee.version + 1, **change})
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()
    waiting = state(actor("charlie"), partner("GAMMA"), account_number=OTHER_NUMBER)
    for change in ({"state": "confirmed"}, {"state": "confirmed", "decided_by": waiting.stated_by}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Payee.objects.filter(pk=waiting.pk).update(version=2, decided_at=timezone.now(), **change)
    # To be forgotten is possible, also long after.
    rows.update(holder="", account_end="", account_sealed="", version=payee.version + 1)
    with pytest.raises(Conflict):
        read_account_number(actor=actor("fiona"), payee=payee)


def test_many_partners_are_asked_about_in_one_query(django_assert_num_queries: Any) -> None:
    ids = [confirmed(actor("alice"), partner("ALPHA")).partner_id]
    ids += [state(actor("charlie"), partner("GAMMA")).partner_id, partner("DELTA").pk]
    with django_assert_num_queries(1):
        found = payment_obstacles(ids)
    assert {ident: obstacle.code for ident, obstacle in found.items()} == {ids[1]: "payee_waiting", ids[2]: "no_payee"}


def test_a_house_that_asks_for_no_account_pays_without(settings: Any) -> None:
    settings.PAYMENT_NEEDS_PAYEE = False
    assert payment_obstacle(partner("ALPHA")) is None
    with transaction.atomic():
        assert lock_payee_for_payment(partner_id=partner("ALPHA").pk) is None
    payee = confirmed(actor("alice"), partner("ALPHA"))
    with transaction.atomic():
        assert lock_payee_for_payment(partner_id=payee.partner_id) == payee


# --- Keys ---------------------------------------------------------------------------------------------------


def test_an_account_that_was_copied_from_another_row_opens_nothing() -> None:
    mine = confirmed(actor("charlie"), partner("GAMMA"), account_number=OTHER_NUMBER)
    theirs = confirmed(actor("alice"), partner("ALPHA"))
    Payee.objects.filter(pk=theirs.pk).update(account_sealed=mine.account_sealed, version=theirs.version + 1)
    with pytest.raises(Unreadable) as refused:
        read_account_number(actor=actor("fiona"), payee=theirs)
    assert OTHER_NUMBER not in refused.value.message


def test_keys_are_changed_one_after_the_other(settings: Any) -> None:
    payees = [confirmed(actor("alice"), partner("ALPHA")), state(actor("charlie"), partner("GAMMA"))]
    first, second = settings.PAYEE_KEYS[0], Fernet.generate_key().decode()
    settings.PAYEE_KEYS = (second, first)
    assert run("payee_keys") == "renewed 2 unchanged 0"
    assert run("payee_keys") == "renewed 0 unchanged 2"
    settings.PAYEE_KEYS = (second,)
    assert read_account_number(actor=actor("fiona"), payee=payees[0]) == NUMBER
    settings.PAYEE_KEYS = (first,)
    with pytest.raises(Unreadable):
        read_account_number(actor=actor("fiona"), payee=payees[0])
    with pytest.raises(DomainError, match="2 account numbers can't be read"):
        run("payee_keys")
    assert AuditEvent.objects.get(action="payee.numbers_renewed").details == {"payees": [row.pk for row in payees]}


def test_a_new_key_is_printed_and_works(settings: Any) -> None:
    key = run("payee_keys", "--new")
    cipher = AccountCipher([key])
    assert cipher.open(cipher.seal("123", owner="a"), owner="a") == "123"
    assert run("payee_keys", "--new") != key
    for bad in ([], ["short"], [key, "short"]):
        with pytest.raises(BadInput) as refused:
            AccountCipher(bad)
        assert "short" not in refused.value.message


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip()


# --- Two at a time ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_decisions_at_a_time_one_wins() -> None:
    payee = state(actor("alice"), partner("ALPHA"))
    rita, fiona, ends = actor("rita"), actor("fiona"), []

    def decide(act: Any) -> None:
        try:
            act()
            ends.append("done")
        except Conflict:
            ends.append("late")
        finally:
            connection.close()

    acts = (
        lambda: confirm_payee(actor=rita, payee=payee, version=1),
        lambda: refuse_payee(actor=fiona, payee=payee, reason="No.", version=1),
    )
    threads = [threading.Thread(target=decide, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["done", "late"]


@pytest.mark.django_db(transaction=True)
def test_a_change_waits_for_the_payment_that_is_being_sent() -> None:
    payee = confirmed(actor("alice"), partner("ALPHA"))
    alice, order, locked = actor("alice"), [], threading.Event()

    def change() -> None:
        locked.wait(10)
        state(alice, payee.partner, account_number=OTHER_NUMBER)
        order.append("changed")
        connection.close()

    thread = threading.Thread(target=change)
    thread.start()
    with transaction.atomic():
        assert lock_payee_for_payment(partner_id=payee.partner_id) == payee
        locked.set()
        thread.join(0.7)
        assert thread.is_alive()
        order.append("sent")
    thread.join(10)
    assert order == ["sent", "changed"]
    with transaction.atomic(), pytest.raises(Conflict):
        lock_payee_for_payment(partner_id=payee.partner_id)
