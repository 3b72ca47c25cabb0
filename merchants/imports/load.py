"""One load of one feed file: read, stage, check, land, seal; all of it in one transaction, or nothing of it.

The rows come in pieces (`pieces`), which are copied as text into a temporary table (`staging`). Most feeds are then
read, checked and landed as a whole (`landing.land`). Settled lines come by the million: one piece of them lands while
the next is read from the file, straight from the text as long as all keys are new (`landing.land_quickly`).

The load holds its import's row locked while it works. So whoever finds a running import unlocked knows that its
process has died, and whoever lost the connection at the COMMIT reads there, behind the lock, whether it happened.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, connection, transaction
from django.utils import timezone

from core import audit, locks, outages
from core.actors import Actor
from core.errors import BadInput, DomainError, Unavailable
from core.hooks import announce_facts, recording_floor
from core.recording import open_batch, seal
from merchants.imports import headings, rejected, room, staging
from merchants.imports.columns import DATE, TIMESTAMP
from merchants.imports.kinds import KINDS
from merchants.imports.kinds.base import Kind
from merchants.imports.landing import NOTHING, Counts, land, land_quickly, parameters
from merchants.imports.pieces import in_pieces
from merchants.imports.quarantine import Quarantine
from merchants.imports.reader import Rows, open_rows
from merchants.imports.source import FileRefused, Source
from merchants.models import Import
from merchants.states import FeedKind, ImportState

Progress = Callable[[int], None]

SYSTEM = Actor.system("imports")

TRIES = 3  # of a load whose connection is lost, or that meets another in a deadlock
# A load holds its row from its first moments on; this is for a machine that stutters in between.
GRACE = timedelta(minutes=1)


class _Strict(Exception):
    """Rows are bad and the load is strict: everything is rolled back, and the bad rows are recorded after that."""

    def __init__(self, counts: Counts, bad: Quarantine, header: tuple[str, ...]) -> None:
        self.counts, self.bad, self.header = counts, bad, header


@room.told()
def load(
    *,
    actor: Actor,
    kind: FeedKind,
    source: Source,
    strict: bool,
    recorded_at: datetime | None,
    progress: Progress | None,
    began: Callable[[Import], None] | None = None,
    mapping: headings.Pairs = (),
) -> Import:
    """Load `source` and return its import. See `merchants.services.load_feed`."""
    fail_lost(SYSTEM)
    # Outside of the transaction below: a load that fails, or is cancelled, leaves this trace and no facts.
    row = Import.objects.create(
        kind=kind,
        file_name=source.name[-255:],
        sha256=source.sha256,
        size=source.size,
        strict=strict,
        actor_id=actor.user_id,
        started_at=timezone.now(),
        mapping=[list(pair) for pair in mapping],
    )
    if began is not None:
        began(row)
    try:
        _insist(row, lambda: _load(row, actor, KINDS[kind], source, recorded_at, progress))
    except _Strict as refusal:
        _refuse_strictly(row, actor, refusal)
    except BaseException as error:
        state = ImportState.REFUSED if isinstance(error, BadInput) else ImportState.FAILED
        row.sha256 = source.sha256
        with suppress(Error):  # the database may be what failed: the first error is the one to tell
            if _give_up(row, actor, state, error):
                return row
        raise
    return row


def fail_lost(actor: Actor) -> int:
    """Mark the imports whose process died without a word as failed; return how many those were."""
    running = Import.objects.filter(state=ImportState.RUNNING, started_at__lt=timezone.now() - GRACE)
    found = 0
    for ident in list(running.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            row = Import.objects.select_for_update(skip_locked=True).filter(pk=ident, state=ImportState.RUNNING).first()
            if row is None:
                continue
            row.state, row.finished_at = ImportState.FAILED, timezone.now()
            row.error = "The process that loaded it ended without a word; nothing was recorded."
            row.save()
            _audit(row, actor, None)
            found += 1
    return found


def _insist(row: Import, act: Callable[[], None]) -> None:
    """Do the load in a transaction; once more where the connection was lost and nothing of it has landed."""
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                _hold(row)
                act()
            return
        except Error as error:
            if connection.in_atomic_block or not outages.will_pass(error):
                raise
            try:
                landed = outages.again(lambda: _has_landed(row))
            except Error:
                raise Unavailable(
                    f"The database went away and does not come back. Its import {row.pk} will tell whether the file "
                    "was recorded; loading it again records nothing twice."
                ) from error
            if landed:
                return
            if not left:
                raise


def _hold(row: Import) -> None:
    outages.let_go_with_client()
    Import.objects.select_for_update(no_key=True).get(pk=row.pk)


def _has_landed(row: Import) -> bool:
    with transaction.atomic():
        # Waits for the transaction whose end was not heard, should the server still be at it.
        found = Import.objects.select_for_update(no_key=True).get(pk=row.pk)
    return bool(found.state == ImportState.LANDED)


@room.told()
def _load(
    row: Import, actor: Actor, kind: Kind, source: Source, recorded_at: datetime | None, progress: Progress | None
) -> None:
    bad = Quarantine(row)
    names = headings.as_said(kind, row.mapping)
    with open_rows(source, days=kind.of_type(DATE), instants=kind.of_type(TIMESTAMP), names=names) as rows:
        header = rows.header
        unknown = staging.check_header(kind, header, name=source.name)
        batch = open_batch(source="feed", actor_id=actor.user_id)
        values = parameters(kind, header, batch=batch, recorded_at=recorded_at)
        counts = _land(kind, rows, values, bad, progress)
    row.sha256 = source.sha256
    if not counts.rows:
        raise FileRefused(f"{source.name} has a header but no rows.")
    if row.strict and counts.rejected:
        raise _Strict(counts, bad, header)
    if counts.new or counts.updated:
        announce_facts(kind=kind.kind, batch_id=batch.pk)
    row.batch, row.state, row.finished_at = batch, ImportState.LANDED, timezone.now()
    row.columns, row.ignored_columns = list(header), unknown
    _count(row, counts)
    row.save()
    locks.take(locks.Lock.RECORDING)
    refuse_too_early(recorded_at)
    seal(batch, recorded_at=recorded_at)
    _audit(row, actor, recorded_at)


def _land(kind: Kind, rows: Rows, values: Mapping[str, Any], bad: Quarantine, progress: Progress | None) -> Counts:
    """Stage, check and land the rows, a piece at a time or all together; return what became of them."""
    counts, staged, expect_new = NOTHING, 0, True
    staging.forget()
    with connection.cursor() as cursor:
        # Foreign keys are checked statement by statement, not all at the commit, when the recording's lock is held.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with in_pieces(kind, rows) as pieces:
        while piece := pieces.take():
            staging.stage(rows.header, piece, anew=kind.by_pieces)
            staged += piece.rows
            if progress is not None:
                progress(staged)
            if kind.by_pieces:
                pieces.start()
                landed = _land_staged(kind, rows.header, values, bad, expect_new=piece.rows if expect_new else 0)
                # One repeated line in a piece, and more are to be expected in the next.
                expect_new = landed.unchanged == 0
                counts += landed
    if staged and not kind.by_pieces:
        counts = _land_staged(kind, rows.header, values, bad)
    staging.forget()
    return counts


def _land_staged(
    kind: Kind, header: tuple[str, ...], values: Mapping[str, Any], bad: Quarantine, *, expect_new: int = 0
) -> Counts:
    """Land what is staged. `expect_new`: the number of its rows, where all of them most likely have new keys."""
    counts = None
    if expect_new:
        locks.take(kind.lock)
        counts = land_quickly(kind, header, values, staged=expect_new)
    if counts is None:
        staging.read(kind, header, values)
        locks.take(kind.lock)
        counts = land(kind, values)
    if counts.rejected:
        bad.take(rejected.found(kind, header))
    return counts


def refuse_too_early(recorded_at: datetime | None) -> None:
    """Refuse history from before a moment that payouts were submitted by. Raises BadInput."""
    floor = recording_floor() if recorded_at is not None else None
    if recorded_at is not None and floor is not None and recorded_at <= floor:
        raise BadInput(
            f"recorded-at {recorded_at.isoformat()} is not later than {floor.isoformat()}, the moment as of which "
            "payouts were submitted; what they stand on can't change any more.",
            code="recorded_too_early",
        )


def _refuse_strictly(row: Import, actor: Actor, refusal: _Strict) -> None:
    with transaction.atomic():
        refusal.bad.release()
        row.batch, row.state, row.finished_at = None, ImportState.REFUSED, timezone.now()
        row.columns = list(refusal.header)
        row.ignored_columns = [name for name in refusal.header if name not in KINDS[FeedKind(row.kind)].by_name]
        _count(row, Counts(0, 0, 0, refusal.counts.rejected))
        row.rows = refusal.counts.rows
        row.error = f"{refusal.counts.rejected} of {refusal.counts.rows} rows are bad; nothing was recorded."
        row.save()
        _audit(row, actor, None)


def _give_up(row: Import, actor: Actor, state: ImportState, error: BaseException) -> bool:
    """Write what went wrong. True where the load has landed after all: only the answer was lost."""
    with transaction.atomic():
        if _has_landed(row):
            return True
        row.batch, row.state, row.finished_at = None, state, timezone.now()
        _count(row, Counts(0, 0, 0, 0))
        row.rows = 0
        cancelled = isinstance(error, KeyboardInterrupt | SystemExit)
        row.error = "Cancelled." if cancelled else error.message if isinstance(error, DomainError) else repr(error)
        row.save()
        _audit(row, actor, None)
    return False


def _count(row: Import, counts: Counts) -> None:
    row.rows, row.new, row.unchanged = counts.rows, counts.new, counts.unchanged
    row.updated, row.rejected = counts.updated, counts.rejected


def _audit(row: Import, actor: Actor, recorded_at: datetime | None) -> None:
    details = {
        "kind": row.kind,
        "sha256": row.sha256,
        "batch": row.batch_id,
        "strict": row.strict,
        "rows": row.rows,
        "new": row.new,
        "unchanged": row.unchanged,
        "updated": row.updated,
        "rejected": row.rejected,
    }
    if recorded_at is not None:
        details["recorded_at"] = recorded_at.isoformat()
    audit.record(actor=actor, action=f"feed.{row.state}", subject=row, details=details)
