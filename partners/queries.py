"""What pages and API show of applications and of a partner's standing, in the reader's language."""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils.translation import gettext as _

from core.actors import Actor
from partners.models import Application, ApplicationContact, ApplicationFile, Certification, Partner, Suspension
from partners.states import EDITABLE_STATES, OPEN_STATES, ApplicationState, ApplicationStep


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an application's life. `theirs`: taken by the marketplace."""

    step: str
    label: str
    at: datetime
    theirs: bool
    text: str | None = None
    effective_from: date | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A partner's certification now. `state`: certified, upcoming, lapsed, suspended, terminated; `reason` why not."""

    state: str
    since: date | datetime | None = None
    until: date | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """An application as its applicant sees it."""

    id: int
    version: int
    state: str
    state_label: str
    name: str
    stated: Application
    contact: ApplicationContact | None
    files: tuple[ApplicationFile, ...]
    steps: tuple[Step, ...]
    standing: Standing | None
    may_write: bool
    may_withdraw: bool
    asked: Step | None = field(default=None)

    @property
    def shown_state(self) -> str:
        """Where the organisation stands: its application's state, and its own once it is certified."""
        return self.standing.state if self.standing else self.state

    @property
    def since(self) -> datetime | None:
        """When it took its last step; none while it is a draft."""
        return self.steps[-1].at if self.steps else None

    @property
    def reason(self) -> str | None:
        """Why it was rejected."""
        rejected = [step.text for step in self.steps if step.step == ApplicationStep.REJECTED]
        return rejected[-1] if rejected else None


def application_view(*, actor: Actor, application: Application, today: date) -> ApplicationView:
    """Everything on one application's page. Four queries; for a certified one, three more."""
    taken = [
        Step(
            step=event.step,
            label=event.get_step_display(),
            at=event.at,
            theirs=event.actor_id != application.applicant_id,
            text=event.note.text if event.note else None,
            effective_from=event.effective_from,
        )
        for event in application.events.select_related("note").order_by("pk")
    ]
    steps = tuple(sorted([*taken, *_standing_steps(application)], key=lambda step: step.at))
    mine = actor.user_id == application.applicant_id
    asked = application.state == ApplicationState.MORE_INFORMATION
    return ApplicationView(
        id=application.pk,
        version=application.version,
        state=application.state,
        state_label=application.get_state_display(),
        name=application.name,
        stated=application,
        contact=ApplicationContact.objects.filter(application=application).first(),
        files=tuple(application.files.order_by("pk")),
        steps=steps,
        standing=standing_of(application.partner, today=today) if application.partner else None,
        may_write=mine and application.state in EDITABLE_STATES,
        may_withdraw=mine and application.state in OPEN_STATES,
        asked=next((step for step in reversed(steps) if step.step == ApplicationStep.ASKED), None) if asked else None,
    )


def _standing_steps(application: Application) -> list[Step]:
    """What was decided on the partner's standing since: its suspensions, and their ends."""
    if application.partner is None:
        return []
    found = []
    for row in Suspension.objects.filter(partner=application.partner).select_related("reason"):
        step, label = ("terminated", _("Terminated")) if row.terminal else ("suspended", _("Suspended"))
        found.append(Step(step, label, row.during.lower, theirs=True, text=row.reason.text))
        if row.during.upper is not None:
            found.append(Step("reinstated", _("Suspension ended"), row.during.upper, theirs=True))
    return found


def standing_of(partner: Partner, *, today: date) -> Standing:
    """Whether the partner may recruit now, since when, and if not why. Two queries."""
    stopped = Suspension.objects.filter(partner=partner, during__upper_inf=True).select_related("reason").first()
    if stopped is not None:
        return Standing(
            "terminated" if stopped.terminal else "suspended", stopped.during.lower, reason=stopped.reason.text
        )
    days = Certification.objects.filter(partner=partner).order_by("-days").values_list("days", flat=True).first()
    if days is None:
        return Standing("lapsed")
    last = date.fromordinal(days.upper.toordinal() - 1) if days.upper else None
    if days.lower and days.lower > today:
        return Standing("upcoming", days.lower, last)
    if last is not None and last < today:
        return Standing("lapsed", days.lower, last)
    return Standing("certified", days.lower, last)
