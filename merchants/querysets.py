"""The only way from a view to rows about merchants."""

from collections.abc import Sequence
from itertools import product
from typing import Any, Self

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Concat

from core.actors import Actor, Capability
from merchants.finding import SHOP_TEXT, Folded, longest_first, number_in, words_in
from partners.querysets import ScopedQuerySet


class TargetEntryQuerySet(ScopedQuerySet):
    """Target entries: operators see all; a partner sees the open list and what is directed to itself."""

    def visible_to(self, actor: Actor) -> Self:
        """Never another partner's directed entry: that it exists is already a secret."""
        if actor.can(Capability.VIEW_EVERYTHING):
            return self
        if actor.can(Capability.VIEW_OWN):
            return self.filter(Q(assigned_to=None) | Q(assigned_to__in=sorted(actor.partner_ids)))
        return self.none()


class EntryPairQuerySet(ScopedQuerySet):
    """Pairs of entries that look like one: the list keepers' own work, nothing of it is a partner's."""

    def visible_to(self, actor: Actor) -> Self:
        """All for operators."""
        return self if actor.can(Capability.VIEW_EVERYTHING) else self.none()


class ClaimQuerySet(ScopedQuerySet):
    """Claims."""


class RegistrationQuerySet(ScopedQuerySet):
    """Registrations on the portal's own form, by the partner whose link they came through."""

    partner_path = "link__partner"

    def contested(self) -> Self:
        """Those of a merchant that somebody else has registered, too: for operators to sort out.

        Nobody who registers is told. The index registration_entity: a merchant rarely registers twice.
        """
        others = self.model.objects.filter(
            country=OuterRef("country"), registration_key=OuterRef("registration_key")
        ).exclude(pk=OuterRef("pk"))
        return self.filter(Exists(others))


class ShopQuerySet(ScopedQuerySet):
    """Shops; a partner sees those that its latest attribution gives to it."""

    def visible_to(self, actor: Actor) -> Self:
        """By the attribution in force now: what was reassigned to a rival is the rival's."""
        if actor.can(Capability.VIEW_EVERYTHING):
            return self
        if not actor.can(Capability.VIEW_OWN):
            return self.none()
        from merchants.models import Attribution  # models import this module

        own = Attribution.objects.filter(
            shop=OuterRef("pk"),
            partner__in=sorted(actor.partner_ids),
            pk=Subquery(_latest_attribution("shop").values("pk")[:1]),
        )
        return self.filter(Exists(own))

    def unattributed(self) -> Self:
        """Shops that the rules of attribution gave to nobody, and nobody has assigned. Index on attribution.shop."""
        from merchants.models import Attribution  # models import this module

        return self.filter(~Exists(Attribution.objects.filter(shop=OuterRef("pk"))))

    def with_words(self, words: Sequence[str], *, entities: bool = False) -> QuerySet[Any, Any]:
        """The ids of shops in whose code, merchant or brand every word stands; with `entities`, also in whose entity's.

        One condition about two tables no index would serve. So each way in which the two longest words can be spread
        over the shop's own text and its legal entity's name has a part of its own in a union: the one of both that is
        rarer leads through its index shop_text_parts or merchant_name_parts. Further words only sift.
        """
        plain = self.order_by().alias(text=SHOP_TEXT)
        if not entities or not words:
            own: QuerySet[Any, Any] = plain.filter(words_in(words, text="text")).values("pk")
            return own
        leading, others = longest_first(words)
        parts: list[QuerySet[Any, Any]] = []
        for places in product(("text", "name"), repeat=len(leading)):
            part = plain
            if "name" in places:
                part = part.alias(name=Folded("merchant__name"))
            for word, place in zip(leading, places, strict=True):
                part = part.filter(words_in([word], text=place))
            if others:
                part = part.alias(both=Concat("text", Folded("merchant__name"), output_field=CharField()))
                part = part.filter(words_in(others, text="both"))
            parts.append(part.values("pk"))
        return parts[0].union(*parts[1:])

    def numbered(self, typed: str) -> QuerySet[Any, Any]:
        """The ids of shops of whose registration number it is a part. Index merchant_number_parts."""
        number = number_in(typed, number="merchant__registration_key")
        found: QuerySet[Any, Any] = self.order_by().filter(number).values("pk") if number else self.none().values("pk")
        return found

    def with_attribution(self) -> Self:
        """Annotate each shop with `partner_code` and `attributed_by` of its attribution in force; None without."""
        latest = _latest_attribution("pk")
        return self.annotate(
            partner_code=Subquery(latest.values("partner__code")[:1]),
            attributed_by=Subquery(latest.values("cause")[:1]),
        )


def _latest_attribution(shop: str) -> QuerySet[Any]:
    """The shop's attributions, the one in force first. The index on attribution.shop: a shop rarely has two."""
    from merchants.models import Attribution  # models import this module

    return Attribution.objects.filter(shop=OuterRef(shop), batch__recorded_at__isnull=False).order_by(
        "-batch__recorded_at", "-pk"
    )
