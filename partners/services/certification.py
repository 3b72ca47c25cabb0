"""What operators decide on an application: take it, ask, certify, reject. One wins; the other is told who and when."""

import re
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Func, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, locks
from core.actors import Actor
from core.errors import BadInput, Conflict
from core.hooks import announce_facts
from core.models import CODE_LENGTH, FactBatch
from core.recording import open_batch, seal
from partners import notices, policies
from partners.models import Application, ApplicationContact, Certification, CertificationFact, Membership, Partner
from partners.services.desk import ensure_move, lock_application, move, needed_reason, write_down
from partners.states import ApplicationState, ApplicationStep, MemberRole

CODE = re.compile(rf"[A-Za-z0-9._-]{{1,{CODE_LENGTH}}}")


@transaction.atomic
def claim_application(
    *, actor: Actor, application: Application, version: int | None = None, at: datetime | None = None
) -> Application:
    """Take a submitted application into review. Raises NotAllowed, Conflict where somebody else has taken it."""
    policies.ensure(policies.can_review(actor, application))
    application = lock_application(application, actor, version)
    now = at or timezone.now()
    move(application, ApplicationState.IN_REVIEW, actor, reviewer_id=actor.user_id, changed_at=now)
    event = write_down(application, ApplicationStep.CLAIMED, actor, now)
    notices.application_moved(event)
    audit.record(
        actor=actor, action="application.claimed", subject=application, details={"version": application.version}
    )
    return application


@transaction.atomic
def ask_for_information(
    *, actor: Actor, application: Application, question: str, version: int | None = None, at: datetime | None = None
) -> Application:
    """Ask the applicant for more. Raises NotAllowed, BadInput without a question, Conflict where it isn't in review."""
    policies.ensure(policies.can_review(actor, application))
    question = needed_reason(question)
    application = lock_application(application, actor, version)
    now = at or timezone.now()
    move(application, ApplicationState.MORE_INFORMATION, actor, changed_at=now)
    event = write_down(application, ApplicationStep.ASKED, actor, now, text=question)
    notices.application_moved(event)
    audit.record(
        actor=actor,
        action="application.asked",
        subject=application,
        details={"version": application.version, "note": event.note_id},
    )
    return application


@transaction.atomic
def reject_application(
    *, actor: Actor, application: Application, reason: str, version: int | None = None, at: datetime | None = None
) -> Application:
    """Decline. The applicant reads `reason`, and may apply again. Raises NotAllowed, BadInput, Conflict."""
    policies.ensure(policies.can_review(actor, application))
    reason = needed_reason(reason)
    application = lock_application(application, actor, version)
    now = at or timezone.now()
    move(application, ApplicationState.REJECTED, actor, changed_at=now, decided_at=now)
    event = write_down(application, ApplicationStep.REJECTED, actor, now, text=reason)
    notices.application_moved(event)
    audit.record(
        actor=actor,
        action="application.rejected",
        subject=application,
        details={"version": application.version, "note": event.note_id},
    )
    return application


@transaction.atomic
def certify_application(
    *,
    actor: Actor,
    application: Application,
    code: str,
    effective_from: date,
    version: int | None = None,
    at: datetime | None = None,
) -> Partner:
    """Certify the organisation: it becomes the partner `code`, certified from `effective_from` on, without end.

    The applicant becomes its first owner. `effective_from` may lie in the past (POLICY 3, `partner_certified`): the
    fact counts as recorded now all the same. Raises NotAllowed (also to the reviewer, where four eyes are wanted),
    BadInput for a malformed code, Conflict for a code or registration number that a partner has, and where the
    application isn't in review any more.
    """
    policies.ensure(policies.can_certify(actor, application))
    if not CODE.fullmatch(code):
        raise BadInput(
            _("%(code)s is no partner code: use 1 to %(count)d characters of A-Z a-z 0-9 . _ -")
            % {"code": code or "–", "count": CODE_LENGTH},
            code="bad_code",
        )
    # A partners feed compares and writes the same rows under this lock.
    locks.take(locks.Lock.FEED_LISTS)
    application = lock_application(application, actor, version)
    policies.ensure(policies.can_certify(actor, application))  # its reviewer, as it stands under the lock
    ensure_move(application, ApplicationState.CERTIFIED, actor)
    now = at or timezone.now()
    batch = open_batch(source="operator", actor_id=actor.user_id)
    partner = _make_partner(application, code, batch)
    CertificationFact.objects.create(partner=partner, valid_from=effective_from, batch=batch)
    Certification.objects.create(partner=partner, days=DateRange(effective_from, None, "[)"))
    Membership.objects.create(partner=partner, user_id=application.applicant_id, role=MemberRole.OWNER)
    move(application, ApplicationState.CERTIFIED, actor, changed_at=now, decided_at=now, partner=partner)
    event = write_down(application, ApplicationStep.CERTIFIED, actor, now, effective_from=effective_from)
    notices.application_moved(event)
    announce_facts(kind="certification", batch_id=batch.pk)
    seal(batch)
    audit.record(
        actor=actor,
        action="application.certified",
        subject=application,
        details={
            "version": application.version,
            "partner": partner.pk,
            "valid_from": effective_from.isoformat(),
            "owner": application.applicant_id,
            "batch": batch.pk,
        },
    )
    return partner


def _make_partner(application: Application, code: str, batch: FactBatch) -> Partner:
    number = re.sub(r"[\s-]", "", application.registration_no).upper()
    known = (
        Partner.objects.filter(country=application.country)
        .annotate(
            number=Func(
                Func(F("registration_no"), Value(r"[\s-]"), Value(""), Value("g"), function="regexp_replace"),
                function="upper",
            )
        )
        .filter(number=number)
        .first()
    )
    if known is not None:
        raise Conflict(
            _("%(partner)s has this registration number already. Put the applicant on its team instead.")
            % {"partner": known},
            code="partner_known",
        )
    contact = ApplicationContact.objects.filter(application=application).first()  # none where it was erased
    try:
        with transaction.atomic():
            made: Partner = Partner.objects.create(
                code=code,
                name=application.name,
                category=application.category,
                country=application.country,
                registration_no=application.registration_no,
                contact_email=contact.email or None if contact else None,
                batch=batch,
            )
    except IntegrityError:
        raise Conflict(
            _("The code %(code)s is taken, perhaps in other letters; choose another.") % {"code": code},
            code="code_taken",
        ) from None
    return made
