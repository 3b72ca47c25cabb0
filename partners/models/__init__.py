"""Organisations that recruit, their people, their certification, their exclusive links."""

from partners.models.organisations import (
    Certification,
    CertificationFact,
    InviteLink,
    LinkRevocation,
    Membership,
    Partner,
    Suspension,
)

__all__ = [
    "Certification",
    "CertificationFact",
    "InviteLink",
    "LinkRevocation",
    "Membership",
    "Partner",
    "Suspension",
]
