"""What lists of shops are narrowed by: the same for pages and API."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from merchants.models import Shop, TargetEntry


class ShopFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """Shops by partner, market, certification, the program that lists them, and a search."""

    program = django_filters.CharFilter(method="of_program", label=_("program"))
    partner = django_filters.CharFilter("partner_code", label=_("partner"))
    market = django_filters.CharFilter("market", lookup_expr="iexact", label=_("market"))
    certified = django_filters.BooleanFilter("certified_at", lookup_expr="isnull", exclude=True, label=_("certified"))
    search = django_filters.CharFilter(method="find", label=_("search"))

    class Meta:
        model = Shop
        fields = ("program", "partner", "market", "certified", "search")

    def of_program(self, queryset: QuerySet[Shop], name: str, value: str) -> QuerySet[Shop]:
        """Shops whose merchant or brand is on the program's list."""
        return queryset.filter(Q(merchant__in=_listed(value, "merchant")) | Q(brand__in=_listed(value, "brand")))

    def find(self, queryset: QuerySet[Shop], name: str, value: str) -> QuerySet[Shop]:
        """Shops whose code, merchant, brand or registration number contains what was typed."""
        wanted = value.strip()
        return queryset.filter(
            Q(code__icontains=wanted)
            | Q(merchant_name__icontains=wanted)
            | Q(brand_name__icontains=wanted)
            | Q(merchant__registration_no__icontains=wanted)
        )


def _listed(program: str, what: str) -> QuerySet[TargetEntry, int]:
    return TargetEntry.objects.filter(program__code=program, **{f"{what}__isnull": False}).values_list(what, flat=True)
