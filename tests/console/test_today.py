"""What an operator sees first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import Role
from core.models import FactBatch
from incentives.services import submit_run
from incentives.states import Outcome, Verdict
from merchants.models import Import
from tests.console.reading import text
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_run, make_user

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
