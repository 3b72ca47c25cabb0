"""What operators' lists of payouts, adjustments and ledger entries are narrowed by: the same for pages and API."""

from typing import ClassVar

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from incentives.invoice_states import InvoiceState
from incentives.models import Adjustment, Invoice, LedgerEntry, PaymentBatch, Payout
from incentives.queries.payments import batches_that_wait
from incentives.queries.review import changed_since_run_before
from incentives.states import Account, AdjustmentKind, AdjustmentState, BatchState, PayoutState

BATCHES_WAIT = [("to_send", _("To be handed to the bank")), ("unanswered", _("The bank owes answers"))]


class DeskFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """Payouts by program, partner, run, state, held or not, discounted or not, changed since the run before or not, the
    state of an invoice for them, and a search in the partner's code and name.
    """

    program = django_filters.CharFilter("program__code", label=_("program"))
    partner = django_filters.CharFilter("partner__code", label=_("partner"))
    run = django_filters.NumberFilter("run_id", label=_("run"))
    state = django_filters.MultipleChoiceFilter(choices=PayoutState.choices, label=_("state"))
    held = django_filters.BooleanFilter("held", label=_("held"))
    discounted = django_filters.BooleanFilter(method="cut", label=_("discounted"))
    changed = django_filters.BooleanFilter(method="differ", label=_("changed since the run before"))
    invoice = django_filters.ChoiceFilter(choices=InvoiceState.choices, method="invoiced", label=_("invoice"))
    search = django_filters.CharFilter(method="find", label=_("search"))
    ordering = django_filters.OrderingFilter(
        fields=[("pk", "id"), ("payable", "payable"), ("partner__code", "partner"), ("submitted_at", "submitted_at")]
    )

    class Meta:
        model = Payout
        fields: ClassVar = ["program", "partner", "run", "state", "held", "discounted", "changed", "invoice", "search"]

    def cut(self, queryset: QuerySet[Payout], name: str, value: bool) -> QuerySet[Payout]:
        """Payouts of which the discount takes something, or those of which it takes nothing."""
        return queryset.filter(factor__lt=1) if value else queryset.filter(factor=1)

    def differ(self, queryset: QuerySet[Payout], name: str, value: bool) -> QuerySet[Payout]:
        """Payouts whose run says something else of the partner than the run before, or those where it says the same."""
        if value:
            return changed_since_run_before(queryset)
        return queryset.exclude(pk__in=changed_since_run_before(Payout.objects.all()).values("pk"))

    def invoiced(self, queryset: QuerySet[Payout], name: str, value: str) -> QuerySet[Payout]:
        """Payouts that have an invoice in this state."""
        return queryset.filter(Exists(Invoice.objects.filter(payout=OuterRef("pk"), state=value)))

    def find(self, queryset: QuerySet[Payout], name: str, value: str) -> QuerySet[Payout]:
        """Payouts of partners whose code or name contains what was typed."""
        wanted = value.strip()
        return queryset.filter(Q(partner__code__icontains=wanted) | Q(partner__name__icontains=wanted))


class AdjustmentFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """Adjustments by program, partner, state and kind."""

    program = django_filters.CharFilter("program__code", label=_("program"))
    partner = django_filters.CharFilter("partner__code", label=_("partner"))
    state = django_filters.MultipleChoiceFilter(choices=AdjustmentState.choices, label=_("state"))
    kind = django_filters.MultipleChoiceFilter(choices=AdjustmentKind.choices, label=_("kind"))

    class Meta:
        model = Adjustment
        fields: ClassVar = ["program", "partner", "state", "kind"]


class BatchFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """Payment batches by state, and by what they wait for."""

    state = django_filters.MultipleChoiceFilter(choices=BatchState.choices, label=_("state"))
    waits = django_filters.ChoiceFilter(choices=BATCHES_WAIT, method="wait", label=_("what it waits for"))

    class Meta:
        model = PaymentBatch
        fields: ClassVar = ["state", "waits"]

    def wait(self, queryset: QuerySet[PaymentBatch], name: str, value: str) -> QuerySet[PaymentBatch]:
        """Batches that are to be handed to the bank, or those that the bank hasn't answered in full."""
        return batches_that_wait(queryset, value)


class LedgerFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """Ledger entries by program, partner, payout, account and time. Whole postings only where no account is named."""

    program = django_filters.CharFilter("posting__program__code", label=_("program"))
    partner = django_filters.CharFilter("posting__partner__code", label=_("partner"))
    payout = django_filters.NumberFilter("posting__payout_id", label=_("payout"))
    account = django_filters.MultipleChoiceFilter(choices=Account.choices, label=_("account"))
    since = django_filters.IsoDateTimeFilter("posting__at", lookup_expr="gte", label=_("since"))
    until = django_filters.IsoDateTimeFilter("posting__at", lookup_expr="lt", label=_("until"))

    class Meta:
        model = LedgerEntry
        fields: ClassVar = ["program", "partner", "payout", "account", "since", "until"]
