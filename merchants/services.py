"""What happens to merchants' records: feeds are loaded, shops are given to partners. The writes of this floor."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from core import audit
from core.actors import Actor, Capability
from core.errors import BadInput, NotFound
from core.hooks import announce_facts
from core.models import Note
from core.recording import open_batch, seal
from merchants.attribution import ATTRIBUTE_AGAIN
from merchants.imports import load as loading
from merchants.imports.source import inspect
from merchants.models import Attribution, Import, Shop
from merchants.states import Cause, FeedKind
from partners.models import Partner


def load_feed(
    *,
    actor: Actor,
    kind: str,
    path: Path | str,
    strict: bool = False,
    recorded_at: datetime | None = None,
    file_name: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Import:
    """Load a feed file as one batch (CONTRACT.md, Feeds) and return the import, landed, with its counts.

    Good rows land, bad ones are quarantined with the import; with `strict` nothing lands when any row is bad, and the
    import comes back refused. `recorded_at` records history (audited). `file_name` is the name that people know an
    upload by. `progress` is told the number of rows read so far.

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
    )


def fail_lost_imports(*, actor: Actor) -> int:
    """Mark running imports whose process has died as failed, each with an audit row; return how many.

    Every load does so first; a task does it for a house in which nothing more is loaded.
    """
    actor.require(Capability.LOAD_FEED)
    return loading.fail_lost(actor)


def assign_shop(
    *, actor: Actor, shop: Shop, partner: Partner, reason: str, guard: Callable[[Shop], None] | None = None
) -> Attribution:
    """Give a shop to a partner by decision, whoever had it before (POLICY 4, 3): a new row, with a reason.

    A shop never changes hands after its program's payouts are approved. That is known one floor up: who calls this
    for people passes `guard`, which is called with the locked shop and raises a DomainError where it is too late.
    """
    actor.require(Capability.ASSIGN_SHOP)
    if not reason.strip():
        raise BadInput("Say why: the partner that loses or gets the shop will ask.")
    with transaction.atomic():
        locked = Shop.objects.select_for_update().get(pk=shop.pk)
        if guard is not None:
            guard(locked)
        batch = open_batch(source="operator", actor_id=actor.user_id)
        note = Note.objects.create(text=reason.strip())
        row = Attribution.objects.create(shop=locked, partner=partner, cause=Cause.ASSIGNMENT, reason=note, batch=batch)
        announce_facts(kind="assignment", batch_id=batch.pk)
        seal(batch)
        audit.record(
            actor=actor,
            action="shop.assigned",
            subject=locked,
            details={"partner": partner.code, "attribution": row.pk, "reason": note.pk},
        )
    return row


def apply_attribution_again(*, actor: Actor, shops: Sequence[Shop]) -> int:
    """Apply the rules of POLICY 4 once more to those of `shops` that nobody brought in, by what is known now.

    For a claim that was loaded late. Whether a link was valid was decided when its shop was recorded, and stays.
    Returns how many shops found their partner. Raises NotFound for an empty choice.
    """
    actor.require(Capability.ASSIGN_SHOP)
    if not shops:
        raise NotFound("Choose at least one shop.")
    with transaction.atomic():
        # In the order of their ids, as whoever locks shops does; attributions are written under a shop's lock.
        ids = list(
            Shop.objects.select_for_update()
            .filter(pk__in=[shop.pk for shop in shops])
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        batch = open_batch(source="operator", actor_id=actor.user_id)
        with connection.cursor() as cursor:
            cursor.execute(ATTRIBUTE_AGAIN, {"batch": batch.pk, "known": "infinity", "shops": ids})
            found = int(cursor.rowcount)
        if found:
            announce_facts(kind="attribution", batch_id=batch.pk)
        seal(batch)
        audit.record(
            actor=actor,
            action="attribution.applied_again",
            subject=batch,
            details={"shops": len(ids), "found": found},
        )
    return found
