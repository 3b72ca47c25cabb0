"""Who may do what with an application, a partner's programs, team, payee: True, or the reason why not, for people."""

from typing import Literal

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.actors import ROLE_CAPABILITIES, Actor, Capability, Role
from core.errors import NotAllowed
from partners.models import Application, Membership, Partner, Payee

Answer = Literal[True] | str | Promise


def ensure(answer: Answer) -> None:
    """Raise NotAllowed with the reason, unless the answer is True."""
    if answer is not True:
        raise NotAllowed(str(answer))


def has(actor: Actor, partner: Partner, capability: Capability) -> bool:
    """Whether the person's role in this very partner carries `capability`. One query.

    A person may own one organisation and only look at another: roles don't carry over.
    """
    if actor.user_id is None or partner.pk not in actor.partner_ids:
        return False
    role = Membership.objects.filter(partner=partner, user=actor.user_id).values_list("role", flat=True).first()
    return role is not None and capability in ROLE_CAPABILITIES[Role(role)]


def can_apply(actor: Actor) -> Answer:
    """Apply for certification: any person with an account who isn't an operator."""
    if actor.user_id is None:
        return _("Sign in to apply.")
    if actor.is_operator:
        return _("Operators decide on applications; they don't file them.")
    return True


def can_write(actor: Actor, application: Application) -> Answer:
    """Change, submit, answer or withdraw an application: its applicant."""
    if actor.user_id is None or actor.user_id != application.applicant_id:
        return _("Only the person who filed this application can do that.")
    return True


def can_review(actor: Actor, application: Application) -> Answer:
    """Take an application into review, ask, reject: whoever certifies partners, and isn't its applicant."""
    if not actor.can(Capability.CERTIFY_PARTNER):
        return _("Your role doesn't allow you to decide on applications.")
    if actor.user_id is None:
        return _("Applications are decided on by a person.")
    if actor.user_id == application.applicant_id:
        return _("You filed this application; somebody else has to decide on it.")
    return True


def can_certify(actor: Actor, application: Application) -> Answer:
    """Certify: the same people; with `CERTIFICATION_FOUR_EYES` another one than took it into review."""
    answer = can_review(actor, application)
    if answer is True and settings.CERTIFICATION_FOUR_EYES and actor.user_id == application.reviewer_id:
        return _("You reviewed this application; a second person has to certify.")
    return answer


def can_join(actor: Actor, partner: Partner) -> Answer:
    """Accept a program's rules for a partner: its owners."""
    if not has(actor, partner, Capability.JOIN_PROGRAM):
        return _("Only an owner can accept a program's rules for the organisation.")
    return True


def can_manage_team(actor: Actor, partner: Partner) -> Answer:
    """Invite colleagues, change their roles, take them off the team: the partner's owners."""
    if not has(actor, partner, Capability.MANAGE_TEAM):
        return _("Only an owner can change the team.")
    return True


def can_see_payee(actor: Actor, partner: Partner) -> Answer:
    """See the account, masked: the partner's owners and members, as `PayeeQuerySet.visible_to`. One query."""
    if not has(actor, partner, Capability.RECRUIT):
        return _("Owners and members of the organisation see the account.")
    return True


def can_change_payee(actor: Actor, partner: Partner) -> Answer:
    """State the account that the partner is paid to, and take a change back: its owners. One query."""
    if not has(actor, partner, Capability.CHANGE_PAYEE):
        return _("Only an owner can change the account that the organisation is paid to.")
    return True


def can_confirm_payee(actor: Actor, payee: Payee) -> Answer:
    """Confirm or refuse a stated account: a person with the capability, outside of the partner, who didn't state it."""
    if not actor.can(Capability.CONFIRM_PAYEE):
        return _("Your role doesn't allow you to decide on payees.")
    if actor.user_id is None:
        return _("Payees are decided on by a person.")
    if payee.partner_id in actor.partner_ids:
        return _("You belong to this partner; somebody else has to decide on its payee.")
    if actor.user_id == payee.stated_by_id:
        return _("You stated this account; a second person has to confirm it.")
    return True


def can_read_account(actor: Actor, payee: Payee) -> Answer:
    """Read the account number in clear: whoever pays, outside of the partner."""
    if not actor.can(Capability.PAY):
        return _("Your role doesn't allow you to read account numbers.")
    if actor.user_id is None:
        return _("Account numbers are read by a person.")
    if payee.partner_id in actor.partner_ids:
        return _("You belong to this partner; somebody else has to pay it.")
    return True
