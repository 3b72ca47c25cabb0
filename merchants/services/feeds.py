"""The marketplace's feeds are loaded (CONTRACT.md, Feeds)."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from core.actors import Actor, Capability
from core.errors import BadInput
from merchants.imports import load as loading
from merchants.imports.headings import Pairs
from merchants.imports.source import inspect
from merchants.models import Import
from merchants.states import FeedKind


def load_feed(
    *,
    actor: Actor,
    kind: str,
    path: Path | str,
    strict: bool = False,
    recorded_at: datetime | None = None,
    file_name: str | None = None,
    progress: Callable[[int], None] | None = None,
    began: Callable[[Import], None] | None = None,
    mapping: Pairs = (),
) -> Import:
    """Load a feed file as one batch (CONTRACT.md, Feeds) and return the import, landed, with its counts.

    Good rows land, bad ones are quarantined with the import; with `strict` nothing lands when any row is bad, and the
    import comes back refused. `recorded_at` records history (audited). `file_name` is the name that people know an
    upload by. `progress` is told the number of rows read so far, `began` the import as soon as it exists.
    `mapping` says which of the feed's columns each of the file's headings holds, where they have names of their own.

    Raises BadInput for an unknown kind, for a file that as a whole is no such feed (the import is then kept as
    refused) and for a `recorded_at` later than now or not later than a submitted run's as_of.
    """
    actor.require(Capability.LOAD_FEED)
    if kind not in FeedKind.values:
        raise BadInput(f"There is no feed {kind!r}; the feeds are {', '.join(FeedKind.values)}.")
    if recorded_at is not None:
        if recorded_at > timezone.now():
            raise BadInput(f"recorded-at {recorded_at.isoformat()} lies in the future; give a moment that has passed.")
        loading.refuse_too_early(recorded_at)
    return loading.load(
        actor=actor,
        kind=FeedKind(kind),
        source=inspect(Path(path), name=file_name),
        strict=strict,
        recorded_at=recorded_at,
        progress=progress,
        began=began,
        mapping=mapping,
    )


def fail_lost_imports(*, actor: Actor) -> int:
    """Mark running imports whose process has died as failed, each with an audit row; return how many.

    Every load does so first; a task does it for a house in which nothing more is loaded.
    """
    actor.require(Capability.LOAD_FEED)
    return loading.fail_lost(actor)
