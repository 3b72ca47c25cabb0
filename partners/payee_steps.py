"""The decisions on a stated account, in words, and who may take them now: for the dashboard and the back office."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from partners import policies, services
from partners.models import Payee
from partners.states import PayeeState


@dataclass(frozen=True, slots=True)
class PayeeStep:
    """One decision: its button, what it brings about, whether it asks for a reason, how it is told afterwards.

    `done` takes the partner's name and the masked `account`.
    """

    label: Promise
    effect: Promise
    asks_reason: bool
    done: Promise


PAYEE_STEPS: dict[str, PayeeStep] = {
    "confirm": PayeeStep(
        _("Confirm the account"),
        _(
            "Payments go to this account from now on. Ask the partner first, through a number or address that you knew "
            "before this change: never through one that came with it. Let them read you the account's end."
        ),
        False,
        _("Confirmed the account %(account)s of %(name)s. Payments go there from now on."),
    ),
    "refuse": PayeeStep(
        _("Refuse the account"),
        _("Nothing is paid to this account. Where another one is confirmed, payments go on to that one."),
        True,
        _("Refused the account %(account)s of %(name)s. The owners read the reason."),
    ),
}


def may_decide(actor: Actor, payee: Payee) -> policies.Answer:
    """Whether this person may decide on the payee now, and if not why."""
    if payee.state != PayeeState.WAITING:
        return _("This account doesn't wait for a decision any more.")
    return policies.can_confirm_payee(actor, payee)


def take_step(step: str, *, actor: Actor, payee: Payee, posted: Mapping[str, Any]) -> None:
    """Take one of `PAYEE_STEPS` with what its form posted. Raises what the service does."""
    given = str(posted.get("version", ""))
    version = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0
    if step == "confirm":
        services.confirm_payee(actor=actor, payee=payee, version=version)
    else:
        services.refuse_payee(actor=actor, payee=payee, reason=posted.get("reason", ""), version=version)
