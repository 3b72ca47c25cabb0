"""The ledger, to look at."""

from typing import ClassVar

from django.contrib import admin

from core.backoffice import LookOnlyAdmin, LookOnlyInline
from incentives.models import LedgerEntry, Posting


class EntryInline(LookOnlyInline):
    """A posting's entries: they sum to zero."""

    model = LedgerEntry
    fields = ("account", "amount", "currency")
    show_change_link = False


@admin.register(Posting)
class PostingAdmin(LookOnlyAdmin):
    """Postings."""

    list_display = ("pk", "at", "cause", "program", "partner", "payout", "reverses")
    list_filter = ("program",)
    list_select_related = ("program", "partner", "payout__program", "payout__partner", "reverses")
    search_fields = ("=cause", "partner__code", "=payout__pk")
    inlines: ClassVar = [EntryInline]
