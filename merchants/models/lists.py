"""The target list: whom a program wants, who may recruit them, who has claimed whom."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from core.models import CodeField, FactBatch, Note, Program
from core.triggers import append_only, frozen, no_delete, once_set
from merchants.finding import ENTITY_TEXT
from merchants.querysets import ClaimQuerySet, TargetEntryQuerySet
from merchants.searching import Searchable
from merchants.states import ClaimStatus, Review, Track
from partners.models import InviteLink, Partner


class TsTzRange(Func):
    """`tstzrange(…)`, for exclusion constraints over two columns."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Brand(models.Model):
    """A brand (品牌) that shops sell under; `key` is what brands are compared by (merchants.naming)."""

    key = models.CharField(_("key"), max_length=255, unique=True, db_collation="C")
    name = models.CharField(_("name"), max_length=255)

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        indexes: ClassVar = [GinIndex(OpClass(Searchable("name"), name="gin_trgm_ops"), name="brand_name_parts")]
        triggers: ClassVar = [frozen("key"), *no_delete()]

    def __str__(self) -> str:
        return self.name


class Merchant(models.Model):
    """A legal entity (商家): one country and registration number, compared by `registration_key`."""

    country = models.CharField(_("country"), max_length=2)
    registration_key = models.CharField(_("compared number"), max_length=64, db_collation="C")
    registration_no = models.CharField(_("registration number"), max_length=64)
    name = models.CharField(_("name"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("merchant")
        verbose_name_plural = _("merchants")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["country", "registration_key"], name="merchant_entity_once")
        ]
        indexes: ClassVar = [
            GinIndex(OpClass("registration_key", name="gin_trgm_ops"), name="merchant_number_parts"),
            GinIndex(OpClass(ENTITY_TEXT, name="gin_trgm_ops"), name="merchant_name_parts"),
        ]
        triggers: ClassVar = [frozen("country", "registration_key"), *no_delete()]

    def __str__(self) -> str:
        return self.name or f"{self.country} {self.registration_no}"


class TargetEntry(models.Model):
    """A merchant or brand on a program's list (靶向商家).

    What it names never changes. Track, assignment, dates and review are the latest `TargetFact`'s, kept here
    for lists and pages; the engine reads the facts.
    """

    program = models.ForeignKey(Program, models.PROTECT, related_name="entries")
    code = CodeField(_("code"))
    merchant_name = models.CharField(_("merchant name"), max_length=255, null=True, blank=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, null=True, blank=True, related_name="entries")
    brand = models.ForeignKey(Brand, models.PROTECT, null=True, blank=True, related_name="entries")
    track = models.CharField(_("track"), max_length=10, choices=Track)
    assigned_to = models.ForeignKey(Partner, models.PROTECT, null=True, blank=True, related_name="assigned_entries")
    listed_on = models.DateField(_("listed"))
    delisted_on = models.DateField(_("first day off the list"), null=True, blank=True)
    review = models.CharField(_("review"), max_length=10, choices=Review)
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    objects = TargetEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("target entry")
        verbose_name_plural = _("target entries")
        indexes: ClassVar = [
            GinIndex(OpClass(Searchable("merchant_name"), name="gin_trgm_ops"), name="entry_name_parts")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["program", "code"], name="entry_code_once"),
            models.CheckConstraint(
                condition=Q(merchant__isnull=False) | Q(brand__isnull=False), name="entry_names_somebody"
            ),
            models.CheckConstraint(
                condition=Q(track=Track.DIRECTED, assigned_to__isnull=False) | Q(track=Track.TARGET, assigned_to=None),
                name="entry_directed_is_assigned",
            ),
            models.CheckConstraint(
                condition=Q(delisted_on=None) | Q(delisted_on__gt=F("listed_on")),
                name="entry_period_not_empty",
            ),
            models.CheckConstraint(condition=Q(review__in=Review.values), name="entry_review_known"),
        ]
        triggers: ClassVar = [
            frozen("program_id", "code", "merchant_id", "brand_id", "batch_id"),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.merchant_name or self.merchant or self.brand}"


class TargetFact(models.Model):
    """Track, assignment, dates and review of an entry, as recorded: the latest recorded one rules.

    `reason` is what an operator wrote who decided so.
    """

    entry = models.ForeignKey(TargetEntry, models.PROTECT, related_name="facts")
    track = models.CharField(_("track"), max_length=10, choices=Track)
    assigned_to = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="+")
    listed_on = models.DateField(_("listed"))
    delisted_on = models.DateField(_("first day off the list"), null=True)
    review = models.CharField(_("review"), max_length=10, choices=Review)
    reason = models.ForeignKey(Note, models.PROTECT, null=True, related_name="+")
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("listing fact")
        verbose_name_plural = _("listing facts")
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.entry_id}: {self.review}"


class LinkTarget(models.Model):
    """That an invite link is made for one entry. Without such a row it is made for any merchant."""

    link = models.OneToOneField(InviteLink, models.PROTECT, related_name="target")
    entry = models.ForeignKey(TargetEntry, models.PROTECT, related_name="links")

    class Meta:
        verbose_name = _("link's target")
        verbose_name_plural = _("links' targets")
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.link_id} → {self.entry_id}"


class Claim(models.Model):
    """A partner's reservation of an entry (报备), half-open in time. `status` is the latest `ClaimFact`'s.

    `released_at` is its `ClaimRelease`'s: from then on another partner may hold the entry.
    """

    entry = models.ForeignKey(TargetEntry, models.PROTECT, related_name="claims")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="claims")
    claimed_at = models.DateTimeField(_("claimed"))
    expires_at = models.DateTimeField(_("expires"))
    released_at = models.DateTimeField(_("released"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=ClaimStatus)
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    objects = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "partner", "claimed_at"], name="claim_once"),
            models.CheckConstraint(condition=Q(claimed_at__lt=F("expires_at")), name="claim_period_not_empty"),
            models.CheckConstraint(condition=Q(status__in=ClaimStatus.values), name="claim_status_known"),
            models.CheckConstraint(
                condition=Q(released_at=None) | Q(released_at__gt=F("claimed_at"), released_at__lt=F("expires_at")),
                name="claim_released_within_it",
            ),
            ExclusionConstraint(
                name="claim_one_approved_in_force",
                expressions=[
                    ("entry", RangeOperators.EQUAL),
                    (
                        TsTzRange("claimed_at", Coalesce("released_at", "expires_at"), RangeBoundary()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(status=ClaimStatus.APPROVED),
            ),
        ]
        triggers: ClassVar = [
            frozen("entry_id", "partner_id", "claimed_at", "expires_at", "batch_id"),
            once_set("released_at"),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} → {self.entry_id}"


class ClaimFact(models.Model):
    """A claim's status, as recorded: the latest recorded one rules."""

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="facts")
    status = models.CharField(_("status"), max_length=10, choices=ClaimStatus)
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("claim fact")
        verbose_name_plural = _("claim facts")
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.claim_id}: {self.status}"


class ClaimRelease(models.Model):
    """The fact that a claim ended before its expiry. It never reaches back to shops that registered before it."""

    claim = models.OneToOneField(Claim, models.PROTECT, related_name="release")
    released_at = models.DateTimeField(_("released"))
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("claim release")
        verbose_name_plural = _("claim releases")
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.claim_id} {self.released_at:%Y-%m-%d %H:%M}"
