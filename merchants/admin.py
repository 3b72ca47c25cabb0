"""The back office of merchants: lists, shops, facts, imports. To look at: facts come from feeds and services."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

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
    RegistrationConsent,
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

look(ShopStatus, StockObservation, Violation, Rate)


class ContestedFilter(admin.SimpleListFilter):
    """Registrations of a merchant that somebody else has registered, too."""

    title = _("contested")
    parameter_name = "contested"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The one choice."""
        return [("yes", _("Registered more than once"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """All, or the contested ones."""
        contested = Registration.objects.contested().values("pk")
        return queryset.filter(pk__in=contested) if self.value() == "yes" else queryset


class ConsentInline(LookOnlyInline):
    """What was agreed to."""

    model = RegistrationConsent
    fields = ("kind", "notice_version")


@admin.register(Registration)
class RegistrationAdmin(LookOnlyAdmin):
    """Registrations on the portal's own form: who came through which link, and where two claim one merchant."""

    list_display = ("registered_at", "merchant_name", "country", "registration_no", "brand_name", "market", "link")
    list_filter = (ContestedFilter, "market")
    list_select_related = ("link",)
    search_fields = ("=receipt", "merchant_name", "registration_key", "link__code")
    inlines: ClassVar = [ConsentInline]


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

    list_display = ("entry", "partner", "claimed_at", "expires_at", "released_at", "status")
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
