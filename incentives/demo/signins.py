"""Who may sign in to the demo. The home page shows this list in demo mode, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.actors import Role

# Printed by `make demo`: the accounts exist only where the demo was seeded, on one person's machine.
PASSWORD = "dingyao-demo"  # noqa: S105 - known on purpose, refused outside the demo


@dataclass(frozen=True, slots=True)
class SignIn:
    """One account of the demo: who it is, what it may do, and the address of the page to begin with."""

    email: str
    name: str
    language: str
    about: Promise
    path: str
    roles: tuple[Role, ...] = ()
    partner_code: str = ""

    @property
    def is_operator(self) -> bool:
        """Sees the marketplace's side, Django's admin included."""
        return not self.partner_code


ALICE_PARTNER = "TSP-0001"
CHARLIE_PARTNER = "TSP-0002"

SIGNINS: tuple[SignIn, ...] = (
    SignIn(
        "alice@example.com",
        "林知夏 Alice",
        "zh-hans",
        _("owner of a partner with plenty to see"),
        "/partner/",
        (Role.OWNER,),
        ALICE_PARTNER,
    ),
    SignIn("bob@example.com", "Bob Weir", "en", _("her colleague"), "/partner/", (Role.MEMBER,), ALICE_PARTNER),
    SignIn(
        "charlie@example.com",
        "Charlie Ong",
        "en",
        _("owner of a rival partner"),
        "/partner/",
        (Role.OWNER,),
        CHARLIE_PARTNER,
    ),
    SignIn(
        "olga@example.com",
        "Olga Reuter",
        "en",
        _("reviewer: loads feeds, starts runs, submits payouts"),
        "/operator/",
        (Role.REVIEWER, Role.LIST_KEEPER),
    ),
    SignIn(
        "omar@example.com",
        "Omar Haddad",
        "en",
        _("approver: the second person"),
        "/operator/payouts",
        (Role.APPROVER,),
    ),
    SignIn("fiona@example.com", "周予安 Fiona", "zh-hans", _("finance: pays"), "/operator/payments", (Role.FINANCE,)),
    SignIn(
        "rosa@example.com",
        "Rosa Amsel",
        "en",
        _("recruiter: certifies partners, keeps the lists"),
        "/operator/applications",
        (Role.RECRUITER, Role.LIST_KEEPER),
    ),
    SignIn(
        "aurora@example.com",
        "Aurora Lind",
        "en",
        _("auditor: sees all, changes nothing"),
        "/operator/",
        (Role.AUDITOR,),
    ),
)
