"""The writes of this floor: accounts and their roles, programs and their policies."""

from core.services.drafts import drop_policy_draft, publish_policy_draft, save_policy_draft
from core.services.people import (
    create_user,
    deactivate_user,
    describe_self,
    grant_role,
    reactivate_user,
    revoke_role,
)
from core.services.programs import create_program, publish_policy, read_policy

__all__ = [
    "create_program",
    "create_user",
    "deactivate_user",
    "describe_self",
    "drop_policy_draft",
    "grant_role",
    "publish_policy",
    "publish_policy_draft",
    "reactivate_user",
    "read_policy",
    "revoke_role",
    "save_policy_draft",
]
