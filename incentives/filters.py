"""What lists of results and payouts are narrowed by: the same for pages and API."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from incentives.models import PayoutPreview, Result, Run
from incentives.queries.programs import latest_runs
from incentives.states import PayoutState, Verdict


class LatestByDefault(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """Rows of one run; where none is named, of each program's last published one."""

    program = django_filters.CharFilter("run__program__code", label=_("program"))
    run = django_filters.NumberFilter("run_id", label=_("run"))
    partner = django_filters.CharFilter("partner__code", label=_("partner"))

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Published runs only, whatever is asked for: a draft or a broken run shows nothing."""
        queryset = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("run") is not None:
            return queryset.filter(run__in=Run.objects.published())
        return queryset.filter(run__in=[run.pk for run in latest_runs()])


class ResultFilter(LatestByDefault):
    """Results by program, run, partner, verdict, market, and a search in shop, merchant and brand."""

    verdict = django_filters.MultipleChoiceFilter(choices=Verdict.choices, label=_("verdict"))
    market = django_filters.CharFilter("shop__market", lookup_expr="iexact", label=_("market"))
    search = django_filters.CharFilter(method="find", label=_("search"))

    class Meta:
        model = Result
        fields = ("program", "run", "partner", "verdict", "market", "search")

    def find(self, queryset: QuerySet[Result], name: str, value: str) -> QuerySet[Result]:
        """Shops whose code, merchant, brand or registration number contains what was typed."""
        wanted = value.strip()
        return queryset.filter(
            Q(shop__code__icontains=wanted)
            | Q(shop__merchant_name__icontains=wanted)
            | Q(shop__brand_name__icontains=wanted)
            | Q(shop__merchant__registration_no__icontains=wanted)
        )


class PayoutFilter(LatestByDefault):
    """Payout rows by program, run, partner and state."""

    state = django_filters.MultipleChoiceFilter(choices=PayoutState.choices, label=_("state"))

    class Meta:
        model = PayoutPreview
        fields = ("program", "run", "partner", "state")
