"""Who may decide what about payouts (POLICY 6): True, or the reason why not, for people to read.

Only persons and permissions here; whether the payout's state allows the step is the transition table's matter,
and `steps` joins the two for pages.
"""

from collections.abc import Collection, Mapping
from typing import Any, Literal

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.actors import Actor, Capability
from core.errors import NotAllowed
from incentives import ledger
from incentives.models import Adjustment, Decision, Payout
from incentives.states import AdjustmentState, DecisionKind, PayoutState

Answer = Literal[True] | str | Promise
# Payouts that somebody has changed, by id, each with what to tell them when they would approve it.
Changed = Mapping[int, str | Promise]

# What changes a payout's figures: who did one of these on it doesn't approve it.
CHANGES = (DecisionKind.VOID, DecisionKind.VOID_LINE, DecisionKind.UNDO_VOID, DecisionKind.CARRY)

# From which states a step can be taken at all; the services hold it too.
STEPS: dict[str, tuple[PayoutState, ...]] = {
    "return": (PayoutState.IN_REVIEW,),
    "approve": (PayoutState.IN_REVIEW,),
    "void": (PayoutState.IN_REVIEW, PayoutState.APPROVED),
    "hold": (PayoutState.IN_REVIEW, PayoutState.APPROVED, PayoutState.IN_PAYMENT),
    "release": (PayoutState.IN_REVIEW, PayoutState.APPROVED, PayoutState.IN_PAYMENT),
    "undo_void": (PayoutState.VOID,),
    "start_payment": (PayoutState.APPROVED,),
    "mark_paid": (PayoutState.IN_PAYMENT,),
    "refuse_payment": (PayoutState.IN_PAYMENT,),
    "claw_back": (PayoutState.PAID,),
}

# Which capabilities open a step, any one of them; who and which payout is looked at besides.
OPENED_BY: dict[str, tuple[Capability, ...]] = {
    "return": (Capability.APPROVE_PAYOUT, Capability.SUBMIT_PAYOUT),
    "approve": (Capability.APPROVE_PAYOUT,),
    "void": (Capability.VOID_PAYOUT,),
    "hold": (Capability.HOLD_PAYOUT,),
    "release": (Capability.HOLD_PAYOUT,),
    "undo_void": (Capability.VOID_PAYOUT,),
    "start_payment": (Capability.PAY,),
    "mark_paid": (Capability.PAY,),
    "refuse_payment": (Capability.PAY,),
    "claw_back": (Capability.VOID_PAYOUT,),
    "carry": (Capability.SUBMIT_PAYOUT,),
    "adjust": (Capability.SUBMIT_PAYOUT, Capability.APPROVE_PAYOUT, Capability.PAY),
    "confirm_adjustment": (Capability.APPROVE_PAYOUT,),
    "note": (
        Capability.SUBMIT_PAYOUT,
        Capability.APPROVE_PAYOUT,
        Capability.VOID_PAYOUT,
        Capability.HOLD_PAYOUT,
        Capability.PAY,
    ),
}

# The answers to a proposed adjustment. Whoever proposed it may withdraw it, by declining.
ANSWERED_BY: dict[str, tuple[Capability, ...]] = {
    "confirm": OPENED_BY["confirm_adjustment"],
    "decline": OPENED_BY["adjust"],
}


def is_open_to(actor: Actor, step: str) -> bool:
    """Whether the actor's roles open the step at all, on some payout."""
    return any(actor.can(capability) for capability in OPENED_BY[step])


def ensure(answer: Answer) -> None:
    """Raise NotAllowed with the reason, unless the answer is True."""
    if answer is not True:
        raise NotAllowed(str(answer))


def can_submit(actor: Actor) -> Answer:
    """Submit a run's payouts: a person whose role says so."""
    if not actor.can(Capability.SUBMIT_PAYOUT):
        return _("Your role doesn't allow you to submit payouts.")
    if actor.user_id is None:
        return _("Payouts are submitted by a person.")
    return True


