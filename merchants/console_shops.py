"""Shops that nobody brought, one shop's attribution, and registrations that contradict each other: for operators."""

from collections.abc import Iterator, Sequence
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core.actors import Actor, Capability
from merchants.models import Attribution, Claim, Registration, Shop, ShopFact

SHOP_COLUMNS = (
    "shop_code",
    "merchant_name",
    "country",
    "registration_no",
    "brand",
    "market",
    "registered_at",
    "certified_at",
    "link_code",
    "link_partner_code",
)
REGISTRATION_COLUMNS = (
    "receipt",
    "merchant_name",
    "country",
    "registration_no",
    "brand",
    "market",
    "registered_at",
    "link_code",
    "partner_code",
    "shop_code",
)


def unattributed_shops(actor: Actor) -> QuerySet[Shop]:
    """Shops of nobody, by code, with the link that they came through; none for whoever is no operator."""
    rows: QuerySet[Shop] = Shop.objects.visible_to(actor).unattributed()
    return _for_operators(actor, rows).select_related("merchant", "link__partner").order_by("code")


def shops(actor: Actor) -> QuerySet[Shop]:
    """Every shop with its merchant and link; none for whoever is no operator."""
    rows: QuerySet[Shop] = Shop.objects.visible_to(actor)
    return _for_operators(actor, rows).select_related("merchant", "link__partner")


def attributions_of(shop: Shop) -> QuerySet[Attribution]:
    """Whom the shop was given to, the one that rules first, with who decided and why."""
    recorded = Attribution.objects.filter(shop=shop, batch__recorded_at__isnull=False)
    return recorded.select_related("partner", "lost_by", "reason", "batch__actor").order_by(
        "-batch__recorded_at", "-pk"
    )


def facts_about(shop: Shop) -> QuerySet[ShopFact]:
    """Its brand and certification as they were recorded, the oldest first, with the feed or person that did."""
    recorded = ShopFact.objects.filter(shop=shop, batch__recorded_at__isnull=False)
    return recorded.select_related("batch__actor", "batch__import_of").order_by("batch__recorded_at", "pk")


def claims_about(actor: Actor, shop: Shop) -> QuerySet[Claim]:
    """Claims on entries that name the shop's merchant or brand, the latest first."""
    names = Q(entry__merchant=shop.merchant_id)
    if shop.brand_id is not None:
        names |= Q(entry__brand=shop.brand_id)
    found: QuerySet[Claim] = Claim.objects.visible_to(actor).filter(names)
    return found.select_related("partner", "entry__program").order_by("-claimed_at", "-pk")


def registrations_like(actor: Actor, shop: Shop) -> QuerySet[Registration]:
    """Registrations with the shop's merchant's number: suggested to people, never matched by the machine (POLICY 4)."""
    found: QuerySet[Registration] = Registration.objects.visible_to(actor).filter(
        country=shop.merchant.country, registration_key=shop.merchant.registration_key
    )
    return found.select_related("link__partner").order_by("registered_at", "pk")


def contested_registrations(actor: Actor) -> QuerySet[Registration]:
    """Registrations of merchants that were registered more than once, those of one merchant together."""
    rows: QuerySet[Registration] = Registration.objects.visible_to(actor).contested()
    ordered = _for_operators(actor, rows).order_by("country", "registration_key", "registered_at", "pk")
    return ordered.select_related("link__partner", "shop")


def _for_operators(actor: Actor, rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows if actor.can(Capability.VIEW_EVERYTHING) else rows.none()


class UnattributedFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """What the list of shops of nobody is narrowed and sorted by."""

    q = django_filters.CharFilter(label=_("Shop, merchant or number"), method="named")
    link = django_filters.ChoiceFilter(
        label=_("Came through"),
        method="came_through",
        choices=[("link", _("a link that didn't count")), ("none", _("no link"))],
        empty_label=_("All"),
    )
    market = django_filters.CharFilter("market", lookup_expr="iexact", label=_("Market"))
    sort = django_filters.ChoiceFilter(
        label=_("Sorted by"),
        method="sorted_by",
        choices=[
            ("-registered_at", _("Newest first")),
            ("registered_at", _("Oldest first")),
            ("merchant_name", _("Name")),
        ],
        empty_label=_("Code"),
    )

    class Meta:
        model = Shop
        fields: Sequence[str] = ()

    def named(self, rows: QuerySet[Shop], _name: str, value: str) -> QuerySet[Shop]:
        """Anywhere in the shop's code, the merchant's name or its number."""
        asked = value.strip()
        return rows.filter(
            Q(code__icontains=asked) | Q(merchant_name__icontains=asked) | Q(merchant__registration_no__icontains=asked)
        )

    def came_through(self, rows: QuerySet[Shop], _name: str, value: str) -> QuerySet[Shop]:
        """By the link, if there was one: it wasn't valid, or was made for another merchant."""
        return rows.filter(link=None) if value == "none" else rows.exclude(link=None)

    def sorted_by(self, rows: QuerySet[Shop], _name: str, value: str) -> QuerySet[Shop]:
        """By the column, then by code."""
        return rows.order_by(value, "code")


class ContestedFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """What the list of contested registrations is narrowed by."""

    q = django_filters.CharFilter(label=_("Merchant, number or receipt"), method="named")
    partner = django_filters.CharFilter("link__partner__code", lookup_expr="iexact", label=_("Partner code"))

    class Meta:
        model = Registration
        fields: Sequence[str] = ()

    def named(self, rows: QuerySet[Registration], _name: str, value: str) -> QuerySet[Registration]:
        """Anywhere in the merchant's name, its number or the receipt."""
        asked = value.strip()
        return rows.filter(
            Q(merchant_name__icontains=asked) | Q(registration_no__icontains=asked) | Q(receipt__icontains=asked)
        )


def shop_rows(found: QuerySet[Shop]) -> Iterator[Sequence[Any]]:
    """The list as `SHOP_COLUMNS` name it."""
    yield from found.values_list(
        "code",
        "merchant_name",
        "merchant__country",
        "merchant__registration_no",
        "brand_name",
        "market",
        "registered_at",
        "certified_at",
        "link__code",
        "link__partner__code",
    ).iterator(chunk_size=2000)


def registration_rows(found: QuerySet[Registration]) -> Iterator[Sequence[Any]]:
    """The list as `REGISTRATION_COLUMNS` name it. No contact."""
    yield from found.values_list(
        "receipt",
        "merchant_name",
        "country",
        "registration_no",
        "brand_name",
        "market",
        "registered_at",
        "link__code",
        "link__partner__code",
        "shop__code",
    ).iterator(chunk_size=2000)
