"""Decisions on a partner's standing (POLICY 7, Sanctions).

A suspended partner's links count as revoked while the suspension lasts, from the instant of the decision on; shops that
are recorded already keep their attribution. Money is a higher floor's: whoever suspends or terminates does so through
`incentives.services`, which holds the unpaid payouts in the same transaction (POLICY 6).
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, Capability
from core.errors import BadInput, Conflict
from core.hooks import announce_facts
from core.models import FactBatch, Note
from core.recording import open_batch, seal
from partners import notices
from partners.models import Partner, Suspension


def suspend_partner(*, actor: Actor, partner: Partner, reason: str) -> Suspension:
    """Suspend the partner from now on, until it is reinstated.

    `reason` is what the partner reads. Raises Conflict where it is suspended or terminated already.
    """
    actor.require(Capability.SUSPEND_PARTNER)
    _need(reason)
    with transaction.atomic():
        current = _lock(partner)
        if current is not None:
            raise Conflict(_overtaken(current))
        batch = open_batch(source="operator", actor_id=actor.user_id)
        row = _open(partner, reason, batch, at=_now(), terminal=False)
        _finish(actor, "partner.suspended", row, batch)
    return row


def reinstate_partner(*, actor: Actor, partner: Partner, reason: str) -> Suspension:
    """End the partner's suspension now. Its links work again, where they haven't expired.

    Raises Conflict where it isn't suspended, or is terminated.
    """
    actor.require(Capability.SUSPEND_PARTNER)
    _need(reason)
    with transaction.atomic():
        current = _lock(partner)
        if current is None:
            raise Conflict(_("%(partner)s is not suspended.") % {"partner": partner.code})
        if current.terminal:
            raise Conflict(_("%(partner)s was terminated; that is not undone.") % {"partner": partner.code})
        batch = open_batch(source="operator", actor_id=actor.user_id)
        _close(current, at=_now())
        note = Note.objects.create(text=reason.strip())
        _finish(actor, "partner.reinstated", current, batch, note=note.pk)
    return current


def terminate_partner(*, actor: Actor, partner: Partner, reason: str) -> Suspension:
    """End the cooperation (清退) now, for good. Raises Conflict where it has ended already."""
    actor.require(Capability.SUSPEND_PARTNER)
    _need(reason)
    with transaction.atomic():
        current = _lock(partner)
        if current is not None and current.terminal:
            raise Conflict(_overtaken(current))
        batch = open_batch(source="operator", actor_id=actor.user_id)
        now = _now()
        if current is not None:
            _close(current, at=now)
        row = _open(partner, reason, batch, at=now, terminal=True)
        _finish(actor, "partner.terminated", row, batch)
    return row


def _need(reason: str) -> None:
    if not reason.strip():
        raise BadInput(_("Say why: the partner reads it."), code="reason_needed")


def _lock(partner: Partner) -> Suspension | None:
    """Lock the partner's row, so that two decisions come one after the other; return the suspension in force."""
    Partner.objects.select_for_update().get(pk=partner.pk)
    return Suspension.objects.filter(partner=partner, during__upper_inf=True).first()


def _overtaken(row: Suspension) -> str:
    """Whoever decided first, and when. Only operators come here."""
    who = row.batch.actor.get_full_name() if row.batch.actor else _("The system")
    when = f"{localtime(row.during.lower, ZoneInfo(settings.PLATFORM_TIME_ZONE)):%Y-%m-%d %H:%M}"
    said = (
        _("%(partner)s is terminated already: %(who)s did it at %(when)s.")
        if row.terminal
        else _("%(partner)s is suspended already: %(who)s did it at %(when)s.")
    )
    return said % {"partner": row.partner.code, "who": who, "when": when}


def _open(partner: Partner, reason: str, batch: FactBatch, *, at: datetime, terminal: bool) -> Suspension:
    note = Note.objects.create(text=reason.strip())
    return Suspension.objects.create(
        partner=partner, during=DateTimeTZRange(at, None, "[)"), terminal=terminal, reason=note, batch=batch
    )


def _close(row: Suspension, *, at: datetime) -> None:
    row.during = DateTimeTZRange(row.during.lower, at, "[)")
    row.save(update_fields=["during"])


def _now() -> datetime:
    # The clock that batches are stamped with too; a transaction's own now() may lie before the row's lock was had.
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    moment: datetime = now
    return moment


def _finish(actor: Actor, action: str, row: Suspension, batch: FactBatch, **details: int) -> None:
    announce_facts(kind="suspension", batch_id=batch.pk)
    notices.standing_changed(action, row.partner)
    seal(batch)
    audit.record(
        actor=actor,
        action=action,
        subject=row.partner,
        details={"suspension": row.pk, "reason": row.reason_id, **details},
    )
