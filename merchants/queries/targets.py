"""The list as a partner sees it: what each entry names, whether it may be recruited, what counts for it.

A constant number of queries, however many entries are shown. Nothing says whose a taken entry is.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q

from core.actors import Actor
from core.models import PolicyVersion
from merchants.listing import LOOKS, Place, competing_shops, for_partner, placed, standing_claims
from merchants.models import Claim, TargetEntry
from merchants.querysets import TargetEntryQuerySet
from merchants.states import Review, Track

# What `target_rows` reads of each entry.
RELATED = ("program", "merchant", "brand")
HOURS_BELOW = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Left:
    """How long until an instant: whole days, and whole hours where it is less than 48 of them (else None)."""

    days: int
    hours: int | None


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One entry of the list, to one partner. `expires_at` and `left` are its own claim's; `has_shop` counts against it.

    `number_ends`: the last signs of the registration number, enough to tell namesakes apart.
    """

    code: str
    program: str
    name: str
    country: str
    number_ends: str
    brand: str
    track: str
    review: str
    review_label: str
    listed_on: date
    delisted_on: date | None
    place: str
    claimed_at: datetime | None
    expires_at: datetime | None
    left: Left | None
    has_shop: bool

    @property
    def place_label(self) -> str:
        """The place in words."""
        return str(Place(self.place).label)

    @property
    def look(self) -> str:
        """The class of the place's badge."""
        return LOOKS[Place(self.place)][0]

    @property
    def shape(self) -> str:
        """Its shape."""
        return LOOKS[Place(self.place)][1]

    @property
    def is_directed(self) -> bool:
        """Whether the merchant has to come through the partner's own link (POLICY 3, exclusive_link)."""
        return self.track == Track.DIRECTED

    @property
    def is_reviewed(self) -> bool:
        """Whether its review is over; until then a shop of it counts for nobody."""
        return self.review != Review.PENDING

    @property
    def may_invite(self) -> bool:
        """Whether a link for it makes sense."""
        return self.place in (Place.FREE, Place.MINE, Place.WAITING, Place.DIRECTED)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries of a program's list are what to a partner."""

    by_place: dict[str, int]

    @property
    def listed(self) -> int:
        """All that are on the list now."""
        return sum(count for place, count in self.by_place.items() if place != Place.OFF)

    @property
    def free(self) -> int:
        """Those that can be claimed."""
        return self.by_place.get(Place.FREE, 0)

    @property
    def directed(self) -> int:
        """Those directed to the partner."""
        return self.by_place.get(Place.DIRECTED, 0)

    @property
    def held(self) -> int:
        """Those that the partner has claimed."""
        return self.by_place.get(Place.MINE, 0) + self.by_place.get(Place.WAITING, 0)


def entries_of(*, actor: Actor, version: PolicyVersion, partner_id: int, at: datetime) -> TargetEntryQuerySet:
    """The list of the policy's program as this partner sees it, with `place`."""
    visible = for_partner(TargetEntry.objects.visible_to(actor).filter(program=version.program_id), partner_id)
    return placed(visible, partner_ids=[partner_id], versions=[version], at=at)


def place_counts(entries: TargetEntryQuerySet) -> Counts:
    """How many of the entries are what. One query."""
    found = entries.order_by().values_list("place").annotate(count=Count("pk"))
    return Counts(dict(found))


def target_rows(
    entries: Iterable[TargetEntry], *, partner_ids: Collection[int], versions: Iterable[PolicyVersion], at: datetime
) -> list[TargetRow]:
    """The entries, in their order. They come with `place` and their relations. A query for claims, one by program."""
    rows = list(entries)
    own = {
        claim.entry_id: claim
        for claim in standing_claims(at).filter(partner__in=partner_ids, entry__in=[row.pk for row in rows])
    }
    shops: set[int] = set()
    for version in versions:
        shops |= shops_of([row for row in rows if row.program_id == version.program_id], version)
    return [_row(row, own.get(row.pk), at, has_shop=row.pk in shops) for row in rows]


def shops_of(entries: Sequence[TargetEntry], version: PolicyVersion) -> set[int]:
    """Which of the entries name a merchant or brand that has a shop already. Whose it is isn't looked at. One query."""
    merchants = {one.merchant_id for one in entries if one.merchant_id}
    brands = {one.brand_id for one in entries if one.brand_id}
    shops = competing_shops(version).filter(Q(merchant__in=merchants) | Q(brand__in=brands))
    known = list(shops.values_list("merchant", "brand"))
    with_shop, under_brand = {merchant for merchant, _ in known}, {brand for _, brand in known if brand}
    return {one.pk for one in entries if one.merchant_id in with_shop or one.brand_id in under_brand}


def time_left(until: datetime, at: datetime) -> Left:
    """How long it is from `at` to `until`."""
    left = until - at
    return Left(left.days, int(left.total_seconds() // 3600) if left < HOURS_BELOW else None)


def entry_name(entry: TargetEntry) -> str:
    """What people call it: its merchant, else its brand."""
    if entry.merchant_name or (entry.merchant and entry.merchant.name):
        return str(entry.merchant_name or entry.merchant.name)  # type: ignore[union-attr]  # one of the two is there
    if entry.brand:
        return str(entry.brand.name)
    return f"{entry.merchant.country} …{entry.merchant.registration_no[-4:]}" if entry.merchant else entry.code


def _row(entry: TargetEntry, claim: Claim | None, at: datetime, *, has_shop: bool) -> TargetRow:
    name = entry_name(entry)
    brand = entry.brand.name if entry.brand else ""
    return TargetRow(
        code=entry.code,
        program=entry.program.code,
        name=name,
        country=entry.merchant.country if entry.merchant else "",
        number_ends=entry.merchant.registration_no[-4:] if entry.merchant else "",
        brand=brand if brand != name else "",
        track=entry.track,
        review=entry.review,
        review_label=entry.get_review_display(),
        listed_on=entry.listed_on,
        delisted_on=entry.delisted_on,
        place=entry.place,  # type: ignore[attr-defined]  # annotated
        claimed_at=claim.claimed_at if claim else None,
        expires_at=claim.expires_at if claim else None,
        left=time_left(claim.expires_at, at) if claim else None,
        has_shop=has_shop,
    )
