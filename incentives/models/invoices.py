"""Invoices (发票) that partners hand in for approved payouts, with their files."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import Note, User
from core.triggers import frozen, legal_transitions, no_delete
from incentives.invoice_states import INVOICE_TRANSITIONS, LIVE_INVOICE, InvoiceState
from incentives.models.payouts import Payout
from incentives.querysets import InvoiceQuerySet
from partners.models import Partner
from partners.models.applications import private_files


class Invoice(models.Model):
    """One invoice. Another one in its place is a new row; one at a time is live for a payout.

    `amount` is what stands on the paper, in the payout's currency; that it should be the payout's net is said, not
    enforced. The file's own name may name people and can be emptied.
    """

    payout = models.ForeignKey(Payout, models.PROTECT, related_name="invoices")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="invoices")
    state = models.CharField(_("state"), max_length=10, choices=InvoiceState, default=InvoiceState.HANDED_IN)
    version = models.IntegerField(_("version"), default=1)
    number = models.CharField(_("invoice number"), max_length=40)
    amount = models.DecimalField(_("amount"), max_digits=19, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    issued_on = models.DateField(_("date of the invoice"))
    name = models.CharField(_("file"), max_length=200, blank=True)
    media_type = models.CharField(_("type"), max_length=60)
    size = models.PositiveIntegerField(_("size"))
    sha256 = models.CharField(_("fingerprint"), max_length=64)
    content = models.FileField(_("content"), storage=private_files, max_length=200)
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("handed in by"))
    uploaded_at = models.DateTimeField(_("handed in"))
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    reason = models.ForeignKey(Note, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reason"))

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payout"], condition=Q(state__in=LIVE_INVOICE), name="invoice_one_live"),
            models.UniqueConstraint(
                fields=["partner", "number"], condition=Q(state__in=LIVE_INVOICE), name="invoice_number_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="invoice_amount_above_zero"),
            models.CheckConstraint(condition=Q(size__gt=0) & ~Q(number=""), name="invoice_is_one"),
            models.CheckConstraint(
                condition=Q(state__in=[InvoiceState.HANDED_IN, InvoiceState.REPLACED], decided_by=None)
                | Q(state__in=[InvoiceState.ACCEPTED, InvoiceState.REFUSED], decided_by__isnull=False)
                & ~Q(decided_by=F("uploaded_by")),
                name="invoice_decided_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state=InvoiceState.REFUSED) | Q(reason__isnull=False), name="invoice_refused_for_a_reason"
            ),
        ]
        triggers: ClassVar = [
            *legal_transitions(INVOICE_TRANSITIONS),
            frozen(
                "payout_id",
                "partner_id",
                "number",
                "amount",
                "currency",
                "issued_on",
                "sha256",
                "content",
                "uploaded_by_id",
                "uploaded_at",
            ),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return self.number
