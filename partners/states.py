"""The choices that a partner's rows take."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Category(TextChoices):
    """服务商类型: what kind of service provider a partner is (CONTRACT.md)."""

    PAYMENT = "payment", _("Payment")
    COMPLIANCE = "compliance", _("Compliance")
    LOGISTICS = "logistics", _("Logistics")
    ADVERTISING = "advertising", _("Advertising agency")
    STORE_OPERATION = "store_operation", _("Store operation")
    ERP = "erp", _("ERP")
    TRAINING = "training", _("Training")
    MEDIA = "media", _("Trade media")
    KOL = "kol", _("KOL agency (MCN)")
    OVERSEAS_WAREHOUSE = "overseas_warehouse", _("Overseas warehouse")
    OTHER = "other", _("Other")


class MemberRole(TextChoices):
    """What a colleague may do in its own organisation."""

    OWNER = "owner", _("Owner")
    MEMBER = "member", _("Member")
    VIEWER = "viewer", _("Viewer")


class Service(TextChoices):
    """What an organisation does for the merchants that it brings."""

    COMPLIANCE = "compliance", _("Compliance")
    LOGISTICS = "logistics", _("Logistics")
    OPERATIONS = "operations", _("Operations")


class Resource(TextChoices):
    """Which merchants an organisation knows."""

    CROSS_BORDER = "cross_border", _("Cross-border merchants")
    DOMESTIC = "domestic", _("Domestic merchants")


class ApplicationState(TextChoices):
    """Where an application for certification stands (服务商认证)."""

    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")
    IN_REVIEW = "in_review", _("In review")
    MORE_INFORMATION = "more_information", _("More information needed")
    CERTIFIED = "certified", pgettext_lazy("application", "Certified")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")


S = ApplicationState
APPLICATION_TRANSITIONS: dict[str, frozenset[str]] = {
    S.DRAFT: frozenset({S.SUBMITTED, S.WITHDRAWN}),
    S.SUBMITTED: frozenset({S.IN_REVIEW, S.WITHDRAWN}),
    S.IN_REVIEW: frozenset({S.MORE_INFORMATION, S.CERTIFIED, S.REJECTED, S.WITHDRAWN}),
    # An answer that never comes must not keep an application open for ever.
    S.MORE_INFORMATION: frozenset({S.IN_REVIEW, S.REJECTED, S.WITHDRAWN}),
    S.CERTIFIED: frozenset(),
    S.REJECTED: frozenset(),
    S.WITHDRAWN: frozenset(),
}
# One of these at a time for an applicant; in two of them the applicant may write.
OPEN_STATES = (S.DRAFT, S.SUBMITTED, S.IN_REVIEW, S.MORE_INFORMATION)
EDITABLE_STATES = (S.DRAFT, S.MORE_INFORMATION)
del S


class PayeeState(TextChoices):
    """Where a stated account (收款账户) stands. Only a confirmed one is paid to."""

    WAITING = "waiting", _("Waiting for confirmation")
    CONFIRMED = "confirmed", pgettext_lazy("payee", "Confirmed")
    REFUSED = "refused", pgettext_lazy("payee", "Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    REPLACED = "replaced", _("Replaced")


PAYEE_TRANSITIONS: dict[str, frozenset[str]] = {
    PayeeState.WAITING: frozenset({PayeeState.CONFIRMED, PayeeState.REFUSED, PayeeState.WITHDRAWN}),
    PayeeState.CONFIRMED: frozenset({PayeeState.REPLACED}),
    PayeeState.REFUSED: frozenset(),
    PayeeState.WITHDRAWN: frozenset(),
    PayeeState.REPLACED: frozenset(),
}


class ApplicationStep(TextChoices):
    """What somebody did with an application."""

    SUBMITTED = "submitted", _("Submitted")
    CLAIMED = "claimed", _("Taken into review")
    ASKED = "asked", _("Asked for more information")
    ANSWERED = "answered", _("Answered")
    CERTIFIED = "certified", pgettext_lazy("application", "Certified")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")
