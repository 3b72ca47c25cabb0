"""Voids, and their exact undoing (POLICY 6).

A void's decision keeps what it changed: the state it ended and the lines it took. Undoing reads that back, and
refuses where something has happened since that stands in the way.
"""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, locks
from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound
from incentives import ledger, policies
from incentives.models import Bar, Decision, Payout, PayoutLine
from incentives.services.desk import (
    change,
    decide,
    difference,
    ensure_move,
    figures,
    is_stopped,
    live_base,
    lock_payout,
    needed_reason,
    owed,
    stop_what_is_held,
    told,
)
from incentives.states import DecisionKind, LineState, PayoutState

# The states in which a payout is owed: its standing is in the ledger.
OWED = (PayoutState.APPROVED, PayoutState.CLOSED)


@transaction.atomic
def void_payout(
    *, actor: Actor, payout: Payout, reason: str, version: int | None = None, at: datetime | None = None
) -> Payout:
    """Void a whole payout before its payment, and bar its partner from later submissions of the program.

    What approval had posted is reversed. Raises NotAllowed, Conflict, BadInput without a reason.
    """
    at, reason = at or timezone.now(), needed_reason(reason)
    payout = lock_payout(payout, version)
    policies.ensure(policies.can_void(actor, payout))
    ensure_move(payout, PayoutState.VOID)
    if payout.lines.filter(state__in=[LineState.ADDED, LineState.DEDUCTED]).exists():
        raise Conflict(
            _("Adjustments have settled a later run's difference to this payout; void its lines one by one."),
            code="adjusted_since",
        )
    before = payout.state
    lines = PayoutLine.objects.filter(payout=payout, state=LineState.LIVE)
    taken = sorted(lines.values_list("pk", flat=True))
    lines.update(state=LineState.VOID)
    change(payout, state=PayoutState.VOID)
    decision = decide(
        payout, DecisionKind.VOID, actor=actor, at=at, before=before, reason=reason, details={"lines": taken}
    )
    Bar.objects.create(program_id=payout.program_id, partner_id=payout.partner_id, decision=decision)
    for posting in ledger.standing(payout):
        ledger.reverse(posting=posting, at=at, payout=payout)
    audit.record(actor=actor, action="payout.voided", subject=payout, details=told(decision, payout), at=at)
    return payout


@transaction.atomic
def void_line(
    *, actor: Actor, line: PayoutLine, reason: str, version: int | None = None, at: datetime | None = None
) -> Payout:
    """Void one shop's line; the payout's amount follows, and the merchant is barred from the program.

    An approved payout of which nothing remains to pay closes. Raises NotAllowed, Conflict where the line isn't
    live or the payout is past voiding, BadInput without a reason.
    """
    at, reason = at or timezone.now(), needed_reason(reason)
    payout = lock_payout(line.payout, version)
    policies.ensure(policies.can_void(actor, payout))
    ensure_move(payout, PayoutState.VOID)  # a line can be voided as long as the whole could
    line = PayoutLine.objects.get(pk=line.pk)
    if line.state != LineState.LIVE:
        raise Conflict(_("The line is %(state)s, not live.") % {"state": line.get_state_display()})
    before = payout.state
    PayoutLine.objects.filter(pk=line.pk).update(state=LineState.VOID)
    amounts = _reprice(payout)
    decision = decide(
        payout,
        DecisionKind.VOID_LINE,
        actor=actor,
        at=at,
        before=before,
        reason=reason,
        line=line,
        details={"lines": [line.pk], **amounts["told"]},
    )
    Bar.objects.create(
        program_id=payout.program_id, partner_id=payout.partner_id, merchant_id=line.merchant_id, decision=decision
    )
    if before in OWED:
        ledger.post(cause=f"decision:{decision.pk}", at=at, payout=payout, entries=amounts["entries"])
    audit.record(
        actor=actor,
        action="payout.line_voided",
        subject=payout,
        details={**told(decision, payout), "line": line.pk, **amounts["told"]},
        at=at,
    )
    return payout


