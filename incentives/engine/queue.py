"""Rows are the queue: claiming a chunk, doing it, and what happens when somebody dies over it (DESIGN 3).

A chunk is claimed in one short transaction (lease, next epoch) and done in a second one, which first locks the
chunk's row and checks that the epoch is still its own. So of two workers that believe they own a chunk one
finds out before it has written anything, and a worker that dies or is stopped leaves nothing behind.

An answer that was lost is looked up by its key: a claim by its worker's name, a finished chunk by its epoch.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import Q

from core import outages
from core.actors import Actor
from incentives.engine import finish, steps
from incentives.models import RunChunk
from incentives.states import ChunkState, RunState, Step

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 5  # tries that the chunk itself failed
# All claims. Workers killed and databases restarted tell nothing against a chunk, until it is always over the same one.
MOST_CLAIMS = 15
SYSTEM = Actor.system("engine")

# One statement: the first waiting chunk of the first unfinished step that nobody holds. Unique index chunk_once.
# SKIP LOCKED passes over chunks that are being worked on even where their lease has run out: whoever works holds
# the row's lock, and whoever is stopped loses it with its connection (idle_in_transaction_session_timeout).
# A worker does one chunk at a time: one that is leased in its own name is a claim whose answer it never heard.
# A lease that ran out, unlike one given up, was lost with its worker or its database: that try isn't counted.
CLAIM = """
WITH steps(step, turn) AS (VALUES ('first_entities', 1), ('shops', 2), ('price', 3))
UPDATE incentives_runchunk c
SET epoch = epoch + 1, attempts = attempts + CASE WHEN lease_until IS NULL THEN 1 ELSE 0 END,
    lease_until = clock_timestamp() + %(lease)s, worker = %(worker)s,
    started_at = coalesce(started_at, clock_timestamp())
WHERE c.id = (
    SELECT w.id
    FROM incentives_runchunk w JOIN steps s ON s.step = w.step JOIN incentives_run r ON r.id = w.run_id
    WHERE w.run_id = %(run)s AND r.state = 'running' AND w.state = 'waiting' AND w.attempts < %(attempts)s
      AND w.epoch < %(claims)s
      AND (w.lease_until IS NULL OR w.lease_until < clock_timestamp() OR w.worker = %(worker)s)
      AND NOT EXISTS (SELECT 1 FROM incentives_runchunk e JOIN steps t ON t.step = e.step
                      WHERE e.run_id = w.run_id AND e.state = 'waiting' AND t.turn < s.turn)
    ORDER BY s.turn, w.number
    LIMIT 1 FOR UPDATE OF w SKIP LOCKED)
RETURNING c.id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A chunk that this worker holds, at this epoch, until its lease runs out."""

    chunk: RunChunk
    epoch: int


def claim(run_id: int, *, worker: str) -> Claimed | None:
    """Take the next piece of work of a run, or None where there is none to take now.

    A database that restarts is waited for. `worker` names a process or thread that does one chunk at a time.
    """
    return outages.again(lambda: _claim(run_id, worker))


def perform(claimed: Claimed) -> bool:
    """Do the claimed chunk. False where it was taken away, or failed and will be tried again.

    A failure is written into the chunk and its lease is given up; after `MOST_ATTEMPTS` of them
    `fail_exhausted` ends the run.
    """
    chunk, run = claimed.chunk, claimed.chunk.run
    try:
        with transaction.atomic():
            guard_session()
            if not _still_mine(claimed):
                log.warning("chunk %s of run %s was taken away", chunk.number, run.pk)
                return False
            rows = steps.perform(run, chunk)
            _mark_done(claimed, rows)
            if chunk.step == Step.PRICE:
                finish.publish(run, priced=rows)
    except Exception as error:  # noqa: BLE001 - whatever it was, it belongs into the chunk: that is where people look
        log.warning("step %s, chunk %s of run %s failed: %s", chunk.step, chunk.number, run.pk, error)
        return _settle(claimed, error)
    return True


def fail_exhausted(run_id: int) -> bool:
    """End a run that has a chunk which failed too often: loudly, publishing nothing."""
    chunk = (
        RunChunk.objects.filter(run_id=run_id, run__state=RunState.RUNNING, state=ChunkState.WAITING)
        .filter(Q(attempts__gte=MOST_ATTEMPTS) | Q(epoch__gte=MOST_CLAIMS))
        .order_by("pk")
        .first()
    )
    if chunk is None or _is_held(chunk):
        return False
    reason = chunk.error or "the worker died each time"
    finish.fail(run_id, f"step {chunk.step}, chunk {chunk.number}, after {chunk.epoch} tries: {reason}")
    return True


def unfinished(run_id: int) -> bool:
    """Whether any chunk of the run still waits."""
    return RunChunk.objects.filter(run_id=run_id, state=ChunkState.WAITING).exists()


def overdue_runs() -> list[int]:
    """Runs that have work nobody holds: what the sweep wakes workers for."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT c.run_id FROM incentives_runchunk c JOIN incentives_run r ON r.id = c.run_id"
            " WHERE r.state = 'running' AND c.state = 'waiting'"
            " AND (c.lease_until IS NULL OR c.lease_until < clock_timestamp()) ORDER BY 1"
        )
        return [run_id for (run_id,) in cursor.fetchall()]


