"""What lists of shops and of target entries are narrowed by: the same for pages and API."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import PolicyVersion
from merchants.listing import Place, on_the_list, platform_date
from merchants.models import Brand, Shop, TargetEntry
from merchants.searching import Searchable, search_words
from merchants.states import Track


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


class TargetFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """Target entries by what they are to the asking partner, and a search. They come with `place`.

    Without a place asked for, what is off its list is left out, by its own columns: `place` has to be found out for
    the rows that are shown and no others.
    """

    program = django_filters.CharFilter("program__code", label=_("program"))
    place = django_filters.MultipleChoiceFilter(choices=Place.choices, distinct=False, label=_("free or taken"))
    track = django_filters.ChoiceFilter(choices=Track.choices, label=_("track"))
    country = django_filters.CharFilter("merchant__country", lookup_expr="iexact", label=_("country"))
    market = django_filters.CharFilter(method="for_market", label=_("market"))
    search = django_filters.CharFilter(method="find", label=_("search"))

    class Meta:
        model = TargetEntry
        fields = ("program", "place", "track", "country", "market", "search")

    def filter_queryset(self, queryset: QuerySet[TargetEntry]) -> QuerySet[Any]:
        """The filters, and the list as it is now unless a place is asked for."""
        found: QuerySet[Any] = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("place"):
            return found
        return found.filter(on_the_list(platform_date(timezone.now())))

    def for_market(self, queryset: QuerySet[TargetEntry], name: str, value: str) -> QuerySet[TargetEntry]:
        """Entries of the programs that this market belongs to, by their rules in force."""
        versions = PolicyVersion.objects.order_by("program", "-number").distinct("program")
        return queryset.filter(program__in=[one.program_id for one in versions if value.upper() in one.rules.markets])

    def find(self, queryset: QuerySet[TargetEntry], name: str, value: str) -> QuerySet[TargetEntry]:
        """See `entries_called`."""
        return entries_called(queryset, value)


def entries_called(queryset: QuerySet[TargetEntry], typed: str) -> QuerySet[TargetEntry]:
    """Entries with every word of what was typed in a name, the brand or the code (see `merchants.searching`)."""
    for word in search_words(typed):
        queryset = queryset.filter(
            Q(pk__in=_named(TargetEntry.objects, "merchant_name", word))
            | Q(brand__in=_named(Brand.objects, "name", word))
            | Q(pk__in=_named(TargetEntry.objects.filter(merchant_name=None), "merchant__name", word))
            | Q(code__icontains=word)
        )
    return queryset


def _named(rows: Any, column: str, word: str) -> Any:
    """The rows that have the word in their name. Indexes entry_name_parts and brand_name_parts, from 3 signs on."""
    return rows.annotate(searched=Searchable(column)).filter(searched__contains=word).values("pk")