@transaction.atomic
def undo_void(
    *, actor: Actor, decision: Decision, reason: str = "", version: int | None = None, at: datetime | None = None
) -> Payout:
    """Undo a void, of a payout or a line: the lines, the state and the amounts that it changed, and its bar.

    Where the partner has been suspended meanwhile, what lives again is held.

    Raises Conflict that says why where it can't be done exactly: undone before, the payout has moved on since,
    or a line's merchant, brand or entry has been taken by another payout meanwhile.
    """
    at = at or timezone.now()
    locks.take(locks.Lock.PAYOUT_LINES)
    payout = lock_payout(decision.payout, version)
    policies.ensure(policies.can_void(actor, payout))
    _ensure_undoable(decision, payout)
    before = payout.state
    _revive(decision)
    if decision.kind == DecisionKind.VOID:
        change(payout, state=decision.state_before)
        amounts: dict[str, Any] = {"told": {}, "entries": owed(net=payout.net_amount, payable=payout.payable)}
    else:
        amounts = _reprice(payout)
    undoing = decide(
        payout,
        DecisionKind.UNDO_VOID,
        actor=actor,
        at=at,
        before=before,
        reason=reason.strip(),
        line=decision.line,
        undoes=decision,
        details={"lines": decision.details["lines"], **amounts["told"]},
    )
    Bar.objects.filter(decision=decision).update(lifted_by=undoing)
    if payout.state in OWED:
        ledger.post(cause=f"decision:{undoing.pk}", at=at, payout=payout, entries=amounts["entries"])
    stop_what_is_held([payout], at=at)
    audit.record(
        actor=actor,
        action="payout.void_undone",
        subject=payout,
        details={**told(undoing, payout), "undoes": decision.pk, **amounts["told"]},
        at=at,
    )
    return payout


def _reprice(payout: Payout) -> dict[str, Any]:
    """Let the amounts follow the live lines; return what to tell and what to post.

    An owed payout closes where nothing remains to pay, and is approved again where something does.
    """
    then = {"net": payout.net_amount, "payable": payout.payable}
    values: dict[str, Any] = figures(payout, live_base(payout))
    # What stopped the payout may have been the line that was voided.
    values["held"] = payout.held and is_stopped(payout)
    if payout.state in OWED:
        values["state"] = PayoutState.APPROVED if values["payable"] > 0 else PayoutState.CLOSED
        if values["state"] != payout.state:
            ensure_move(payout, values["state"])
    change(payout, **values)
    now = {"net": payout.net_amount, "payable": payout.payable}
    return {
        "told": {
            "payable_before": str(then["payable"]),
            "payable_after": str(now["payable"]),
            "held": payout.held,
        },
        "entries": difference(owed(**now), owed(**then)),
    }


def _ensure_undoable(decision: Decision, payout: Payout) -> None:
    if decision.kind not in (DecisionKind.VOID, DecisionKind.VOID_LINE):
        raise BadInput(_("Only a void can be undone."))
    if Decision.objects.filter(undoes=decision).exists():
        raise Conflict(_("This void was undone before."))
    if payout.state == decision.state_after or (payout.state in OWED and decision.state_before in OWED):
        return
    if payout.state in OWED and decision.state_before == PayoutState.IN_REVIEW:
        raise Conflict(
            _("The payout was approved without this line since; undoing would raise an approved amount."),
            code="approved_since",
        )
    raise Conflict(
        _("The payout is %(now)s now and was %(then)s after the void; it can't be restored exactly.")
        % {"now": payout.get_state_display(), "then": PayoutState(decision.state_after).label},
        code="moved_on",
    )


def _revive(decision: Decision) -> None:
    lines = PayoutLine.objects.filter(pk__in=decision.details["lines"], state=LineState.VOID)
    try:
        with transaction.atomic():
            revived = lines.update(state=LineState.LIVE)
    except IntegrityError:
        raise Conflict(
            _("A merchant, brand or target entry of this void is in another payout meanwhile; void that one first."),
            code="taken_since",
        ) from None
    if revived != len(decision.details["lines"]):
        raise NotFound(_("A line of this void is no longer there to restore."))
