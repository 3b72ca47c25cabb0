"""One payout in the admin dashboard: what it says, and what is decided on it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.actors import Role
from core.models import AuditEvent, RoleGrant
from incentives.models import Adjustment, BulkDecision, Decision, Payout, PayoutNote
from incentives.services import hold_payout, submit_run
from incentives.states import AdjustmentState, LineState, PayoutState, Verdict
from tests.console.payouts import chosen, now, paid, take
from tests.console.reading import text
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_partner, make_run, make_user

SignIn = Callable[..., Client]


def test_a_payout_asks_as_often_for_many_lines_as_for_two(world: World, sign_in: SignIn, payout: Payout) -> None:
    omar = sign_in("omar")
    other = make_partner("many")
    more = make_run(world.program, [Spec(f"N-{n}", other) for n in range(20)])
    submit_run(actor=world.actor("olga"), run=more, at=AFTER_CLOSE)

    def asked(found: Payout) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert omar.get(f"/operator/payouts/{found.pk}").status_code == 200
        return len(queries)

    asked(payout)
    assert asked(Payout.objects.get(partner=other)) == asked(payout) <= 40


def test_a_payout_says_what_it_is_made_of(world: World, sign_in: SignIn, payout: Payout) -> None:
    page = sign_in("omar").get(f"/operator/payouts/{payout.pk}")
    said = text(page)
    assert "海桥物流 · 2,000.00 CNY" in said
    assert "Discount (50% is paid) −2,000.00" in said
    assert 'href="/operator/POP-2026Q1/shops/S-1"' in page.content.decode()
    assert "Submitted · Olga" in said
    assert "No run was published before this one." in said


def test_approving_says_before_what_it_does_and_after_what_it_did(
    world: World, sign_in: SignIn, payout: Payout
) -> None:
    omar = sign_in("omar")
    assert "2,000.00 CNY will be owed to 海桥物流 and can be paid" in text(omar.get(f"/operator/payouts/{payout.pk}"))
    said = text(take(omar, payout, "approve"))
    assert "Approved. The payout comes to 2,000.00 CNY and is: Approved." in said
    assert (now(payout).state, now(payout).approved_by) == (PayoutState.APPROVED, world.omar)
    assert "Approve 2,000.00 CNY" not in said


def test_an_approval_of_what_has_changed_is_refused_and_shows_what_has(
    world: World, sign_in: SignIn, payout: Payout
) -> None:
    hold_payout(actor=world.actor("fiona"), payout=payout, reason="The bank asks for papers.")
    answer = sign_in("omar").post(f"/operator/payouts/{payout.pk}/approve", {"version": "1"})
    assert answer.status_code == 409
    said = text(answer)
    assert "Nothing was decided: the payout has changed since you opened it." in said
    assert "Fiona changed this payout at" in said
    assert "Held · Fiona" in said
    assert "The bank asks for papers." in said
    assert now(payout).state == PayoutState.IN_REVIEW
    assert not AuditEvent.objects.filter(action="payout.approved").exists()


@pytest.mark.parametrize("version", [{}, {"version": ""}, {"version": "-1"}, {"version": "9" * 30}])
def test_without_the_version_that_was_seen_nothing_is_decided(
    world: World, sign_in: SignIn, payout: Payout, version: dict[str, str]
) -> None:
    assert sign_in("omar").post(f"/operator/payouts/{payout.pk}/approve", version).status_code == 404
    assert now(payout).state == PayoutState.IN_REVIEW


def test_a_line_is_voided_and_the_void_undone(world: World, sign_in: SignIn, payout: Payout) -> None:
    olga = sign_in("olga")
    line = payout.lines.get(shop__code="S-2")
    said = text(olga.get(f"/operator/payouts/{payout.pk}?line={line.pk}"))
    assert "The payout falls from 2,000.00 CNY to 1,000.00 CNY" in said
    path = f"/operator/payouts/{payout.pk}/lines/{line.pk}"
    no_reason = olga.post(f"{path}/void", {"version": "1", "text": ""}, follow=True)
    assert "Give a reason" in text(no_reason)
    voided = olga.post(f"{path}/void", {"version": "1", "text": "Not a merchant."}, follow=True)
    assert "(S-2). The payout comes to 1,000.00 CNY now." in text(voided)
    assert now(payout).payable == Decimal("1000.00")
    said = text(olga.get(f"/operator/payouts/{payout.pk}?line={line.pk}"))
    assert "the payout rises from 1,000.00 CNY to 2,000.00 CNY" in said
    olga.post(f"{path}/undo_void", {"version": "2", "text": ""})
    assert (now(payout).payable, payout.lines.get(pk=line.pk).state) == (Decimal("2000.00"), LineState.LIVE)


def test_a_line_is_held_and_stops_its_payout_until_it_is_released(
    world: World, sign_in: SignIn, payout: Payout
) -> None:
    fiona = sign_in("fiona")
    line = payout.lines.get(shop__code="S-1")
    path = f"/operator/payouts/{payout.pk}/lines/{line.pk}"
    fiona.post(f"{path}/hold", {"version": "1", "text": "A second look."})
    said = text(sign_in("omar").get(f"/operator/payouts/{payout.pk}"))
    assert "Held because of the line of S-1. A second look." in said
    assert "You can't approve this one: The payout is held" in said
    fiona.post(f"{path}/release", {"version": "2", "text": ""})
    assert not now(payout).held


def test_a_payout_is_held_released_returned_and_voided(
    world: World, sign_in: SignIn, payout: Payout, others: Payout
) -> None:
    olga = sign_in("olga")
    take(olga, payout, "hold", text="A question.")
    assert now(payout).held
    take(olga, payout, "release")
    assert not now(payout).held
    assert "Returned. The payout" in text(take(olga, payout, "return", text="Wrong quarter."))
    assert now(payout).state == PayoutState.RETURNED
    assert "Voided; the void can be undone" in text(take(olga, others, "void", text="Cheating."))
    assert now(others).state == PayoutState.VOID
    assert "The void is undone" in text(take(olga, others, "undo_void"))
    assert now(others).state == PayoutState.IN_REVIEW


def test_all_money_of_a_partner_is_held_and_released(world: World, sign_in: SignIn, payout: Payout) -> None:
    fiona = sign_in("fiona")
    assert "All money of 海桥物流 is held" in text(take(fiona, payout, "hold_partner", text="Under inquiry."))
    said = text(fiona.get(f"/operator/payouts/{payout.pk}"))
    assert "All money of this partner is held. Under inquiry." in said
    assert "Release all money of 海桥物流" in said
    take(fiona, payout, "release_partner")
    assert not now(payout).held


def test_paid_money_is_clawed_back_from_a_line(world: World, sign_in: SignIn, payout: Payout) -> None:
    paid(world, payout)
    line = payout.lines.get(shop__code="S-2")
    omar = sign_in("omar")
    assert "Claw back the line of S-2" in text(omar.get(f"/operator/payouts/{payout.pk}?line={line.pk}"))
    omar.post(
        f"/operator/payouts/{payout.pk}/lines/{line.pk}/claw_back",
        {"version": str(now(payout).version), "text": "A late violation."},
    )
    assert payout.lines.get(pk=line.pk).state == LineState.CLAWED_BACK
    assert now(payout).state == PayoutState.PAID


def test_a_later_runs_difference_is_shown_proposed_and_confirmed_by_a_second_person(
    world: World, sign_in: SignIn, payout: Payout
) -> None:
    paid(world, payout)
    make_run(
        world.program,
        [Spec("S-1", world.haiqiao), Spec("S-2", world.haiqiao), Spec("S-3", world.haiqiao, Verdict.NOT_ELIGIBLE)],
    )
    olga, omar = sign_in("olga"), sign_in("omar")
    said = text(olga.get(f"/operator/payouts/{payout.pk}"))
    assert "would pay 2,000.00 CNY more." in said
    assert "Propose 2,000.00 CNY" in said
    stale = take(olga, payout, "settle_difference", text="No closure after all.", amount="1.00")
    assert "Look at it again." in text(stale)
    take(olga, payout, "settle_difference", text="No closure after all.", amount="2000.00")
    made = Adjustment.objects.get(payout=payout)
    path = f"/operator/payouts/{payout.pk}/adjustments/{made.pk}"
    said = text(olga.get(f"/operator/payouts/{payout.pk}"))
    assert "Confirm 2,000.00 CNY" not in said
    assert "Withdraw it" in said
    RoleGrant.objects.create(user=world.olga, role=Role.APPROVER)
    assert "You proposed this adjustment" in text(olga.post(f"{path}/confirm", {"version": "1"}, follow=True))
    done = omar.post(f"{path}/confirm", {"version": str(made.version)}, follow=True)
    assert "Confirmed: the partner's next payout has 2,000.00 CNY." in text(done)
    assert Adjustment.objects.get().state == AdjustmentState.CONFIRMED
    assert omar.post(f"{path}/forget", {"version": "1"}).status_code == 404


def test_notes_stay_among_operators(world: World, sign_in: SignIn, payout: Payout) -> None:
    said = text(take(sign_in("olga"), payout, "note", text="Ask the bank on Monday."))
    assert "Ask the bank on Monday." in said
    assert PayoutNote.objects.get().author == world.olga
    assert "Ask the bank" not in text(sign_in("alice").get("/partner/POP-2026Q1/payout"))


def test_the_auditor_reads_everything_and_can_do_nothing(world: World, payout: Payout) -> None:
    auditor = Client(headers={"accept-language": "en"})
    auditor.force_login(make_user("audrey", Role.AUDITOR))
    table, page = auditor.get("/operator/payouts"), auditor.get(f"/operator/payouts/{payout.pk}")
    assert b'name="payout"' not in table.content
    assert b'class="dock"' not in table.content
    assert b'method="post" action="/operator/' not in page.content
    line = payout.lines.order_by("pk")[0]
    before = Decision.objects.count()
    for path in ("approve", "hold", "void", "return", "release", "note", "hold_partner", f"lines/{line.pk}/void"):
        given = {"version": "1", "text": "because"}
        answer = auditor.post(f"/operator/payouts/{payout.pk}/{path}", given, follow=True)
        assert "Your role doesn't allow you" in text(answer), path
    for step in ("approve", "hold", "void", "return", "release"):
        given = {"step": step, "chosen": chosen(payout), "text": "because"}
        assert "Your role doesn't allow you" in text(auditor.post("/operator/payouts/decide", given)), step
    assert Decision.objects.count() == before
    assert not BulkDecision.objects.exists()
    assert now(payout).version == payout.version


@pytest.mark.parametrize(
    ("who", "offered", "kept"),
    [
        ("olga", {"return", "void", "hold", "hold_partner"}, {"approve"}),
        ("omar", {"approve", "return", "void", "hold", "hold_partner"}, set()),
        ("fiona", {"hold", "hold_partner"}, {"approve", "void", "return"}),
    ],
)
def test_each_role_is_offered_what_it_may(
    world: World, sign_in: SignIn, payout: Payout, who: str, offered: set[str], kept: set[str]
) -> None:
    client = sign_in(who)
    assert {form.key for form in client.get(f"/operator/payouts/{payout.pk}").context["forms"]} == offered
    for step in kept:
        assert "Your role doesn't allow you" in text(take(client, payout, step, text="because"))
    assert now(payout).state == PayoutState.IN_REVIEW


def test_what_stands_in_the_way_of_payment_is_told(world: World, sign_in: SignIn) -> None:
    poor = make_partner("poor", payee=False)
    run = make_run(world.program, [Spec("S-9", poor)])
    submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE)
    found = Payout.objects.get(partner=poor)
    assert "It can't be paid as it is:" in text(sign_in("omar").get(f"/operator/payouts/{found.pk}"))
