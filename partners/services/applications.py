"""An application's way to its decision: what the applicant does. `certification` has what the operators do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, uploads
from core.actors import Actor
from core.errors import BadInput, Conflict
from partners import notices, policies
from partners.models import Application, ApplicationContact, ApplicationFile
from partners.services.desk import ensure_editable, lock_application, move, person, write_down
from partners.states import ApplicationState, ApplicationStep, Category, Resource, Service

MAX_FILES = 10
# What a form or the API may write, and where it stands.
STATED = ("name", "category", "country", "registration_no", "markets", "resources", "services")
CONTACT = ("contact_name", "contact_email", "contact_phone", "contact_wechat", "about")
# What must be there when it is submitted; of phone, WeChat and mail one is enough, and mail is the account's anyway.
NEEDED = (*STATED, "contact_name")


class Incomplete(BadInput):
    """Something is missing or malformed; `fields` says what, beside which field."""

    code = "incomplete"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(_("Something is missing; look at the marked fields."))
        self.fields = dict(fields)


def save_draft(
    *,
    actor: Actor,
    data: Mapping[str, Any],
    application: Application | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> Application:
    """Keep what the applicant has written so far: a new draft, or changes to one that is open to them.

    `data` has any of STATED and CONTACT; what it leaves out stays. Nothing needs to be complete yet. Raises NotAllowed,
    Incomplete for values that can't be, Conflict where another draft is open or this one can't be changed any more.
    """
    policies.ensure(policies.can_apply(actor))
    values = _checked(data)
    now = at or timezone.now()
    with transaction.atomic():
        if application is None:
            application = _new(actor, now)
        else:
            policies.ensure(policies.can_write(actor, application))
            application = lock_application(application, actor, version)
            ensure_editable(application)
        _write(application, values, now)
        audit.record(
            actor=actor,
            action="application.saved",
            subject=application,
            details={"version": application.version, "state": application.state, "fields": sorted(values)},
        )
    return application


@transaction.atomic
def submit_application(
    *, actor: Actor, application: Application, version: int | None = None, at: datetime | None = None
) -> Application:
    """Hand a draft in. Raises NotAllowed, Incomplete with what is missing, Conflict where it isn't a draft any more."""
    policies.ensure(policies.can_write(actor, application))
    application = lock_application(application, actor, version)
    _ensure_complete(application)
    now = at or timezone.now()
    move(application, ApplicationState.SUBMITTED, actor, submitted_at=now, changed_at=now)
    event = write_down(application, ApplicationStep.SUBMITTED, actor, now)
    notices.application_moved(event)
    audit.record(
        actor=actor, action="application.submitted", subject=application, details={"version": application.version}
    )
    return application


@transaction.atomic
def answer_application(
    *, actor: Actor, application: Application, answer: str, version: int | None = None, at: datetime | None = None
) -> Application:
    """Answer what the reviewer asked; the application goes back into review.

    Raises NotAllowed, BadInput without an answer, Incomplete where a change left something out, Conflict where nothing
    is asked any more.
    """
    policies.ensure(policies.can_write(actor, application))
    if not answer.strip():
        raise BadInput(_("Write an answer, or say which file you added."), code="answer_needed")
    application = lock_application(application, actor, version)
    _ensure_complete(application)
    now = at or timezone.now()
    move(application, ApplicationState.IN_REVIEW, actor, changed_at=now)
    event = write_down(application, ApplicationStep.ANSWERED, actor, now, text=answer)
    notices.application_moved(event)
    audit.record(
        actor=actor,
        action="application.answered",
        subject=application,
        details={"version": application.version, "note": event.note_id},
    )
    return application


@transaction.atomic
def withdraw_application(
    *, actor: Actor, application: Application, version: int | None = None, at: datetime | None = None
) -> Application:
    """Take an application back before it is decided. Raises NotAllowed, Conflict where it was decided."""
    policies.ensure(policies.can_write(actor, application))
    application = lock_application(application, actor, version)
    now = at or timezone.now()
    move(application, ApplicationState.WITHDRAWN, actor, changed_at=now, decided_at=now)
    event = write_down(application, ApplicationStep.WITHDRAWN, actor, now)
    notices.application_moved(event)
    audit.record(
        actor=actor, action="application.withdrawn", subject=application, details={"version": application.version}
    )
    return application


