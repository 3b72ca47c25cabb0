"""Who is on a partner's team."""

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import PARTNER_ROLES, Actor, Capability, Role
from core.errors import BadInput, Conflict, NotAllowed
from core.models import User
from partners.models import Membership, Partner


@transaction.atomic
def add_member(*, actor: Actor, partner: Partner, user: User, role: Role) -> Membership:
    """Let a person see and act for the partner.

    Raises NotAllowed, also for the actor's own account; BadInput for an operator's role; Conflict where the person is
    on the team.
    """
    _ensure_manages(actor, user)
    if role not in PARTNER_ROLES:
        raise BadInput(_("%(role)s is an operator's role, not one in a partner's team.") % {"role": role.value})
    membership, is_new = Membership.objects.get_or_create(partner=partner, user=user, defaults={"role": role.value})
    if not is_new:
        raise Conflict(_("%(who)s is on the team of %(partner)s already.") % {"who": user, "partner": partner.code})
    audit.record(
        actor=actor, action="member.added", subject=partner, details={"user": user.pk, "role": membership.role}
    )
    return membership


@transaction.atomic
def remove_member(*, actor: Actor, partner: Partner, user: User) -> None:
    """Take a person off the partner's team; its pages are closed to them from now on.

    Raises NotAllowed, also for the actor's own account; Conflict where the person isn't on the team.
    """
    _ensure_manages(actor, user)
    taken, _by_model = Membership.objects.filter(partner=partner, user=user).delete()
    if not taken:
        raise Conflict(_("%(who)s is not on the team of %(partner)s.") % {"who": user, "partner": partner.code})
    audit.record(actor=actor, action="member.removed", subject=partner, details={"user": user.pk})


def _ensure_manages(actor: Actor, user: User) -> None:
    actor.require(Capability.MANAGE_USERS)
    if actor.user_id == user.pk:
        raise NotAllowed(_("Nobody puts themselves on a partner's team, or takes themselves off it."))
