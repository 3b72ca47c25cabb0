"""Target lists for operators: entries with what holds them, one entry's history, and pairs that look like one."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import django_filters
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.actors import Actor, Capability
from core.models import Program
from merchants.filters import entries_called
from merchants.listing import platform_date, standing_claims
from merchants.models import Claim, EntryPair, Merchant, Shop, TargetEntry, TargetFact
from merchants.naming import registration_key
from merchants.states import PairState, Review, Track

ENTRY_COLUMNS = (
    "program",
    "target_code",
    "merchant_name",
    "country",
    "registration_no",
    "brand",
    "track",
    "partner_code",
    "listed_on",
    "delisted_on",
    "review",
    "claimed_by",
)
PAIR_COLUMNS = (
    "id",
    "program",
    "first",
    "first_name",
    "second",
    "second_name",
    "names",
    "brands",
    "one_merchant",
    "state",
    "rejected",
    "decided_at",
)
SORTS = {
    "name": ("named", "code"),
    "-listed_on": ("-listed_on", "code"),
    "listed_on": ("listed_on", "code"),
    "brand": ("brand__key", "code"),
}


def entries(actor: Actor, *, at: datetime) -> QuerySet[Any]:
    """Entries of every program by code; each with its name `named` and `claimed_by`, whose claim stands on it.

    None for whoever is no operator. The claims' index on their entry, for the rows that are shown.
    """
    rows: QuerySet[Any] = TargetEntry.objects.visible_to(actor)
    rows = rows if actor.can(Capability.VIEW_EVERYTHING) else rows.none()
    standing = standing_claims(at).filter(entry=OuterRef("pk")).order_by("claimed_at", "pk")
    latest = TargetFact.objects.filter(entry=OuterRef("pk"), batch__recorded_at__isnull=False)
    found: QuerySet[Any] = (
        rows.annotate(
            named=Coalesce("merchant_name", "merchant__name", "brand__name", Value(""), output_field=CharField()),
            claimed_by=Subquery(standing.values("partner__code")[:1]),
            fact=Subquery(latest.order_by("-batch__recorded_at", "-pk").values("pk")[:1]),
        )
        .select_related("program", "merchant", "brand", "assigned_to")
        .order_by("program__code", "code")
    )
    return found


def facts_of(entry: TargetEntry) -> QuerySet[TargetFact]:
    """What was recorded of the entry, the oldest first, with who or what recorded it and why."""
    recorded = TargetFact.objects.filter(entry=entry, batch__recorded_at__isnull=False)
    return recorded.select_related("assigned_to", "reason", "batch__actor", "batch__import_of").order_by(
        "batch__recorded_at", "pk"
    )


def claims_of(actor: Actor, entry: TargetEntry) -> QuerySet[Claim]:
    """Every claim on the entry, the latest first."""
    found: QuerySet[Claim] = Claim.objects.visible_to(actor).filter(entry=entry)
    return found.select_related("partner").order_by("-claimed_at", "-pk")


def shops_named(actor: Actor, entry: TargetEntry) -> QuerySet[Shop]:
    """Shops of the merchant or the brand that the entry names, the first certified first."""
    names = Q(pk__in=[])
    if entry.merchant_id:
        names |= Q(merchant=entry.merchant_id)
    if entry.brand_id:
        names |= Q(brand=entry.brand_id)
    found: QuerySet[Shop] = Shop.objects.visible_to(actor).with_attribution().filter(names)
    return found.order_by("certified_at", "code")


def pairs(actor: Actor) -> QuerySet[EntryPair]:
    """Pairs of entries that look like one, the most alike first. Index pair_open."""
    found: QuerySet[EntryPair] = EntryPair.objects.visible_to(actor)
    return found.select_related(
        "program",
        *(f"{side}__{what}" for side in ("first", "second") for what in ("merchant", "brand", "assigned_to")),
        "rejected",
        "reason",
        "decided_by",
    ).order_by("-one_merchant", "-names", "-brands", "pk")


def undecided() -> Q:
    """Pairs that wait for a decision: both entries are on the list and not rejected."""
    today, found = platform_date(timezone.now()), Q(state=PairState.OPEN)
    for side in ("first", "second"):
        listed = Q(**{f"{side}__delisted_on": None}) | Q(**{f"{side}__delisted_on__gt": today})
        found &= ~Q(**{f"{side}__review": Review.REJECTED}) & listed
    return found


def entries_found(typed: str) -> QuerySet[Any]:
    """Ids of entries with every word in a name, the brand or the code; or all of it in the registration number."""
    words, number = Q(pk__in=entries_called(TargetEntry.objects.all(), typed).values("pk")), registration_key(typed)
    if number:
        words |= Q(merchant__in=Merchant.objects.filter(registration_key__contains=number).values("pk"))
    return TargetEntry.objects.filter(words).values("pk")


class EntryFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """What an operator's list of entries is narrowed and sorted by, on pages and in the API."""

    q = django_filters.CharFilter(label=_("Name, brand, number or code"), method="named")
    review = django_filters.ChoiceFilter(choices=Review.choices, label=_("Review"), empty_label=_("All"))
    track = django_filters.ChoiceFilter(choices=Track.choices, label=_("Track"), empty_label=_("All"))
    partner = django_filters.CharFilter(label=_("Partner code"), method="of_partner")
    country = django_filters.CharFilter("merchant__country", lookup_expr="iexact", label=_("Country"))
    listed = django_filters.ChoiceFilter(
        label=_("On the list"),
        method="on_the_list",
        choices=[("now", _("now")), ("off", _("not any more")), ("later", _("not yet"))],
        empty_label=_("All"),
    )
    held = django_filters.ChoiceFilter(
        label=_("Claim"),
        method="is_held",
        choices=[("yes", _("claimed")), ("no", _("not claimed"))],
        empty_label=_("All"),
    )
    sort = django_filters.ChoiceFilter(
        label=_("Sorted by"),
        method="sorted_by",
        choices=[
            ("name", _("Name")),
            ("brand", _("Brand")),
            ("-listed_on", _("Newest first")),
            ("listed_on", _("Oldest first")),
        ],
        empty_label=_("Code"),
    )

    class Meta:
        model = TargetEntry
        fields: Sequence[str] = ()

    def named(self, rows: QuerySet[TargetEntry], _name: str, value: str) -> QuerySet[TargetEntry]:
        """See `entries_found`."""
        return rows.filter(pk__in=entries_found(value))

    def of_partner(self, rows: QuerySet[TargetEntry], _name: str, value: str) -> QuerySet[TargetEntry]:
        """Directed to the partner, or claimed by it now."""
        code = value.strip()
        claims = standing_claims(timezone.now()).filter(entry=OuterRef("pk"), partner__code__iexact=code)
        return rows.filter(Q(assigned_to__code__iexact=code) | Q(Exists(claims)))

    def on_the_list(self, rows: QuerySet[TargetEntry], _name: str, value: str) -> QuerySet[TargetEntry]:
        """By today's date on the platform's clock."""
        today = platform_date(timezone.now())
        if value == "later":
            return rows.filter(listed_on__gt=today)
        if value == "off":
            return rows.filter(delisted_on__lte=today)
        return rows.filter(Q(delisted_on=None) | Q(delisted_on__gt=today), listed_on__lte=today)

    def is_held(self, rows: QuerySet[TargetEntry], _name: str, value: str) -> QuerySet[TargetEntry]:
        """By whether a claim stands on it."""
        held = Exists(standing_claims(timezone.now()).filter(entry=OuterRef("pk")))
        return rows.filter(held) if value == "yes" else rows.filter(~held)

    def sorted_by(self, rows: QuerySet[TargetEntry], _name: str, value: str) -> QuerySet[TargetEntry]:
        """As `SORTS` say."""
        return rows.order_by(*SORTS[value])


class PairFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """What the list of pairs is narrowed by. Without a state asked for: those that wait for a decision."""

    q = django_filters.CharFilter(label=_("Name, brand, number or code"), method="named")
    program = django_filters.ModelChoiceFilter(
        label=_("Program"), queryset=Program.objects.order_by("code"), to_field_name="code", empty_label=_("All")
    )
    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[choice for choice in PairState.choices if choice[0] != PairState.OPEN],
        empty_label=PairState.OPEN.label,
    )

    class Meta:
        model = EntryPair
        fields: Sequence[str] = ()

    def named(self, rows: QuerySet[EntryPair], _name: str, value: str) -> QuerySet[EntryPair]:
        """Either entry, as the list of entries is searched."""
        found = entries_found(value)
        return rows.filter(Q(first__in=found) | Q(second__in=found))

    def filter_queryset(self, queryset: QuerySet[EntryPair]) -> QuerySet[Any]:
        """The filters; what waits, unless something that was decided is asked for."""
        found: QuerySet[Any] = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("state") else found.filter(undecided())


def entry_rows(found: QuerySet[Any]) -> Iterator[Sequence[Any]]:
    """The list as `ENTRY_COLUMNS` name it."""
    yield from found.values_list(
        "program__code",
        "code",
        "named",
        "merchant__country",
        "merchant__registration_no",
        "brand__name",
        "track",
        "assigned_to__code",
        "listed_on",
        "delisted_on",
        "review",
        "claimed_by",
    ).iterator(chunk_size=2000)


def pair_rows(found: QuerySet[EntryPair]) -> Iterator[Sequence[Any]]:
    """The list as `PAIR_COLUMNS` name it."""
    for row in found.iterator(chunk_size=2000):
        yield (
            row.pk,
            row.program.code,
            row.first.code,
            str(row.first),
            row.second.code,
            str(row.second),
            row.names,
            row.brands,
            row.one_merchant,
            row.state,
            row.rejected.code if row.rejected else None,
            row.decided_at,
        )
