"""Payouts in the admin dashboard: the table, one payout, and what is decided on both."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incentives.models import BulkDecision, Payout
from incentives.services import hold_line, hold_payout, submit_run, void_line
from incentives.states import PayoutState, Verdict
from tests.console.payouts import chosen, in_bulk, now
from tests.console.reading import text
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_partner, make_run

SignIn = Callable[..., Client]


def test_the_table_opens_with_what_is_in_review(world: World, sign_in: SignIn, payout: Payout) -> None:
    page = sign_in("omar").get("/operator/payouts")
    said = text(page)
    assert "2 payouts here, together 4,000.00 CNY." in said
    assert "海桥物流" in said
    assert "1 / 3" in said  # high-risk of introduced
    assert "−2,000.00 50% is paid" in said
    assert "You can approve 2." in said
    assert {chip.label: (chip.count, chip.chosen) for chip in page.context["chips"]} == {
        "In review": (2, True),
        "Held": (0, False),
        "Discounted": (1, False),
        "Changed since the run before": (0, False),
        "Approved": (0, False),
        "All payouts": (2, False),
    }


def test_the_address_narrows_and_sorts(world: World, sign_in: SignIn, payout: Payout, others: Payout) -> None:
    hold_payout(actor=world.actor("fiona"), payout=others, reason="The bank asks.")
    omar = sign_in("omar")

    def shown(query: str) -> list[int]:
        return [row.payout.id for row in omar.get(f"/operator/payouts?{query}").context["rows"]]

    assert shown("held=true") == [others.pk]
    assert shown("state=in_review&discounted=true") == [payout.pk]
    assert shown("search=haiq") == [payout.pk]
    assert shown("state=approved") == []
    assert shown("ordering=partner") == [payout.pk, others.pk]
    assert shown("ordering=-partner") == [others.pk, payout.pk]
    assert shown("every=1&program=POP-2026Q1&partner=rival") == [others.pk]
    assert shown("every=1&run=999999") == []
    assert shown("run=nonsense&state=neither") == sorted([payout.pk, others.pk], reverse=True)


def test_a_chip_keeps_the_search_and_counts_in_it(world: World, sign_in: SignIn, payout: Payout) -> None:
    page = sign_in("omar").get("/operator/payouts?search=haiq")
    counts = {chip.label: (chip.count, chip.query) for chip in page.context["chips"]}
    assert counts["In review"] == (1, "search=haiq&state=in_review")
    assert counts["All payouts"] == (1, "search=haiq&every=1")


def test_what_changed_since_the_run_before_is_found_and_told(world: World, sign_in: SignIn) -> None:
    later = make_run(
        world.program,
        [
            Spec("S-1", world.haiqiao),
            Spec("S-2", world.haiqiao),
            Spec("S-3", world.haiqiao, Verdict.NOT_ELIGIBLE, high_risk=True),
            Spec("S-4", world.rival),
            Spec("S-5", world.rival),
        ],
    )
    submit_run(actor=world.actor("olga"), run=later, at=AFTER_CLOSE)
    page = sign_in("omar").get("/operator/payouts?state=in_review&changed=true")
    rows = page.context["rows"]
    assert [row.payout.partner_code for row in rows] == ["rival"]
    assert (rows[0].since.before_id, rows[0].since.shops, rows[0].since.net) == (world.run.pk, 1, Decimal("2000.00"))
    assert "+1 shop, +2,000.00" in text(page)
    same = sign_in("omar").get("/operator/payouts?state=in_review&changed=false")
    assert [row.payout.partner_code for row in same.context["rows"]] == ["haiqiao"]
    assert rows[0].payout.id not in [row.payout.id for row in same.context["rows"]]


def test_the_file_has_what_the_address_asks_for(world: World, sign_in: SignIn, payout: Payout) -> None:
    omar = sign_in("omar")
    lines = b"".join(omar.get("/operator/payouts.csv?search=haiq")).decode().splitlines()
    assert lines[0].startswith("payout,program,run,partner_code,partner_name,state,held,live_lines")
    assert len(lines) == 2
    assert (
        f"{payout.pk},POP-2026Q1,{world.run.pk},haiqiao,海桥物流,in_review,,2,0,0,0,3,1,4000.00,0.5,2000.00" in lines[1]
    )
    assert len(b"".join(omar.get("/operator/payouts.csv")).decode().splitlines()) == 3


def test_the_table_asks_as_often_for_forty_payouts_as_for_one(world: World, sign_in: SignIn) -> None:
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE, partners=[world.haiqiao])
    omar = sign_in("omar")

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert omar.get(path).status_code == 200
        return len(queries)

    asked("/operator/payouts")
    few = asked("/operator/payouts")
    few_chosen = asked("/operator/payouts/decide?step=approve&fit=1")
    many = make_run(world.program, [Spec(f"M-{n}", make_partner(f"many-{n}", payee=False)) for n in range(40)])
    submit_run(actor=world.actor("olga"), run=many, at=AFTER_CLOSE)
    assert len(omar.get("/operator/payouts").context["rows"]) == 41
    assert asked("/operator/payouts") == few
    assert asked("/operator/payouts/decide?step=approve&fit=1") == few_chosen
    assert few <= 20


def test_who_changed_one_of_many_cant_approve_that_one(
    world: World, sign_in: SignIn, payout: Payout, others: Payout
) -> None:
    void_line(actor=world.actor("omar"), line=payout.lines.get(shop__code="S-2"), reason="Not a merchant.")
    omar = sign_in("omar")
    assert "You can approve 1; 1 you submitted, changed or belong to." in text(omar.get("/operator/payouts"))
    before = text(omar.get("/operator/payouts/decide?step=approve&fit=1"))
    assert "Approve 1 payout · 2,000.00 CNY" in before
    assert "You changed this payout; a second person has to approve it." in before
    assert "Finished: 1 done, 1 left as they were." in in_bulk(omar, "approve", now(payout), others)
    assert (now(payout).state, now(others).state) == (PayoutState.IN_REVIEW, PayoutState.APPROVED)


def test_a_held_payout_says_why_in_the_table(world: World, sign_in: SignIn, payout: Payout, others: Payout) -> None:
    hold_payout(actor=world.actor("fiona"), payout=others, reason="The bank asks for papers.")
    hold_line(actor=world.actor("fiona"), line=payout.lines.get(shop__code="S-1"), reason="A second look.")
    rows = sign_in("omar").get("/operator/payouts").context["rows"]
    assert {row.payout.partner_code: row.held_for for row in rows} == {
        "rival": "The bank asks for papers.",
        "haiqiao": "A second look.",
    }


def test_many_are_approved_by_a_second_person(world: World, sign_in: SignIn, payout: Payout, others: Payout) -> None:
    omar = sign_in("omar")
    before = text(omar.get(f"/operator/payouts/decide?step=approve&payout={payout.pk}:1&payout={others.pk}:1"))
    assert "Approve 2 payouts · 4,000.00 CNY" in before
    assert "These amounts will be owed to the partners" in before
    assert "Finished: 2 done, 0 left as they were." in in_bulk(omar, "approve", payout, others)
    assert {now(payout).state, now(others).state} == {PayoutState.APPROVED}


def test_all_that_fit_are_taken_from_the_address(world: World, sign_in: SignIn, payout: Payout) -> None:
    page = sign_in("omar").get("/operator/payouts/decide?step=approve&fit=1&state=in_review&discounted=true")
    assert "Approve 1 payout · 2,000.00 CNY" in text(page)
    assert page.context["chosen"] == f"{payout.pk}:1"


def test_a_decision_on_many_waits_and_says_so(world: World, sign_in: SignIn, payout: Payout) -> None:
    omar = sign_in("omar")
    answer = omar.post("/operator/payouts/decide", {"step": "approve", "chosen": chosen(payout)})
    page = omar.get(answer.headers["Location"])
    assert "0% done, 1 still waiting." in text(page)
    assert 'hx-trigger="every 1s"' in page.content.decode()


def test_many_are_held_with_a_reason_only(world: World, sign_in: SignIn, payout: Payout, others: Payout) -> None:
    fiona = sign_in("fiona")
    given = {"step": "hold", "chosen": chosen(payout, others), "text": "  "}
    refused = fiona.post("/operator/payouts/decide", given)
    assert refused.status_code == 422
    assert "Give a reason: the partner will read it." in text(refused)
    assert not BulkDecision.objects.exists()
    said = in_bulk(fiona, "hold", payout, others, reason="The bank asks.")
    assert "Finished: 2 done, 0 left as they were." in said
    assert now(payout).held
    assert now(others).held


def test_one_of_many_that_changed_meanwhile_is_left_and_told(
    world: World, sign_in: SignIn, payout: Payout, others: Payout
) -> None:
    hold_payout(actor=world.actor("fiona"), payout=others, reason="The bank asks.")
    said = in_bulk(sign_in("omar"), "approve", payout, others)
    assert "Finished: 1 done, 1 left as they were." in said
    assert "Fiona changed this payout at" in said
    assert now(others).state == PayoutState.IN_REVIEW


@pytest.mark.parametrize("query", ["step=approve", "step=approve&payout=x:1&payout=1:", "step=hold&fit=1&search=zzz"])
def test_without_a_choice_nothing_is_decided(world: World, sign_in: SignIn, payout: Payout, query: str) -> None:
    answer = sign_in("omar").get(f"/operator/payouts/decide?{query}", follow=True)
    assert answer.redirect_chain == [("/operator/payouts", 302)]
    assert "Choose at least one payout" in text(answer)
    assert sign_in("omar").get("/operator/payouts/decide?step=mark_paid&fit=1").status_code == 404
    assert sign_in("omar").post("/operator/payouts/decide", {"step": "approve", "chosen": ""}).status_code == 404


def test_the_queues_of_today_lead_here(world: World, sign_in: SignIn, payout: Payout) -> None:
    omar = sign_in("omar")
    assert 'href="/operator/payouts?state=in_review"' in omar.get("/operator/").content.decode()
    assert 'href="/operator/payouts?held=true"' in omar.get("/operator/").content.decode()


def test_to_partners_and_strangers_there_is_nothing_here(
    world: World, sign_in: SignIn, payout: Payout, others: Payout
) -> None:
    line, foreign = payout.lines.order_by("pk")[0], others.lines.order_by("pk")[0]
    posted = [
        "decide",
        f"{payout.pk}/approve",
        f"{payout.pk}/note",
        f"{payout.pk}/lines/{line.pk}/void",
        f"{payout.pk}/adjustments/1/confirm",
    ]
    given = {"version": "1", "text": "because", "step": "approve", "chosen": chosen(payout)}
    for who in ("alice", "charlie"):
        client = sign_in(who)
        for path in ("", ".csv", "/decide?step=approve&fit=1", "/bulk/1", f"/{payout.pk}"):
            assert client.get(f"/operator/payouts{path}").status_code == 404, path
        for path in posted:
            assert client.post(f"/operator/payouts/{path}", given).status_code == 404, path
    for path in posted:
        assert Client().post(f"/operator/payouts/{path}", given).status_code == 302
    omar = sign_in("omar")
    assert omar.get("/operator/payouts/999999").status_code == 404
    assert omar.get("/operator/payouts/bulk/999999").status_code == 404
    # A line of another payout is none of this one.
    assert omar.post(f"/operator/payouts/{payout.pk}/lines/{foreign.pk}/void", given).status_code == 404
    assert omar.post(f"/operator/payouts/{payout.pk}/lines/{line.pk}/nonsense", given).status_code == 404
    assert omar.post(f"/operator/payouts/{payout.pk}/nonsense", given).status_code == 404
    assert now(payout).version == 1
