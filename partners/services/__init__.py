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
from partners.services.invitations import (
    accept_invitation,
    accept_with_new_account,
    change_member_role,
    dismiss_member,
    invite_member,
    withdraw_invitation,
)
from partners.services.joining import join_program
from partners.services.links import extend_link, revoke_link
from partners.services.standing import reinstate_partner, suspend_partner, terminate_partner
from partners.services.team import add_member, remove_member

__all__ = [
    "Incomplete",
    "accept_invitation",
    "accept_with_new_account",
    "add_application_file",
    "add_member",
    "answer_application",
    "ask_for_information",
    "certify_application",
    "change_member_role",
    "claim_application",
    "dismiss_member",
    "extend_link",
    "invite_member",
    "join_program",
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
    "withdraw_invitation",
]
