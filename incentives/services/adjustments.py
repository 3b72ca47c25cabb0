"""Adjustments of a partner's running account: proposed by one person, decided by another (POLICY 6)."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from core import audit, locks
from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound
from core.models import Note, Program
from core.states import IllegalTransition
from core.values import round_money
from incentives import ledger, notices, policies
from incentives.models import Adjustment, Payout
from incentives.services.desk import ZERO, decide, lock_payouts, needed_reason
from incentives.services.differences import place_lines, recompute
from incentives.states import REPAYING, Account, AdjustmentKind, AdjustmentState, DecisionKind, PayoutState
from partners.models import Partner

COUNTER = {
    AdjustmentKind.MANUAL: Account.INCENTIVE_EXPENSE,
    AdjustmentKind.DIFFERENCE: Account.INCENTIVE_EXPENSE,
    AdjustmentKind.RECOVERY: Account.CASH,
    AdjustmentKind.WRITE_OFF: Account.WRITTEN_OFF,
}
LARGEST = Decimal("99999999999999.99")


@transaction.atomic
def propose_adjustment(
    *,
    actor: Actor,
    partner: Partner,
    program: Program,
    amount: Decimal,
    reason: str,
    kind: AdjustmentKind = AdjustmentKind.MANUAL,
    reference: str = "",
    at: datetime | None = None,
) -> Adjustment:
    """Propose to add `amount` to a partner's account (below zero: to take it), in the currency of the program's policy.

    `kind` may also be a recovery (the partner has paid its debt; the bank's `reference` is needed) or a write-off.
    Raises NotAllowed; BadInput without a reason, for an amount of zero, with fractions of a cent, or more than is owed.
    """
    at, reason, reference = at or timezone.now(), needed_reason(reason), reference.strip()
    policies.ensure(policies.can_adjust(actor, partner.pk))
    if kind == AdjustmentKind.DIFFERENCE:
        raise BadInput(_("A difference is settled from its payout."))
    if not amount.is_finite() or not amount or abs(amount) > LARGEST or amount != round_money(amount):
        raise BadInput(_("Give an amount other than zero, with at most 2 decimals."), code="bad_amount")
    if len(reference) > 120 or (kind == AdjustmentKind.RECOVERY and not reference):
        raise BadInput(_("Give the bank's reference, at most 120 characters."), code="reference_needed")
    currency = program.current_policy.rules.incentive.currency
    _ensure_owing(kind, partner.pk, amount, currency)
    adjustment = Adjustment.objects.create(
        partner=partner,
        program=program,
        kind=kind,
        amount=amount,
        currency=currency,
        reason=Note.objects.create(text=reason),
        reference=reference,
        proposed_by_id=_person(actor),
        proposed_at=at,
    )
    audit.record(actor=actor, action="adjustment.proposed", subject=adjustment, details=_told(adjustment), at=at)
    return adjustment


@transaction.atomic
def propose_difference(
    *, actor: Actor, payout: Payout, reason: str, amount: Decimal | None = None, at: datetime | None = None
) -> Adjustment:
    """Propose to settle the difference of the latest run to an approved payout in the partner's next one.

    `amount` is what the person saw. Raises NotAllowed; Conflict where nothing differs, it differs by another amount
    now, one is proposed already, or the payout isn't settled; BadInput without a reason.
    """
    at, reason = at or timezone.now(), needed_reason(reason)
    policies.ensure(policies.can_adjust(actor, payout.partner_id))
    found = lock_payouts([payout.pk])
    if not found:
        raise NotFound(_("There is no such payout."))
    payout = found[0]
    difference = recompute(payout)
    if amount is not None and amount != difference.amount:
        raise Conflict(
            _("The difference is %(now)s now, not %(then)s. Look at it again.")
            % {"now": f"{difference.amount:,.2f}", "then": f"{amount:,.2f}"},
            code="stale",
        )
    if not difference.amount:
        raise Conflict(_("The latest run comes to the same amount."), code="no_difference")
    if Adjustment.objects.filter(payout=payout, state=AdjustmentState.PROPOSED).exists():
        raise Conflict(_("This payout's difference is proposed already; decide on that first."), code="proposed")
    adjustment = Adjustment.objects.create(
        partner=payout.partner,
        program=payout.program,
        kind=AdjustmentKind.DIFFERENCE,
        amount=difference.amount,
        currency=payout.currency,
        payout=payout,
        run_id=difference.run_id,
        reason=Note.objects.create(text=reason),
        details={
            "settled": str(difference.settled),
            "should": str(difference.should),
            "gained": [line.shop_id for line in difference.gained],
            "lost": [line.shop_id for line in difference.lost],
        },
        proposed_by_id=_person(actor),
        proposed_at=at,
    )
    audit.record(actor=actor, action="adjustment.proposed", subject=adjustment, details=_told(adjustment), at=at)
    return adjustment


@transaction.atomic
def confirm_adjustment(
    *, actor: Actor, adjustment: Adjustment, version: int | None = None, at: datetime | None = None
) -> Adjustment:
    """Confirm what another person has proposed: it is in the ledger, and the partner's next payout has it.

    A difference is computed anew: what isn't as it was proposed is refused. Its shops take or give up their places in
    the same transaction. Raises NotAllowed; Conflict where it was decided (who, when), the difference has changed, a
    shop's place was taken, or the partner doesn't owe that much any more.
    """
    at = at or timezone.now()
    # Whoever lets a line live goes one after the other; what a payout in review carries is approved before or after.
    locks.take(locks.Lock.PAYOUT_LINES)
    _lock_money(adjustment)
    adjustment = _lock(adjustment, version)
    policies.ensure(policies.can_confirm_adjustment(actor, adjustment))
    _ensure_proposed(adjustment)
    _ensure_owing(AdjustmentKind(adjustment.kind), adjustment.partner_id, adjustment.amount, adjustment.currency)
    if adjustment.payout is not None:
        place_lines(adjustment)
    _decide(adjustment, AdjustmentState.CONFIRMED, actor, at)
    ledger.post_all(
        [
            ledger.Movement(
                cause=ledger.adjusting(adjustment.pk),
                program_id=adjustment.program_id,
                partner_id=adjustment.partner_id,
                currency=adjustment.currency,
                entries={
                    COUNTER[AdjustmentKind(adjustment.kind)]: adjustment.amount,
                    Account.PARTNER_RECEIVABLE: -adjustment.amount,
                },
            )
        ],
        at=at,
    )
    if adjustment.payout is not None:
        decide(
            adjustment.payout,
            DecisionKind.ADJUST,
            actor=actor,
            at=at,
            before=adjustment.payout.state,
            reason=adjustment.reason,
            details={"adjustment": adjustment.pk, "amount": str(adjustment.amount)},
            tell_amount=adjustment.amount,
        )
    else:
        notices.tell_of_adjustment(adjustment, at=at)
    audit.record(actor=actor, action="adjustment.confirmed", subject=adjustment, details=_told(adjustment), at=at)
    return adjustment


@transaction.atomic
def decline_adjustment(
    *, actor: Actor, adjustment: Adjustment, reason: str, version: int | None = None, at: datetime | None = None
) -> Adjustment:
    """Decline what another person has proposed, or withdraw what oneself has. Raises NotAllowed, Conflict, BadInput."""
    at, reason = at or timezone.now(), needed_reason(reason)
    adjustment = _lock(adjustment, version)
    own = adjustment.proposed_by_id == actor.user_id
    if own:
        policies.ensure(policies.can_adjust(actor, adjustment.partner_id))
    else:
        policies.ensure(policies.can_confirm_adjustment(actor, adjustment))
    _ensure_proposed(adjustment)
    adjustment.decision_reason = Note.objects.create(text=reason)
    _decide(adjustment, AdjustmentState.WITHDRAWN if own else AdjustmentState.DECLINED, actor, at)
    action = "adjustment.withdrawn" if own else "adjustment.declined"
    audit.record(actor=actor, action=action, subject=adjustment, details=_told(adjustment), at=at)
    return adjustment


def _person(actor: Actor) -> int:
    if actor.user_id is None:
        raise RuntimeError("a person adjusts")
    return actor.user_id


def _lock_money(adjustment: Adjustment) -> None:
    """Lock the partner's payouts that carry its account, and the one that a difference is of: before anything else."""
    mine = Payout.objects.filter(partner=adjustment.partner_id, state=PayoutState.IN_REVIEW)
    ids = set(mine.values_list("pk", flat=True))
    lock_payouts(ids | ({adjustment.payout_id} if adjustment.payout_id is not None else set()))


def _lock(adjustment: Adjustment, version: int | None) -> Adjustment:
    found = (
        Adjustment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("partner", "program", "payout__program", "payout__partner", "run", "decided_by", "reason")
        .filter(pk=adjustment.pk)
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such adjustment."))
    if version is not None and found.version != version:
        _ensure_proposed(found)
    return found


def _ensure_proposed(adjustment: Adjustment) -> None:
    if adjustment.state == AdjustmentState.PROPOSED:
        return
    who = adjustment.decided_by.get_full_name() if adjustment.decided_by else ""
    when = localtime(adjustment.decided_at, adjustment.program.zone)
    raise IllegalTransition(
        _("%(who)s has decided on this adjustment at %(when)s (%(what)s).")
        % {"who": who, "when": f"{when:%Y-%m-%d %H:%M}", "what": adjustment.get_state_display()}
    )


def _ensure_owing(kind: AdjustmentKind, partner_id: int, amount: Decimal, currency: str) -> None:
    """A debt is recovered or written off as far as there is one."""
    if kind not in REPAYING:
        return
    debt = ledger.receivables([partner_id], currency=currency).get(partner_id, ZERO)
    if not 0 < amount <= debt:
        raise Conflict(
            _("The partner owes %(debt)s; give an amount above zero and not above that.") % {"debt": f"{debt:,.2f}"},
            code="debt_changed",
        )


def _decide(adjustment: Adjustment, state: AdjustmentState, actor: Actor, at: datetime) -> None:
    adjustment.state, adjustment.version = state, adjustment.version + 1
    adjustment.decided_by_id, adjustment.decided_at = actor.user_id, at
    adjustment.save(update_fields=["state", "version", "decided_by", "decided_at", "decision_reason"])


def _told(adjustment: Adjustment) -> dict[str, object]:
    return {
        "partner": adjustment.partner_id,
        "program": adjustment.program_id,
        "kind": adjustment.kind,
        "state": adjustment.state,
        "amount": str(adjustment.amount),
        "currency": adjustment.currency,
        "payout": adjustment.payout_id,
        "run": adjustment.run_id,
        "note": adjustment.reason_id,
        "decision_note": adjustment.decision_reason_id,
    }
