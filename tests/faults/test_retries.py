"""Transactions that cross another's are done again, and a chunk that can't be done ends its run loudly."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
from django.db import connection

from core.errors import Conflict
from core.models import AuditEvent, Program
from incentives import exports
from incentives.engine import finish as ends
from incentives.engine import queue
from incentives.engine.run import start_run, work
from incentives.models import Result, Run, RunChunk
from incentives.queries.programs import latest_run
from incentives.states import ChunkState, RunState, Step
from merchants.models import Shop
from tests.engine.harness import ACTOR
from tests.faults.conftest import finish
from tests.faults.test_lost_commits import assert_same

POISON = """
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the shop can''t be judged'; END $$;
CREATE TRIGGER poison BEFORE UPDATE ON incentives_runchunk FOR EACH ROW
WHEN (NEW.step = 'shops' AND NEW.state = 'done' AND {shop} BETWEEN NEW.low AND NEW.high) EXECUTE FUNCTION poison()
"""
CURE = "DROP TRIGGER poison ON incentives_runchunk; DROP FUNCTION poison()"


def test_a_deadlock_costs_nothing_but_another_try(program: Program, calm: Run) -> None:
    run = start_run(actor=ACTOR, program=program, as_of=calm.as_of, inline=True, full=True)
    caught = queue.claim(run.pk, worker="first")
    assert caught is not None
    crossing = threading.Thread(target=lock_the_other_way_round, args=(caught.chunk.pk, ready := threading.Event()))
    crossing.start()
    assert ready.wait(10)
    assert not queue.perform(caught)
    crossing.join()
    chunk = RunChunk.objects.get(pk=caught.chunk.pk)
    assert "deadlock detected" in chunk.error
    assert (chunk.state, chunk.attempts, chunk.epoch, chunk.lease_until) == (ChunkState.WAITING, 0, 1, None)
    assert_same(finish(run), calm)


def lock_the_other_way_round(chunk: int, ready: threading.Event) -> None:
    """Hold what the first step reads, and ask for its chunk as soon as it waits for us."""
    with other_session() as other, other.transaction():
        other.execute("SET LOCAL deadlock_timeout = '1h'")  # of the two it isn't us who gives way
        other.execute("LOCK TABLE merchants_shopfact IN ACCESS EXCLUSIVE MODE")
        ready.set()
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'merchants_shopfact'::regclass"
        while other.execute(waits).fetchone() is None:
            time.sleep(0.01)
        other.execute("SELECT FROM incentives_runchunk WHERE id = %s FOR UPDATE", [chunk])


def test_a_poisoned_chunk_ends_its_run_and_no_other(program: Program, calm: Run) -> None:
    shop = Result.objects.filter(run=calm).order_by("shop").last()
    assert shop is not None
    before = export(program)
    with connection.cursor() as cursor:
        cursor.execute(POISON.format(shop=shop.shop_id))
    try:
        run = finish(start_run(actor=ACTOR, program=program, as_of=calm.as_of, inline=True, full=True))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(CURE)
    assert run.state == RunState.FAILED
    assert "after 5 tries" in run.error
    assert "the shop can't be judged" in run.error
    assert (run.digest, run.shops, str(run.net_amount)) == ("", 0, "0.00")
    assert [event.action for event in audit_of(run)] == ["run.started", "run.failed"]
    assert latest_run(program) == calm
    assert export(program) == before
    assert_same(finish(start_run(actor=ACTOR, program=program, as_of=calm.as_of, inline=True, full=True)), calm)


def test_a_cancelled_run_shows_nothing_of_what_it_wrote(program: Program, calm: Run) -> None:
    before = export(program)
    run = start_run(actor=ACTOR, program=program, as_of=calm.as_of, inline=True, full=True)
    for _ in range(3):
        claimed = queue.claim(run.pk, worker="first")
        assert claimed is not None
        assert queue.perform(claimed)
    under_way = queue.claim(run.pk, worker="second")
    assert under_way is not None
    ends.cancel_run(actor=ACTOR, run_id=run.pk)
    assert not queue.perform(under_way)
    assert queue.claim(run.pk, worker="third") is None
    assert not work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.digest, run.shops) == (RunState.CANCELLED, "", 0)
    assert [event.action for event in audit_of(run)] == ["run.started", "run.cancelled"]
    assert latest_run(program) == calm
    assert export(program) == before
    assert_same(finish(start_run(actor=ACTOR, program=program, as_of=calm.as_of, inline=True, full=True)), calm)


def test_a_run_cancelled_at_its_last_chunk_publishes_nothing(program: Program, calm: Run) -> None:
    """The cancellation wins against a publication that has begun."""
    run = start_run(actor=ACTOR, program=program, as_of=calm.as_of, inline=True, full=True)
    last = None
    while last is None or last.chunk.step != Step.PRICE:
        if last is not None:
            queue.perform(last)
        last = queue.claim(run.pk, worker="first")
        assert last is not None
    with other_session() as other, other.transaction():
        other.execute("UPDATE incentives_run SET state = 'cancelled' WHERE id = %s", [run.pk])
        with ThreadPoolExecutor(1) as pool:
            publishing = pool.submit(perform_elsewhere, last)
            until_somebody_waits(other)
            other.execute("COMMIT")
            assert publishing.result(timeout=20) is False
    run.refresh_from_db()
    assert (run.state, run.digest) == (RunState.CANCELLED, "")
    assert latest_run(program) == calm


def test_of_fifty_simultaneous_starts_one_runs(program: Program) -> None:
    barrier = threading.Barrier(50)

    def start() -> Run | str:
        try:
            connection.ensure_connection()
            barrier.wait(30)
            return start_run(actor=ACTOR, program=Program.objects.get(pk=program.pk), inline=True)
        except Conflict as conflict:
            return conflict.message
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        answers = [each.result(60) for each in [pool.submit(start) for _ in range(50)]]
    (run,) = [each for each in answers if isinstance(each, Run)]
    told = [each for each in answers if isinstance(each, str)]
    assert len(told) == 49
    assert all(each.startswith(f"Run {run.pk} of {program} is running") for each in told), told
    assert Run.objects.count() == 1
    assert finish(run).shops == Shop.objects.filter(results__run=run).count() > 0


def other_session() -> psycopg.Connection:
    """A connection of our own to the test's database."""
    place = connection.settings_dict
    return psycopg.connect(
        host=place["HOST"] or None,
        port=place["PORT"] or None,
        user=place["USER"],
        password=place["PASSWORD"] or None,
        dbname=place["NAME"],
        autocommit=True,
    )


def until_somebody_waits(other: psycopg.Connection) -> None:
    limit = time.monotonic() + 20
    while other.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone() is None:
        assert time.monotonic() < limit, "nobody waits"
        time.sleep(0.01)


def perform_elsewhere(claimed: queue.Claimed) -> bool:
    try:
        return queue.perform(claimed)
    finally:
        connection.close()


def audit_of(run: Run) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(subject_type="incentives.run", subject_id=str(run.pk)).order_by("pk"))


def export(program: Program) -> str:
    """The results that people are given when they name no run."""
    run = latest_run(program)
    assert run is not None
    out = io.StringIO()
    for row in exports.results(run).rows:
        out.write(f"{row}\n")
    return out.getvalue()
