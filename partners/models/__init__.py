"""Organisations that recruit, their people, their certification, their exclusive links; and how they come to be."""

from partners.models.applications import Application, ApplicationContact, ApplicationEvent, ApplicationFile
from partners.models.joining import Invitation, Joining
from partners.models.links import LinkExtension, LinkVisits, RateCount
from partners.models.organisations import (
    Certification,
    CertificationFact,
    InviteLink,
    LinkRevocation,
    Membership,
    Partner,
    Suspension,
)
from partners.models.payees import Payee

__all__ = [
    "Application",
    "ApplicationContact",
    "ApplicationEvent",
    "ApplicationFile",
    "Certification",
    "CertificationFact",
    "Invitation",
    "InviteLink",
    "Joining",
    "LinkExtension",
    "LinkRevocation",
    "LinkVisits",
    "Membership",
    "Partner",
    "Payee",
    "RateCount",
    "Suspension",
]
