"""Facts about shops. Append-only: a correction is a new row for the same key, and the latest recorded rules."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import CodeField, FactBatch, Note
from core.triggers import append_only, refers_to
from merchants.models.shops import Shop
from merchants.states import LineKind, ShopState


class ShopStatus(models.Model):
    """A shop's operating status from an instant on. Key: shop, at."""

    shop = models.ForeignKey(Shop, models.PROTECT, db_index=False, related_name="statuses")
    status = models.CharField(_("status"), max_length=10, choices=ShopState)
    at = models.DateTimeField(_("at"))
    reason = models.ForeignKey(Note, models.PROTECT, null=True, related_name="+")
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("shop status")
        verbose_name_plural = _("shop statuses")
        indexes: ClassVar = [models.Index(fields=["shop", "at"], name="status_key")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=ShopState.values), name="shop_status_known")
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.shop_id}: {self.status}"


class Settlement(models.Model):
    """A settled order line: money of a sale, or the negative of a refund, in its own currency.

    Lines come by the million, so its references are checked by sets, in a trigger, and not by foreign keys: those took
    half of the time of a load. Shops and batches are never deleted, and their ids don't change: the database refuses.
    """

    line_code = CodeField(_("line"))
    shop = models.ForeignKey(Shop, models.PROTECT, db_constraint=False, related_name="settlements")
    order_code = CodeField(_("order"))
    kind = models.CharField(_("kind"), max_length=6, choices=LineKind)
    ordered_at = models.DateTimeField(_("ordered"))
    settled_at = models.DateTimeField(_("settled"))
    amount = models.DecimalField(_("amount"), max_digits=19, decimal_places=4)
    currency = models.CharField(_("currency"), max_length=3)
    batch = models.ForeignKey(FactBatch, models.PROTECT, db_index=False, db_constraint=False, related_name="+")

    class Meta:
        verbose_name = _("settlement")
        verbose_name_plural = _("settlements")
        # For what has come since a moment. Lines lie as they came, so a few bytes for each block of them do.
        indexes: ClassVar = [
            BrinIndex(fields=["batch", "settled_at"], name="settlement_arrival", autosummarize=True, pages_per_range=32)
        ]
        constraints: ClassVar = [
            # Not `unique=True`: that brings a second index, for LIKE, which every line would have to be put into.
            models.UniqueConstraint(fields=["line_code"], name="settlement_line_once"),
            models.CheckConstraint(
                condition=Q(kind=LineKind.SALE, amount__gt=0) | Q(kind=LineKind.REFUND, amount__lt=0),
                name="settlement_sign_of_kind",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="settlement_currency"),
        ]
        triggers: ClassVar = [
            *append_only(),
            *refers_to(("shop_id", "merchants_shop"), ("batch_id", "core_factbatch")),
        ]

    def __str__(self) -> str:
        return str(self.line_code)


class StockObservation(models.Model):
    """How many sellable pieces a shop was seen to have in a country. Key: shop, country, observed_at."""

    shop = models.ForeignKey(Shop, models.PROTECT, db_index=False, related_name="stock")
    country = models.CharField(_("country"), max_length=2)
    sellable = models.BigIntegerField(_("sellable"))
    observed_at = models.DateTimeField(_("observed"))
    batch = models.ForeignKey(FactBatch, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        verbose_name = _("stock observation")
        verbose_name_plural = _("stock observations")
        indexes: ClassVar = [
            models.Index(fields=["shop", "country", "observed_at"], name="stock_key"),
            BrinIndex(fields=["batch", "observed_at"], name="stock_arrival", autosummarize=True, pages_per_range=32),
        ]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(sellable__gte=0), name="stock_not_negative")]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.shop_id}: {self.sellable} in {self.country}"


class Violation(models.Model):
    """A violation that the platform penalised a shop for. Key: code; the latest recorded row rules wholly."""

    code = CodeField(_("code"))
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="violations")
    category = models.CharField(_("category"), max_length=64)
    penalised_at = models.DateTimeField(_("penalised"))
    enforced_closure = models.BooleanField(_("enforced closure"))
    appealed_at = models.DateTimeField(_("appealed"), null=True)
    overturned_at = models.DateTimeField(_("overturned"), null=True)
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("violation")
        verbose_name_plural = _("violations")
        indexes: ClassVar = [models.Index(fields=["code"], name="violation_key")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(overturned_at=None) | Q(overturned_at__gte=models.F("penalised_at")),
                name="violation_overturned_after_penalised",
            )
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.code} {self.category}"


class Rate(models.Model):
    """CNY for one unit of a currency on a date. Key: rate_date, currency."""

    rate_date = models.DateField(_("date"))
    currency = models.CharField(_("currency"), max_length=3)
    rate = models.DecimalField(_("CNY for one"), max_digits=24, decimal_places=12)
    batch = models.ForeignKey(FactBatch, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        indexes: ClassVar = [models.Index(fields=["currency", "rate_date"], name="rate_key")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(rate__gt=0), name="rate_above_zero"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="rate_currency"),
        ]
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return f"{self.currency} {self.rate_date}"
