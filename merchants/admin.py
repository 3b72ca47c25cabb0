"""The back office of merchants: lists, shops, facts, imports. To look at: facts come from feeds and services."""

from typing import ClassVar

from django.contrib import admin

from core.backoffice import LookOnlyAdmin, LookOnlyInline, look
from merchants.models import (
    Attribution,
    Brand,
    Claim,
    ClaimFact,
    Import,
    Merchant,
    Rate,
    Registration,
    RejectedRow,
    Settlement,
    Shop,
    ShopFact,
    ShopStatus,
    StockObservation,
    TargetEntry,
    TargetFact,
    Violation,
)

look(ShopStatus, StockObservation, Violation, Rate, Registration)


@admin.register(Merchant)
class MerchantAdmin(LookOnlyAdmin):
    """Merchants."""

    list_display = ("name", "country", "registration_no")
    search_fields = ("name", "registration_key")


@admin.register(Brand)
class BrandAdmin(LookOnlyAdmin):
    """Brands."""

    list_display = ("name", "key")
    search_fields = ("name", "key")


class TargetFactInline(LookOnlyInline):
    """What was recorded about an entry."""

    model = TargetFact
    fields = ("track", "assigned_to", "listed_on", "delisted_on", "review", "batch")


@admin.register(TargetEntry)
class TargetEntryAdmin(LookOnlyAdmin):
    """The target lists."""

    list_display = (
        "code",
        "program",
        "merchant",
        "brand",
        "track",
        "assigned_to",
        "listed_on",
        "delisted_on",
        "review",
    )
    list_filter = ("program", "track", "review")
    list_select_related = ("program", "merchant", "brand", "assigned_to")
    search_fields = ("code", "merchant_name", "brand__name")
    inlines: ClassVar = [TargetFactInline]


class ClaimFactInline(LookOnlyInline):
    """What was recorded about a claim."""

    model = ClaimFact
    fields = ("status", "batch")


@admin.register(Claim)
class ClaimAdmin(LookOnlyAdmin):
    """Claims."""

    list_display = ("entry", "partner", "claimed_at", "expires_at", "status")
    list_filter = ("status",)
    list_select_related = ("entry__merchant", "entry__brand", "partner")
    inlines: ClassVar = [ClaimFactInline]


class AttributionInline(LookOnlyInline):
    """Who brought a shop in, as recorded."""

    model = Attribution
    fk_name = "shop"
    fields = ("partner", "cause", "lost_by", "reason", "batch")


class ShopFactInline(LookOnlyInline):
    """Brand and certification, as recorded."""

    model = ShopFact
    fields = ("brand", "certified_at", "batch")


class StatusInline(LookOnlyInline):
    """The shop's statuses."""

    model = ShopStatus
    fields = ("at", "status", "reason", "batch")


class ViolationInline(LookOnlyInline):
    """The shop's violations."""

    model = Violation
    fk_name = "shop"
    fields = ("code", "category", "penalised_at", "enforced_closure", "appealed_at", "overturned_at")


@admin.register(Shop)
class ShopAdmin(LookOnlyAdmin):
    """Shops, with what is known about each."""

    list_display = ("code", "merchant_name", "brand_name", "market", "registered_at", "certified_at")
    list_filter = ("market",)
    search_fields = ("code", "merchant_name", "brand_name", "merchant__registration_key")
    ordering = ("code",)
    inlines: ClassVar = [AttributionInline, ShopFactInline, StatusInline, ViolationInline]


@admin.register(Settlement)
class SettlementAdmin(LookOnlyAdmin):
    """Settled order lines."""

    list_display = ("line_code", "shop", "order_code", "kind", "ordered_at", "settled_at", "amount", "currency")
    list_select_related = ("shop",)
    search_fields = ("=line_code", "=order_code", "=shop__code")


class RejectedInline(LookOnlyInline):
    """The rows that an import could not take."""

    model = RejectedRow
    fields = ("line", "column", "code", "message")
    max_num = 50


@admin.register(Import)
class ImportAdmin(LookOnlyAdmin):
    """What was loaded, and what came of it."""

    list_display = ("pk", "kind", "state", "file_name", "started_at", "rows", "new", "unchanged", "updated", "rejected")
    list_filter = ("kind", "state")
    inlines: ClassVar = [RejectedInline]
