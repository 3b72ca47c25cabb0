"""Payment batches: what is sent to the bank together, and what the bank says of it (POLICY 6)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Note, User
from core.triggers import append_only, frozen, legal_transitions, no_delete
from incentives.models.payouts import Payout
from incentives.states import BATCH_TRANSITIONS, ITEM_TRANSITIONS, BatchState, ItemState
from partners.models import Payee


class PaymentBatch(models.Model):
    """Approved payouts of one currency that go to the bank in one file. Locked, its payouts are in payment."""

    state = models.CharField(_("state"), max_length=10, choices=BatchState, default=BatchState.DRAFT)
    version = models.IntegerField(_("version"), default=1)
    currency = models.CharField(_("currency"), max_length=3)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("made"))
    locked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    locked_at = models.DateTimeField(_("locked"), null=True)
    exported_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    exported_at = models.DateTimeField(_("exported"), null=True)
    file_sha256 = models.CharField(_("fingerprint of the file"), max_length=64, blank=True)
    cancelled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    cancel_reason = models.ForeignKey(Note, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("payment batch")
        verbose_name_plural = _("payment batches")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="batch_currency"),
            models.CheckConstraint(
                condition=~Q(state__in=[BatchState.LOCKED, BatchState.EXPORTED])
                | Q(locked_by__isnull=False, locked_at__isnull=False),
                name="batch_locked_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state=BatchState.EXPORTED)
                | Q(exported_by__isnull=False, exported_at__isnull=False) & ~Q(file_sha256=""),
                name="batch_exported_as_a_file",
            ),
        ]
        triggers: ClassVar = [
            *legal_transitions(BATCH_TRANSITIONS),
            frozen("currency", "created_by_id", "created_at"),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PaymentItem(models.Model):
    """One payout in a batch: the amount, the account it goes to, and what the bank has said."""

    batch = models.ForeignKey(PaymentBatch, models.PROTECT, related_name="items")
    payout = models.ForeignKey(Payout, models.PROTECT, related_name="payment_items")
    payee = models.ForeignKey(Payee, models.PROTECT, null=True, related_name="+")
    reference = models.CharField(_("our reference"), max_length=40, unique=True)
    amount = models.DecimalField(_("amount"), max_digits=19, decimal_places=2)
    state = models.CharField(_("state"), max_length=10, choices=ItemState, default=ItemState.WAITING)
    settled_at = models.DateTimeField(_("settled"), null=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["payout"], condition=Q(state=ItemState.WAITING), name="item_payout_in_one_batch"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="item_pays_something"),
        ]
        triggers: ClassVar = [
            *legal_transitions(ITEM_TRANSITIONS, version=None),
            frozen("batch_id", "payout_id", "reference", "amount"),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return self.reference


class BankResult(models.Model):
    """One result file of the bank as it was loaded. The same file again makes another one, all unchanged."""

    sha256 = models.CharField(_("fingerprint of the file"), max_length=64)
    loaded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    loaded_at = models.DateTimeField(_("loaded"))
    rows = models.IntegerField(_("rows"))
    paid = models.IntegerField(_("paid"))
    refused = models.IntegerField(_("refused"))
    unchanged = models.IntegerField(_("unchanged"))
    quarantined = models.IntegerField(_("set aside"))

    class Meta:
        verbose_name = _("bank result")
        verbose_name_plural = _("bank results")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    rows=models.F("paid") + models.F("refused") + models.F("unchanged") + models.F("quarantined")
                ),
                name="bank_result_adds_up",
            )
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.loaded_at:%Y-%m-%d} {self.sha256[:8]}"


class BankResultRow(models.Model):
    """A row of a result file that nothing was done with, and why. Its text can be erased."""

    result = models.ForeignKey(BankResult, models.PROTECT, related_name="quarantine")
    line = models.IntegerField(_("line"))
    code = models.CharField(_("code"), max_length=20)
    note = models.ForeignKey(Note, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("row set aside")
        verbose_name_plural = _("rows set aside")
        constraints: ClassVar = [models.UniqueConstraint(fields=["result", "line"], name="bank_row_once")]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.result_id}:{self.line} {self.code}"
