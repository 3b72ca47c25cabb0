"""Registrations, shops, and who brought a shop in."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import CodeField, FactBatch, Note
from core.triggers import append_only, frozen, no_delete
from merchants.finding import SHOP_TEXT
from merchants.models.lists import Brand, Claim, Merchant
from merchants.querysets import RegistrationQuerySet, ShopQuerySet
from merchants.states import Cause, Consent
from partners.models import InviteLink, Partner


class Registration(models.Model):
    """A merchant's registration on our own form. Not yet a shop: a shop in the feed names it by `receipt`."""

    receipt = CodeField(_("receipt"), unique=True)
    link = models.ForeignKey(InviteLink, models.PROTECT, related_name="registrations")
    registered_at = models.DateTimeField(_("registered"))
    merchant_name = models.CharField(_("merchant name"), max_length=255)
    country = models.CharField(_("country"), max_length=2)
    registration_no = models.CharField(_("registration number"), max_length=64)
    registration_key = models.CharField(_("compared number"), max_length=64, db_collation="C")
    brand_name = models.CharField(_("brand"), max_length=255, blank=True)
    market = models.CharField(_("market"), max_length=2)
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        indexes: ClassVar = [models.Index(fields=["country", "registration_key"], name="registration_entity")]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return str(self.receipt)


class RegistrationContact(models.Model):
    """How to reach whoever registered. Personal, hence in a row of its own that can be erased."""

    registration = models.OneToOneField(Registration, models.CASCADE, related_name="contact")
    name = models.CharField(_("name"), max_length=120, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    wechat = models.CharField(_("WeChat ID"), max_length=64, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return f"{self.registration_id}"


class RegistrationConsent(models.Model):
    """That whoever registered agreed to something, and which version of the notice was shown. Names nobody."""

    registration = models.ForeignKey(Registration, models.PROTECT, related_name="consents")
    kind = models.CharField(_("consent"), max_length=20, choices=Consent)
    notice_version = models.CharField(_("version of the notice"), max_length=20)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["registration", "kind"], name="consent_once"),
            models.CheckConstraint(condition=Q(kind__in=Consent.values), name="consent_known"),
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.registration_id}: {self.kind}"


class Shop(models.Model):
    """One shop of one merchant under one brand in one market (开店主体 / 店铺).

    `brand`, `brand_name` and `certified_at` are the latest `ShopFact`'s, kept here for lists and pages; the engine
    reads the facts. `link_valid` is decided once, when the shop is recorded, by the facts known then (POLICY 4).
    """

    code = CodeField(_("code"), unique=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="shops")
    merchant_name = models.CharField(_("merchant name"), max_length=255)
    market = models.CharField(_("market"), max_length=2)
    registered_at = models.DateTimeField(_("registered"))
    link = models.ForeignKey(InviteLink, models.PROTECT, null=True, blank=True, related_name="shops")
    link_valid = models.BooleanField(_("link was valid"), null=True)
    registration = models.OneToOneField(Registration, models.PROTECT, null=True, blank=True, related_name="shop")
    record_partner = models.ForeignKey(Partner, models.PROTECT, null=True, blank=True, related_name="+")
    brand = models.ForeignKey(Brand, models.PROTECT, null=True, blank=True, related_name="shops")
    brand_name = models.CharField(_("brand as given"), max_length=255, null=True, blank=True)
    certified_at = models.DateTimeField(_("certified"), null=True, blank=True)
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    objects = ShopQuerySet.as_manager()

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shops")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(link=None, link_valid=None) | Q(link__isnull=False, link_valid__isnull=False),
                name="shop_link_was_judged",
            ),
            models.CheckConstraint(
                condition=Q(certified_at=None) | Q(certified_at__gte=F("registered_at")),
                name="shop_certified_after_registered",
            ),
        ]
        indexes: ClassVar = [GinIndex(OpClass(SHOP_TEXT, name="gin_trgm_ops"), name="shop_text_parts")]
        triggers: ClassVar = [
            frozen(
                "id",
                "code",
                "merchant_id",
                "market",
                "registered_at",
                "link_id",
                "link_valid",
                "registration_id",
                "record_partner_id",
                "batch_id",
            ),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return str(self.code)


class ShopFact(models.Model):
    """A shop's brand and certification, as recorded: the latest recorded row rules.

    `brand_name` is the brand as this shop spelled it; null where it has none.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="facts")
    brand = models.ForeignKey(Brand, models.PROTECT, null=True, related_name="+")
    brand_name = models.CharField(_("brand as given"), max_length=255, null=True)
    certified_at = models.DateTimeField(_("certified"), null=True)
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("shop fact")
        verbose_name_plural = _("shop facts")
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.shop_id}: {self.certified_at}"


class Attribution(models.Model):
    """Which partner brought a shop in, by what, as recorded (归属): the latest recorded row rules.

    `lost_by` is the partner whose valid link lost to another's claim: a conflict that both are shown, and
    neither the other's name.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="attributions")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="attributions")
    cause = models.CharField(_("cause"), max_length=10, choices=Cause)
    claim = models.ForeignKey(Claim, models.PROTECT, null=True, related_name="+")
    lost_by = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="+")
    reason = models.ForeignKey(Note, models.PROTECT, null=True, related_name="+")
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("attribution")
        verbose_name_plural = _("attributions")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(cause__in=Cause.values), name="attribution_cause_known"),
            models.CheckConstraint(
                condition=Q(cause=Cause.ASSIGNMENT, reason__isnull=False) | ~Q(cause=Cause.ASSIGNMENT),
                name="attribution_by_hand_has_a_reason",
            ),
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.shop_id} → {self.partner_id} ({self.cause})"
