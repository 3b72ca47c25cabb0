"""Payouts (激励单), their lines, and what people decided about them (POLICY 6)."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.utils.translation import gettext_lazy as _

from core.models import Note, PolicyVersion, Program, User
from core.triggers import append_only, frozen, legal_transitions, no_delete
from incentives.models.runs import Run
from incentives.querysets import PayoutQuerySet
from incentives.states import (
    IN_LIFE,
    PAYOUT_TRANSITIONS,
    PLACED,
    DecisionKind,
    LineState,
    PayoutState,
    WithheldFor,
)
from merchants.models import Brand, Merchant, Shop, TargetEntry
from partners.models import Partner


class Payout(models.Model):
    """A partner's amount for one program. What the run said is frozen at submission; only lines fall out of it."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="payouts")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="payouts")
    run = models.ForeignKey(Run, models.PROTECT, related_name="payouts")
    policy = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=12, choices=PayoutState, default=PayoutState.IN_REVIEW)
    held = models.BooleanField(_("held"), default=False)
    version = models.IntegerField(_("version"), default=1)
    introduced = models.IntegerField(_("introduced"))
    high_risk = models.IntegerField(_("high risk"))
    currency = models.CharField(_("currency"), max_length=3)
    base_amount = models.DecimalField(_("base"), max_digits=19, decimal_places=2)
    factor = models.DecimalField(_("factor"), max_digits=7, decimal_places=6)
    net_amount = models.DecimalField(_("net"), max_digits=19, decimal_places=2)
    adjustments = models.DecimalField(_("adjustments"), max_digits=19, decimal_places=2, default=0)
    payable = models.DecimalField(_("payable"), max_digits=19, decimal_places=2)
    submitted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(_("submitted"))
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    payment_reference = models.CharField(_("payment reference"), max_length=120, blank=True)

    objects = PayoutQuerySet.as_manager()

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["program", "partner"], condition=Q(state__in=IN_LIFE), name="payout_one_in_life"
            ),
            models.CheckConstraint(condition=Q(factor__gte=0, factor__lte=1), name="payout_factor"),
            models.CheckConstraint(
                condition=Q(net_amount=Round(F("base_amount") * F("factor"), 2)),
                name="payout_net_is_rounded_once",
            ),
            models.CheckConstraint(
                condition=Q(payable=F("net_amount") + F("adjustments")), name="payout_payable_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("submitted_by")), name="payout_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[PayoutState.APPROVED, PayoutState.IN_PAYMENT, PayoutState.PAID])
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="payout_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state=PayoutState.PAID) | Q(paid_at__isnull=False) & ~Q(payment_reference=""),
                name="payout_paid_with_a_reference",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[PayoutState.IN_PAYMENT, PayoutState.PAID]) | Q(payable__gt=0),
                name="payout_pays_something",
            ),
        ]
        triggers: ClassVar = [
            *legal_transitions(PAYOUT_TRANSITIONS),
            frozen(
                "program_id",
                "partner_id",
                "run_id",
                "policy_id",
                "introduced",
                "high_risk",
                "currency",
                "factor",
                "submitted_by_id",
                "submitted_at",
            ),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.program} · {self.partner}"


class PayoutLine(models.Model):
    """One shop's part of a payout.

    `scope` is the range of program ids within which its merchant, brand and entry may be paid once: all of
    them where the policy's first entity counts all time, else the program alone. Overlapping scopes collide,
    and the database refuses the second live line.
    """

    payout = models.ForeignKey(Payout, models.PROTECT, related_name="lines")
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="payout_lines")
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="+")
    brand = models.ForeignKey(Brand, models.PROTECT, null=True, related_name="+")
    entry = models.ForeignKey(TargetEntry, models.PROTECT, null=True, related_name="+")
    component = models.CharField(_("component"), max_length=20, default="incentive")
    amount = models.DecimalField(_("amount"), max_digits=19, decimal_places=2)
    scope = BigIntegerRangeField(_("scope"))
    state = models.CharField(_("state"), max_length=12, choices=LineState)
    withheld_for = models.CharField(_("withheld because"), max_length=40, choices=WithheldFor, blank=True)

    class Meta:
        verbose_name = _("payout line")
        verbose_name_plural = _("payout lines")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payout", "shop", "component"], name="line_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="line_amount_above_zero"),
            models.CheckConstraint(
                condition=Q(state=LineState.WITHHELD) & ~Q(withheld_for="")
                | ~Q(state=LineState.WITHHELD) & Q(withheld_for=""),
                name="line_withheld_for_a_reason",
            ),
            *(
                ExclusionConstraint(
                    name=f"line_one_live_for_a_{what}",
                    expressions=[
                        (what, RangeOperators.EQUAL),
                        ("component", RangeOperators.EQUAL),
                        ("scope", RangeOperators.OVERLAPS),
                    ],
                    condition=Q(state__in=PLACED, **{f"{what}__isnull": False}),
                )
                for what in ("merchant", "brand", "entry")
            ),
        ]
        triggers: ClassVar = [
            frozen("payout_id", "shop_id", "merchant_id", "brand_id", "entry_id", "component", "amount", "scope"),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.payout_id} {self.shop_id}"


class Decision(models.Model):
    """Who decided what about a payout or one of its lines, and why. Append-only."""

    payout = models.ForeignKey(Payout, models.PROTECT, related_name="decisions")
    line = models.ForeignKey(PayoutLine, models.PROTECT, null=True, related_name="decisions")
    kind = models.CharField(_("decision"), max_length=15, choices=DecisionKind)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("at"))
    reason = models.ForeignKey(Note, models.PROTECT, null=True, related_name="+")
    state_before = models.CharField(_("before"), max_length=12, choices=PayoutState, blank=True)
    state_after = models.CharField(_("after"), max_length=12, choices=PayoutState)
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(
                    kind__in=[
                        DecisionKind.RETURN,
                        DecisionKind.HOLD,
                        DecisionKind.VOID,
                        DecisionKind.VOID_LINE,
                        DecisionKind.CLAW_BACK,
                    ]
                )
                | Q(reason__isnull=False),
                name="decision_that_hurts_has_a_reason",
            )
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.kind} {self.payout_id}"


class Bar(models.Model):
    """What a void bars from every later submission of the program until it is undone.

    A merchant, or with none named the partner's whole payout.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="bars")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="bars")
    merchant = models.ForeignKey(Merchant, models.PROTECT, null=True, related_name="bars")
    decision = models.OneToOneField(Decision, models.PROTECT, related_name="bar")
    lifted_by = models.OneToOneField(Decision, models.PROTECT, null=True, related_name="lifted_bar")

    class Meta:
        verbose_name = _("bar")
        verbose_name_plural = _("bars")
        triggers: ClassVar = [frozen("program_id", "partner_id", "merchant_id", "decision_id"), *no_delete()]

    def __str__(self) -> str:
        return f"{self.program_id} {self.partner_id} {self.merchant_id or '*'}"
