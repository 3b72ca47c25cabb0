"""What every decision about a payout shares: the lock, the optimistic check, the figures, the decision's row."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound
from core.models import Note
from core.states import IllegalTransition, ensure_transition
from core.values import round_money
from incentives import notices
from incentives.models import Decision, Payout, PayoutLine
from incentives.states import PAYOUT_TRANSITIONS, Account, DecisionKind, LineState, PayoutState
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

    With `version` (what the person saw), raises Conflict that names who has changed it since, and when.
    """
    found = lock_payouts([payout.pk])
    if not found:
        raise NotFound(_("There is no such payout."))
    if version is not None and found[0].version != version:
        last = found[0].decisions.select_related("actor").order_by("-pk").first()
        if last is None:
            raise Conflict(_("This payout has changed since you opened it. Look at it again."), code="stale")
        raise Conflict(
            _("%(who)s changed this payout at %(when)s (%(what)s). Look at it again before you decide.")
            % {
                "who": last.actor.get_full_name() if last.actor else _("The system"),
                "when": f"{localtime(last.at, found[0].program.zone):%Y-%m-%d %H:%M}",
                "what": last.get_kind_display(),
            },
            code="stale",
        )
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
    """The sum of the payout's live lines, now."""
    total = PayoutLine.objects.filter(payout=payout, state=LineState.LIVE).aggregate(total=Sum("amount"))["total"]
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
    reason: str | None = None,
    line: PayoutLine | None = None,
    undoes: Decision | None = None,
    details: Mapping[str, Any] | None = None,
) -> Decision:
    """Write down who decided what, and tell the partner. A reason goes into a note of its own, to be erased alone."""
    notices.tell_of(kind, [payout], at=at)
    return Decision.objects.create(
        payout=payout,
        line=line,
        kind=kind,
        actor_id=actor.user_id,
        at=at,
        reason=Note.objects.create(text=reason) if reason else None,
        state_before=before,
        state_after=payout.state,
        undoes=undoes,
        details={"version": payout.version, **(details or {})},
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


def hold_suspended(payouts: Iterable[Payout], *, at: datetime) -> None:
    """Hold those of `payouts` whose partner is suspended or terminated (POLICY 6), and say so as the system.

    The caller has the lock of payout lines, as suspensions do: none can come between this look and the commit.
    """
    by_partner = {payout.partner_id: payout for payout in payouts if not payout.held}
    # In force now, not at `at`: a suspension may have come while the caller waited for that lock.
    suspended = Suspension.objects.filter(partner__in=by_partner, during__upper_inf=True)
    for partner in sorted(suspended.values_list("partner", flat=True)):
        payout = by_partner[partner]
        payout.refresh_from_db(fields=["version", "payable"])  # a submission's prices were set in SQL
        change(payout, held=True)
        decide(
            payout,
            DecisionKind.HOLD,
            actor=SYSTEM,
            at=at,
            before=payout.state,
            reason=_("The partner is suspended."),
        )