def can_return(actor: Actor, payout: Payout) -> Answer:
    """Send a payout back to its submitter: whoever may approve, or may submit (and thinks better of it)."""
    if not is_open_to(actor, "return"):
        return _("Your role doesn't allow you to return payouts.")
    return _not_own(actor, payout)


def changed_by(actor: Actor, payouts: QuerySet[Any] | Collection[int]) -> dict[int, str | Promise]:
    """Those of the payouts whose figures this person has changed. Two queries, and two more where they adjusted one.

    What somebody proposed for a partner's account is paid or kept by the payout that carries the account: whoever
    proposed it has changed that payout. Whoever confirmed it has not: they are its second person, as they would be
    the payout's.
    """
    decided = Decision.objects.filter(payout__in=payouts, actor=actor.user_id, kind__in=CHANGES)
    changed = _("You changed this payout; a second person has to approve it.")
    adjusted = _(
        "You proposed an adjustment of the account that this payout carries; a second person has to approve it."
    )
    return {
        **dict.fromkeys(_carrying_own(actor, payouts), adjusted),
        **dict.fromkeys(decided.values_list("payout", flat=True), changed),
    }


def _carrying_own(actor: Actor, payouts: QuerySet[Any] | Collection[int]) -> set[int]:
    """Payouts in review that carry an account with an adjustment of this person on it, not settled before.

    An account that was carried anew counts even where nothing is carried now: a debt that was written off meanwhile
    raises what the payout pays as much as an amount that was added.
    """
    own = Adjustment.objects.filter(proposed_by=actor.user_id, state=AdjustmentState.CONFIRMED)
    carried_anew = Decision.objects.filter(payout=OuterRef("pk"), kind=DecisionKind.CARRY)
    carrying = Payout.objects.filter(
        ~Q(adjustments=0) | Exists(carried_anew),
        Exists(own.filter(partner=OuterRef("partner"), currency=OuterRef("currency"))),
        id__in=payouts,
        state=PayoutState.IN_REVIEW,
    )
    found = {
        pk: (partner, currency)
        for pk, partner, currency in carrying.values_list("pk", "partner", "currency").order_by()
    }
    if not found:
        return set()
    unsettled = ledger.unsettled({partner for partner, _currency in found.values()})
    causes = {ledger.adjusting(pk) for pk in own.order_by().values_list("pk", flat=True)}
    return {pk for pk, account in found.items() if causes & unsettled.get(account, set())}


def own_to_approve(actor: Actor, payouts: QuerySet[Payout]) -> Q:
    """The condition for those of `payouts` that this person doesn't approve, whatever their roles (`can_approve`)."""
    own = Q(submitted_by=actor.user_id) | Q(partner__in=actor.partner_ids)
    return own | Q(pk__in=changed_by(actor, payouts.values("pk")))


def can_approve(actor: Actor, payout: Payout, *, changed: Changed | None = None) -> Answer:
    """Approve: a second and different person, who neither submitted, changed nor belongs to it.

    Persons are compared, not roles: a role that was given or taken in between changes nothing. `changed`: what the
    person has changed, where that is known (`changed_by`); else it is looked up.
    """
    if not is_open_to(actor, "approve"):
        return _("Your role doesn't allow you to approve payouts.")
    if actor.user_id is None:
        return _("Payouts are approved by a person.")
    if actor.user_id == payout.submitted_by_id:
        return _("You submitted this payout; a second person has to approve it.")
    changed = changed_by(actor, [payout.pk]) if changed is None else changed
    if payout.pk in changed:
        return changed[payout.pk]
    return _not_own(actor, payout)


def can_void(actor: Actor, payout: Payout) -> Answer:
    """Void a payout or one of its lines, and undo it."""
    if not is_open_to(actor, "void"):
        return _("Your role doesn't allow you to void payouts.")
    return _not_own(actor, payout)


def can_claw_back(actor: Actor, payout: Payout) -> Answer:
    """Claim paid money back: a void after the payment."""
    if not is_open_to(actor, "claw_back"):
        return _("Your role doesn't allow you to claw payouts back.")
    return _not_own(actor, payout)


