"""Colleagues are invited by mail: whoever has the link and the address that it was sent to joins the team."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core import audit
from core.actors import PARTNER_ROLES, Actor, Role
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.models import User
from core.services import create_user
from partners import notices, policies
from partners.models import Invitation, Membership, Partner
from partners.services.desk import person

MOST_OPEN = 50  # invitations of one organisation that nobody has taken up: more is a way to send mail to strangers
TOKEN_BYTES = 32


@transaction.atomic
def invite_member(*, actor: Actor, partner: Partner, email: str, role: Role, at: datetime | None = None) -> Invitation:
    """Send somebody a link with which they join the team as `role`, for INVITATION_DAYS.

    An earlier invitation of the same address ends. The token is in the mail alone. Raises NotAllowed for anybody but an
    owner, BadInput for a malformed address or an operator's role, Conflict for one who is on the team, and for too many
    open ones.
    """
    policies.ensure(policies.can_manage_team(actor, partner))
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), code="bad_email") from None
    if role not in PARTNER_ROLES:
        raise BadInput(_("%(role)s is an operator's role, not one in a partner's team.") % {"role": role.value})
    Partner.objects.select_for_update().get(pk=partner.pk)
    if Membership.objects.filter(partner=partner, user__email__iexact=email).exists():
        raise Conflict(_("%(email)s is on the team already.") % {"email": email}, code="member")
    now = at or timezone.now()
    waiting = _open(partner, now)
    waiting.filter(email=email).update(withdrawn_at=now)
    if waiting.count() >= MOST_OPEN:
        raise Conflict(_("%(count)d invitations are open; withdraw some first.") % {"count": MOST_OPEN})
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation: Invitation = Invitation.objects.create(
        partner=partner,
        email=email,
        role=role.value,
        token_hash=fingerprint(token),
        invited_by_id=person(actor),
        created_at=now,
        expires_at=now + timedelta(days=settings.INVITATION_DAYS),
    )
    # Nobody knows the language of a person without an account: the inviting colleague's is the best guess.
    notices.invited(invitation, token, language=get_language() or settings.LANGUAGE_CODE)
    audit.record(
        actor=actor,
        action="invitation.sent",
        subject=partner,
        details={"invitation": invitation.pk, "role": role.value},
    )
    return invitation


@transaction.atomic
def withdraw_invitation(*, actor: Actor, invitation: Invitation, at: datetime | None = None) -> Invitation:
    """Make an invitation's link stop working. Raises NotAllowed, Conflict where it is taken up or withdrawn."""
    policies.ensure(policies.can_manage_team(actor, invitation.partner))
    found: Invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if found.accepted_at is not None or found.withdrawn_at is not None:
        raise Conflict(_("This invitation isn't open any more."), code="not_open")
    found.withdrawn_at = at or timezone.now()
    found.save(update_fields=["withdrawn_at"])
    audit.record(actor=actor, action="invitation.withdrawn", subject=found.partner, details={"invitation": found.pk})
    return found


@transaction.atomic
def accept_invitation(*, actor: Actor, token: str, at: datetime | None = None) -> Membership:
    """Join the team, with the account of the address that was invited.

    Raises NotFound for a token that doesn't work (unknown, expired, taken up, withdrawn: never told apart), NotAllowed
    for another account, Conflict where the person is on the team.
    """
    now = at or timezone.now()
    invitation = find_invitation(token, at=now, lock=True)
    if invitation is None:
        raise NotFound(_("This invitation doesn't work, or doesn't work any more."))
    user = User.objects.get(pk=person(actor))
    if user.email.lower() != invitation.email.lower():
        raise NotAllowed(_("This invitation is for another address. Sign in with that one."))
    membership, is_new = Membership.objects.get_or_create(
        partner=invitation.partner, user=user, defaults={"role": invitation.role}
    )
    if not is_new:
        raise Conflict(_("You are on this team already."), code="member")
    invitation.accepted_at, invitation.accepted_by = now, user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    notices.joined(invitation, at=now)
    audit.record(
        actor=actor,
        action="invitation.accepted",
        subject=invitation.partner,
        details={"invitation": invitation.pk, "user": user.pk, "role": invitation.role},
    )
    return membership


@transaction.atomic
def accept_with_new_account(*, token: str, name: str, password: str, language: str) -> User:
    """Make an account for the invited address, which the link proves, and join the team with it; both or neither.

    Raises NotFound as above, BadInput for a weak password, Conflict where the address has an account (then it is signed
    in to, and the invitation accepted).
    """
    invitation = find_invitation(token, at=timezone.now(), lock=True)
    if invitation is None:
        raise NotFound(_("This invitation doesn't work, or doesn't work any more."))
    user = create_user(
        actor=Actor.system("invitation"), email=invitation.email, name=name, password=password, language=language
    )
    accept_invitation(actor=Actor(user_id=user.pk), token=token)
    return user


@transaction.atomic
def dismiss_member(*, actor: Actor, partner: Partner, user: User) -> None:
    """Take a colleague off the team; the partner's pages are closed to them from now on.

    An owner does it, for others only: so there is always an owner left. Raises NotAllowed, Conflict where the person
    isn't on the team.
    """
    _manage_another(actor, partner, user)
    taken, _by_model = Membership.objects.filter(partner=partner, user=user).delete()
    if not taken:
        raise Conflict(_("%(who)s is not on the team of %(partner)s.") % {"who": user, "partner": partner.code})
    audit.record(actor=actor, action="member.removed", subject=partner, details={"user": user.pk})


@transaction.atomic
def change_member_role(*, actor: Actor, partner: Partner, user: User, role: Role) -> Membership:
    """Give a colleague another role on the team. Raises as `dismiss_member`, and BadInput for an operator's role."""
    _manage_another(actor, partner, user)
    if role not in PARTNER_ROLES:
        raise BadInput(_("%(role)s is an operator's role, not one in a partner's team.") % {"role": role.value})
    membership: Membership | None = Membership.objects.filter(partner=partner, user=user).first()
    if membership is None:
        raise Conflict(_("%(who)s is not on the team of %(partner)s.") % {"who": user, "partner": partner.code})
    before, membership.role = membership.role, role.value
    membership.save(update_fields=["role"])
    audit.record(
        actor=actor,
        action="member.role_changed",
        subject=partner,
        details={"user": user.pk, "before": before, "role": role.value},
    )
    return membership


def find_invitation(token: str, *, at: datetime, lock: bool = False) -> Invitation | None:
    """The open invitation of this token, if there is one. Looked up by its fingerprint: comparing takes no hint."""
    rows = Invitation.objects.select_for_update(of=("self",)) if lock else Invitation.objects.all()
    found: Invitation | None = (
        rows.select_related("partner")
        .filter(token_hash=fingerprint(token), accepted_at=None, withdrawn_at=None, expires_at__gt=at)
        .exclude(email="")
        .first()
    )
    return found


def fingerprint(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _open(partner: Partner, now: datetime) -> "QuerySet[Invitation]":
    return Invitation.objects.filter(partner=partner, accepted_at=None, withdrawn_at=None, expires_at__gt=now)


def _manage_another(actor: Actor, partner: Partner, user: User) -> None:
    # Under the lock: of two owners who take each other off at once, the second is one no more.
    Partner.objects.select_for_update().get(pk=partner.pk)
    policies.ensure(policies.can_manage_team(actor, partner))
    if actor.user_id == user.pk:
        raise NotAllowed(_("Nobody changes their own place on the team: ask another owner."))
