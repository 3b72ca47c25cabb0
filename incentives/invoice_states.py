"""The choices that invoices take."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class InvoiceState(TextChoices):
    """Where an invoice (发票) stands. It can be replaced until it is accepted."""

    HANDED_IN = "handed_in", _("Handed in")
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", pgettext_lazy("payee", "Refused")
    REPLACED = "replaced", _("Replaced")


INVOICE_TRANSITIONS: dict[str, frozenset[str]] = {
    InvoiceState.HANDED_IN: frozenset({InvoiceState.ACCEPTED, InvoiceState.REFUSED, InvoiceState.REPLACED}),
    InvoiceState.ACCEPTED: frozenset(),
    InvoiceState.REFUSED: frozenset(),
    InvoiceState.REPLACED: frozenset(),
}
# One of these at a time for a payout.
LIVE_INVOICE = (InvoiceState.HANDED_IN, InvoiceState.ACCEPTED)
