"""Operators decide on entries of a list: reviewed, directed to a partner, taken off it (POLICY 1, CONTRACT Feeds).

Each decision is a new listing fact, as a feed would bring it, with who decided and why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, Capability
from core.errors import BadInput, Conflict, NotFound
from core.hooks import announce_facts
from core.models import Note
from core.recording import open_batch, seal
from merchants.models import TargetEntry, TargetFact
from merchants.services.claims import wait_for_the_lists
from merchants.states import Review, Track
from partners.models import Partner, Suspension

# How many entries one decision takes at most: what a page shows, and more.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Change:
    """What a decision makes of an entry. None leaves a value as it is; `relist` takes the day of delisting away."""

    review: Review | None = None
    track: Track | None = None
    assigned_to: Partner | None = None
    delisted_on: date | None = None
    relist: bool = False


def review_entries(
    *,
    actor: Actor,
    entries: Sequence[TargetEntry],
    review: str,
    reason: str = "",
    seen: Mapping[int, int] | None = None,
) -> int:
    """Approve or reject entries, or open their review again, all or none. Returns how many changed.

    `seen` is the last listing fact that the person saw of each entry, by the entry's id. Raises BadInput for a
    rejection or a reopening without a reason; NotFound for an empty choice; Conflict, which says who and when, where
    somebody decided in between; Unavailable behind a large feed of lists.
    """
    actor.require(Capability.KEEP_LISTS)
    if review not in Review.values:
        raise BadInput(_("Approve it, reject it, or open its review again."), code="unknown_review")
    if review != Review.APPROVED:
        _ensure_reason(reason)
    if not entries:
        raise NotFound(_("Choose at least one entry."))
    if len(entries) > AT_ONCE:
        raise BadInput(_("At most %(most)d entries at once.") % {"most": AT_ONCE}, code="too_many")
    with transaction.atomic():
        changed, batch, note = record_change(actor, entries, Change(review=Review(review)), reason, seen)
        audit.record_all(
            actor=actor,
            entries=[
                audit.Entry("entry.reviewed", row, {"review": review, "batch": batch, "reason": note})
                for row in changed
            ],
        )
    return len(changed)


def assign_entry(
    *, actor: Actor, entry: TargetEntry, partner: Partner | None, reason: str, seen: int | None = None
) -> TargetEntry:
    """Direct an entry to one partner, who must then bring it in through its own link; with None open it to all again.

    Raises BadInput without a reason; Conflict for a suspended or terminated partner, where it is so already, or where
    somebody decided in between; Unavailable behind a large feed of lists.
    """
    actor.require(Capability.KEEP_LISTS)
    _ensure_reason(reason)
    if partner is not None and Suspension.objects.filter(partner=partner, during__upper_inf=True).exists():
        raise Conflict(_("%(partner)s is suspended or terminated.") % {"partner": partner.name}, code="standing")
    change = Change(track=Track.DIRECTED if partner else Track.TARGET, assigned_to=partner)
    with transaction.atomic():
        changed, batch, note = record_change(actor, [entry], change, reason, _seen_of(entry, seen))
        if not changed:
            raise Conflict(_("The entry is so already."), code="no_change")
        audit.record(
            actor=actor,
            action="entry.assigned",
            subject=changed[0],
            details={"partner": partner.code if partner else None, "batch": batch, "reason": note},
        )
    return changed[0]


def delist_entry(
    *, actor: Actor, entry: TargetEntry, on: date | None, reason: str, today: date, seen: int | None = None
) -> TargetEntry:
    """Take an entry off its list from the day `on`, or with None put it back. What was certified before still counts.

    Raises BadInput without a reason, for a day before `today` (shops that were certified since would lose what they
    were promised; a feed corrects history) or not after the listing; Conflict where it is so already or somebody
    decided in between; Unavailable behind a large feed of lists.
    """
    actor.require(Capability.KEEP_LISTS)
    _ensure_reason(reason)
    if on is not None and on < today:
        raise BadInput(_("Give today or a later day: what was certified before still counts."), code="past_day")
    with transaction.atomic():
        changed, batch, note = record_change(
            actor, [entry], Change(delisted_on=on, relist=on is None), reason, _seen_of(entry, seen)
        )
        if not changed:
            raise Conflict(_("The entry is so already."), code="no_change")
        audit.record(
            actor=actor,
            action="entry.delisted" if on else "entry.relisted",
            subject=changed[0],
            details={"on": on.isoformat() if on else None, "batch": batch, "reason": note},
        )
    return changed[0]


def record_change(
    actor: Actor,
    entries: Sequence[TargetEntry],
    change: Change,
    reason: str,
    seen: Mapping[int, int] | None,
) -> tuple[list[TargetEntry], int, int | None]:
    """Write the change as facts of one batch, sealed. For services, which then write the audit row.

    Returns the entries that it changed, locked and as they are now, with the batch's and the note's id.
    """
    wait_for_the_lists()
    wanted = [entry.pk for entry in entries]
    rows = list(TargetEntry.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk"))
    if seen is not None:
        _ensure_seen(rows, seen)
    changed = [row for row in rows if _apply(row, change)]
    if not changed:
        return [], 0, None
    batch = open_batch(source="operator", actor_id=actor.user_id)
    note = Note.objects.create(text=reason.strip()) if reason.strip() else None
    TargetFact.objects.bulk_create(
        TargetFact(
            entry=row,
            track=row.track,
            assigned_to=row.assigned_to,
            listed_on=row.listed_on,
            delisted_on=row.delisted_on,
            review=row.review,
            reason=note,
            batch=batch,
        )
        for row in changed
    )
    TargetEntry.objects.bulk_update(changed, ["track", "assigned_to", "delisted_on", "review"])
    announce_facts(kind="listing", batch_id=batch.pk)
    seal(batch)
    return changed, batch.pk, note.pk if note else None


def _apply(row: TargetEntry, change: Change) -> bool:
    before = (row.review, row.track, row.assigned_to_id, row.delisted_on)
    if change.review is not None:
        row.review = change.review
    if change.track is not None:
        row.track, row.assigned_to = change.track, change.assigned_to
    if change.delisted_on is not None:
        if change.delisted_on <= row.listed_on:
            raise BadInput(_("The day has to come after the listing."), code="period")
        row.delisted_on = change.delisted_on
    elif change.relist:
        row.delisted_on = None
    return before != (row.review, row.track, row.assigned_to_id, row.delisted_on)


def _seen_of(entry: TargetEntry, seen: int | None) -> dict[int, int] | None:
    return None if seen is None else {entry.pk: seen}


def _ensure_reason(reason: str) -> None:
    if not reason.strip():
        raise BadInput(_("Say why: it stays on record, and partners will ask."), code="reason_needed")


def _ensure_seen(rows: Sequence[TargetEntry], seen: Mapping[int, int]) -> None:
    """Raise Conflict, with who and when, where an entry has a later fact than the one that was looked at."""
    latest = (
        TargetFact.objects.filter(entry__in=rows, batch__recorded_at__isnull=False)
        .select_related("entry", "batch__actor")
        .order_by("entry", "-batch__recorded_at", "-pk")
        .distinct("entry")
    )
    for fact in latest:
        if seen.get(fact.entry_id, fact.pk) == fact.pk:
            continue
        at = localtime(fact.batch.recorded_at, ZoneInfo(settings.PLATFORM_TIME_ZONE))
        raise Conflict(
            _("%(entry)s was changed by %(who)s at %(when)s. Look at it again.")
            % {
                "entry": fact.entry.code,
                "who": fact.batch.actor.get_full_name() if fact.batch.actor else _("a feed"),
                "when": f"{at:%Y-%m-%d %H:%M}",
            },
            code="stale",
        )
