"""The decisions on a partner's standing (POLICY 7), in words, and which of them can be taken now."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.actors import Actor, Capability
from incentives.services import suspend_partner_and_hold, terminate_partner_and_hold
from partners.models import Partner
from partners.services import reinstate_partner


@dataclass(frozen=True, slots=True)
class StandingStep:
    """One decision: its button, what it brings about, the standings that it is taken from, the service that takes it.

    `stops`: links stop working, and unpaid payouts are held.
    """

    label: Promise
    effect: Promise
    stops: bool
    taken_from: tuple[str, ...]
    act: Callable[..., Any]


_STANDING = ("certified", "upcoming", "lapsed")
STANDING_STEPS: dict[str, StandingStep] = {
    "suspend": StandingStep(
        gettext_lazy("Suspend"),
        gettext_lazy(
            "Its links stop working at once, until somebody reinstates it. What is recorded of its shops stays."
        ),
        True,
        _STANDING,
        suspend_partner_and_hold,
    ),
    "reinstate": StandingStep(
        gettext_lazy("Reinstate"),
        gettext_lazy(
            "Its links work again, where they haven't expired. Payouts that are on hold stay so: releasing each is a "
            "decision of its own."
        ),
        False,
        ("suspended",),
        reinstate_partner,
    ),
    "terminate": StandingStep(
        gettext_lazy("Terminate"),
        gettext_lazy("The cooperation ends at once and for good: this can't be undone. Its shops stay recorded."),
        True,
        (*_STANDING, "suspended"),
        terminate_partner_and_hold,
    ),
}


def open_standing_steps(actor: Actor, standing: str) -> list[tuple[str, StandingStep]]:
    """The decisions that this person may take on a partner that stands so."""
    if not actor.can(Capability.SUSPEND_PARTNER):
        return []
    return [(key, step) for key, step in STANDING_STEPS.items() if standing in step.taken_from]


def take_standing_step(step: str, *, actor: Actor, partner: Partner, reason: str) -> str:
    """Take one of `STANDING_STEPS`, and tell what happened. Raises what the service does."""
    done = STANDING_STEPS[step].act(actor=actor, partner=partner, reason=reason)
    if step == "reinstate":
        return _("%(partner)s is reinstated. Its links work again; payouts on hold stay so.") % {
            "partner": partner.name
        }
    said = {
        "suspend": _("%(partner)s is suspended, and reads why."),
        "terminate": _("The cooperation with %(partner)s has ended; it reads why."),
    }[step] % {"partner": partner.name}
    _suspension, held = done
    if not held:
        return f"{said} {_('No payout had to be held.')}"
    by_hold = ngettext("%(count)d unpaid payout is held.", "%(count)d unpaid payouts are held.", len(held))
    return f"{said} {by_hold % {'count': len(held)}}"
