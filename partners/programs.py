"""Programs as a page shows them: to everybody, and to a partner that takes part or may."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings

from core.models import PolicyVersion, Program
from core.policy_words import Difference, Rule, differences, rules_of, tiers_in_words
from partners.models import Joining, Partner
from partners.queries import Standing, standing_of


@dataclass(frozen=True, slots=True)
class Offer:
    """A program, in words, by the latest version of its policy. `days_left`: of the period; none once it is over."""

    code: str
    title: str
    first: date
    last: date
    zone: str
    days_left: int | None
    starts_in: int
    number: int
    published_at: datetime
    amount: Decimal
    currency: str
    markets: tuple[str, ...]
    rules: tuple[Rule, ...]
    tiers: tuple[str, ...]
    example_tiers: bool
    claim_days: int


@dataclass(frozen=True, slots=True)
class Taking:
    """Where a partner stands with a program: what it accepted last, and what a newer version changes."""

    offer: Offer
    standing: Standing
    joining: Joining | None
    differences: tuple[Difference, ...]

    @property
    def is_current(self) -> bool:
        """Whether it accepted the version that is in force."""
        return self.joining is not None and self.joining.policy.number == self.offer.number

    @property
    def may_accept(self) -> bool:
        """Whether there is something that it could accept now (its owner does)."""
        return not self.is_current and self.offer.days_left is not None and self.standing.state == "certified"


def open_offers(*, now: datetime) -> list[Offer]:
    """The programs whose period isn't over, the one that ends first before the others. One query."""
    offers = [offer for offer in (offer_of(policy, now=now) for policy in _latest()) if offer.days_left is not None]
    return sorted(offers, key=lambda offer: (offer.last, offer.code))


def latest_policy(code: str) -> PolicyVersion | None:
    """The version in force of the program of this code. One query."""
    return PolicyVersion.objects.filter(program__code=code).select_related("program").order_by("-number").first()


def offer_of(policy: PolicyVersion, *, now: datetime) -> Offer:
    """The program by this version, in the reader's language. No query where the program is loaded."""
    program, rules = policy.program, policy.rules
    today = now.astimezone(rules.zone).date()
    left = (program.ends_on - today).days
    return Offer(
        code=program.code,
        title=policy.title,
        first=program.starts_on,
        last=program.ends_on,
        zone=rules.timezone,
        days_left=left if left >= 0 else None,
        starts_in=max((program.starts_on - today).days, 0),
        number=policy.number,
        published_at=policy.published_at,
        amount=rules.incentive.amount,
        currency=rules.incentive.currency,
        markets=rules.markets,
        rules=tuple(rules_of(rules, program.period)),
        tiers=tuple(tiers_in_words(rules)),
        example_tiers=rules.discount.example,
        claim_days=rules.claim.days,
    )


def taking_of(partner: Partner, policy: PolicyVersion, *, now: datetime) -> Taking:
    """The partner and one program. Three queries."""
    joined = (
        Joining.objects.filter(partner=partner, program=policy.program_id)
        .select_related("policy__program", "accepted_by")
        .order_by("-policy__number")
        .first()
    )
    standing = standing_of(partner, today=now.astimezone(policy.rules.zone).date())
    return _taking(policy, joined, standing, now)


def takings_of(partner: Partner, *, now: datetime) -> list[Taking]:
    """The partner and every open program, and those that it takes part in. Five queries, however many there are."""
    joined: dict[int, Joining] = {
        joining.program_id: joining
        for joining in Joining.objects.filter(partner=partner)
        .select_related("policy__program", "accepted_by")
        .order_by("policy__number")
    }
    standing = standing_of(partner, today=now.astimezone(ZoneInfo(settings.PLATFORM_TIME_ZONE)).date())
    found = [_taking(policy, joined.get(policy.program_id), standing, now) for policy in _latest()]
    shown = [taking for taking in found if taking.joining is not None or taking.offer.days_left is not None]
    return sorted(shown, key=lambda taking: (taking.offer.days_left is None, taking.offer.last, taking.offer.code))


def commitment_of(partner: Partner, program: Program) -> int | None:
    """How many shops the partner undertook to bring in, in this program; None where it never said. One query.

    What the pace is measured against (POLICY 7): `Joining.commitment` of the latest version that it accepted. A partner
    that hasn't joined in the portal has the number of the partners feed (`Partner.commitment`), if there is one.
    """
    stated = (
        Joining.objects.filter(partner=partner, program=program)
        .order_by("-policy__number")
        .values_list("commitment", flat=True)
        .first()
    )
    return partner.commitment if stated is None else int(stated)


def _taking(policy: PolicyVersion, joined: Joining | None, standing: Standing, now: datetime) -> Taking:
    changed = differences(joined.policy.rules, policy.rules) if joined is not None else []
    return Taking(offer_of(policy, now=now), standing, joined, tuple(changed))


def _latest() -> list[PolicyVersion]:
    """The version in force of every program."""
    return list(PolicyVersion.objects.select_related("program").order_by("program", "-number").distinct("program"))
