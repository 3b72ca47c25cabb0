"""What a merchant is shown who was sent a link: who invites, into what; and later what became of it."""

from dataclasses import dataclass
from datetime import date, datetime

from core.models import PolicyVersion
from core.policy import DEFAULT_MARKETS
from merchants.models import Registration
from partners.links import live_links
from partners.models import InviteLink
from partners.offers import offer_of


@dataclass(frozen=True, slots=True)
class Invite:
    """A live link, as the merchant sees it. `program` and its dates are None for a link into no program."""

    link_id: int
    code: str
    partner: str
    category: str
    offer: str
    program: str | None
    first: date | None
    last: date | None
    markets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A registration and how far the marketplace got with it. Instants are shown in `zone`."""

    number: str
    registered_at: datetime
    merchant_name: str
    brand: str
    market: str
    partner: str
    program: str | None
    zone: str
    shop_known: bool
    certified_at: datetime | None


def invite(*, code: str, at: datetime) -> Invite | None:
    """The link of this code, or None: one that is dead and one that never was are the same single statement."""
    link = live_links(at).filter(code=code).select_related("partner", "program").first()
    if link is None:
        return None
    program = link.program
    return Invite(
        link_id=link.pk,
        code=link.code,
        partner=link.partner.name,
        category=link.partner.get_category_display(),
        offer=offer_of(link.partner),
        program=program.title if program else None,
        first=program.starts_on if program else None,
        last=program.ends_on if program else None,
        markets=markets_of(link),
    )


def markets_of(link: InviteLink) -> tuple[str, ...]:
    """The markets that a merchant can choose: the program's, or without one those of every program."""
    policies = PolicyVersion.objects.order_by("program_id", "-number").distinct("program_id")
    if link.program_id is not None:
        policies = policies.filter(program=link.program_id)
    return tuple(sorted({market for policy in policies for market in policy.rules.markets})) or DEFAULT_MARKETS


def receipt(*, number: str, platform_zone: str) -> Receipt | None:
    """What became of the registration with this receipt. Whoever knows the number may see it: nobody guesses it."""
    found = Registration.objects.filter(receipt=number).select_related("link__partner", "link__program", "shop").first()
    if found is None:
        return None
    program = found.link.program
    shop = getattr(found, "shop", None)
    return Receipt(
        number=found.receipt,
        registered_at=found.registered_at,
        merchant_name=found.merchant_name,
        brand=found.brand_name,
        market=found.market,
        partner=found.link.partner.name,
        program=program.title if program else None,
        zone=str(program.zone) if program else platform_zone,
        shop_known=shop is not None,
        certified_at=shop.certified_at if shop else None,
    )
