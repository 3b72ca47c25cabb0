"""Decisions on partners that feeds don't bring: how they are certified, their standing, and who is on their team."""

from partners.services.applications import (
    Incomplete,
    add_application_file,
    answer_application,
    remove_application_file,
    save_draft,
    submit_application,
    withdraw_application,
)
from partners.services.certification import (
    ask_for_information,
    certify_application,
    claim_application,
    reject_application,
)
from partners.services.links import extend_link, revoke_link
from partners.services.standing import reinstate_partner, suspend_partner, terminate_partner
from partners.services.team import add_member, remove_member

__all__ = [
    "Incomplete",
    "add_application_file",
    "add_member",
    "answer_application",
    "ask_for_information",
    "certify_application",
    "claim_application",
    "extend_link",
    "reinstate_partner",
    "reject_application",
    "remove_application_file",
    "remove_member",
    "revoke_link",
    "save_draft",
    "submit_application",
    "suspend_partner",
    "terminate_partner",
    "withdraw_application",
]
