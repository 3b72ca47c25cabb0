"""One decision on many payouts, worked off in pieces. Rows are the queue; a message only says "look"."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Note, User
from core.triggers import frozen, no_delete
from incentives.models.payouts import Payout
from incentives.states import BulkOutcome


class BulkDecision(models.Model):
    """What somebody wants done with many payouts: the step, the reason, and how far it has come."""

    step = models.CharField(_("step"), max_length=20)
    actor = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.ForeignKey(Note, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(_("asked"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    total = models.IntegerField(_("payouts"))

    class Meta:
        verbose_name = _("bulk decision")
        verbose_name_plural = _("bulk decisions")
        triggers: ClassVar = [frozen("step", "actor_id", "reason_id", "asked_at", "total"), *no_delete()]

    def __str__(self) -> str:
        return f"{self.step} {self.total}"


class BulkItem(models.Model):
    """One payout of a bulk decision, in the version that the person saw, and what came of it."""

    bulk = models.ForeignKey(BulkDecision, models.PROTECT, related_name="items")
    payout = models.ForeignKey(Payout, models.PROTECT, related_name="+")
    seen = models.IntegerField(_("version seen"), null=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=BulkOutcome, default=BulkOutcome.WAITING)
    code = models.CharField(_("code"), max_length=40, blank=True)
    message = models.TextField(_("message"), blank=True)

    class Meta:
        verbose_name = _("payout of a bulk decision")
        verbose_name_plural = _("payouts of bulk decisions")
        constraints: ClassVar = [models.UniqueConstraint(fields=["bulk", "payout"], name="bulk_item_once")]
        indexes: ClassVar = [
            models.Index(fields=["bulk", "payout"], condition=Q(outcome=BulkOutcome.WAITING), name="bulk_waiting")
        ]
        triggers: ClassVar = [frozen("bulk_id", "payout_id", "seen"), *no_delete()]

    def __str__(self) -> str:
        return f"{self.bulk_id} {self.payout_id}"
