"""Who acts, and what each role may do. No Django here.

The table below is the only place where a role gets a capability; docs/roles.md shows it to people.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from core.errors import NotAllowed


class Role(StrEnum):
    """Operator roles, and the three that a partner gives its own colleagues."""

    RECRUITER = "recruiter"
    LIST_KEEPER = "list_keeper"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    FINANCE = "finance"
    RISK = "risk"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    OWNER = "owner"
    MEMBER = "member"
    VIEWER = "viewer"


OPERATOR_ROLES = frozenset(
    {
        Role.RECRUITER,
        Role.LIST_KEEPER,
        Role.REVIEWER,
        Role.APPROVER,
        Role.FINANCE,
        Role.RISK,
        Role.AUDITOR,
        Role.ADMINISTRATOR,
    }
)
PARTNER_ROLES = frozenset({Role.OWNER, Role.MEMBER, Role.VIEWER})


class Capability(StrEnum):
    """One kind of act that needs permission."""

    VIEW_EVERYTHING = "view_everything"
    CERTIFY_PARTNER = "certify_partner"
    SUSPEND_PARTNER = "suspend_partner"
    LOAD_FEED = "load_feed"
    KEEP_LISTS = "keep_lists"
    ASSIGN_SHOP = "assign_shop"
    DRAFT_POLICY = "draft_policy"
    PUBLISH_POLICY = "publish_policy"
    START_RUN = "start_run"
    SUBMIT_PAYOUT = "submit_payout"
    APPROVE_PAYOUT = "approve_payout"
    VOID_PAYOUT = "void_payout"
    HOLD_PAYOUT = "hold_payout"
    PAY = "pay"
    CONFIRM_PAYEE = "confirm_payee"
    MANAGE_USERS = "manage_users"
    VIEW_OWN = "view_own"
    RECRUIT = "recruit"
    MANAGE_TEAM = "manage_team"
    JOIN_PROGRAM = "join_program"
    CHANGE_PAYEE = "change_payee"
    HAND_IN_INVOICE = "hand_in_invoice"


ROLE_CAPABILITIES: dict[Role, frozenset[Capability]] = {
    Role.RECRUITER: frozenset({Capability.VIEW_EVERYTHING, Capability.CERTIFY_PARTNER}),
    Role.LIST_KEEPER: frozenset(
        {Capability.VIEW_EVERYTHING, Capability.LOAD_FEED, Capability.KEEP_LISTS, Capability.ASSIGN_SHOP}
    ),
    Role.REVIEWER: frozenset(
        {
            Capability.VIEW_EVERYTHING,
            Capability.LOAD_FEED,
            Capability.DRAFT_POLICY,
            Capability.START_RUN,
            Capability.SUBMIT_PAYOUT,
            Capability.HOLD_PAYOUT,
            Capability.VOID_PAYOUT,
        }
    ),
    Role.APPROVER: frozenset(
        {
            Capability.VIEW_EVERYTHING,
            Capability.APPROVE_PAYOUT,
            Capability.HOLD_PAYOUT,
            Capability.VOID_PAYOUT,
            Capability.DRAFT_POLICY,
            Capability.PUBLISH_POLICY,
        }
    ),
    Role.FINANCE: frozenset(
        {Capability.VIEW_EVERYTHING, Capability.PAY, Capability.CONFIRM_PAYEE, Capability.HOLD_PAYOUT}
    ),
    Role.RISK: frozenset(
        {
            Capability.VIEW_EVERYTHING,
            Capability.SUSPEND_PARTNER,
            Capability.CONFIRM_PAYEE,
            Capability.HOLD_PAYOUT,
        }
    ),
    Role.AUDITOR: frozenset({Capability.VIEW_EVERYTHING}),
    Role.ADMINISTRATOR: frozenset(
        {
            Capability.VIEW_EVERYTHING,
            Capability.MANAGE_USERS,
            Capability.LOAD_FEED,
            Capability.KEEP_LISTS,
            Capability.START_RUN,
            Capability.DRAFT_POLICY,
            Capability.PUBLISH_POLICY,
        }
    ),
    Role.OWNER: frozenset(
        {
            Capability.VIEW_OWN,
            Capability.RECRUIT,
            Capability.MANAGE_TEAM,
            Capability.JOIN_PROGRAM,
            Capability.CHANGE_PAYEE,
            Capability.HAND_IN_INVOICE,
        }
    ),
    Role.MEMBER: frozenset({Capability.VIEW_OWN, Capability.RECRUIT, Capability.HAND_IN_INVOICE}),
    Role.VIEWER: frozenset({Capability.VIEW_OWN}),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever does something: a signed-in person, or the system itself.

    `partner_ids` are the organisations that the person belongs to; they scope what it sees, and nobody
    decides on the payout of an organisation that they belong to.
    """

    user_id: int | None
    roles: frozenset[Role] = frozenset()
    partner_ids: frozenset[int] = field(default_factory=frozenset)
    label: str = ""

    @classmethod
    def system(cls, label: str) -> Self:
        """The product acting by itself (`label`: which part of it), with every operator capability."""
        return cls(user_id=None, roles=OPERATOR_ROLES, label=label)

    @property
    def is_operator(self) -> bool:
        """Sees the marketplace's side."""
        return bool(self.roles & OPERATOR_ROLES)

    def can(self, capability: Capability) -> bool:
        """Whether any of the actor's roles carries `capability`."""
        return any(capability in ROLE_CAPABILITIES[role] for role in self.roles)

    def require(self, capability: Capability) -> None:
        """Raise NotAllowed, naming what is missing, unless the actor has `capability`."""
        if not self.can(capability):
            raise NotAllowed(f"Your role doesn't allow you to {capability.replace('_', ' ')}.")


ANONYMOUS = Actor(user_id=None)
