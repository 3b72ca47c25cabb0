"""Review: return, approve, hold and release (POLICY 6)."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict
from incentives import ledger, policies
from incentives.models import Payout, PayoutLine
from incentives.services.desk import (
    ZERO,
    change,
    decide,
    ensure_move,
    ensure_not_held,
    lock_payout,
    needed_reason,
    owed,
    told,
)
from incentives.states import DecisionKind, LineState, PayoutState


@transaction.atomic
def return_payout(
    *, actor: Actor, payout: Payout, reason: str, version: int | None = None, at: datetime | None = None
) -> Payout:
    """Send a payout back: its lines stop counting, and a later submission makes a new one.

    Raises NotAllowed, Conflict (changed since `version`, not in review), BadInput without a reason.
    """
    at, reason = at or timezone.now(), needed_reason(reason)
    payout = lock_payout(payout, version)
    policies.ensure(policies.can_return(actor, payout))
    ensure_move(payout, PayoutState.RETURNED)
    before = payout.state
    PayoutLine.objects.filter(payout=payout, state=LineState.LIVE).update(state=LineState.RETURNED)
    change(payout, state=PayoutState.RETURNED)
    decision = decide(payout, DecisionKind.RETURN, actor=actor, at=at, before=before, reason=reason)
    audit.record(actor=actor, action="payout.returned", subject=payout, details=told(decision, payout), at=at)
    return payout


@transaction.atomic
def approve_payout(*, actor: Actor, payout: Payout, version: int | None = None, at: datetime | None = None) -> Payout:
    """Approve a payout: from now on it is owed. One that leaves nothing to pay closes instead.

    A second person decides (maker-checker). Raises NotAllowed with the reason, Conflict where the payout is
    held, has changed since `version` or isn't in review.
    """
    at = at or timezone.now()
    payout = lock_payout(payout, version)
    policies.ensure(policies.can_approve(actor, payout))
    new, kind = (
        (PayoutState.APPROVED, DecisionKind.APPROVE) if payout.payable > 0 else (PayoutState.CLOSED, DecisionKind.CLOSE)
    )
    ensure_move(payout, new)
    ensure_not_held(payout)
    if payout.adjustments < 0:
        _ensure_still_owing(payout)
    before = payout.state
    change(payout, state=new, approved_by_id=actor.user_id, approved_at=at)
    decision = decide(payout, kind, actor=actor, at=at, before=before)
    ledger.post(
        cause=f"decision:{decision.pk}",
        at=at,
        payout=payout,
        entries=owed(net=payout.net_amount, payable=payout.payable),
    )
    action = "payout.approved" if new == PayoutState.APPROVED else "payout.closed"
    audit.record(actor=actor, action=action, subject=payout, details=told(decision, payout), at=at)
    return payout


@transaction.atomic
def hold_payout(
    *, actor: Actor, payout: Payout, reason: str, version: int | None = None, at: datetime | None = None
) -> Payout:
    """Stop a payout's approval and payment until somebody releases it. Its figures stay.

    Raises NotAllowed, Conflict where it is held already or its life is over, BadInput without a reason.
    """
    at, reason = at or timezone.now(), needed_reason(reason)
    payout = lock_payout(payout, version)
    policies.ensure(policies.can_hold(actor, payout))
    if payout.state not in policies.STEPS["hold"]:
        raise Conflict(
            _("The payout is %(state)s; there is nothing left to hold.") % {"state": payout.get_state_display()}
        )
    if payout.held:
        raise Conflict(_("The payout is held already."), code="held")
    change(payout, held=True)
    decision = decide(payout, DecisionKind.HOLD, actor=actor, at=at, before=payout.state, reason=reason)
    audit.record(actor=actor, action="payout.held", subject=payout, details=told(decision, payout), at=at)
    return payout


@transaction.atomic
def release_payout(
    *, actor: Actor, payout: Payout, reason: str = "", version: int | None = None, at: datetime | None = None
) -> Payout:
    """Let a held payout go on from where it is. Raises NotAllowed, Conflict where it isn't held."""
    at = at or timezone.now()
    payout = lock_payout(payout, version)
    policies.ensure(policies.can_release(actor, payout))
    if not payout.held:
        raise Conflict(_("The payout isn't held."), code="not_held")
    change(payout, held=False)
    decision = decide(payout, DecisionKind.RELEASE, actor=actor, at=at, before=payout.state, reason=reason.strip())
    audit.record(actor=actor, action="payout.released", subject=payout, details=told(decision, payout), at=at)
    return payout


def _ensure_still_owing(payout: Payout) -> None:
    """A debt that the payout was to settle may have been settled by another one meanwhile."""
    debt = ledger.receivables([payout.partner_id], currency=payout.currency).get(payout.partner_id, ZERO)
    if debt < -payout.adjustments:
        raise Conflict(
            _("The partner owes %(debt)s now, and this payout settles %(carried)s: return it and submit it again.")
            % {"debt": f"{debt:,.2f}", "carried": f"{-payout.adjustments:,.2f}"},
            code="debt_changed",
        )
