"""Payment: sent, paid or refused, and clawed back after it (POLICY 6)."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import BadInput, Conflict
from incentives import ledger, policies
from incentives.models import Payout, PayoutLine
from incentives.services.desk import (
    change,
    decide,
    ensure_move,
    ensure_not_held,
    figures,
    live_base,
    lock_payout,
    needed_reason,
    told,
)
from incentives.services.invoices import ensure_invoiced
from incentives.services.sending import pay, refuse
from incentives.states import Account, DecisionKind, LineState, PayoutState
from partners.services import lock_payee_for_payment


@transaction.atomic
def start_payment(*, actor: Actor, payout: Payout, version: int | None = None, at: datetime | None = None) -> Payout:
    """Send an approved payout to payment, to the partner's confirmed account.

    Raises NotAllowed, Conflict where it is held or not approved, where the partner can't be paid now
    (`partners.payees.payment_obstacle`), or where an invoice is asked for and none was accepted.
    """
    at = at or timezone.now()
    payout = lock_payout(payout, version)
    policies.ensure(policies.can_pay(actor, payout))
    ensure_move(payout, PayoutState.IN_PAYMENT)
    ensure_not_held(payout)
    ensure_invoiced(payout)
    payee = lock_payee_for_payment(partner_id=payout.partner_id)
    before = payout.state
    change(payout, state=PayoutState.IN_PAYMENT)
    decision = decide(
        payout,
        DecisionKind.START_PAYMENT,
        actor=actor,
        at=at,
        before=before,
        details={"payee": payee.pk} if payee else None,
    )
    ledger.post(
        cause=f"decision:{decision.pk}",
        at=at,
        payout=payout,
        entries={Account.PARTNER_PAYABLE: payout.payable, Account.IN_TRANSIT: -payout.payable},
    )
    audit.record(actor=actor, action="payout.sent_to_payment", subject=payout, details=told(decision, payout), at=at)
    return payout


@transaction.atomic
def mark_paid(
    *, actor: Actor, payout: Payout, reference: str, version: int | None = None, at: datetime | None = None
) -> Payout:
    """Record that the bank has paid, under its `reference` (1 to 120 characters).

    Raises NotAllowed, Conflict where it is held or not under way, BadInput for a bad reference.
    """
    at, reference = at or timezone.now(), reference.strip()
    if not 0 < len(reference) <= 120:
        raise BadInput(_("Give the bank's reference, at most 120 characters."), code="reference_needed")
    payout = lock_payout(payout, version)
    ensure_payable(actor, payout)
    audit.record_all(actor=actor, entries=pay(actor=actor, references={payout: reference}, at=at), at=at)
    return payout


@transaction.atomic
def refuse_payment(
    *, actor: Actor, payout: Payout, reason: str, version: int | None = None, at: datetime | None = None
) -> Payout:
    """Record that the bank refused, and why: the payout is approved and owed again.

    A held payout can be refused too: that is how money under way is stopped. Raises NotAllowed, Conflict,
    BadInput without a reason.
    """
    at, reason = at or timezone.now(), needed_reason(reason)
    payout = lock_payout(payout, version)
    ensure_refusable(actor, payout)
    audit.record_all(actor=actor, entries=refuse(actor=actor, reasons={payout: reason}, at=at), at=at)
    return payout


def ensure_payable(actor: Actor, payout: Payout) -> None:
    """Raise unless this actor may record that the payout is paid: NotAllowed, Conflict where it is held or not sent."""
    policies.ensure(policies.can_pay(actor, payout))
    ensure_move(payout, PayoutState.PAID)
    ensure_not_held(payout)


def ensure_refusable(actor: Actor, payout: Payout) -> None:
    """Raise unless this actor may record that the bank refused it: NotAllowed, Conflict where it isn't sent."""
    policies.ensure(policies.can_pay(actor, payout))
    ensure_move(payout, PayoutState.APPROVED)
    if payout.state != PayoutState.IN_PAYMENT:
        raise Conflict(_("The payout isn't under way to the bank."))


@transaction.atomic
def claw_back(
    *,
    actor: Actor,
    payout: Payout,
    reason: str,
    lines: Collection[PayoutLine] | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> Payout:
    """Claim paid money back, of the whole payout or of some `lines`: the partner owes it from now on.

    The paid figures stay as they were paid. With lines left over the payout stays paid. The debt is settled
    by the partner's next payout (`submit_run` carries it). Raises NotAllowed, Conflict where the payout isn't
    paid or a line isn't live, BadInput without a reason or with no line.
    """
    at, reason = at or timezone.now(), needed_reason(reason)
    payout = lock_payout(payout, version)
    policies.ensure(policies.can_claw_back(actor, payout))
    ensure_move(payout, PayoutState.CLAWED_BACK)
    live = PayoutLine.objects.filter(payout=payout, state=LineState.LIVE)
    then, held_ids = figures(payout, live_base(payout))["net_amount"], set(live.values_list("pk", flat=True))
    wanted = held_ids if lines is None else {line.pk for line in lines}
    if not wanted:
        raise BadInput(_("Name the lines to claw back."))
    if not wanted <= held_ids:
        raise Conflict(_("A line that was named isn't live in this payout."))
    live.filter(pk__in=wanted).update(state=LineState.CLAWED_BACK)
    amount = then - figures(payout, live_base(payout))["net_amount"]
    before, whole = payout.state, wanted == held_ids
    change(payout, **({"state": PayoutState.CLAWED_BACK} if whole else {}))
    decision = decide(
        payout,
        DecisionKind.CLAW_BACK,
        actor=actor,
        at=at,
        before=before,
        reason=reason,
        details={"lines": sorted(wanted), "amount": str(amount)},
    )
    ledger.post(
        cause=f"decision:{decision.pk}",
        at=at,
        payout=payout,
        entries={Account.PARTNER_RECEIVABLE: amount, Account.INCENTIVE_EXPENSE: -amount},
    )
    audit.record(
        actor=actor,
        action="payout.clawed_back",
        subject=payout,
        details={**told(decision, payout), "lines": sorted(wanted), "amount": str(amount)},
        at=at,
    )
    return payout
