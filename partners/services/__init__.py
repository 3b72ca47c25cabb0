"""Decisions on partners that feeds don't bring: their standing, and who is on their team."""

from partners.services.links import extend_link, revoke_link
from partners.services.standing import reinstate_partner, suspend_partner, terminate_partner
from partners.services.team import add_member, remove_member

__all__ = [
    "add_member",
    "extend_link",
    "reinstate_partner",
    "remove_member",
    "revoke_link",
    "suspend_partner",
    "terminate_partner",
]
