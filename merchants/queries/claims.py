"""A partner's claims: those that stand, with the time they have left, and those that are over."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from core.actors import Actor
from core.models import Program
from merchants.models import Claim, Shop
from merchants.queries.targets import Left, entry_name, time_left
from merchants.querysets import ClaimQuerySet
from merchants.states import ClaimStatus
from partners.models import Suspension

RELATED = ("entry__program", "entry__merchant", "entry__brand", "partner")


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim. `state`: in_force, in_review, resting (the partner is suspended), expired, released, rejected, ended.

    `left`: until its end, while it stands; `shops`: how many it brought to the partner.
    """

    target_code: str
    program: str
    name: str
    brand: str
    partner_code: str
    claimed_at: datetime
    expires_at: datetime
    released_at: datetime | None
    state: str
    left: Left | None
    shops: int

    @property
    def stands(self) -> bool:
        """Whether it holds its entry."""
        return self.state in ("in_force", "in_review", "resting")

    @property
    def ended_at(self) -> datetime:
        """When it ended, or will."""
        return self.released_at or self.expires_at


def claims_of(*, actor: Actor, program: Program, partner_id: int) -> ClaimQuerySet:
    """The partner's claims on this program's list."""
    found: ClaimQuerySet = Claim.objects.visible_to(actor).filter(partner=partner_id, entry__program=program)
    return found.select_related(*RELATED)


def claim_rows(*, actor: Actor, claims: list[Claim], at: datetime) -> list[ClaimRow]:
    """The claims, in their order; they come from `visible_to(actor)` with their relations. Two queries."""
    partners = {claim.partner_id for claim in claims}
    stopped = dict(
        Suspension.objects.filter(partner__in=partners, during__upper_inf=True).values_list("partner", "terminal")
    )
    # What the partner has now: a shop that was given to another one since isn't counted.
    brought = dict(
        Shop.objects.visible_to(actor)
        .filter(attributions__claim__in=[claim.pk for claim in claims])
        .values_list("attributions__claim")
        .annotate(Count("pk", distinct=True))
    )
    return [
        _row(claim, _state(claim, stopped.get(claim.partner_id), at), brought.get(claim.pk, 0), at) for claim in claims
    ]


def _state(claim: Claim, terminal: bool | None, at: datetime) -> str:
    if claim.status == ClaimStatus.REJECTED:
        return "rejected"
    if claim.released_at is not None and claim.released_at <= at:
        return "released"
    if claim.expires_at <= at:
        return "expired"
    if terminal is not None:
        return "ended" if terminal else "resting"
    return "in_review" if claim.status == ClaimStatus.PENDING else "in_force"


def _row(claim: Claim, state: str, shops: int, at: datetime) -> ClaimRow:
    stands = state in ("in_force", "in_review", "resting")
    name, brand = entry_name(claim.entry), claim.entry.brand.name if claim.entry.brand else ""
    return ClaimRow(
        target_code=claim.entry.code,
        program=claim.entry.program.code,
        name=name,
        brand=brand if brand != name else "",
        partner_code=claim.partner.code,
        claimed_at=claim.claimed_at,
        expires_at=claim.expires_at,
        released_at=claim.released_at,
        state=state,
        left=time_left(claim.expires_at, at) if stands else None,
        shops=shops,
    )
