"""Who a signed-in user is: its operator roles, and the partners it belongs to."""

from django.contrib.auth.models import AnonymousUser

from core.actors import ANONYMOUS, Actor, Role
from core.models import User


def actor_of(user: User | AnonymousUser) -> Actor:
    """Return what `user` may do and see now. Two queries; ask once in a request.

    An inactive or anonymous user may do nothing.
    """
    if not isinstance(user, User) or not user.is_active:
        return ANONYMOUS
    granted = {Role(role) for role in user.role_grants.values_list("role", flat=True)}
    memberships = list(user.memberships.values_list("partner_id", "role"))
    return Actor(
        user_id=user.pk,
        roles=frozenset(granted | {Role(role) for _, role in memberships}),
        partner_ids=frozenset(partner for partner, _ in memberships),
    )
