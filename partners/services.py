"""Decisions on partners that feeds don't bring: their standing (POLICY 7, Sanctions), and who is on their team.

A suspended partner's links count as revoked while the suspension lasts, from the instant of the decision on; shops that
are recorded already keep their attribution. Money is a higher floor's: whoever suspends or terminates does so through
`incentives.services`, which holds the unpaid payouts in the same transaction (POLICY 6).
"""

from datetime import datetime

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _

from core import audit
from core.actors import PARTNER_ROLES, Actor, Capability, Role
from core.errors import BadInput, Conflict, NotAllowed
from core.hooks import announce_facts
from core.models import FactBatch, Note, User
from core.recording import open_batch, seal
from partners.models import Membership, Partner, Suspension


def suspend_partner(*, actor: Actor, partner: Partner, reason: str) -> Suspension:
    """Suspend the partner from now on, until it is reinstated.

    `reason` is what the partner reads. Raises Conflict where it is suspended or terminated already.
    """
    actor.require(Capability.SUSPEND_PARTNER)
    _need(reason)
    with transaction.atomic():
        current = _lock(partner)
        if current is not None:
            raise Conflict(f"{partner.code} is {_state(current)} already.")
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
            raise Conflict(f"{partner.code} is not suspended.")
        if current.terminal:
            raise Conflict(f"{partner.code} was terminated; that is not undone here.")
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
            raise Conflict(f"{partner.code} was terminated already.")
        batch = open_batch(source="operator", actor_id=actor.user_id)
        now = _now()
        if current is not None:
            _close(current, at=now)
        row = _open(partner, reason, batch, at=now, terminal=True)
        _finish(actor, "partner.terminated", row, batch)
    return row


@transaction.atomic
def add_member(*, actor: Actor, partner: Partner, user: User, role: Role) -> Membership:
    """Let a person see and act for the partner.

    Raises NotAllowed, also for the actor's own account; BadInput for an operator's role; Conflict where the person is
    on the team.
    """
    _ensure_manages(actor, user)
    if role not in PARTNER_ROLES:
        raise BadInput(_("%(role)s is an operator's role, not one in a partner's team.") % {"role": role.value})
    membership, is_new = Membership.objects.get_or_create(partner=partner, user=user, defaults={"role": role.value})
    if not is_new:
        raise Conflict(_("%(who)s is on the team of %(partner)s already.") % {"who": user, "partner": partner.code})
    audit.record(
        actor=actor, action="member.added", subject=partner, details={"user": user.pk, "role": membership.role}
    )
    return membership


@transaction.atomic
def remove_member(*, actor: Actor, partner: Partner, user: User) -> None:
    """Take a person off the partner's team; its pages are closed to them from now on.

    Raises NotAllowed, also for the actor's own account; Conflict where the person isn't on the team.
    """
    _ensure_manages(actor, user)
    taken, _by_model = Membership.objects.filter(partner=partner, user=user).delete()
    if not taken:
        raise Conflict(_("%(who)s is not on the team of %(partner)s.") % {"who": user, "partner": partner.code})
    audit.record(actor=actor, action="member.removed", subject=partner, details={"user": user.pk})


def _ensure_manages(actor: Actor, user: User) -> None:
    actor.require(Capability.MANAGE_USERS)
    if actor.user_id == user.pk:
        raise NotAllowed(_("Nobody puts themselves on a partner's team, or takes themselves off it."))


def _need(reason: str) -> None:
    if not reason.strip():
        raise BadInput("Say why: the partner reads it.")


def _lock(partner: Partner) -> Suspension | None:
    """Lock the partner's row, so that two decisions come one after the other; return the suspension in force."""
    Partner.objects.select_for_update().get(pk=partner.pk)
    return Suspension.objects.filter(partner=partner, during__upper_inf=True).first()


def _state(row: Suspension) -> str:
    return "terminated" if row.terminal else "suspended"


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
    seal(batch)
    audit.record(
        actor=actor,
        action=action,
        subject=row.partner,
        details={"suspension": row.pk, "reason": row.reason_id, **details},
    )
