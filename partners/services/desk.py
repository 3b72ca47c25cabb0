"""What every step of an application shares: the lock, the optimistic check, the move, the row that tells of it."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from core.actors import Actor
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.models import Note
from core.states import IllegalTransition
from partners.models import Application, ApplicationEvent
from partners.states import APPLICATION_TRANSITIONS, EDITABLE_STATES, ApplicationState, ApplicationStep


def person(actor: Actor) -> int:
    """The acting person's id. Raises NotAllowed where the product itself acts: these steps are people's."""
    if actor.user_id is None:
        raise NotAllowed(_("Only a person can do that."))
    return actor.user_id


def lock_application(application: Application, actor: Actor, version: int | None) -> Application:
    """Lock an application's row and read it anew.

    With `version` (what the person saw), raises Conflict that says who has changed it since, and when.
    """
    found: Application | None = (
        Application.objects.select_for_update(of=("self",), no_key=True).filter(pk=application.pk).first()
    )
    if found is None:
        raise NotFound(_("There is no such application."))
    if version is not None and found.version != version:
        raise Conflict(overtaken(found, actor), code="stale")
    return found


def ensure_move(application: Application, new: ApplicationState, actor: Actor) -> None:
    """Raise IllegalTransition unless the application may become `new`.

    It says who took the last step, and when: the usual reason is that they were quicker.
    """
    if new not in APPLICATION_TRANSITIONS[application.state]:
        raise IllegalTransition(overtaken(application, actor))


def move(application: Application, new: ApplicationState, actor: Actor, **values: Any) -> None:
    """Store the new state and `values`, and count the version up by one. Raises what `ensure_move` does."""
    ensure_move(application, new, actor)
    for name, value in {"state": new, **values}.items():
        setattr(application, name, value)
    application.version += 1
    application.save(update_fields=["state", *values, "version"])


def ensure_editable(application: Application) -> None:
    """Raise Conflict unless its applicant may write in it now."""
    if application.state not in EDITABLE_STATES:
        raise Conflict(
            _("The application is %(state)s; it can't be changed now.") % {"state": application.get_state_display()},
            code="not_open",
        )


def overtaken(application: Application, actor: Actor) -> str:
    """Where the application stands, by whose step and since when, in one sentence. Operators' names stay inside."""
    state = application.get_state_display()
    last = application.events.select_related("actor").order_by("-pk").first()
    if last is None:
        return _("The application has changed since you opened it (%(state)s). Look at it again.") % {"state": state}
    if last.actor_id == actor.user_id:
        who = _("You")
    elif actor.is_operator:
        who = last.actor.get_full_name()
    else:
        who = _("The marketplace") if last.actor_id != application.applicant_id else _("The applicant")
    return _("The application is: %(state)s. %(who)s took the last step at %(when)s (%(what)s). Look at it again.") % {
        "state": state,
        "who": who,
        "when": f"{localtime(last.at, ZoneInfo(settings.PLATFORM_TIME_ZONE)):%Y-%m-%d %H:%M}",
        "what": last.get_step_display(),
    }


def write_down(
    application: Application,
    step: ApplicationStep,
    actor: Actor,
    at: datetime,
    *,
    text: str = "",
    effective_from: date | None = None,
) -> ApplicationEvent:
    """Keep who took which step. Words go into a note of their own, so that they can be erased."""
    return ApplicationEvent.objects.create(
        application=application,
        step=step,
        actor_id=person(actor),
        at=at,
        note=Note.objects.create(text=text.strip()) if text.strip() else None,
        effective_from=effective_from,
    )


def needed_reason(reason: str) -> str:
    """The reason, trimmed. Raises BadInput for an empty one."""
    if not reason.strip():
        raise BadInput(_("Say it in words: the applicant reads it."), code="reason_needed")
    return reason.strip()
