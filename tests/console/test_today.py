"""What an operator sees first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.actors import Role
from core.models import FactBatch
from core.policy import Policy
from core.services import save_policy_draft
from incentives.models import Adjustment, Payout
from incentives.services import (
    approve_payout,
    create_payment_batch,
    decline_adjustment,
    export_payment_batch,
    load_bank_result,
    lock_payment_batch,
    propose_adjustment,
    submit_run,
)
from incentives.states import Outcome, Verdict
from merchants.models import Import
from tests.console.reading import text
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_run, make_user
from tests.incentives.test_invoices import hand_in

SignIn = Callable[..., Client]


def test_each_role_is_shown_what_waits_for_it_and_no_more(world: World, sign_in: SignIn) -> None:
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    omar = text(sign_in("omar").get("/operator/"))
    assert "2 Payouts that you may approve · 4,000.00" in omar
    assert "Payouts to pay" not in omar
    olga = text(sign_in("olga").get("/operator/"))
    assert "Payouts that you may approve" not in olga
    assert "0 Payouts returned to you" in olga
    assert "0 Payouts to pay" in text(sign_in("fiona").get("/operator/"))


def queue(client: Client, label: str) -> object:
    """How much a queue of the first page says that there is; what its list shows is no more and no less."""
    found = {str(each.label): each for each in client.get("/operator/").context["queues"]}[label]
    page = client.get(f"{reverse(found.url_name)}?{found.query}").context
    shown = page["page"].paginator.count if "page" in page else len(page["rows"])
    assert shown == found.count, label
    return found.count


def test_a_draft_waits_for_whoever_publishes_and_hasnt_written_any_of_it(world: World, sign_in: SignIn) -> None:
    assert queue(sign_in("omar"), "Policy drafts to publish") == 0
    olga = world.actor("olga")
    save_policy_draft(actor=olga, program_code="POP-2026Q1", policy=Policy.parse({"name": {"en": "Next"}}), revision=0)
    omar = sign_in("omar")
    assert queue(omar, "Policy drafts to publish") == 1
    assert "Draft of version 2" in text(omar.get("/operator/programs?draft=open"))
    assert "Policy drafts" not in text(sign_in("olga").get("/operator/"))
    save_policy_draft(
        actor=world.actor("omar"), program_code="POP-2026Q1", policy=Policy.parse({"name": {"en": "Mine"}}), revision=1
    )
    assert "0 Policy drafts to publish" in text(omar.get("/operator/"))


def test_an_adjustment_waits_for_somebody_else_to_confirm_it(world: World, sign_in: SignIn) -> None:
    omar = sign_in("omar")
    assert queue(omar, "Adjustments to confirm") == 0

    def proposed_by(name: str) -> Adjustment:
        to, amount = world.haiqiao, Decimal("500.00")
        by = world.actor(name)
        return propose_adjustment(actor=by, partner=to, program=world.program, amount=amount, reason="Late.")

    mine = proposed_by("omar")
    assert "0 Adjustments to confirm" in text(omar.get("/operator/"))
    decline_adjustment(actor=world.actor("omar"), adjustment=mine, reason="Mistaken.")
    proposed_by("fiona")
    assert queue(omar, "Adjustments to confirm") == 1
    assert "Adjustments" not in text(sign_in("fiona").get("/operator/")).split("What costs")[0]


def test_finance_is_told_of_batches_and_invoices_that_wait(world: World, sign_in: SignIn) -> None:
    fiona, actor = sign_in("fiona"), world.actor("fiona")
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    approved = [approve_payout(actor=world.actor("omar"), payout=each) for each in Payout.objects.all()]
    assert queue(fiona, "Invoices to decide on") == 0
    hand_in(world, next(each for each in approved if each.partner == world.haiqiao), at=timezone.now())
    assert queue(fiona, "Invoices to decide on") == 1
    batch = create_payment_batch(actor=actor, payouts=approved).batch
    assert queue(fiona, "Batches to hand to the bank") == 1
    batch = lock_payment_batch(actor=actor, batch=batch, version=batch.version)
    assert queue(fiona, "Batches to hand to the bank") == 1
    assert queue(fiona, "Batches that the bank owes answers to") == 0
    export_payment_batch(actor=actor, batch=batch)
    assert queue(fiona, "Batches to hand to the bank") == 0
    assert queue(fiona, "Batches that the bank owes answers to") == 1
    references = batch.items.values_list("reference", flat=True)
    answers = ["reference,result,amount,bank_reference,reason", *(f"{each},paid,,B-{each}," for each in references)]
    load_bank_result(actor=actor, content="\n".join(answers).encode())
    assert queue(fiona, "Batches that the bank owes answers to") == 0


def test_the_auditor_has_nothing_to_work_off(world: World) -> None:
    auditor = Client(headers={"accept-language": "en"})
    auditor.force_login(make_user("audrey", Role.AUDITOR))
    page = auditor.get("/operator/")
    assert 'class="queues"' not in page.content.decode()
    assert "What costs most merchants" in text(page)


def test_conditions_are_told_by_what_they_cost(world: World, sign_in: SignIn) -> None:
    make_run(
        world.program,
        [
            Spec("S-1", world.haiqiao),
            Spec("S-2", world.haiqiao, Verdict.NOT_ELIGIBLE, outcomes={"stocked": Outcome.NOT_MET}),
            Spec("S-3", world.haiqiao, Verdict.NOT_ELIGIBLE),
            Spec("S-4", world.rival, Verdict.PENDING),
        ],
    )
    page = sign_in("olga").get("/operator/")
    standing = page.context["standing"]
    costs = {cost.key: (cost.not_met, cost.alone, cost.pending) for cost in standing.conditions}
    assert costs["activated"] == (2, 1, 1)
    assert costs["stocked"] == (1, 0, 0)
    assert costs["listed"] == (0, 0, 0)
    assert [stage.count for stage in standing.funnel] == [4, 4, 1, 1]
    assert next(iter(standing.conditions)).key == "activated"


def test_progress_is_measured_against_the_week_before(world: World, sign_in: SignIn) -> None:
    week_ago = timezone.now() - timedelta(days=8)
    before = make_run(world.program, [Spec("S-1", world.haiqiao)], as_of=week_ago)
    make_run(world.program, [Spec("S-1", world.haiqiao), Spec("S-2", world.haiqiao)])
    said = text(sign_in("olga").get("/operator/"))
    assert f"Since run {before.pk}, a week before: eligible +1, pending ±0" in said


def test_feeds_that_havent_come_for_two_days_are_told(world: World, sign_in: SignIn) -> None:
    now = timezone.now()
    for batch, kind, hours in zip(FactBatch.objects.order_by("pk")[:2], ("fx", "stock"), (1, 72), strict=True):
        Import.objects.create(
            kind=kind,
            state="landed",
            batch=batch,
            file_name="x.csv",
            sha256="0" * 64,
            size=1,
            rows=5,
            new=5,
            started_at=now,
            finished_at=now - timedelta(hours=hours),
        )
    feeds = {feed.label: feed for feed in sign_in("olga").get("/operator/").context["feeds"]}
    assert len(feeds) == 10
    assert not feeds["Exchange rates"].is_late
    assert feeds["Stock"].is_late
    assert feeds["Claims"].landed_at is None


def test_today_asks_the_database_as_often_for_many_shops_as_for_few(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    olga.get("/operator/")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert olga.get("/operator/").status_code == 200
        return len(queries)

    few = asked()
    make_run(world.program, [Spec(f"M-{number}", world.haiqiao) for number in range(40)])
    assert asked() == few
    assert few <= 20


@pytest.mark.parametrize("amount", [Decimal("4000.00")])
def test_money_is_told_by_the_payouts_state(world: World, sign_in: SignIn, amount: Decimal) -> None:
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    assert f"{amount:,} CNY" in text(sign_in("olga").get("/operator/"))