def add_application_file(
    *, actor: Actor, application: Application, file: "UploadedFile[Any]", at: datetime | None = None
) -> ApplicationFile:
    """Keep a document with an application that is open to its applicant.

    Raises NotAllowed, BadInput for a file that can't be taken (see `core.uploads.take`) or one too many, Conflict for
    the same file again and where the application can't be changed any more.
    """
    policies.ensure(policies.can_write(actor, application))
    upload = uploads.take(file, folder=f"applications/{application.pk}")
    row = ApplicationFile(
        name=upload.name,
        media_type=upload.media_type,
        size=upload.size,
        sha256=upload.sha256,
        uploaded_by_id=person(actor),
        uploaded_at=at or timezone.now(),
    )
    stored = ""
    try:
        with transaction.atomic():
            row.application = application = lock_application(application, actor, None)
            ensure_editable(application)
            kept = list(application.files.values_list("sha256", flat=True))
            if upload.sha256 in kept:
                raise Conflict(_("This file is here already."), code="file_known")
            if len(kept) >= MAX_FILES:
                raise BadInput(_("At most %(count)d files.") % {"count": MAX_FILES}, code="too_many_files")
            row.content.save(upload.content.name or "", upload.content, save=False)
            stored = row.content.name or ""
            row.save(force_insert=True)
            audit.record(
                actor=actor,
                action="application.file_added",
                subject=application,
                details={"file": row.pk, "sha256": row.sha256, "size": row.size},
            )
    except BaseException:
        # The row didn't come to be; neither shall the file.
        if stored:
            row.content.storage.delete(stored)
        raise
    return row


@transaction.atomic
def remove_application_file(*, actor: Actor, file: ApplicationFile) -> None:
    """Take a document out of a draft; what was submitted stays. Raises NotAllowed, Conflict."""
    policies.ensure(policies.can_write(actor, file.application))
    application = lock_application(file.application, actor, None)
    if application.state != ApplicationState.DRAFT:
        raise Conflict(_("What was handed in stays; you can add another file."), code="not_a_draft")
    ident, storage, name = file.pk, file.content.storage, file.content.name or ""
    if not ApplicationFile.objects.filter(pk=ident).delete()[0]:
        raise Conflict(_("This file is gone already."), code="file_gone")
    transaction.on_commit(lambda: storage.delete(name), robust=True)
    audit.record(actor=actor, action="application.file_removed", subject=application, details={"file": ident})


def _new(actor: Actor, now: datetime) -> Application:
    last = Application.objects.filter(applicant=actor.user_id).order_by("-pk").first()
    follows = last if last is not None and last.state == ApplicationState.REJECTED else None
    try:
        with transaction.atomic():
            application = Application.objects.create(
                applicant_id=person(actor), follows=follows, created_at=now, changed_at=now
            )
    except IntegrityError:
        raise Conflict(
            _("You have an application under way; finish or withdraw it before you begin another."), code="one_open"
        ) from None
    ApplicationContact.objects.create(application=application)
    return application


def _write(application: Application, values: Mapping[str, Any], now: datetime) -> None:
    stated = {name: value for name, value in values.items() if name in STATED}
    for name, value in {**stated, "changed_at": now}.items():
        setattr(application, name, value)
    application.version += 1
    application.save(update_fields=[*stated, "changed_at", "version"])
    contact, _made = ApplicationContact.objects.get_or_create(application=application)
    for name in CONTACT:
        if name in values:
            setattr(contact, name.removeprefix("contact_"), values[name])
    contact.save()


def _checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """The values, trimmed, each of them one that its column takes. Raises Incomplete."""
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name in (*STATED, *CONTACT):
        if name not in data:
            continue
        value = data[name]
        if isinstance(value, str):
            value = value.strip()
            model = Application if name in STATED else ApplicationContact
            limit = model._meta.get_field(name.removeprefix("contact_")).max_length  # type: ignore[union-attr]
            if limit is not None and len(value) > limit:
                faults[name] = _("At most %(count)d characters.") % {"count": limit}
        else:
            value = sorted(set(value))
        values[name] = value
    if values.get("country") and not _is_country(values["country"]):
        faults["country"] = _("Choose a country from the list.")
    if not all(_is_country(market) for market in values.get("markets", ())):
        faults["markets"] = _("Choose countries from the list.")
    for name, known in (("category", Category.values), ("resources", Resource.values), ("services", Service.values)):
        given = values.get(name) or ()
        if any(value not in known for value in ([given] if isinstance(given, str) else given)):
            faults[name] = _("Choose from the list.")
    if faults:
        raise Incomplete(faults)
    return values


def _is_country(code: object) -> bool:
    return isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha() and code.isupper()


def missing_in(application: Application) -> dict[str, str]:
    """What it lacks before it can be handed in: what is to be said beside which field. One query."""
    contact = ApplicationContact.objects.filter(application=application).first()
    missing = {name: _("Fill this in.") for name in STATED if not getattr(application, name)}
    if contact is None or not contact.name:
        missing["contact_name"] = _("Fill this in.")
    if contact is None or not (contact.phone or contact.wechat or contact.email):
        missing["contact_phone"] = _("Give a phone number, a WeChat ID or an e-mail address.")
    return missing


def _ensure_complete(application: Application) -> None:
    missing = missing_in(application)
    if missing:
        raise Incomplete(missing)
