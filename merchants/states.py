"""The choices that a merchant's rows take (CONTRACT.md)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Track(TextChoices):
    """Who may recruit an entry of the list."""

    TARGET = "target", _("Target list")
    DIRECTED = "directed", _("Directed invitation")


class Review(TextChoices):
    """An entry's review."""

    PENDING = "pending", _("Pending")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


class ClaimStatus(TextChoices):
    """A claim's review."""

    PENDING = "pending", _("Pending")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


class Cause(TextChoices):
    """By what a shop is attributed to its partner (POLICY 4)."""

    CLAIM = "claim", _("Claim")
    LINK = "link", _("Exclusive link")
    RECORD = "record", _("Marketplace record")
    ASSIGNMENT = "assignment", _("Operator's decision")


class ShopState(TextChoices):
    """A shop's operating status, as the marketplace reports it."""

    OPEN = "open", _("Open")
    RESTRICTED = "restricted", _("Restricted")
    CLOSING = "closing", _("Closing")
    CLOSED = "closed", _("Closed")


class LineKind(TextChoices):
    """A settled order line is a sale or the refund of one."""

    SALE = "sale", _("Sale")
    REFUND = "refund", _("Refund")


class FeedKind(TextChoices):
    """The ten feeds."""

    PARTNERS = "partners", _("Partners")
    TARGETS = "targets", _("Target entries")
    INVITES = "invites", _("Invite links")
    CLAIMS = "claims", _("Claims")
    SHOPS = "shops", _("Shops")
    SHOP_STATUSES = "shop_statuses", _("Shop statuses")
    SETTLEMENTS = "settlements", _("Settlements")
    STOCK = "stock", _("Stock")
    VIOLATIONS = "violations", _("Violations")
    FX = "fx", _("Exchange rates")


class ImportState(TextChoices):
    """How far an import got. Only `landed` ones recorded facts."""

    RUNNING = "running", _("Running")
    LANDED = "landed", _("Landed")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")


class Consent(TextChoices):
    """What somebody who registers agrees to."""

    PRIVACY = "privacy", _("Privacy notice")
    SHARE_CONTACT = "share_contact", _("Contact shown to the partner")
