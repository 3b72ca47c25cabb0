"""What every decision about a payout shares: the lock, the optimistic check, the figures, the decision's row."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext as _

from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound
from core.models import Note
from core.states import IllegalTransition, ensure_transition
from core.values import round_money
from incentives import notices
from incentives.models import Decision, Hold, Payout, PayoutLine
from incentives.services.stale import stale
from incentives.states import COUNTED, PAYOUT_TRANSITIONS, Account, DecisionKind, PayoutState
from partners.models import Suspension

ZERO = Decimal(0)
SYSTEM = Actor.system("incentives")


def lock_payouts(ids: Iterable[int]) -> list[Payout]:
    """Lock these payouts' rows, in primary-key order so that two people never wait for each other in a ring."""
    if not connection.in_atomic_block:
        raise RuntimeError("a lock lives in a transaction")
    return list(
        Payout.objects.select_for_update(of=("self",), no_key=True)
        .select_related("program", "partner")
        .filter(pk__in=sorted(ids))
        .order_by("pk")
    )


def lock_payout(payout: Payout, version: int | None) -> Payout:
    """Lock one payout and read it anew.

    With `version` (what the person saw), raises Stale that names who has changed it since, and when.
    """
    found = lock_payouts([payout.pk])
    if not found:
        raise NotFound(_("There is no such payout."))
    if version is not None and found[0].version != version:
        raise stale(found[0], version)
    return found[0]


def ensure_move(payout: Payout, new: PayoutState) -> None:
    """Raise IllegalTransition unless the payout may become `new` from where it is."""
    try:
        ensure_transition(PAYOUT_TRANSITIONS, payout.state, new)
    except IllegalTransition:
        words = {"now": payout.get_state_display(), "then": new.label}
        raise IllegalTransition(_("The payout is %(now)s and can't become %(then)s.") % words) from None


def ensure_not_held(payout: Payout) -> None:
    """A hold stops approval and payment until it is released."""
    if payout.held:
        raise Conflict(_("The payout is held; release it first."), code="held")


def needed_reason(reason: str) -> str:
    """The reason, trimmed. Raises BadInput for an empty one: who is hurt by a decision may know why."""
    if not reason.strip():
        raise BadInput(_("Give a reason: the partner will read it."), code="reason_needed")
    return reason.strip()


def change(payout: Payout, **values: Any) -> None:
    """Store `values`, and count the payout's version up by one (the database insists on both)."""
    for field, value in values.items():
        setattr(payout, field, value)
    payout.version += 1
    payout.save(update_fields=[*values, "version"])


def live_base(payout: Payout) -> Decimal:
    """The sum of the lines that count in the payout, now."""
    total = PayoutLine.objects.filter(payout=payout, state__in=COUNTED).aggregate(total=Sum("amount"))["total"]
    return total or ZERO


def figures(payout: Payout, base: Decimal) -> dict[str, Decimal]:
    """The amounts that follow from `base`: the discount is rounded once, half up (POLICY 2 and 5)."""
    net = round_money(base * payout.factor)
    return {"base_amount": base, "net_amount": net, "payable": net + payout.adjustments}


def owed(*, net: Decimal, payable: Decimal) -> dict[Account, Decimal]:
    """What an approved payout stands for in the ledger.

    Its net is the expense. What is not paid out of it settles the partner's debt, and nothing below zero is
    ever payable: a debt larger than the net stays a receivable.
    """
    paid = max(payable, ZERO)
    return {
        Account.INCENTIVE_EXPENSE: net,
        Account.PARTNER_RECEIVABLE: paid - net,
        Account.PARTNER_PAYABLE: -paid,
    }


def difference(after: Mapping[Account, Decimal], before: Mapping[Account, Decimal]) -> dict[Account, Decimal]:
    """What has to be posted to get from one standing to the other."""
    return {account: after.get(account, ZERO) - before.get(account, ZERO) for account in {*after, *before}}


def decide(
    payout: Payout,
    kind: DecisionKind,
    *,
    actor: Actor,
    at: datetime,
    before: str,
    reason: str | Note | None = None,
    line: PayoutLine | None = None,
    undoes: Decision | None = None,
    details: Mapping[str, Any] | None = None,
    tell: bool = True,
    tell_amount: Decimal | None = None,
) -> Decision:
    """Write down who decided what, and tell the partner. A reason goes into a note of its own, to be erased alone.

    With `tell` false the partner isn't told: for what changes nothing for it. `tell_amount` is told in place of what
    the payout comes to.
    """
    if tell:
        notices.tell_of(kind, [payout], at=at, amount=tell_amount)
    if isinstance(reason, str):
        reason = Note.objects.create(text=reason) if reason else None
    return Decision.objects.create(
        payout=payout,
        line=line,
        kind=kind,
        actor_id=actor.user_id,
        at=at,
        reason=reason,
        state_before=before,
        state_after=payout.state,
        undoes=undoes,
        details={"version": payout.version, "payable": str(payout.payable), **(details or {})},
    )


def told(decision: Decision, payout: Payout) -> dict[str, Any]:
    """What the audit trail keeps of a decision: ids, states and amounts, no names and no texts."""
    return {
        "decision": decision.pk,
        "note": decision.reason_id,
        "before": decision.state_before,
        "after": decision.state_after,
        "version": payout.version,
        "payable": str(payout.payable),
        "currency": payout.currency,
    }


def stop_what_is_held(payouts: Iterable[Payout], *, at: datetime) -> None:
    """Stop those of `payouts` that a standing hold stops or whose partner is suspended or terminated (POLICY 6).

    A submission or an undone void lets money live again that somebody has stopped before; the system says so. The
    caller has the lock of payout lines, as suspensions and holds of partners do: none can come between this look and
    the commit.
    """
    free = [payout for payout in payouts if not payout.held]
    partners = {payout.partner_id for payout in free}
    # In force now, not at `at`: a suspension may have come while the caller waited for that lock.
    suspended = set(
        Suspension.objects.filter(partner__in=partners, during__upper_inf=True).values_list("partner", flat=True)
    )
    holding = set(Hold.objects.standing().filter(partner__in=partners).values_list("partner", flat=True))
    for payout in sorted(free, key=lambda payout: payout.pk):
        if payout.partner_id not in suspended | holding:
            continue
        standing = Hold.objects.standing().on(payout).select_related("reason").order_by("shop", "pk").first()
        if standing is None and payout.partner_id not in suspended:
            continue
        if standing is None:
            note = Note.objects.create(text=_("The partner is suspended."))
            standing = Hold.objects.create(
                partner_id=payout.partner_id, program_id=payout.program_id, placed_at=at, reason=note
            )
        payout.refresh_from_db(fields=["version", "payable"])  # a submission's prices were set in SQL
        change(payout, held=True)
        decide(payout, DecisionKind.HOLD, actor=SYSTEM, at=at, before=payout.state, reason=standing.reason)


def is_stopped(payout: Payout) -> bool:
    """Whether a standing hold stops the payout: what `held` has to say. One query."""
    return bool(Hold.objects.standing().on(payout).exists())
