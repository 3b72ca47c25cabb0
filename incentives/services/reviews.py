"""Review: return, and approve one or many (POLICY 6)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict, DomainError, NotFound
from incentives import ledger, notices, policies
from incentives.models import Decision, Payout, PayoutLine
from incentives.services.desk import (
    ZERO,
    change,
    decide,
    ensure_move,
    ensure_not_held,
    lock_payout,
    lock_payouts,
    needed_reason,
    owed,
    told,
)
from incentives.services.stale import stale
from incentives.states import DecisionKind, LineState, PayoutState

# What approving leads to: where nothing is left to pay, the payout closes instead.
ACTIONS = {PayoutState.APPROVED: "payout.approved", PayoutState.CLOSED: "payout.closed"}
KINDS = {PayoutState.APPROVED: DecisionKind.APPROVE, PayoutState.CLOSED: DecisionKind.CLOSE}


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


def approve_payout(*, actor: Actor, payout: Payout, version: int | None = None, at: datetime | None = None) -> Payout:
    """Approve a payout: from now on it is owed. One that leaves nothing to pay closes instead.

    A second person decides (maker-checker). Raises NotAllowed with the reason, Conflict where the payout is
    held, has changed since `version` (Stale, that tells what has) or isn't in review.
    """
    answer = approve_payouts(actor=actor, versions={payout.pk: version}, at=at)[payout.pk]
    if isinstance(answer, DomainError):
        raise answer
    return answer


@transaction.atomic
def approve_payouts(
    *, actor: Actor, versions: Mapping[int, int | None], at: datetime | None = None
) -> dict[int, Payout | DomainError]:
    """Approve each payout of `versions` (by id, the version that the person saw) as `approve_payout` does.

    One transaction for all, with an audit row for each; returns each payout, or why it was refused. The number of
    queries doesn't grow with the payouts. At most a few hundred at a time: the rows and the trail are locked till then.
    """
    at = at or timezone.now()
    found = {payout.pk: payout for payout in lock_payouts(versions)}
    changed = policies.changed_by(actor, found)
    accounts = _accounts(found.values())
    answers: dict[int, Payout | DomainError] = {}
    for pk, version in sorted(versions.items()):
        payout = found.get(pk)
        if payout is None:
            answers[pk] = NotFound(_("There is no such payout."))
            continue
        try:
            if version is not None and payout.version != version:
                raise stale(payout, version)
            policies.ensure(policies.can_approve(actor, payout, changed=changed))
            ensure_move(payout, _leads_to(payout))
            ensure_not_held(payout)
            _ensure_account(payout, accounts)
        except DomainError as refusal:
            answers[pk] = refusal
        else:
            answers[pk] = payout
            # Two payouts of one partner may carry the same account: the second sees what the first has settled.
            key = (payout.partner_id, payout.currency)
            accounts[key] = accounts.get(key, ZERO) + max(payout.payable, ZERO) - payout.net_amount
    _approve(actor, [answer for answer in answers.values() if isinstance(answer, Payout)], at)
    return answers


def _approve(actor: Actor, payouts: list[Payout], at: datetime) -> None:
    decisions: list[Decision] = []
    for state, kind in KINDS.items():
        group = [payout for payout in payouts if _leads_to(payout) == state]
        if not group:
            continue
        Payout.objects.filter(pk__in=[payout.pk for payout in group]).update(
            state=state, approved_by=actor.user_id, approved_at=at, version=F("version") + 1
        )
        decisions += [
            Decision(
                payout=payout,
                kind=kind,
                actor_id=actor.user_id,
                at=at,
                state_before=payout.state,
                state_after=state,
                details={"version": payout.version + 1, "payable": str(payout.payable)},
            )
            for payout in group
        ]
        for payout in group:
            payout.state, payout.version = state, payout.version + 1
            payout.approved_by_id, payout.approved_at = actor.user_id, at
        notices.tell_of(kind, group, at=at)
    decisions.sort(key=lambda decision: decision.payout_id)
    Decision.objects.bulk_create(decisions)
    ledger.post_all(
        [
            ledger.movement(
                cause=f"decision:{decision.pk}",
                payout=decision.payout,
                entries=owed(net=decision.payout.net_amount, payable=decision.payout.payable),
            )
            for decision in decisions
        ],
        at=at,
    )
    audit.record_all(
        actor=actor,
        entries=[
            audit.Entry(ACTIONS[PayoutState(decision.state_after)], decision.payout, told(decision, decision.payout))
            for decision in decisions
        ],
        at=at,
    )


def _leads_to(payout: Payout) -> PayoutState:
    return PayoutState.APPROVED if payout.payable > 0 else PayoutState.CLOSED


def _accounts(payouts: Iterable[Payout]) -> dict[tuple[int, str], Decimal]:
    """The running accounts that the payouts are to settle, by partner and currency. A query for each currency."""
    partners: dict[str, set[int]] = {}
    for payout in payouts:
        if payout.adjustments:
            partners.setdefault(payout.currency, set()).add(payout.partner_id)
    return {
        (partner, currency): balance
        for currency, ids in partners.items()
        for partner, balance in ledger.accounts(ids, currency=currency).items()
    }


def _ensure_account(payout: Payout, accounts: Mapping[tuple[int, str], Decimal]) -> None:
    """What the payout was to settle may have been settled by another one meanwhile."""
    if not payout.adjustments:
        return
    balance = accounts.get((payout.partner_id, payout.currency), ZERO)
    if payout.adjustments < 0 and balance < -payout.adjustments:
        raise Conflict(
            _("The partner owes %(debt)s now, and this payout settles %(carried)s: carry its account over anew.")
            % {"debt": f"{max(balance, ZERO):,.2f}", "carried": f"{-payout.adjustments:,.2f}"},
            code="debt_changed",
        )
    if payout.adjustments > 0 and -balance < payout.adjustments:
        raise Conflict(
            _("The partner is owed %(credit)s now, and this payout pays %(carried)s: carry its account over anew.")
            % {"credit": f"{max(-balance, ZERO):,.2f}", "carried": f"{payout.adjustments:,.2f}"},
            code="debt_changed",
        )
