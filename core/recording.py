"""When a fact counts as recorded (DESIGN 3, As of).

A batch is opened before its facts are written and sealed after them, in the same transaction. Sealing takes
the recording lock, which `fix_as_of` takes too, and holds it until the commit: whoever fixes a moment then
sees every batch recorded up to it, and every later batch is recorded after it.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction

from core import locks
from core.errors import BadInput
from core.models import FactBatch


def open_batch(*, source: str, actor_id: int | None) -> FactBatch:
    """Start a batch of facts from `source` (`feed`, `operator`, `partner`, `merchant`) in the present transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError("facts are recorded inside a transaction")
    return FactBatch.objects.create(source=source, actor_id=actor_id)


def seal(batch: FactBatch, *, recorded_at: datetime | None = None) -> FactBatch:
    """Stamp the batch: its facts count from now on, or from `recorded_at` where history is loaded.

    Only the audit row may follow in this transaction. Raises BadInput for a moment in the future.
    """
    locks.take(locks.Lock.RECORDING)
    now, newest, sequence = _clock()
    if recorded_at is not None and recorded_at > now:
        raise BadInput(f"recorded-at {recorded_at.isoformat()} lies in the future; give a moment that has passed.")
    # A clock that was set back must not let a later batch look older than a moment that a run has fixed.
    stamp = recorded_at or max(now, newest + timedelta(microseconds=1))
    batch.recorded_at, batch.sequence, batch.backdated = stamp, sequence + 1, recorded_at is not None
    batch.save(update_fields=["recorded_at", "sequence", "backdated"])
    return batch


def fix_as_of() -> tuple[datetime, int]:
    """Return a moment, and the sequence of the last batch recorded by then.

    Nothing will ever be recorded at or before it again, but for history loaded on purpose.
    """
    with transaction.atomic():
        locks.take(locks.Lock.RECORDING)
        now, newest, sequence = _clock()
        return max(now, newest), sequence


def _clock() -> tuple[datetime, datetime, int]:
    # max() over the unique index on sequence and over batch_recorded: two index look-ups.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp(),"
            " coalesce((SELECT max(recorded_at) FROM core_factbatch), timestamptz 'epoch'),"
            " coalesce((SELECT max(sequence) FROM core_factbatch), 0)"
        )
        now, newest, sequence = cursor.fetchone()
    return now, newest, sequence
