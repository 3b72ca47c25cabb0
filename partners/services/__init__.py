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
from partners.services.payee_keys import renew_account_numbers
from partners.services.payees import (
    PayeeDetails,
    change_payee,
    check_payee_details,
    confirm_payee,
    lock_payee_for_payment,
    read_account_number,
    refuse_payee,
    withdraw_payee,
)
from partners.services.standing import reinstate_partner, suspend_partner, terminate_partner
from partners.services.team import add_member, remove_member

__all__ = [
    "Incomplete",
    "PayeeDetails",
    "accept_invitation",
    "accept_with_new_account",
    "add_application_file",
    "add_member",
    "answer_application",
    "ask_for_information",
    "certify_application",
    "change_member_role",
    "change_payee",
    "check_payee_details",
    "claim_application",
    "confirm_payee",
    "dismiss_member",
    "extend_link",
    "invite_member",
    "join_program",
    "lock_payee_for_payment",
    "read_account_number",
    "refuse_payee",
    "reinstate_partner",
    "reject_application",
    "remove_application_file",
    "remove_member",
    "renew_account_numbers",
    "revoke_link",
    "save_draft",
    "submit_application",
    "suspend_partner",
    "terminate_partner",
    "withdraw_application",
    "withdraw_invitation",
    "withdraw_payee",
]
