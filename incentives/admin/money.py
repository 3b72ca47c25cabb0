"""Holds, adjustments, payment batches and the bank's results, to look at: the desk's API and pages decide."""

from typing import ClassVar

from django.contrib import admin

from core.backoffice import LookOnlyAdmin, LookOnlyInline
from incentives.models import Adjustment, BankResult, BankResultRow, Hold, PaymentBatch, PaymentItem


@admin.register(Hold)
class HoldAdmin(LookOnlyAdmin):
    """What stops approval and payment, and what did."""

    list_display = ("partner", "program", "shop", "placed_at", "placed_by", "released_at", "released_by")
    list_filter = ("program",)
    list_select_related = ("partner", "program", "shop", "placed_by", "released_by")
    search_fields = ("partner__code", "shop__code")


@admin.register(Adjustment)
class AdjustmentAdmin(LookOnlyAdmin):
    """What was proposed and decided about partners' running accounts."""

    list_display = ("pk", "partner", "program", "kind", "amount", "currency", "state", "proposed_by", "decided_by")
    list_filter = ("program", "kind", "state")
    list_select_related = ("partner", "program", "proposed_by", "decided_by")
    search_fields = ("partner__code", "=payout__pk")


class PaymentInline(LookOnlyInline):
    """A batch's payments; no account is shown."""

    model = PaymentItem
    fields = ("reference", "payout", "amount", "state", "settled_at")
    show_change_link = False


@admin.register(PaymentBatch)
class PaymentBatchAdmin(LookOnlyAdmin):
    """Payment batches."""

    list_display = ("pk", "state", "currency", "created_by", "created_at", "locked_at", "exported_at")
    list_filter = ("state", "currency")
    list_select_related = ("created_by",)
    inlines: ClassVar = [PaymentInline]


class SetAsideInline(LookOnlyInline):
    """Rows that were set aside."""

    model = BankResultRow
    fields = ("line", "code", "note")
    show_change_link = False


@admin.register(BankResult)
class BankResultAdmin(LookOnlyAdmin):
    """Result files that were loaded."""

    list_display = ("pk", "loaded_at", "loaded_by", "rows", "paid", "refused", "unchanged", "quarantined")
    list_select_related = ("loaded_by",)
    inlines: ClassVar = [SetAsideInline]
