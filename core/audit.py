"""The audit trail's only writer, and its reader's proof.

`record` (`record_all`) is the last statement of every transaction that changes a state: it takes the chain's lock, so
the shorter the time between it and the commit, the better. What it stores names people and texts by id only.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from core import locks
from core.actors import Actor
from core.models import AuditEvent
from core.requests import current_request_id

GENESIS = "0" * 64


def record(
    *,
    actor: Actor,
    action: str,
    subject: object,
    details: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> AuditEvent:
    """Append one event to the trail, inside the transaction that it tells of.

    `subject` is a model instance or a pair (kind, id); `details` must be JSON of ids, codes, numbers and
    states: no names, no free text. Raises RuntimeError outside a transaction.
    """
    return record_all(actor=actor, entries=[Entry(action, subject, details or {})], at=at)[0]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one event tells: see `record`."""

    action: str
    subject: object
    details: Mapping[str, Any]


def record_all(*, actor: Actor, entries: Sequence[Entry], at: datetime | None = None) -> list[AuditEvent]:
    """Append an event for each of `entries`, in their order, with three queries however many they are.

    For one decision on many things, in the transaction that makes it; else as `record`.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an audit row belongs into the transaction that it tells of")
    if not entries:
        return []
    locks.take(locks.Lock.AUDIT)
    # The newest row by the primary key; the lock makes it the last one committed.
    prev = AuditEvent.objects.order_by("-pk").values_list("hash", flat=True).first() or GENESIS
    moment = (at or timezone.now()).astimezone(UTC)
    events = []
    for entry in entries:
        subject: Any = entry.subject
        kind, ident = subject if isinstance(subject, tuple) else (subject._meta.label_lower, subject.pk)
        event = AuditEvent(
            at=moment,
            actor_id=actor.user_id,
            actor_label=actor.label,
            action=entry.action,
            subject_type=kind,
            subject_id=str(ident),
            details=dict(entry.details),
            request_id=current_request_id(),
            prev=prev,
        )
        event.hash = prev = _hash(event)
        events.append(event)
    # Ids grow in the order of the rows of one INSERT: the chain is read by them.
    return AuditEvent.objects.bulk_create(events)


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a check of the chain found: how many rows, and the first broken one, if any."""

    events: int
    broken_id: int | None = None
    reason: str = ""

    @property
    def intact(self) -> bool:
        """Every row follows from the one before it."""
        return self.broken_id is None


def verify_chain() -> ChainReport:
    """Walk the whole trail and recompute every hash; names the first row that doesn't follow."""
    prev, count = GENESIS, 0
    for event in AuditEvent.objects.order_by("pk").iterator(chunk_size=2000):
        count += 1
        if event.prev != prev:
            return ChainReport(count, event.pk, "a row before it is missing or was changed")
        if event.hash != _hash(event):
            return ChainReport(count, event.pk, "its content was changed")
        prev = event.hash
    return ChainReport(count)


def _hash(event: AuditEvent) -> str:
    content = [
        event.prev,
        event.at.isoformat(),
        event.actor_id,
        event.actor_label,
        event.action,
        event.subject_type,
        event.subject_id,
        event.details,
        event.request_id,
    ]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
