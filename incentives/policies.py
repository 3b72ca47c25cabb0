"""Who may decide what about payouts (POLICY 6): True, or the reason why not, for people to read.

Only persons and permissions here; whether the payout's state allows the step is the transition table's matter,
and `steps` joins the two for pages.
"""

from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.actors import Actor, Capability
from core.errors import NotAllowed
from incentives.models import Payout
from incentives.states import DecisionKind, PayoutState

Answer = Literal[True] | str | Promise

# What changes a payout's figures: who did one of these on it doesn't approve it.
CHANGES = (DecisionKind.VOID, DecisionKind.VOID_LINE, DecisionKind.UNDO_VOID)

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


def can_approve(actor: Actor, payout: Payout) -> Answer:
    """Approve: a second and different person, who neither submitted, changed nor belongs to it. One query."""
    if not is_open_to(actor, "approve"):
        return _("Your role doesn't allow you to approve payouts.")
    if actor.user_id is None:
        return _("Payouts are approved by a person.")
    if actor.user_id == payout.submitted_by_id:
        return _("You submitted this payout; a second person has to approve it.")
    if payout.decisions.filter(actor=actor.user_id, kind__in=CHANGES).exists():
        return _("You changed this payout; a second person has to approve it.")
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


def can_hold(actor: Actor, payout: Payout) -> Answer:
    """Stop a payout's approval and payment."""
    if not is_open_to(actor, "hold"):
        return _("Your role doesn't allow you to hold or release payouts.")
    return _not_own(actor, payout)


def can_release(actor: Actor, payout: Payout) -> Answer:
    """Let a held payout go on: the same people."""
    return can_hold(actor, payout)


def can_pay(actor: Actor, payout: Payout) -> Answer:
    """Send to payment, and record what the bank did."""
    if not is_open_to(actor, "start_payment"):
        return _("Your role doesn't allow you to pay.")
    return _not_own(actor, payout)


def _not_own(actor: Actor, payout: Payout) -> Answer:
    if payout.partner_id in actor.partner_ids:
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


def steps(actor: Actor, payout: Payout) -> tuple[str, ...]:
    """The steps that `actor` may take now with `payout`, in the order of its life."""
    return tuple(
        step
        for step, states in STEPS.items()
        if payout.state in states
        and (step != "hold" or not payout.held)
        and (step != "release" or payout.held)
        and (step not in ("approve", "start_payment", "mark_paid") or not payout.held)
        and _RULES[step](actor, payout) is True
    )
