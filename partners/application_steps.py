"""The decisions on an application, in words: what each is called, brings about and asks for; who may take it now.

The dashboard's pages and the back office both take them from here; `partners.services` does what they say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.actors import Actor
from core.errors import BadInput
from partners import policies, services
from partners.models import Application
from partners.states import APPLICATION_TRANSITIONS, ApplicationState


@dataclass(frozen=True, slots=True)
class Step:
    """One decision: its button, what it brings about, what it asks for (`text`, `certificate`, nothing).

    `done` tells it afterwards, with the organisation's `name`.
    """

    label: Promise
    effect: Promise
    asks: str
    done: Promise
    leads_to: ApplicationState
    may: Callable[[Actor, Application], policies.Answer]
    act: Callable[..., Any]


STEPS: dict[str, Step] = {
    "claim": Step(
        gettext_lazy("Take into review"),
        gettext_lazy("You are the reviewer from now on. The applicant is told that the review has begun."),
        "",
        gettext_lazy("You review the application of %(name)s now. The applicant is told."),
        ApplicationState.IN_REVIEW,
        policies.can_review,
        services.claim_application,
    ),
    "ask": Step(
        gettext_lazy("Ask for more information"),
        gettext_lazy("The applicant reads your question, may correct the application and add files, and answers."),
        "text",
        gettext_lazy("Asked %(name)s. It goes on with the applicant's answer."),
        ApplicationState.MORE_INFORMATION,
        policies.can_review,
        lambda *, text, **given: services.ask_for_information(question=text, **given),
    ),
    "certify": Step(
        gettext_lazy("Certify"),
        gettext_lazy(
            "The organisation becomes a partner, and the applicant its owner. Shops that were certified from the day "
            "on that you give can count for it."
        ),
        "certificate",
        gettext_lazy("%(name)s is certified, and a partner now. The applicant is its owner."),
        ApplicationState.CERTIFIED,
        policies.can_certify,
        services.certify_application,
    ),
    "reject": Step(
        gettext_lazy("Reject"),
        gettext_lazy("The application ends. The applicant reads the reason, and may apply again."),
        "text",
        gettext_lazy("Rejected the application of %(name)s. The applicant reads the reason."),
        ApplicationState.REJECTED,
        policies.can_review,
        lambda *, text, **given: services.reject_application(reason=text, **given),
    ),
}


def possible_steps(application: Application) -> list[str]:
    """The decisions that its state lets somebody take now."""
    return [
        key
        for key, step in STEPS.items()
        if step.leads_to in APPLICATION_TRANSITIONS[application.state]
        # From an unanswered question back into review leads the applicant's answer, not a reviewer.
        and not (key == "claim" and application.state != ApplicationState.SUBMITTED)
    ]


def open_steps(actor: Actor, application: Application) -> list[str]:
    """The decisions that this person may take now."""
    return [key for key in possible_steps(application) if STEPS[key].may(actor, application) is True]


def given_for(asks: str, posted: Mapping[str, Any]) -> dict[str, Any]:
    """What a posted form gives the service. Raises BadInput for a day that is none."""
    seen = str(posted.get("version", ""))
    known = seen.isascii() and seen.isdecimal() and len(seen) < 10
    given: dict[str, Any] = {"version": int(seen) if known else 0}
    if asks == "text":
        given["text"] = posted.get("text", "")
    elif asks == "certificate":
        given["code"] = str(posted.get("code", "")).strip()
        try:
            given["effective_from"] = date.fromisoformat(str(posted.get("effective_from", "")))
        except ValueError:
            raise BadInput(_("Give the day as YYYY-MM-DD.")) from None
    return given
