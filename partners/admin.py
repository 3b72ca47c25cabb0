"""The back office of partners: organisations, colleagues, certifications, links. To look at."""

from typing import ClassVar

from django.contrib import admin

from core.backoffice import LookOnlyAdmin, LookOnlyInline
from partners import (
    desk_admin,  # noqa: F401 (registers applications and what follows from them)
    payee_admin,  # noqa: F401 (registers payees)
)
from partners.models import (
    Certification,
    CertificationFact,
    InviteLink,
    LinkRevocation,
    Membership,
    Partner,
    Suspension,
)


class MembershipInline(LookOnlyInline):
    """A partner's colleagues."""

    model = Membership
    fields = ("user", "role", "since")


class CertificationInline(LookOnlyInline):
    """The certifications in force."""

    model = Certification
    fields = ("days",)


class CertificationFactInline(LookOnlyInline):
    """Every decision on the certification, as recorded."""

    model = CertificationFact
    fields = ("valid_from", "valid_until", "batch")


class SuspensionInline(LookOnlyInline):
    """When its links counted as revoked."""

    model = Suspension
    fields = ("during", "terminal", "reason")


@admin.register(Partner)
class PartnerAdmin(LookOnlyAdmin):
    """Partners."""

    list_display = ("code", "name", "category", "country", "commitment")
    list_filter = ("category",)
    search_fields = ("code", "name", "registration_no")
    ordering = ("code",)
    inlines: ClassVar = [MembershipInline, CertificationInline, CertificationFactInline, SuspensionInline]


class RevocationInline(LookOnlyInline):
    """That the link was revoked."""

    model = LinkRevocation
    fields = ("revoked_at", "batch")


@admin.register(InviteLink)
class InviteLinkAdmin(LookOnlyAdmin):
    """Invite links."""

    list_display = ("code", "partner", "program", "label", "starts_at", "expires_at", "uses", "max_uses")
    list_select_related = ("partner", "program")
    search_fields = ("code", "label", "partner__code")
    inlines: ClassVar = [RevocationInline]
