"""A certified partner takes part in a program, by the rules of one version of its policy."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import BadInput, Conflict
from core.models import PolicyVersion
from partners import policies
from partners.models import Joining, Partner
from partners.queries import standing_of
from partners.services.desk import person

MOST = 1_000_000  # more merchants than any market has shops: a typing error


@transaction.atomic
def join_program(
    *, actor: Actor, partner: Partner, policy: PolicyVersion, commitment: int, at: datetime | None = None
) -> Joining:
    """Accept `policy` for the partner, with a commitment: how many shops it undertakes to bring in (at least one).

    Each version is accepted once; a later one again. What was accepted stays as it was said. Raises NotAllowed for
    anybody but an owner, BadInput for a commitment that can't be meant, Conflict where the partner isn't certified or
    is suspended, the program has ended, a newer version was published meanwhile, or this one was accepted already.
    """
    policies.ensure(policies.can_join(actor, partner))
    if not 1 <= commitment <= MOST:
        raise BadInput(
            _("Say how many shops you undertake to bring in: a number from 1 to %(most)s.") % {"most": f"{MOST:,}"},
            code="bad_commitment",
        )
    now = at or timezone.now()
    # Decisions on a partner lock its row; so a suspension is seen, or comes after.
    Partner.objects.select_for_update().get(pk=partner.pk)
    today = now.astimezone(policy.rules.zone).date()
    standing = standing_of(partner, today=today)
    if standing.state != "certified":
        raise Conflict(_("Only a certified partner joins a program, and none while it is suspended."), code="standing")
    if today > policy.program.ends_on:
        raise Conflict(_("This program has ended."), code="program_over")
    if policy.program.policies.filter(number__gt=policy.number).exists():
        raise Conflict(_("A newer version of the rules was published. Read what differs first."), code="newer_version")
    try:
        with transaction.atomic():
            joining: Joining = Joining.objects.create(
                partner=partner,
                program=policy.program,
                policy=policy,
                commitment=commitment,
                accepted_by_id=person(actor),
                accepted_at=now,
            )
    except IntegrityError:
        raise Conflict(_("Your organisation has accepted this version already."), code="accepted") from None
    audit.record(
        actor=actor,
        action="program.joined",
        subject=partner,
        details={
            "joining": joining.pk,
            "program": policy.program.code,
            "policy": policy.number,
            "fingerprint": policy.fingerprint,
            "commitment": commitment,
        },
    )
    return joining
