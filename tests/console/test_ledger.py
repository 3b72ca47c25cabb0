"""The ledger and partners' running accounts in the admin dashboard."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.actors import Role
from core.models import RoleGrant
from incentives.models import Adjustment, LedgerEntry, Payout
from incentives.services import approve_payout, claw_back, confirm_adjustment, propose_adjustment, submit_run
from incentives.states import AdjustmentState
from partners.models import Membership
from tests.console.payouts import now, paid
from tests.console.reading import text
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_partner, make_program, make_run, make_user

SignIn = Callable[..., Client]
ACCOUNT = "/operator/ledger/partners/haiqiao"


def given(**more: str) -> dict[str, str]:
    """What is typed to give the partner 500.00 more."""
    return {"kind": "manual", "program": "POP-2026Q1", "amount": "500.00", "reason": "A shop too few.", **more}


def proposed(world: World, amount: str = "500.00", **more: Any) -> Adjustment:
    return propose_adjustment(
        actor=world.actor("olga"),
        partner=world.haiqiao,
        program=world.program,
        amount=Decimal(amount),
        reason="A shop too few.",
        **more,
    )


def test_balances_add_up_to_zero_and_say_so(world: World, sign_in: SignIn, payout: Payout, others: Payout) -> None:
    paid(world, payout)
    approve_payout(actor=world.actor("omar"), payout=others)
    page = sign_in("fiona").get("/operator/ledger")
    assert "The books add up: debits 8,000.00, credits 8,000.00, together 0.00 CNY." in text(page)
    assert {row.code: row.total for row in page.context["rows"]} == {"haiqiao": 0, "rival": 0}
    by_partner = {row.code: dict(row.labelled) for row in page.context["rows"]}
    assert by_partner["haiqiao"]["Cash"] == Decimal("-2000.00")
    assert by_partner["rival"]["Payable to partners"] == Decimal("-2000.00")
    by_account = {each.account: each.balance for each in page.context["balances"]}
    for account, balance in by_account.items():
        assert balance == sum(LedgerEntry.objects.filter(account=account).values_list("amount", flat=True))
    only = sign_in("fiona").get("/operator/ledger?search=haiq").context["rows"]
    assert [row.code for row in only] == ["haiqiao"]


def test_an_empty_ledger_says_what_will_be_here(world: World, sign_in: SignIn) -> None:
    assert "the first approval of a payout is the first entry" in text(sign_in("fiona").get("/operator/ledger"))
    assert "Nothing was posted for this partner yet." in text(sign_in("fiona").get(ACCOUNT))


def test_entries_are_narrowed_and_taken_along(world: World, sign_in: SignIn, payout: Payout, others: Payout) -> None:
    paid(world, payout)
    approve_payout(actor=world.actor("omar"), payout=others)
    fiona = sign_in("fiona")

    def shown(query: str) -> list[tuple[str, str, str]]:
        rows = fiona.get(f"/operator/ledger?show=entries&{query}").context["rows"]
        return [(entry.partner_code, entry.account, words) for entry, words in rows]

    assert len(shown("")) == 8
    assert shown("partner=rival") == [
        ("rival", "incentive_expense", "Approved"),
        ("rival", "partner_payable", "Approved"),
    ]
    assert shown("account=cash") == [("haiqiao", "cash", "Paid")]
    assert {words for _, _, words in shown(f"payout={payout.pk}")} == {"Approved", "Sent to payment", "Paid"}
    assert shown("since=2099-01-01T00:00") == []
    assert len(shown("until=2099-01-01T00:00")) == 8
    lines = fiona.get("/operator/ledger.csv?account=cash").content.decode().splitlines()
    assert len(lines) == 2
    assert ",cash,,2000.00,CNY," in lines[1]
    assert len(fiona.get("/operator/ledger.csv").content.decode().splitlines()) == 9


def test_a_clawback_is_owed_and_the_next_payout_carries_it(world: World, sign_in: SignIn, payout: Payout) -> None:
    done = paid(world, payout)
    claw_back(actor=world.actor("omar"), payout=done, lines=[payout.lines.get(shop__code="S-2")], reason="Late.")
    fiona = sign_in("fiona")
    rows = fiona.get("/operator/ledger?show=accounts").context["rows"]
    assert [(row.partner_code, row.owes, row.carried) for row in rows] == [("haiqiao", Decimal("1000.00"), 0)]
    assert "The partner owes 1,000.00 CNY; its next payout settles it." in text(fiona.get(ACCOUNT))
    following = make_program("POP-2027Q1", year=2027)
    run = make_run(following, [Spec("F-1", world.haiqiao)])
    submit_run(actor=world.actor("olga"), run=run, reason="Early.")
    said = text(fiona.get(ACCOUNT))
    assert "in review, carries −1,000.00 CNY of it." in said
    confirm_adjustment(actor=world.actor("omar"), adjustment=proposed(world, "400.00"))
    assert "carry the account over anew there before it is approved." in text(fiona.get(ACCOUNT))


def test_an_adjustment_says_before_what_it_does_and_moves_nothing_until_confirmed(
    world: World, sign_in: SignIn, payout: Payout
) -> None:
    fiona = sign_in("fiona")
    said = text(fiona.post(f"{ACCOUNT}/adjust", given()))
    assert "Propose 500.00 CNY?" in said
    assert "The account is even now. Then it will be owed 500.00 CNY, paid with its next payout." in said
    assert "comes to 2,000.00 CNY; once the account is carried over anew it comes to 2,500.00 CNY." in said
    assert not Adjustment.objects.exists()
    said = text(fiona.post(f"{ACCOUNT}/adjust", given(sure="1"), follow=True))
    assert "Proposed 500.00 CNY. Nothing has moved" in said
    assert "A second person confirms it: you proposed it." in said
    assert not LedgerEntry.objects.exists()
    made = Adjustment.objects.get()
    omar = sign_in("omar")
    assert "Then it will be owed 500.00 CNY" in text(omar.get(ACCOUNT))
    done = omar.post(f"/operator/ledger/adjustments/{made.pk}/confirm", {"version": str(made.version)}, follow=True)
    assert "Confirmed: the partner's next payout has 500.00 CNY." in text(done)
    assert "The partner is owed 500.00 CNY besides its payouts" in text(done)
    assert Adjustment.objects.get().state == AdjustmentState.CONFIRMED
    assert sum(LedgerEntry.objects.values_list("amount", flat=True)) == 0
    # What was foreseen is what carrying it over does.
    sign_in("olga").post(f"/operator/payouts/{payout.pk}/carry", {"version": str(now(payout).version)})
    assert now(payout).payable == Decimal("2500.00")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"amount": "1.005"}, "2 decimal places"),
        ({"amount": ""}, "required"),
        ({"reason": " "}, "required"),
        ({"amount": "0", "sure": "1"}, "Give an amount other than zero"),
        ({"kind": "difference"}, "valid choice"),
        ({"program": "POP-9"}, "valid choice"),
        ({"kind": "recovery", "sure": "1"}, "Give the bank's reference"),
        ({"kind": "write_off", "sure": "1"}, "The partner owes 0.00"),
    ],
)
def test_what_cant_be_adjusted_is_told(world: World, sign_in: SignIn, typed: dict[str, str], said: str) -> None:
    answer = sign_in("fiona").post(f"{ACCOUNT}/adjust", given(**typed))
    assert answer.status_code == 422
    assert said in text(answer)
    assert not Adjustment.objects.exists()


def test_nobody_decides_on_what_they_proposed(world: World, sign_in: SignIn) -> None:
    made = proposed(world)
    RoleGrant.objects.create(user=world.olga, role=Role.APPROVER)
    olga = sign_in("olga")
    path = f"/operator/ledger/adjustments/{made.pk}"
    assert "Confirm 500.00 CNY" not in text(olga.get(ACCOUNT))
    refused = olga.post(f"{path}/confirm", {"version": "1"}, follow=True)
    assert "You proposed this adjustment; a second person has to decide on it." in text(refused)
    olga.post(f"{path}/decline", {"version": "1", "text": "A slip."})
    assert Adjustment.objects.get().state == AdjustmentState.WITHDRAWN
    late = sign_in("omar").post(f"{path}/confirm", {"version": "1"}, follow=True)
    assert "Olga has decided on this adjustment at" in text(late)
    assert not LedgerEntry.objects.exists()


def test_an_adjustment_is_declined_with_a_reason(world: World, sign_in: SignIn) -> None:
    made = proposed(world)
    omar = sign_in("omar")
    path = f"/operator/ledger/adjustments/{made.pk}"
    assert "Give a reason" in text(omar.post(f"{path}/decline", {"version": "1", "text": ""}, follow=True))
    omar.post(f"{path}/decline", {"version": "1", "text": "Not so."})
    rows = omar.get("/operator/ledger?show=adjustments&state=declined").context["rows"]
    assert [(view.id, view.decision_reason) for view, _, _ in rows] == [(made.pk, "Not so.")]
    assert omar.get("/operator/ledger?show=adjustments&state=proposed").context["rows"] == []
    for bad in ({"version": ""}, {}):
        assert omar.post(f"{path}/confirm", bad).status_code == 404
    assert omar.post(f"{path}/forget", {"version": "1"}).status_code == 404


def test_who_belongs_to_a_partner_doesnt_adjust_it(world: World, sign_in: SignIn) -> None:
    Membership.objects.create(partner=world.haiqiao, user=world.fiona, role=Role.VIEWER)
    fiona = sign_in("fiona")
    assert "Adjust the account" not in text(fiona.get(ACCOUNT))
    for sure in ("", "1"):
        assert "You belong to this partner" in text(fiona.post(f"{ACCOUNT}/adjust", given(sure=sure), follow=True))
    assert not Adjustment.objects.exists()


def test_the_auditor_reads_all_and_changes_nothing(world: World, payout: Payout) -> None:
    made = proposed(world)
    auditor = Client(headers={"accept-language": "en"})
    auditor.force_login(make_user("audrey", Role.AUDITOR))
    for path in ("/operator/ledger", "/operator/ledger?show=adjustments", ACCOUNT):
        page = auditor.get(path)
        assert page.status_code == 200
        assert b'method="post" action="/operator/' not in page.content, path
    for path, typed in (
        (f"{ACCOUNT}/adjust", given()),
        (f"{ACCOUNT}/adjust", given(sure="1")),
        (f"/operator/ledger/adjustments/{made.pk}/confirm", {"version": "1"}),
        (f"/operator/ledger/adjustments/{made.pk}/decline", {"version": "1", "text": "because"}),
    ):
        assert "Your role doesn't allow you" in text(auditor.post(path, typed, follow=True)), path
    assert [each.state for each in Adjustment.objects.all()] == [AdjustmentState.PROPOSED]


def test_the_pages_ask_as_often_for_many_as_for_two(world: World, sign_in: SignIn, payout: Payout) -> None:
    fiona = sign_in("fiona")
    paths = [f"/operator/ledger?show={show}" for show in ("balances", "entries", "accounts", "adjustments")]
    paths.append(ACCOUNT)

    def asked() -> list[int]:
        found = []
        for path in paths:
            with CaptureQueriesContext(connection) as queries:
                assert fiona.get(path).status_code == 200
            found.append(len(queries))
        return found

    def move(number: int) -> None:
        confirm_adjustment(actor=world.actor("omar"), adjustment=proposed(world, "-5.00"))
        proposed(world)
        other = make_partner(f"more-{number}")
        submit_run(actor=world.actor("olga"), run=make_run(world.program, [Spec(f"X-{number}", other)]), at=AFTER_CLOSE)
        approve_payout(actor=world.actor("omar"), payout=Payout.objects.get(partner=other))

    move(0)
    asked()
    few = asked()
    for number in range(1, 9):
        move(number)
    assert asked() == few
    assert max(few) <= 20


def test_to_partners_and_strangers_there_is_nothing_here(world: World, sign_in: SignIn, payout: Payout) -> None:
    made = proposed(world)
    reads = ("/operator/ledger", "/operator/ledger.csv", ACCOUNT)
    posts = (f"{ACCOUNT}/adjust", f"/operator/ledger/adjustments/{made.pk}/confirm")
    for who in ("alice", "charlie"):
        client = sign_in(who)
        for path in reads:
            assert client.get(path).status_code == 404, path
        for path in posts:
            assert client.post(path, given(version="1", sure="1")).status_code == 404, path
    for path in posts:
        assert Client().post(path, given(version="1")).status_code == 302
    fiona = sign_in("fiona")
    assert fiona.get("/operator/ledger/partners/nobody").status_code == 404
    assert sign_in("omar").post("/operator/ledger/adjustments/999999/confirm", {"version": "1"}).status_code == 404
    assert [each.state for each in Adjustment.objects.all()] == [AdjustmentState.PROPOSED]
