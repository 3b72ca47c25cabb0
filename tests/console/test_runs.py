"""Runs in the admin dashboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from math import ceil

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import AuditEvent
from incentives.models import FrozenFacts, Run, RunChunk
from incentives.states import ChunkState, Outcome, RunKind, RunState, Step, Verdict
from tests.console.reading import text
from tests.incentives.factories import Spec, World, make_run

SignIn = Callable[..., Client]


@pytest.fixture
def working(world: World) -> Run:
    """A run that has judged half of its shops in ten seconds."""
    started = timezone.now() - timedelta(seconds=10)
    run = Run.objects.create(
        program=world.program,
        policy=world.run.policy,
        document=world.run.document,
        kind=RunKind.OFFICIAL,
        trigger="manual",
        state=RunState.RUNNING,
        as_of=started,
        requested_at=started,
        started_at=started,
    )
    RunChunk.objects.create(
        run=run,
        step=Step.FIRST_ENTITIES,
        number=1,
        state=ChunkState.DONE,
        rows=3,
        started_at=started,
        finished_at=started,
    )
    for number in range(1, 5):
        done = number <= 2
        RunChunk.objects.create(
            run=run,
            step=Step.SHOPS,
            number=number,
            state=ChunkState.DONE if done else ChunkState.WAITING,
            rows=100 if done else 0,
            started_at=started if done else None,
            finished_at=started + timedelta(seconds=5 * number) if done else None,
        )
    RunChunk.objects.create(run=run, step=Step.PRICE, number=1, state=ChunkState.WAITING)
    return run


def test_a_run_at_work_tells_how_far_it_is_and_asks_again_by_itself(
    world: World, sign_in: SignIn, working: Run
) -> None:
    page = sign_in("olga").get(f"/operator/runs/{working.pk}")
    body = page.content.decode()
    assert 'hx-trigger="every 2s"' in body
    said = text(page)
    # Ten seconds since it started, and those that the test itself has taken by now; not one more.
    told = re.search(r"50% done, about (\d+) seconds left\..*200 shops looked at, (\d+) a second\.", said)
    assert told, said
    left, rate = int(told[1]), int(told[2])
    assert working.started_at is not None
    most = ceil((timezone.now() - working.started_at).total_seconds())
    assert 10 <= left <= most
    assert 200 // most <= rate <= 20
    assert f"Cancel run {working.pk}" in said


def test_a_run_is_cancelled_by_whoever_may_start_one(world: World, sign_in: SignIn, working: Run) -> None:
    assert "Cancel run" not in text(sign_in("omar").get(f"/operator/runs/{working.pk}"))
    refused = sign_in("omar").post(f"/operator/runs/{working.pk}/cancel", follow=True)
    assert "Your role doesn't allow" in text(refused)
    working.refresh_from_db()
    assert working.state == RunState.RUNNING
    done = sign_in("olga").post(f"/operator/runs/{working.pk}/cancel", follow=True)
    assert f"Cancelled run {working.pk}" in text(done)
    working.refresh_from_db()
    assert working.state == RunState.CANCELLED
    assert AuditEvent.objects.filter(action="run.cancelled", actor=world.olga).exists()


def test_a_start_while_one_is_running_is_told_which(world: World, sign_in: SignIn, working: Run) -> None:
    answer = sign_in("olga").post("/operator/runs/start", {"program": "POP-2026Q1"}, follow=True)
    assert f"Run {working.pk} of POP-2026Q1 is running since" in text(answer)
    assert Run.objects.filter(state=RunState.RUNNING).count() == 1


def test_a_run_is_started_as_of_a_moment_on_the_programs_clock(world: World, sign_in: SignIn) -> None:
    answer = sign_in("olga").post("/operator/runs/start", {"program": "POP-2026Q1", "as_of": "2026-04-01T08:00:00"})
    run = Run.objects.order_by("-pk")[0]
    assert answer.headers["Location"] == f"/operator/runs/{run.pk}"
    assert run.as_of is not None
    assert run.as_of.isoformat() == "2026-04-01T00:00:00+00:00"
    assert run.requested_by == world.olga


@pytest.mark.parametrize("as_of", ["tomorrow", "2999-01-01T00:00:00"])
def test_a_moment_that_cant_be_is_refused_in_words(world: World, sign_in: SignIn, as_of: str) -> None:
    before = Run.objects.count()
    answer = sign_in("olga").post("/operator/runs/start", {"program": "POP-2026Q1", "as_of": as_of}, follow=True)
    assert Run.objects.count() == before
    assert "valid date/time" in text(answer) or "lies in the future" in text(answer)


def test_whoever_may_not_start_one_isnt_offered_it_and_is_refused(world: World, sign_in: SignIn) -> None:
    assert "Start the run" not in text(sign_in("omar").get("/operator/runs"))
    before = Run.objects.count()
    sign_in("omar").post("/operator/runs/start", {"program": "POP-2026Q1"})
    assert Run.objects.count() == before


def test_the_history_is_narrowed_by_the_address(world: World, sign_in: SignIn, working: Run) -> None:
    olga = sign_in("olga")
    said = text(olga.get("/operator/runs"))
    assert f"POP-2026Q1 · {working.pk}" in said
    assert f"POP-2026Q1 · {world.run.pk}" in said
    said = text(olga.get("/operator/runs?state=finished"))
    assert f"POP-2026Q1 · {working.pk} " not in said
    assert f"POP-2026Q1 · {world.run.pk} " in said


def test_the_history_is_sorted_and_taken_along_as_its_address_says(world: World, sign_in: SignIn, working: Run) -> None:
    olga = sign_in("olga")
    lines = b"".join(olga.get("/operator/runs.csv?sort=oldest")).decode().splitlines()
    assert lines[0].startswith("run,program,kind,state,trigger,as_of,policy")
    numbers = [int(line.split(",")[0]) for line in lines[1:]]
    assert numbers == sorted(numbers)
    assert {world.run.pk, working.pk} <= set(numbers)
    (only,) = b"".join(olga.get("/operator/runs.csv?state=finished")).decode().splitlines()[1:]
    assert only.startswith(f"{world.run.pk},POP-2026Q1,official,finished")
    assert only.endswith(world.run.digest)
    assert 'href="/operator/runs.csv?state=finished"' in olga.get("/operator/runs?state=finished").content.decode()


def test_two_runs_are_compared_by_cause(world: World, sign_in: SignIn) -> None:
    later = make_run(
        world.program,
        [
            Spec(
                "S-1",
                world.haiqiao,
                Verdict.NOT_ELIGIBLE,
                outcomes={"activated": Outcome.MET, "shop_normal": Outcome.NOT_MET},
            ),
        ],
    )
    olga = sign_in("olga")
    said = text(olga.get(f"/operator/runs/{later.pk}/changes"))
    assert f"Run {later.pk} against run {world.run.pk}" in said
    assert "S-1" in said
    narrowed = text(olga.get(f"/operator/runs/{later.pk}/changes?with={world.run.pk}&flips=1&cause=rate"))
    assert "Nothing to show." in narrowed
    csv = b"".join(olga.get(f"/operator/runs/{later.pk}/changes.csv")).decode()
    assert csv.startswith("shop_code,partner_code,verdict_before,verdict_after")
    assert "S-1" in csv


def test_what_is_unknown_is_listed_with_the_way_to_mend_it(world: World, sign_in: SignIn) -> None:
    run = make_run(
        world.program,
        [Spec("S-9", world.haiqiao, Verdict.NEEDS_DATA)],
    )
    lacking = FrozenFacts.objects.filter(chain_id=run.pk)
    lacking.update(unrated_lines=2, unrated_currency="SEK", unrated_on=date(2026, 3, 3))
    said = text(sign_in("omar").get("/operator/POP-2026Q1/unknown"))
    assert "Exchange rate SEK 2026-03-03" in said
    assert "S-9" in said
    assert "Load a file of exchange rates" in said
    assert f"Run {run.pk}" in said


def test_each_shop_that_waits_for_a_fact_is_taken_along_with_it(world: World, sign_in: SignIn) -> None:
    omar = sign_in("omar")
    assert b"".join(omar.get("/operator/POP-2026Q1/unknown.csv")) == b"shop_code,partner_code,lacks,which\n"
    run = make_run(
        world.program,
        [
            Spec("S-8", world.haiqiao, Verdict.NEEDS_DATA, outcomes={"stocked": Outcome.UNKNOWN}),
            Spec(
                "S-9",
                world.haiqiao,
                Verdict.NEEDS_DATA,
                outcomes={"activated": Outcome.UNKNOWN, "shop_normal": Outcome.UNKNOWN},
            ),
        ],
    )
    FrozenFacts.objects.filter(chain_id=run.pk, shop__code="S-9").update(
        unrated_lines=2, unrated_currency="SEK", unrated_on=date(2026, 3, 3)
    )
    partner = world.haiqiao.code
    assert b"".join(omar.get("/operator/POP-2026Q1/unknown.csv")).decode().splitlines()[1:] == [
        f"S-8,{partner},stock,",
        f"S-9,{partner},rate,SEK 2026-03-03",
        f"S-9,{partner},status,",
    ]


def test_the_history_asks_the_database_as_often_for_many_runs_as_for_one(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    olga.get("/operator/runs")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert olga.get("/operator/runs").status_code == 200
        return len(queries)

    few = asked()
    for number in range(20):
        make_run(world.program, [Spec(f"M-{number}", world.haiqiao)])
    assert asked() == few
    assert few <= 15


@pytest.mark.parametrize(
    "path", ["/operator/runs", "/operator/runs/{run}", "/operator/runs/{run}/changes", "/operator/POP-2026Q1/unknown"]
)
def test_to_partners_these_pages_dont_exist(world: World, sign_in: SignIn, path: str) -> None:
    address = path.format(run=world.run.pk)
    assert sign_in("alice").get(address).status_code == 404
    assert Client().get(address).status_code == 302
