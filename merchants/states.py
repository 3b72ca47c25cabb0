"""The choices that a merchant's rows take (CONTRACT.md)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Track(TextChoices):
    """Who may recruit an entry of the list."""

    TARGET = "target", _("Target list")
    DIRECTED = "directed", _("Directed invitation")


class Review(TextChoices):
    """An entry's review."""

    PENDING = "pending", pgettext_lazy("review of an entry", "Pending")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


class PairState(TextChoices):
    """What became of two entries that look like one."""

    OPEN = "open", _("To decide")
    KEPT = "kept", _("Both stay")
    REJECTED = "rejected", _("One is rejected")


PAIR_TRANSITIONS: dict[str, frozenset[str]] = {
    PairState.OPEN: frozenset({PairState.KEPT, PairState.REJECTED}),
    PairState.KEPT: frozenset(),
    PairState.REJECTED: frozenset(),
}


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


class UploadState(TextChoices):
    """How far a feed's file got that was handed in on a page. Nothing lands before somebody has seen its preview."""

    KEPT = "kept", _("Not loaded yet")
    QUEUED = "queued", _("Waiting for a worker")
    LOADING = "loading", _("Loading")
    LOADED = "loaded", _("Loaded")
    FAILED = "failed", _("Not loaded: refused")
    DROPPED = "dropped", _("Thrown away")


UPLOAD_TRANSITIONS: dict[str, frozenset[str]] = {
    UploadState.KEPT: frozenset({UploadState.QUEUED, UploadState.DROPPED}),
    UploadState.QUEUED: frozenset({UploadState.LOADING}),
    # Back to the queue where its worker died.
    UploadState.LOADING: frozenset({UploadState.LOADED, UploadState.FAILED, UploadState.QUEUED}),
}


class Consent(TextChoices):
    """What somebody who registers agrees to."""

    PRIVACY = "privacy", _("Privacy notice")
    SHARE_CONTACT = "share_contact", _("Contact shown to the partner")
