"""Adjustments: what is added to or taken from a partner's running account besides its payouts (POLICY 6)."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import Note, Program, User
from core.triggers import frozen, legal_transitions, no_delete
from incentives.models.payouts import Payout
from incentives.models.runs import Run
from incentives.states import ADJUSTMENT_TRANSITIONS, REPAYING, AdjustmentKind, AdjustmentState
from partners.models import Partner


class Adjustment(models.Model):
    """One amount on a partner's running account: above zero in its favour. One person proposes, another decides.

    Confirmed it is in the ledger, and the partner's next payout pays or keeps it. A `difference` names the payout and
    the later run that it comes from; a `recovery` and a `write_off` lower what the partner owes.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="adjustments")
    program = models.ForeignKey(Program, models.PROTECT, related_name="adjustments")
    kind = models.CharField(_("kind"), max_length=12, choices=AdjustmentKind)
    state = models.CharField(_("state"), max_length=12, choices=AdjustmentState, default=AdjustmentState.PROPOSED)
    version = models.IntegerField(_("version"), default=1)
    amount = models.DecimalField(_("amount"), max_digits=19, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    payout = models.ForeignKey(Payout, models.PROTECT, null=True, related_name="differences")
    run = models.ForeignKey(Run, models.PROTECT, null=True, related_name="+")
    reason = models.ForeignKey(Note, models.PROTECT, related_name="+")
    reference = models.CharField(_("bank's reference"), max_length=120, blank=True)
    details = models.JSONField(_("details"), default=dict)
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(_("proposed"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True)
    decision_reason = models.ForeignKey(Note, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(amount=0), name="adjustment_moves_something"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="adjustment_currency"),
            models.CheckConstraint(
                condition=~Q(kind__in=REPAYING) | Q(amount__gt=0), name="adjustment_repays_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(kind=AdjustmentKind.DIFFERENCE, payout__isnull=False, run__isnull=False)
                | ~Q(kind=AdjustmentKind.DIFFERENCE) & Q(payout=None, run=None),
                name="adjustment_difference_of_a_payout",
            ),
            models.CheckConstraint(
                condition=~Q(state=AdjustmentState.CONFIRMED)
                | Q(decided_by__isnull=False) & ~Q(decided_by=F("proposed_by")),
                name="adjustment_two_people",
            ),
            models.CheckConstraint(
                condition=Q(state=AdjustmentState.PROPOSED, decided_by=None, decided_at=None)
                | ~Q(state=AdjustmentState.PROPOSED) & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="adjustment_decided_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["payout"],
                condition=Q(state=AdjustmentState.PROPOSED),
                name="adjustment_one_proposed_of_a_payout",
            ),
        ]
        triggers: ClassVar = [
            *legal_transitions(ADJUSTMENT_TRANSITIONS),
            frozen(
                "partner_id",
                "program_id",
                "kind",
                "amount",
                "currency",
                "payout_id",
                "run_id",
                "reason_id",
                "reference",
                "details",
                "proposed_by_id",
                "proposed_at",
            ),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} {self.amount} {self.currency}"