def guard_session() -> None:
    """Make PostgreSQL end this transaction when its worker has gone or stands still: no lock outlives the lease."""
    outages.let_go_with_client()
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{settings.ENGINE_LEASE_SECONDS}s'")


def _claim(run_id: int, worker: str) -> Claimed | None:
    params: dict[str, Any] = {
        "lease": timedelta(seconds=settings.ENGINE_LEASE_SECONDS),
        "worker": worker,
        "run": run_id,
        "attempts": MOST_ATTEMPTS,
        "claims": MOST_CLAIMS,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM, params)
        row = cursor.fetchone()
        if row is None:
            return None
        chunk = RunChunk.objects.select_related("run__program").get(pk=row[0])
    return Claimed(chunk, chunk.epoch)


def _still_mine(claimed: Claimed) -> bool:
    # Both locks are held to the end of the work: the chunk's keeps others from claiming it meanwhile, the run's (a
    # shared one) lets nobody end the run, and take back what it wrote, while its chunks are still writing.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM incentives_runchunk WHERE id = %s AND epoch = %s AND state = 'waiting' FOR UPDATE",
            [claimed.chunk.pk, claimed.epoch],
        )
        if cursor.fetchone() is None:
            return False
        cursor.execute(
            "SELECT id FROM incentives_run WHERE id = %s AND state = 'running' FOR SHARE", [claimed.chunk.run_id]
        )
        return cursor.fetchone() is not None


def _mark_done(claimed: Claimed, rows: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE incentives_runchunk SET state = 'done', rows = %s, lease_until = NULL, error = '',"
            " finished_at = clock_timestamp() WHERE id = %s AND epoch = %s AND state = 'waiting'",
            [rows, claimed.chunk.pk, claimed.epoch],
        )
        if cursor.rowcount != 1:
            raise RuntimeError("a locked chunk changed under its owner")


def _settle(claimed: Claimed, error: Exception) -> bool:
    try:
        return outages.again(lambda: _give_up(claimed, error))
    except Error as gone:
        # The database stays away: the lease runs out by itself.
        log.warning("chunk %s could not be given up: %s", claimed.chunk.pk, gone)
        return False


def _give_up(claimed: Claimed, error: Exception) -> bool:
    """Let others have the chunk, and say what went wrong. True where it is done after all: only the answer was lost."""
    with transaction.atomic():
        # The lock waits for the transaction whose end was not heard, should the server still be at it.
        chunk = RunChunk.objects.select_for_update().filter(pk=claimed.chunk.pk, epoch=claimed.epoch).first()
        if chunk is None:
            return False  # taken away: whoever has it now writes its story
        if chunk.state == ChunkState.DONE:
            return True
        chunk.lease_until, chunk.error = None, (str(error).strip() or repr(error))[:2000]
        if outages.will_pass(error):
            chunk.attempts -= 1  # tells nothing against the chunk
        chunk.save(update_fields=["lease_until", "error", "attempts"])
    return False


def _is_held(chunk: RunChunk) -> bool:
    with transaction.atomic():
        free = RunChunk.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=chunk.pk).first()
        if free is None:
            return True
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::timestamptz > clock_timestamp()", [free.lease_until])
            return bool(cursor.fetchone()[0])
