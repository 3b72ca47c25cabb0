"""Holds: of a payout, of one of its lines, of all of a partner; and their release, each by name (POLICY 6).

A payout's `held` says whether any of them stops it; nothing else sets it.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, locks
from core.actors import Actor
from core.errors import Conflict
from core.models import Note
from incentives import policies
from incentives.models import Decision, Hold, Payout, PayoutLine
from incentives.services.desk import (
    change,
    decide,
    is_stopped,
    lock_payout,
    lock_payouts,
    needed_reason,
    told,
)
from incentives.states import COUNTED, DecisionKind
from partners.models import Partner


@transaction.atomic
def hold_payout(
    *, actor: Actor, payout: Payout, reason: str, version: int | None = None, at: datetime | None = None
) -> Payout:
    """Stop a payout's approval and payment until somebody releases it. Its figures stay.

    Raises NotAllowed, Conflict where it is held already or its life is over, BadInput without a reason.
    """
    payout = lock_payout(payout, version)
    return _hold(actor, payout, None, needed_reason(reason), at or timezone.now())


@transaction.atomic
def hold_line(
    *, actor: Actor, line: PayoutLine, reason: str, version: int | None = None, at: datetime | None = None
) -> Payout:
    """Stop the payout that a line counts in, because of that line: voiding the line lets the rest go on.

    Raises NotAllowed, Conflict where the line doesn't count or is held already, BadInput without a reason.
    """
    payout = lock_payout(line.payout, version)
    line = PayoutLine.objects.select_related("shop").get(pk=line.pk)
    if line.state not in COUNTED:
        raise Conflict(_("The line is %(state)s, not live.") % {"state": line.get_state_display()})
    return _hold(actor, payout, line, needed_reason(reason), at or timezone.now())


@transaction.atomic
def release_payout(
    *, actor: Actor, payout: Payout, reason: str = "", version: int | None = None, at: datetime | None = None
) -> Payout:
    """Release the hold of a payout: it goes on from where it is, unless something else stops it still.

    Raises NotAllowed, Conflict where it isn't held, or only a line or its partner is.
    """
    payout = lock_payout(payout, version)
    return _release(actor, payout, None, reason.strip(), at or timezone.now())


@transaction.atomic
def release_line(
    *, actor: Actor, line: PayoutLine, reason: str = "", version: int | None = None, at: datetime | None = None
) -> Payout:
    """Release the hold of one line. Raises NotAllowed, Conflict where the line isn't held."""
    payout = lock_payout(line.payout, version)
    return _release(actor, payout, line, reason.strip(), at or timezone.now())


@transaction.atomic
def hold_partner(*, actor: Actor, partner: Partner, reason: str, at: datetime | None = None) -> list[Payout]:
    """Stop all money of a partner, what is unpaid now and what is submitted later, until it is released.

    Returns the payouts that it stopped, not those that were held before. Raises NotAllowed, Conflict where all of the
    partner is held already, BadInput without a reason.
    """
    at, reason = at or timezone.now(), needed_reason(reason)
    policies.ensure(policies.can_hold_partner(actor, partner.pk))
    payouts = _unpaid(partner)
    if Hold.objects.standing().filter(partner=partner, program=None).exists():
        raise Conflict(_("All of this partner's money is held already."), code="held")
    note = Note.objects.create(text=reason)
    hold = Hold.objects.create(partner=partner, placed_by_id=actor.user_id, placed_at=at, reason=note)
    stopped = [payout for payout in payouts if not payout.held]
    for payout in stopped:
        change(payout, held=True)
        decide(payout, DecisionKind.HOLD, actor=actor, at=at, before=payout.state, reason=note)
    audit.record(
        actor=actor,
        action="partner.money_held",
        subject=partner,
        details={"hold": hold.pk, "note": note.pk, "payouts": [payout.pk for payout in stopped]},
        at=at,
    )
    return stopped


