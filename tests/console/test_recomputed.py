"""Runs after a payout, by the pages: what was approved stays, the difference is carried, a void bars (POLICY 6)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.test import Client

from core import audit
from incentives.models import Adjustment, LedgerEntry, Payout, PayoutLine, Run
from incentives.states import LineState, PayoutState, Verdict
from tests.console.payouts import now, take
from tests.console.reading import text
from tests.incentives.factories import Spec, World, make_program, make_run

SignIn = Callable[..., Client]


def submitted(client: Client, run: Run, *codes: str) -> Any:
    """Submit these partners' payouts on the run's page, for the amount that it says."""
    page = f"/operator/runs/{run.pk}/submit"
    plan = client.get(page).context["plan"]
    payable = sum((each.payable for each in plan.payouts if each.partner_code in codes), Decimal(0))
    form = {"partner": list(codes), "seen": str(len(codes)), "shown": str(payable), "text": "As agreed."}
    answer = client.post(page, form, follow=True)
    assert answer.status_code == 200, text(answer)
    return answer


def in_review(world: World) -> Payout:
    return Payout.objects.get(partner=world.haiqiao, state=PayoutState.IN_REVIEW)


def as_it_stands(payout: Payout) -> list[Any]:
    """The payout and its lines, every column."""
    found = Payout.objects.filter(pk=payout.pk)
    return [*found.values(), *PayoutLine.objects.filter(payout=payout).order_by("pk").values()]


def the_books_add_up() -> bool:
    totals: dict[int, Decimal] = {}
    for posting, amount in LedgerEntry.objects.values_list("posting", "amount"):
        totals[posting] = totals.get(posting, Decimal(0)) + amount
    return not any(totals.values()) and audit.verify_chain().intact


def test_recomputed_approved_recomputed_again(world: World, sign_in: SignIn) -> None:
    olga, omar, alice = sign_in("olga"), sign_in("omar"), sign_in("alice")
    submitted(olga, world.run, "haiqiao")
    first = in_review(world)
    take(omar, first, "return", text="S-2 had no sales.")

    # Recomputed: one shop less. Approved as it is then.
    again = make_run(world.program, [Spec("S-1", world.haiqiao), Spec("S-2", world.haiqiao, Verdict.NOT_ELIGIBLE)])
    submitted(olga, again, "haiqiao")
    payout = in_review(world)
    assert (now(first).state, payout.payable) == (PayoutState.RETURNED, Decimal("2000.00"))
    take(omar, payout, "approve")
    assert the_books_add_up()
    approved, read = as_it_stands(payout), text(alice.get("/partner/POP-2026Q1/payout"))
    assert "2,000.00" in read

    # Recomputed again: S-2 has sold after all. What was approved is as it was, for the partner too.
    make_run(world.program, [Spec("S-1", world.haiqiao), Spec("S-2", world.haiqiao)])
    said = text(olga.get(f"/operator/payouts/{payout.pk}"))
    assert "would pay 2,000.00 CNY more." in said
    assert "S-2" in said
    assert as_it_stands(payout) == approved
    assert "2,000.00" in text(alice.get("/partner/POP-2026Q1/payout"))

    # The difference becomes an adjustment by two people, and goes into the next payout.
    take(olga, payout, "settle_difference", text="S-2 has sold after all.", amount="2000.00")
    made = Adjustment.objects.get(payout=payout)
    path = f"/operator/payouts/{payout.pk}/adjustments/{made.pk}/confirm"
    assert "the partner's next payout has 2,000.00 CNY" in text(omar.post(path, {"version": made.version}, follow=True))
    lines = as_it_stands(payout)[1:]
    assert lines[: len(approved) - 1] == approved[1:]
    # One more says that S-2 has its place by the adjustment; it isn't in this payout's amount.
    assert [(each["state"], each["amount"]) for each in lines[len(approved) - 1 :]] == [
        (LineState.ADDED, Decimal("2000.00"))
    ]
    assert (now(payout).payable, now(payout).state) == (Decimal("2000.00"), PayoutState.APPROVED)
    assert the_books_add_up()
    following = make_run(make_program("POP-NEXT"), [Spec("N-1", world.haiqiao)])
    submitted(olga, following, "haiqiao")
    carried = in_review(world)
    assert (carried.adjustments, carried.payable) == (Decimal(2000), Decimal(4000))
    assert "4,000.00 CNY" in text(omar.get(f"/operator/payouts/{carried.pk}"))
    assert the_books_add_up()


def test_a_voided_merchant_is_not_paid_by_the_next_submission(world: World, sign_in: SignIn) -> None:
    olga, omar = sign_in("olga"), sign_in("omar")
    submitted(olga, world.run, "haiqiao")
    first = in_review(world)
    line = first.lines.get(shop__code="S-1")
    omar.post(
        f"/operator/payouts/{first.pk}/lines/{line.pk}/void",
        {"version": str(first.version), "text": "A forged licence."},
    )
    assert PayoutLine.objects.get(pk=line.pk).state == LineState.VOID
    take(omar, first, "return", text="Again, please.")

    # The next run has it; its submission says beforehand and afterwards that it isn't paid, and doesn't.
    later = make_run(world.program, [Spec("S-1", world.haiqiao), Spec("S-2", world.haiqiao)])
    page = olga.get(f"/operator/runs/{later.pk}/submit")
    assert [(each.shop_code, each.code) for each in page.context["plan"].withheld] == [("S-1", "merchant_barred")]
    assert "S-1" in text(page)
    submitted(olga, later, "haiqiao")
    payout = in_review(world)
    assert {each.shop.code: each.state for each in payout.lines.select_related("shop")} == {
        "S-1": LineState.WITHHELD,
        "S-2": LineState.LIVE,
    }
    assert payout.payable == Decimal("2000.00")
    take(omar, payout, "approve")
    assert the_books_add_up()
