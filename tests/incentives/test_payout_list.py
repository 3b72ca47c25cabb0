"""The list of a partner's payouts, the statement's picture of them, and what a payment needs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from core.errors import Conflict
from incentives.models import Decision, Payout
from incentives.queries import statement_of
from incentives.queries.waterfall import stages, waterfall
from incentives.services import (
    approve_payout,
    hold_payout,
    mark_paid,
    refuse_payment,
    start_payment,
    submit_run,
    void_payout,
)
from partners.models import Payee
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_program, make_run, make_world
from tests.partners.payees import details, state

pytestmark = pytest.mark.django_db
PAGE = "/partner/statements"
LATER = AFTER_CLOSE + timedelta(days=1)


def browser(user: Any, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def text(answer: Any) -> str:
    page = answer.content.decode().partition("<main")[2].replace("&#x27;", "'")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def approved(world: World) -> Payout:
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    payout = Payout.objects.get(partner=world.haiqiao)
    return approve_payout(actor=world.actor("omar"), payout=payout, at=LATER)


# --- What a payment needs -----------------------------------------------------------------------------------


def test_nothing_is_paid_without_a_confirmed_account(world: World, settings: Any) -> None:
    payout = approved(world)
    fiona = world.actor("fiona")
    Payee.objects.filter(partner=world.haiqiao).update(state="replaced", version=2)
    with pytest.raises(Conflict) as refused:
        start_payment(actor=fiona, payout=payout)
    assert refused.value.code == "no_payee"
    waiting = state(world.actor("alice"), world.haiqiao)
    with pytest.raises(Conflict) as refused:
        start_payment(actor=fiona, payout=payout)
    assert refused.value.code == "payee_waiting"
    payout.refresh_from_db()
    assert (payout.state, Decision.objects.filter(kind="start_payment").count()) == ("approved", 0)
    settings.PAYMENT_NEEDS_PAYEE = False
    start_payment(actor=fiona, payout=payout)
    assert waiting.state == "waiting"


def test_nothing_is_paid_while_a_change_waits_and_the_payment_names_its_account(world: World) -> None:
    payout = approved(world)
    before = Payee.objects.get(partner=world.haiqiao)
    change = state(world.actor("alice"), world.haiqiao, account_number="6228480402564891107")
    with pytest.raises(Conflict) as refused:
        start_payment(actor=world.actor("fiona"), payout=payout)
    assert refused.value.code == "payee_waiting"
    page = text(browser(world.alice).get("/partner/POP-2026Q1/payout"))
    assert "A new account waits for the marketplace's confirmation. Nothing is paid until then." in page
    Payee.objects.filter(pk=change.pk).update(state="withdrawn", version=2)
    start_payment(actor=world.actor("fiona"), payout=payout)
    assert Decision.objects.get(kind="start_payment").details["payee"] == before.pk
    assert details().country == "CN"


# --- The list -----------------------------------------------------------------------------------------------


def test_the_list_says_what_is_owed_held_paid_and_provisional(world: World) -> None:
    alice = browser(world.alice)
    before = text(alice.get(PAGE))
    assert "Nothing has been submitted yet." in before
    assert "4,000.00 CNY" in before
    assert "provisional" in before
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    in_review = text(alice.get(PAGE))
    assert "Nothing is owed to you at present." in in_review
    assert "In review, provisional 4,000.00" in in_review
    payout = approve_payout(actor=world.actor("omar"), payout=Payout.objects.get(partner=world.haiqiao), at=LATER)
    owed = text(alice.get(PAGE))
    assert "You are owed 4,000.00 CNY from 1 payout." in owed
    assert "provisional" not in owed.partition("Payouts")[2].replace("In review, provisional", "")
    hold_payout(actor=world.actor("olga"), payout=payout, reason="Two shops are looked into.", at=LATER)
    held = text(alice.get(PAGE))
    assert "Of it 4,000.00 CNY is held." in held
    assert "Two shops are looked into." in held
    assert "Held: 4,000.00 CNY are neither approved nor paid" in text(alice.get("/partner/POP-2026Q1/payout"))


def test_the_list_is_narrowed_by_program_and_state(world: World) -> None:
    approved(world)
    other = make_program("POP-2026Q2")
    run = make_run(other, [Spec("S-50", world.haiqiao)])
    submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE)
    third = make_program("POP-2026Q3")
    make_run(third, [Spec("S-60", world.haiqiao)])
    alice = browser(world.alice)

    def rows(query: str) -> set[str]:
        return set(re.findall(r"/partner/(POP-[^/]+)/payout", alice.get(f"{PAGE}?{query}").content.decode()))

    assert rows("") == {"POP-2026Q1", "POP-2026Q2", "POP-2026Q3"}
    assert rows("program=POP-2026Q2") == {"POP-2026Q2"}
    assert rows("state=approved") == {"POP-2026Q1"}
    assert rows("state=computed") == {"POP-2026Q3"}
    assert rows("state=paid") == set()
    assert "No payout is like that." in text(alice.get(f"{PAGE}?state=paid"))


def test_a_rival_sees_its_own_alone(world: World) -> None:
    mine = approved(world)
    charlie = browser(world.charlie)
    assert charlie.get(f"{PAGE}?partner=haiqiao").status_code == 404
    page = charlie.get(PAGE).content.decode()
    assert f"payout={mine.pk}" not in page
    assert "海桥物流" not in page
    olga = browser(world.olga)
    assert olga.get(PAGE).status_code == 404
    assert f"payout={mine.pk}" in olga.get(f"{PAGE}?partner=haiqiao").content.decode()


def test_more_payouts_cost_no_more_queries(world: World, django_assert_max_num_queries: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    alice = browser(world.alice)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert alice.get(PAGE).status_code == 200
        return len(seen)

    approved(world)
    queries()
    few = queries()
    for number in range(5):
        program = make_program(f"POP-202{number}", year=2020 + number)
        run = make_run(program, [Spec(f"S-2{number}", world.haiqiao)])
        if number % 2:
            submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE)
    assert queries() <= few + 1  # the reasons of holds, and previews' runs, once each


# --- The picture --------------------------------------------------------------------------------------------


def test_the_waterfall_and_the_stages_follow_the_money(db: None) -> None:
    world = make_world(discount={"tiers": [{"from": "0.01", "pay": "0.90"}], "example": True})
    alice = world.actor("alice")

    def now() -> Any:
        found = statement_of(actor=alice, run=world.run, partner_id=world.haiqiao.pk)
        assert found is not None
        return found

    assert [(stage.look, stage.at is not None) for stage in stages(now())] == [
        ("here", True),
        ("", False),
        ("", False),
        ("", False),
        ("", False),
    ]
    payout = approved(world)
    chart = waterfall(now())
    assert [(bar.kind, f"{bar.amount:.2f}") for bar in chart.bars] == [
        ("whole", "4000.00"),
        ("less", "-400.00"),
        ("whole", "3600.00"),
    ]
    base, discount, payable = chart.bars
    assert discount.x + discount.width == pytest.approx(base.x + base.width, abs=0.2)
    assert payable.x + payable.width == pytest.approx(discount.x, abs=0.2)
    fiona = world.actor("fiona")
    start_payment(actor=fiona, payout=payout, at=LATER)
    assert [stage.look for stage in stages(now())] == ["done", "done", "done", "here", ""]
    refuse_payment(actor=fiona, payout=payout, reason="Closed account.", at=LATER)
    assert [stage.look for stage in stages(now())] == ["done", "done", "here", "", ""]
    start_payment(actor=fiona, payout=payout, at=LATER)
    mark_paid(actor=fiona, payout=payout, reference="B-1", at=LATER)
    assert [stage.look for stage in stages(now())] == ["done", "done", "done", "done", "here"]
    rival = Payout.objects.get(partner=world.rival)
    void_payout(actor=world.actor("olga"), payout=rival, reason="Forged.", at=LATER)
    gone = statement_of(actor=world.actor("charlie"), run=world.run, partner_id=world.rival.pk)
    assert gone is not None
    assert [stage.look for stage in stages(gone)] == ["done", "done", "stop"]
