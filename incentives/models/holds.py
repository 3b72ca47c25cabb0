"""Holds: what stops approval and payment until somebody releases it (POLICY 6); and operators' notes."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Note, Program, User
from core.triggers import append_only, frozen, no_delete, once_set
from incentives.models.payouts import Payout
from incentives.states import COUNTED
from merchants.models import Shop
from partners.models import Partner


class HoldQuerySet(models.QuerySet["Hold"]):
    """Holds."""

    def standing(self) -> Self:
        """Those that nobody has released."""
        return self.filter(released_at=None)

    def on(self, payout: Payout) -> Self:
        """Those that stop this payout: its own, its partner's, and those of lines that count in it."""
        counted = payout.lines.filter(state__in=COUNTED).values("shop")
        return self.filter(
            Q(program=None) | Q(program=payout.program_id),
            Q(shop=None) | Q(shop__in=counted),
            partner=payout.partner_id,
        )


class Hold(models.Model):
    """What may not be approved or paid: all of a partner, its payout in a program, or one shop's line of it.

    It names no payout, so that returning one and submitting the next doesn't slip past it. A held line stops its
    whole payout: void the line to let the rest go on.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="holds")
    program = models.ForeignKey(Program, models.PROTECT, null=True, related_name="holds")
    shop = models.ForeignKey(Shop, models.PROTECT, null=True, related_name="holds")
    placed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    placed_at = models.DateTimeField(_("held since"))
    reason = models.ForeignKey(Note, models.PROTECT, related_name="+")
    released_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(_("released"), null=True)
    release_reason = models.ForeignKey(Note, models.PROTECT, null=True, related_name="+")

    objects = HoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["partner", "program", "shop"],
                condition=Q(released_at=None),
                nulls_distinct=False,
                name="hold_once_at_a_time",
            ),
            models.CheckConstraint(condition=Q(shop=None) | Q(program__isnull=False), name="hold_line_in_a_program"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=False) | Q(released_by=None, release_reason=None),
                name="hold_released_whole",
            ),
        ]
        triggers: ClassVar = [
            frozen("partner_id", "program_id", "shop_id", "placed_by_id", "placed_at", "reason_id"),
            once_set("released_at", "released_by_id", "release_reason_id"),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} {self.program_id or '*'} {self.shop_id or '*'}"


class PayoutNote(models.Model):
    """What an operator notes about a payout for the others. Partners never read it."""

    payout = models.ForeignKey(Payout, models.PROTECT, related_name="notes")
    author = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"))
    note = models.OneToOneField(Note, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("internal note")
        verbose_name_plural = _("internal notes")
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.payout_id} {self.at:%Y-%m-%d}"
