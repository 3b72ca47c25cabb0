"""Organisations that recruit, their people, their certification, their exclusive links."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from core.models import CodeField, FactBatch, Note, Program, User
from core.triggers import append_only, frozen, no_delete
from partners.querysets import InviteLinkQuerySet, PartnerQuerySet
from partners.states import Category, MemberRole


class Partner(models.Model):
    """An ecosystem partner (生态伙伴, 招商服务商): an organisation that recruits merchants."""

    code = CodeField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=255)
    category = models.CharField(_("category"), max_length=20, choices=Category)
    country = models.CharField(_("country"), max_length=2, null=True, blank=True)
    registration_no = models.CharField(_("registration number"), max_length=64, null=True, blank=True)
    commitment = models.PositiveIntegerField(_("commitment"), null=True, blank=True)
    contact_email = models.EmailField(_("contact e-mail"), null=True, blank=True)
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    objects = PartnerQuerySet.as_manager()

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("code"), name="partner_code_without_case"),
            models.CheckConstraint(condition=Q(category__in=Category.values), name="partner_category_known"),
        ]
        triggers: ClassVar = [frozen("code"), *no_delete()]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class Membership(models.Model):
    """One colleague of a partner, and what it may do there."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=MemberRole)
    since = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner", "user"], name="member_once"),
            models.CheckConstraint(condition=Q(role__in=MemberRole.values), name="member_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.partner}"


class CertificationFact(models.Model):
    """A decision on a partner's certification (服务商认证), as recorded: the latest recorded one rules.

    `valid_until` is the last day included; null means without end.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="certification_facts")
    valid_from = models.DateField(_("from"))
    valid_until = models.DateField(_("until"), null=True)
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("certification fact")
        verbose_name_plural = _("certification facts")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="certification_fact_period",
            )
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.valid_from} – {self.valid_until or '…'}"


class Certification(models.Model):
    """The certification in force now, derived from the latest fact. One at a time for a partner."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="certifications")
    days = DateRangeField(_("days"))

    class Meta:
        verbose_name = _("certification")
        verbose_name_plural = _("certifications")
        constraints: ClassVar = [
            ExclusionConstraint(
                name="certification_one_at_a_time",
                expressions=[("partner", RangeOperators.EQUAL), ("days", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(condition=Q(days__isempty=False), name="certification_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.days}"


class Suspension(models.Model):
    """A span in which a partner's links count as revoked (POLICY 4). Open-ended while it lasts."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="suspensions")
    during = DateTimeRangeField(_("during"))
    terminal = models.BooleanField(_("termination"), default=False)
    reason = models.ForeignKey(Note, models.PROTECT, related_name="+")
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("suspension")
        verbose_name_plural = _("suspensions")
        constraints: ClassVar = [
            ExclusionConstraint(
                name="suspension_one_at_a_time",
                expressions=[("partner", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(condition=Q(during__isempty=False), name="suspension_not_empty"),
        ]
        triggers: ClassVar = [frozen("partner_id", "terminal", "reason_id", "batch_id"), *no_delete()]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.during}"


class InviteLink(models.Model):
    """A partner's own, unguessable URL through which a merchant registers (专属入驻链接).

    Half-open in time: valid at `starts_at`, no longer at `expires_at` or once revoked.
    """

    code = CodeField(_("code"), unique=True)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="links")
    program = models.ForeignKey(Program, models.PROTECT, null=True, blank=True, related_name="+")
    label = models.CharField(_("label"), max_length=120, blank=True)
    starts_at = models.DateTimeField(_("starts"))
    expires_at = models.DateTimeField(_("expires"))
    max_uses = models.PositiveIntegerField(_("at most"), null=True, blank=True)
    uses = models.PositiveIntegerField(_("used"), default=0)
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    objects = InviteLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("invite link")
        verbose_name_plural = _("invite links")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("expires_at")), name="link_period_not_empty"),
            models.CheckConstraint(
                condition=Q(max_uses=None) | Q(uses__lte=F("max_uses")), name="link_uses_within_maximum"
            ),
        ]
        triggers: ClassVar = [
            frozen("code", "partner_id", "program_id", "starts_at", "batch_id"),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return self.label or self.code


class LinkRevocation(models.Model):
    """The fact that a link was revoked. It never reaches back to shops recorded before it."""

    link = models.OneToOneField(InviteLink, models.PROTECT, related_name="revocation")
    revoked_at = models.DateTimeField(_("revoked"))
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("link revocation")
        verbose_name_plural = _("link revocations")
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.link_id} {self.revoked_at:%Y-%m-%d %H:%M}"
