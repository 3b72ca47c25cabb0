"""Who may recruit an entry of the list now: free, one's own, somebody else's. One reading for pages, API and services.

By POLICY 4 a claim covers whatever shop its entry names, by merchant or brand, in whichever program the entry stands.
So an entry is taken, too, where another one that names the same merchant or the same brand is.
"""

from collections.abc import Collection
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, TextChoices, Value, When
from django.utils.translation import pgettext_lazy

from core.values import local_date
from merchants.models import Claim, TargetEntry
from merchants.querysets import TargetEntryQuerySet
from merchants.states import ClaimStatus, Review
from partners.models import Suspension


class Place(TextChoices):
    """What an entry is to a partner."""

    FREE = "free", pgettext_lazy("entry", "Free")
    MINE = "mine", pgettext_lazy("entry", "Yours")
    WAITING = "waiting", pgettext_lazy("entry", "Your claim is in review")
    DIRECTED = "directed", pgettext_lazy("entry", "Directed to you")
    TAKEN = "taken", pgettext_lazy("entry", "Taken")
    OFF = "off", pgettext_lazy("entry", "Off the list")


# What goes with them on a page: the look of their badge.
LOOKS = {
    Place.FREE: "open_to_you",
    Place.MINE: "met",
    Place.WAITING: "pending",
    Place.DIRECTED: "met",
    Place.TAKEN: "not_applicable",
    Place.OFF: "not_applicable",
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


def placed(entries: TargetEntryQuerySet, *, partner_ids: Collection[int], at: datetime) -> TargetEntryQuerySet:
    """Annotate `place`: what each entry is to these partners (usually one) at this moment.

    Whose claim takes an entry is nowhere in it. Subqueries without a reference to the row: each is made once.
    """
    ids, today = sorted(partner_ids), platform_date(at)
    claims = standing_claims(at)
    own = claims.filter(partner__in=ids)
    others = claims.exclude(partner__in=ids)
    elsewhere = TargetEntry.objects.exclude(assigned_to=None).exclude(assigned_to__in=ids).filter(on_the_list(today))
    taken = Q()
    for named in ("merchant", "brand"):
        claimed = others.filter(**{f"entry__{named}__isnull": False}).values(f"entry__{named}")
        directed = elsewhere.filter(**{f"{named}__isnull": False}).values(named)
        taken |= Q(**{f"{named}__in": claimed}) | Q(**{f"{named}__in": directed})
    place = Case(
        When(pk__in=own.filter(status=ClaimStatus.APPROVED).values("entry"), then=Value(Place.MINE)),
        When(pk__in=own.values("entry"), then=Value(Place.WAITING)),
        When(~on_the_list(today), then=Value(Place.OFF)),
        When(assigned_to__in=ids, then=Value(Place.DIRECTED)),
        When(taken, then=Value(Place.TAKEN)),
        default=Value(Place.FREE),
        output_field=CharField(),
    )
    found: TargetEntryQuerySet = entries.annotate(place=place)
    return found


def for_partner(entries: TargetEntryQuerySet, partner_id: int) -> TargetEntryQuerySet:
    """The open list and what is directed to this very partner: a person may see several partners' entries."""
    return entries.filter(Q(assigned_to=None) | Q(assigned_to=partner_id))


def on_the_list(today: date) -> Q:
    """Entries that are, or will be, on their list: neither rejected nor taken off."""
    return ~Q(review=Review.REJECTED) & (Q(delisted_on=None) | Q(delisted_on__gt=today))