def can_carry(actor: Actor, payout: Payout) -> Answer:
    """Take the partner's running account into a payout in review, as it stands now."""
    if not is_open_to(actor, "carry"):
        return _("Your role doesn't allow you to carry accounts over.")
    return _not_own(actor, payout)


def can_adjust(actor: Actor, partner_id: int) -> Answer:
    """Propose an adjustment of a partner's account."""
    if not is_open_to(actor, "adjust"):
        return _("Your role doesn't allow you to propose adjustments.")
    if actor.user_id is None:
        return _("Adjustments are proposed by a person.")
    return _not_of(actor, partner_id)


def can_confirm_adjustment(actor: Actor, adjustment: Adjustment) -> Answer:
    """Confirm or decline: a second and different person."""
    if not is_open_to(actor, "confirm_adjustment"):
        return _("Your role doesn't allow you to decide on adjustments.")
    if actor.user_id is None:
        return _("Adjustments are decided by a person.")
    if actor.user_id == adjustment.proposed_by_id:
        return _("You proposed this adjustment; a second person has to decide on it.")
    return _not_of(actor, adjustment.partner_id)


def can_note(actor: Actor) -> Answer:
    """Write an internal note on a payout: everybody who decides something about payouts."""
    if not is_open_to(actor, "note") or actor.user_id is None:
        return _("Your role doesn't allow you to write notes on payouts.")
    return True


def can_hold(actor: Actor, payout: Payout) -> Answer:
    """Stop a payout's approval and payment."""
    if not is_open_to(actor, "hold"):
        return _("Your role doesn't allow you to hold or release payouts.")
    return _not_own(actor, payout)


def can_hold_partner(actor: Actor, partner_id: int) -> Answer:
    """Stop all of a partner's money, and let it go on: the same people."""
    if not is_open_to(actor, "hold"):
        return _("Your role doesn't allow you to hold or release payouts.")
    return _not_of(actor, partner_id)


def can_release(actor: Actor, payout: Payout) -> Answer:
    """Let a held payout go on: the same people."""
    return can_hold(actor, payout)


def can_pay(actor: Actor, payout: Payout) -> Answer:
    """Send to payment, and record what the bank did."""
    if not is_open_to(actor, "start_payment"):
        return _("Your role doesn't allow you to pay.")
    return _not_own(actor, payout)


def can_decide_in_bulk(actor: Actor, step: str) -> Answer:
    """Ask for a step on many payouts; each of them is looked at besides."""
    if not is_open_to(actor, step):
        return _("Your role doesn't allow you to take this step.")
    if actor.user_id is None:
        return _("Many payouts at once are decided by a person.")
    return True


def can_prepare_payment(actor: Actor) -> Answer:
    """Put batches together, lock, export and cancel them, load the bank's results; each payout is looked at besides."""
    if not is_open_to(actor, "start_payment"):
        return _("Your role doesn't allow you to pay.")
    if actor.user_id is None:
        return _("Payments are made by a person.")
    return True


def _not_own(actor: Actor, payout: Payout) -> Answer:
    return _not_of(actor, payout.partner_id)


def _not_of(actor: Actor, partner_id: int) -> Answer:
    if partner_id in actor.partner_ids:
        return _("You belong to this partner; somebody else has to decide on its payout.")
    return True


_RULES = {
    "return": can_return,
    "approve": can_approve,
    "void": can_void,
    "hold": can_hold,
    "release": can_release,
    "undo_void": can_void,
    "start_payment": can_pay,
    "mark_paid": can_pay,
    "refuse_payment": can_pay,
    "claw_back": can_claw_back,
}


def steps(actor: Actor, payout: Payout, *, changed: Changed | None = None) -> tuple[str, ...]:
    """The steps that `actor` may take now with `payout`, in the order of its life. `changed`: see `can_approve`."""
    return tuple(
        step
        for step, states in STEPS.items()
        if payout.state in states
        and (step != "hold" or not payout.held)
        and (step != "release" or payout.held)
        and (step not in ("approve", "start_payment", "mark_paid") or not payout.held)
        and (can_approve(actor, payout, changed=changed) if step == "approve" else _RULES[step](actor, payout)) is True
    )
