"""Who may recruit an entry of the list now: free, one's own, somebody else's. One reading for pages, API and services.

By POLICY 4 a claim covers whatever shop its entry names, by merchant or brand, in whichever program the entry stands.
So an entry is taken, too, where another one that names the same merchant or the same brand is. And where one of them
has a certified shop already, another shop doesn't count (POLICY 3): there is nothing left to recruit.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, TextChoices, Value, When
from django.utils.translation import pgettext_lazy

from core.models import PolicyVersion
from core.values import local_date
from merchants.models import Claim, Shop, TargetEntry
from merchants.querysets import TargetEntryQuerySet
from merchants.states import ClaimStatus, Review
from partners.models import Suspension


class Place(TextChoices):
    """What an entry is to a partner."""

    FREE = "free", pgettext_lazy("entry", "Free")
    MINE = "mine", pgettext_lazy("entry", "Yours")
    WAITING = "waiting", pgettext_lazy("entry", "Claim in review")
    DIRECTED = "directed", pgettext_lazy("entry", "Directed to you")
    TAKEN = "taken", pgettext_lazy("entry", "Taken")
    SHOP = "shop", pgettext_lazy("entry", "Has a shop")
    OFF = "off", pgettext_lazy("entry", "Off the list")


# How each looks on a page: the class of its badge, and its shape.
LOOKS = {
    Place.FREE: ("open_to_you", "○"),
    Place.MINE: ("met", "✓"),
    Place.WAITING: ("pending", "◔"),
    Place.DIRECTED: ("met", "→"),
    Place.TAKEN: ("not_applicable", "●"),
    Place.SHOP: ("not_applicable", "✕"),
    Place.OFF: ("not_applicable", "–"),
}


def platform_date(at: datetime) -> date:
    """The date of this instant on the platform's clock."""
    return local_date(at, ZoneInfo(settings.PLATFORM_TIME_ZONE))


def standing_claims(at: datetime) -> QuerySet[Claim]:
    """Claims that hold their entry: approved or in review, neither over nor released, the partner not terminated.

    One of a partner that is only suspended holds its place: the suspension may end.
    """
    ended = Suspension.objects.filter(partner=OuterRef("partner"), terminal=True, during__upper_inf=True)
    found: QuerySet[Claim] = Claim.objects.filter(
        Q(released_at=None) | Q(released_at__gt=at),
        ~Exists(ended),
        status__in=[ClaimStatus.APPROVED, ClaimStatus.PENDING],
        expires_at__gt=at,
    )
    return found


def placed(
    entries: TargetEntryQuerySet, *, partner_ids: Collection[int], versions: Iterable[PolicyVersion], at: datetime
) -> TargetEntryQuerySet:
    """Annotate `place`: what each entry is to these partners (usually one) at this moment.

    `versions` are the policies in force of the programs whose entries these are, with their programs. Whose claim takes
    an entry is nowhere in it. Indexes: claim.entry, and those of entries and shops on merchant and brand.
    """
    ids, today = sorted(partner_ids), platform_date(at)
    claims = standing_claims(at)
    own = claims.filter(partner__in=ids, entry=OuterRef("pk"))
    others = claims.exclude(partner__in=ids)
    elsewhere = TargetEntry.objects.exclude(assigned_to=None).exclude(assigned_to__in=ids).filter(on_the_list(today))
    taken, has_shop = Q(), Q(pk__in=[])
    for named in ("merchant", "brand"):
        taken |= Q(Exists(others.filter(**{f"entry__{named}": OuterRef(named)})))
        taken |= Q(Exists(elsewhere.filter(**{named: OuterRef(named)})))
    for version in versions:
        shops = competing_shops(version)
        known = Exists(shops.filter(merchant=OuterRef("merchant"))) | Exists(shops.filter(brand=OuterRef("brand")))
        has_shop |= Q(program=version.program_id) & known
    place = Case(
        When(Exists(own.filter(status=ClaimStatus.APPROVED)), then=Value(Place.MINE)),
        When(Exists(own), then=Value(Place.WAITING)),
        When(~on_the_list(today), then=Value(Place.OFF)),
        When(has_shop, then=Value(Place.SHOP)),
        When(assigned_to__in=ids, then=Value(Place.DIRECTED)),
        When(taken, then=Value(Place.TAKEN)),
        default=Value(Place.FREE),
        output_field=CharField(),
    )
    found: TargetEntryQuerySet = entries.annotate(place=place)
    return found


def competing_shops(version: PolicyVersion) -> QuerySet[Shop]:
    """Certified shops that come before any new one of their merchant or brand (POLICY 3, first_entity)."""
    rules, period = version.rules, version.program.period
    found = Shop.objects.filter(certified_at__isnull=False)
    if rules.first_entity.markets != "all":
        found = found.filter(market__in=rules.markets)
    if rules.first_entity.period != "all_time":
        found = found.filter(
            certified_at__gte=period.starts_at(rules.zone), certified_at__lt=period.ends_at(rules.zone)
        )
    return found


def latest_versions(programs: Collection[int] | None = None) -> list[PolicyVersion]:
    """The policies in force, with their programs: of these programs, or of all. One query."""
    found = PolicyVersion.objects.select_related("program").order_by("program", "-number").distinct("program")
    return list(found if programs is None else found.filter(program__in=programs))


def for_partner(entries: TargetEntryQuerySet, partner_id: int) -> TargetEntryQuerySet:
    """The open list and what is directed to this very partner: a person may see several partners' entries."""
    return entries.filter(Q(assigned_to=None) | Q(assigned_to=partner_id))


def on_the_list(today: date) -> Q:
    """Entries that are, or will be, on their list: neither rejected nor taken off."""
    return ~Q(review=Review.REJECTED) & (Q(delisted_on=None) | Q(delisted_on__gt=today))
