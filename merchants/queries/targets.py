"""The list as a partner sees it: what each entry names, whether it may be recruited, what counts for it.

A constant number of queries, however many entries are shown. Nothing says whose a taken entry is.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q

from core.actors import Actor
from core.models import PolicyVersion, Program
from core.policy import Policy
from merchants.listing import LOOKS, Place, for_partner, placed, standing_claims
from merchants.models import Claim, Shop, TargetEntry
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
        """The place's look."""
        return LOOKS[Place(self.place)]

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
        """Whether a link can be made for it."""
        return self.place != Place.OFF


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


def entries_of(*, actor: Actor, program: Program, partner_id: int, at: datetime) -> TargetEntryQuerySet:
    """The program's list as this partner sees it, with `place`."""
    visible = for_partner(TargetEntry.objects.visible_to(actor).filter(program=program), partner_id)
    return placed(visible, partner_ids=[partner_id], at=at)


def place_counts(entries: TargetEntryQuerySet) -> Counts:
    """How many of the entries are what. One query."""
    found = entries.order_by().values_list("place").annotate(count=Count("pk"))
    return Counts(dict(found))


def target_rows(
    entries: Iterable[TargetEntry], *, partner_ids: Collection[int], policies: dict[int, Policy], at: datetime
) -> list[TargetRow]:
    """The entries, in their order. They come with `place` and their relations; `policies` by program. Two queries."""
    rows = list(entries)
    own = {
        claim.entry_id: claim
        for claim in standing_claims(at).filter(partner__in=partner_ids, entry__in=[row.pk for row in rows])
    }
    shops = shops_of(rows, policies)
    return [_row(row, own.get(row.pk), at, has_shop=row.pk in shops) for row in rows]


def latest_policies(programs: Collection[int]) -> dict[int, Policy]:
    """The rules in force of these programs, by the programs' ids. One query."""
    found = PolicyVersion.objects.filter(program__in=programs).order_by("program", "-number").distinct("program")
    return {version.program_id: version.rules for version in found}


def shops_of(entries: Sequence[TargetEntry], policies: dict[int, Policy]) -> set[int]:
    """Which of the entries name a merchant or brand that has a shop already: another one comes second (POLICY 3).

    Whose shop it is isn't looked at. One query, by the indexes on shop.merchant and shop.brand.
    """
    merchants: dict[int, list[tuple[str, datetime]]] = {}
    brands: dict[int, list[tuple[str, datetime]]] = {}
    of_these = Q(merchant__in={one.merchant_id for one in entries if one.merchant_id}) | Q(
        brand__in={one.brand_id for one in entries if one.brand_id}
    )
    certified = Shop.objects.filter(of_these, certified_at__isnull=False)
    for merchant, brand, market, when in certified.values_list("merchant", "brand", "market", "certified_at"):
        if when is not None:
            merchants.setdefault(merchant, []).append((market, when))
            if brand is not None:
                brands.setdefault(brand, []).append((market, when))
    return {
        entry.pk
        for entry in entries
        if any(
            competes(market, when, policies[entry.program_id], entry.program)
            for market, when in (
                *merchants.get(entry.merchant_id or 0, ()),
                *brands.get(entry.brand_id or 0, ()),
            )
        )
    }


def time_left(until: datetime, at: datetime) -> Left:
    """How long it is from `at` to `until`."""
    left = until - at
    return Left(left.days, int(left.total_seconds() // 3600) if left < HOURS_BELOW else None)


def competes(market: str, certified_at: datetime, policy: Policy, program: Program) -> bool:
    """Whether a shop certified then in that market would be before any new one (POLICY 3, first_entity)."""
    if policy.first_entity.markets != "all" and market not in policy.markets:
        return False
    return policy.first_entity.period == "all_time" or certified_at.astimezone(policy.zone).date() in program.period


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
