"""Entries of a list that look like one are found, and decided on: rejected as a duplicate, or kept for good.

Names are compared without width, case and legal form (`merchants.searching.trigram_key`), by PostgreSQL's trigrams.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, Capability
from core.errors import BadInput, Conflict
from core.models import Note, Program
from merchants.models import EntryName, EntryPair, TargetEntry
from merchants.searching import trigram_key
from merchants.services.entries import Change, record_change
from merchants.states import PairState, Review

# From how alike on two names are shown to a person; 1 is the same.
ALIKE = 0.6
# Entries that one call compares: a second or two, on a list of 50,000 measured 8 ms for each.
AT_ONCE = 250

# Each of the new entries with its likes: one look into an index for each name and brand (entryname_name_parts,
# entryname_brand_parts, merchants_targetentry.merchant). One merchant's entries for brands that differ aren't alike.
_FIND = """
WITH fresh AS (
    SELECT n.*, e.merchant_id FROM merchants_entryname n JOIN merchants_targetentry e ON e.id = n.entry_id
    WHERE n.entry_id = ANY (%(fresh)s)
), likes AS (
    SELECT f.entry_id AS one, o.entry_id AS other FROM fresh f JOIN merchants_entryname o
        ON o.program_id = f.program_id AND o.name %% f.name AND f.name <> ''
    UNION
    SELECT f.entry_id, o.entry_id FROM fresh f JOIN merchants_entryname o
        ON o.program_id = f.program_id AND o.brand %% f.brand AND f.brand <> ''
    UNION
    SELECT f.entry_id, e.id FROM fresh f JOIN merchants_targetentry e
        ON e.merchant_id = f.merchant_id AND e.program_id = f.program_id
), pairs AS (
    SELECT DISTINCT least(one, other) AS first, greatest(one, other) AS second FROM likes WHERE one <> other
)
INSERT INTO merchants_entrypair (program_id, first_id, second_id, names, brands, one_merchant, found_at, state)
SELECT a.program_id, p.first, p.second, round(100 * similarity(a.name, b.name)),
    round(100 * similarity(a.brand, b.brand)), coalesce(ea.merchant_id = eb.merchant_id, false), %(at)s, 'open'
FROM pairs p
JOIN merchants_entryname a ON a.entry_id = p.first JOIN merchants_entryname b ON b.entry_id = p.second
JOIN merchants_targetentry ea ON ea.id = p.first JOIN merchants_targetentry eb ON eb.id = p.second
WHERE a.brand = '' OR b.brand = '' OR similarity(a.brand, b.brand) >= %(alike)s OR ea.merchant_id <> eb.merchant_id
ON CONFLICT (first_id, second_id) DO NOTHING
"""


def uncompared(program: Program) -> QuerySet[TargetEntry]:
    """Entries of the list that weren't compared yet, or under another name."""
    rows = TargetEntry.objects.filter(program=program).annotate(
        named=Coalesce(
            F("merchant_name"), F("merchant__name"), Value("", output_field=CharField()), output_field=CharField()
        )
    )
    found: QuerySet[TargetEntry] = rows.exclude(compared__given=F("named"), compared__isnull=False)
    return found


def find_duplicates(*, actor: Actor, program: Program, at: datetime, most: int = AT_ONCE) -> tuple[int, int]:
    """Compare up to `most` entries that weren't compared yet with all of their list.

    Returns how many were compared, and how many pairs were found that nobody had seen. A pair is found once: what was
    decided on it stays, also when a name is corrected.
    """
    actor.require(Capability.KEEP_LISTS)
    with transaction.atomic():
        # One at a time: of two entries that are compared at once neither would see the other.
        Program.objects.select_for_update(no_key=True).get(pk=program.pk)
        fresh = list(uncompared(program).select_related("brand").order_by("pk")[:most])
        EntryName.objects.bulk_create(
            [_name_of(entry) for entry in fresh],
            update_conflicts=True,
            unique_fields=["entry"],
            update_fields=["given", "name", "brand"],
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('pg_trgm.similarity_threshold', %s, true)", [str(ALIKE)])
            cursor.execute(_FIND, {"fresh": [entry.pk for entry in fresh], "at": at, "alike": ALIKE})
            found = int(cursor.rowcount)
        if fresh:
            audit.record(
                actor=actor,
                action="duplicates.looked_for",
                subject=program,
                details={"entries": len(fresh), "found": found},
            )
    return len(fresh), found


def keep_both(*, actor: Actor, pair: EntryPair, at: datetime, reason: str = "") -> EntryPair:
    """Say that two entries differ: the pair isn't shown again. Raises Conflict where it is decided already."""
    actor.require(Capability.KEEP_LISTS)
    with transaction.atomic():
        locked = _lock(pair)
        note = _decide(locked, actor, PairState.KEPT, at, reason)
        audit.record(
            actor=actor,
            action="duplicate.kept",
            subject=locked,
            details={"entries": [locked.first_id, locked.second_id], "reason": note},
        )
    return locked


def reject_duplicate(*, actor: Actor, pair: EntryPair, entry: TargetEntry, at: datetime, reason: str) -> EntryPair:
    """Reject one of the two as the other's duplicate: its review becomes `rejected`, a fact that runs read.

    Raises BadInput without a reason or for an entry that isn't of the pair; Conflict where the pair is decided
    already; Unavailable behind a large feed of lists.
    """
    actor.require(Capability.KEEP_LISTS)
    if not reason.strip():
        raise BadInput(_("Say why: it stays on record, and partners will ask."), code="reason_needed")
    if entry.pk not in (pair.first_id, pair.second_id):
        raise BadInput(_("Choose one of the two entries."), code="not_of_the_pair")
    with transaction.atomic():
        locked = _lock(pair)
        locked.rejected = entry
        note = _decide(locked, actor, PairState.REJECTED, at, reason)
        _changed, batch, _note = record_change(actor, [entry], Change(review=Review.REJECTED), reason, None)
        audit.record(
            actor=actor,
            action="duplicate.rejected",
            subject=locked,
            details={"rejected": entry.pk, "batch": batch or None, "reason": note},
        )
    return locked


def _name_of(entry: TargetEntry) -> EntryName:
    given: Any = entry.named  # type: ignore[attr-defined]  # annotated
    return EntryName(
        entry=entry,
        program_id=entry.program_id,
        given=given,
        name=trigram_key(given),
        brand=trigram_key(entry.brand.name) if entry.brand else "",
    )


def _lock(pair: EntryPair) -> EntryPair:
    locked: EntryPair = (
        EntryPair.objects.select_for_update(of=("self",))
        .select_related("first", "second", "decided_by")
        .get(pk=pair.pk)
    )
    if locked.state != PairState.OPEN:
        who = locked.decided_by.get_full_name() if locked.decided_by else "–"
        raise Conflict(
            _("%(who)s has decided on this pair already: %(state)s.")
            % {"who": who, "state": locked.get_state_display()},
            code="decided",
        )
    return locked


def _decide(pair: EntryPair, actor: Actor, state: PairState, at: datetime, reason: str) -> int | None:
    note = Note.objects.create(text=reason.strip()) if reason.strip() else None
    pair.state, pair.decided_at, pair.decided_by_id, pair.reason = state, at, actor.user_id, note
    pair.save(update_fields=["state", "decided_at", "decided_by", "reason", "rejected"])
    return note.pk if note else None