@transaction.atomic
def release_partner(*, actor: Actor, partner: Partner, reason: str = "", at: datetime | None = None) -> list[Payout]:
    """Release the hold of all of a partner's money. Returns the payouts that go on: others are still stopped.

    Raises NotAllowed, Conflict where not all of the partner is held.
    """
    at, reason = at or timezone.now(), reason.strip()
    policies.ensure(policies.can_hold_partner(actor, partner.pk))
    payouts = _unpaid(partner)
    hold = Hold.objects.standing().filter(partner=partner, program=None).first()
    if hold is None:
        raise Conflict(_("This partner's money isn't held as a whole."), code="not_held")
    note = Note.objects.create(text=reason) if reason else None
    _end(hold, actor, note, at)
    freed = [payout for payout in payouts if payout.held and not is_stopped(payout)]
    for payout in freed:
        change(payout, held=False)
        decide(payout, DecisionKind.RELEASE, actor=actor, at=at, before=payout.state, reason=note)
    audit.record(
        actor=actor,
        action="partner.money_released",
        subject=partner,
        details={"hold": hold.pk, "note": note.pk if note else None, "payouts": [payout.pk for payout in freed]},
        at=at,
    )
    return freed


def unheld(payouts: list[Payout]) -> list[Payout]:
    """Those of one partner's payouts that have no hold of their own, whatever else stops them."""
    own = Hold.objects.standing().filter(partner__in={payout.partner_id for payout in payouts}, shop=None)
    held = set(own.values_list("program", flat=True))
    return [payout for payout in payouts if payout.program_id not in held]


def _unpaid(partner: Partner) -> list[Payout]:
    # A submission under way ends first, and its payouts are seen here; one that comes later sees the hold.
    locks.take(locks.Lock.PAYOUT_LINES)
    unpaid = Payout.objects.filter(partner=partner, state__in=policies.STEPS["hold"]).values_list("pk", flat=True)
    return [payout for payout in lock_payouts(unpaid) if payout.state in policies.STEPS["hold"]]


def _hold(actor: Actor, payout: Payout, line: PayoutLine | None, reason: str, at: datetime) -> Payout:
    policies.ensure(policies.can_hold(actor, payout))
    if payout.state not in policies.STEPS["hold"]:
        raise Conflict(
            _("The payout is %(state)s; there is nothing left to hold.") % {"state": payout.get_state_display()}
        )
    if _own(payout, line) is not None:
        if line is not None:
            raise Conflict(_("The line is held already."), code="held")
        raise Conflict(_("The payout is held already."), code="held")
    note = Note.objects.create(text=reason)
    Hold.objects.create(
        partner_id=payout.partner_id,
        program_id=payout.program_id,
        shop=line.shop if line is not None else None,
        placed_by_id=actor.user_id,
        placed_at=at,
        reason=note,
    )
    change(payout, held=True)
    decision = decide(payout, DecisionKind.HOLD, actor=actor, at=at, before=payout.state, reason=note, line=line)
    action = "payout.held" if line is None else "payout.line_held"
    audit.record(actor=actor, action=action, subject=payout, details=_told(decision, payout, line), at=at)
    return payout


def _release(actor: Actor, payout: Payout, line: PayoutLine | None, reason: str, at: datetime) -> Payout:
    policies.ensure(policies.can_release(actor, payout))
    hold = _own(payout, line)
    if hold is None:
        if line is not None:
            raise Conflict(_("The line isn't held."), code="not_held")
        if payout.held:
            raise Conflict(
                _("Not the payout is held but its partner, or one of its lines: release that."), code="held_elsewhere"
            )
        raise Conflict(_("The payout isn't held."), code="not_held")
    note = Note.objects.create(text=reason) if reason else None
    _end(hold, actor, note, at)
    change(payout, held=is_stopped(payout))
    decision = decide(
        payout,
        DecisionKind.RELEASE,
        actor=actor,
        at=at,
        before=payout.state,
        reason=note,
        line=line,
        details={"held": payout.held},
        tell=not payout.held,
    )
    action = "payout.released" if line is None else "payout.line_released"
    audit.record(actor=actor, action=action, subject=payout, details=_told(decision, payout, line), at=at)
    return payout


def _own(payout: Payout, line: PayoutLine | None) -> Hold | None:
    """The standing hold of exactly this payout, or of exactly this line."""
    shop = line.shop_id if line is not None else None
    standing = Hold.objects.standing().filter(partner=payout.partner_id, program=payout.program_id)
    return standing.filter(shop=shop).first()


def _end(hold: Hold, actor: Actor, note: Note | None, at: datetime) -> None:
    hold.released_by_id, hold.released_at, hold.release_reason = actor.user_id, at, note
    hold.save(update_fields=["released_by", "released_at", "release_reason"])


def _told(decision: Decision, payout: Payout, line: PayoutLine | None) -> dict[str, Any]:
    return {**told(decision, payout), "held": payout.held, **({"line": line.pk} if line is not None else {})}
