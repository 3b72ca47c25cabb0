"""A partner's links with what they brought: visits, registrations, certified and eligible shops. For pages and API.

A constant number of queries, however many links are shown. Shops count where the partner has them now: one that
another partner's claim won is not told apart from one that never came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from incentives.models import Result
from incentives.queries.programs import latest_runs, program_titles
from incentives.states import Verdict
from merchants.models import Registration, RegistrationContact, Shop, TargetEntry
from merchants.states import Consent
from partners.models import InviteLink, LinkVisits, Suspension

# What `link_rows` reads of each link.
RELATED = ("partner", "program", "batch", "revocation", "target__entry__merchant", "target__entry__brand")
# What a link can be, with the look that goes with it.
STATES = {
    "live": (_("Works"), "live"),
    "not_started": (_("Not yet"), "pending"),
    "suspended": (_("Off: suspended"), "held"),
    "revoked": (_("Revoked"), "void"),
    "expired": (_("Expired"), "closed"),
    "used_up": (_("Used up"), "closed"),
}


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link. `registrations` counts the portal's own form and shops that named the link without it."""

    code: str
    partner_code: str
    label: str
    state: str
    program: str | None
    program_title: str
    target: str | None
    target_name: str
    starts_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    max_uses: int | None
    uses: int
    visits: int
    registrations: int
    certified: int
    eligible: int
    from_feed: bool

    @property
    def state_label(self) -> str:
        """The state in words."""
        return str(STATES[self.state][0])

    @property
    def look(self) -> str:
        """The state's look."""
        return STATES[self.state][1]

    @property
    def name(self) -> str:
        """What people call it: its label, or else its code."""
        return self.label or self.code

    @property
    def can_end(self) -> bool:
        """Whether it can be revoked."""
        return self.state in ("live", "not_started", "suspended", "used_up")

    @property
    def can_extend(self) -> bool:
        """Whether its end can be put off."""
        return self.state in ("live", "not_started", "used_up") and not self.from_feed


@dataclass(frozen=True, slots=True)
class Registered:
    """A merchant that registered through a link; the contact only where it was agreed to."""

    receipt: str
    merchant_name: str
    brand: str
    market: str
    registered_at: datetime
    certified_at: datetime | None
    shop_code: str
    contact: str


@dataclass(frozen=True, slots=True)
class LinkTotals:
    """What all links of a partner brought together. `live` are those that work now."""

    links: int
    live: int
    visits: int
    registrations: int
    certified: int
    eligible: int


def link_rows(*, actor: Actor, links: Sequence[InviteLink], at: datetime) -> list[LinkRow]:
    """The links, in their order, with their counts. `links` come from `visible_to(actor)` with their relations."""
    ids = [link.pk for link in links]
    counts = _counts(actor, Q(link__in=ids))
    titles = dict(program_titles())
    suspended = set(
        Suspension.objects.filter(partner__in={link.partner_id for link in links}, during__upper_inf=True).values_list(
            "partner", flat=True
        )
    )
    return [_row(link, counts, titles, at, is_off=link.partner_id in suspended) for link in links]


def link_totals(*, actor: Actor, partner_id: int, live: int) -> LinkTotals:
    """What the partner's links brought; `live` is how many of them work, which `partners.links` knows."""
    counts = _counts(actor, Q(link__partner=partner_id))
    visits, registered, shops, certified, eligible = (sum(found.values()) for found in counts)
    links = InviteLink.objects.visible_to(actor).filter(partner=partner_id).count()
    return LinkTotals(links, live, visits, registered + shops, certified, eligible)


def registered_through(*, actor: Actor, link: InviteLink, most: int = 100) -> list[Registered]:
    """Who registered on the portal's own form through the link, the latest first."""
    rows = (
        Registration.objects.visible_to(actor)
        .filter(link=link)
        .select_related("contact")
        .prefetch_related("consents")
        .order_by("-pk")[:most]
    )
    known = Shop.objects.visible_to(actor).filter(registration__in=[row.pk for row in rows])
    shops = {shop.registration_id: shop for shop in known}
    found = []
    for row in rows:
        shop = shops.get(row.pk)
        shared = any(consent.kind == Consent.SHARE_CONTACT for consent in row.consents.all())
        contact: RegistrationContact | None = getattr(row, "contact", None) if shared else None
        found.append(
            Registered(
                receipt=row.receipt,
                merchant_name=row.merchant_name,
                brand=row.brand_name,
                market=row.market,
                registered_at=row.registered_at,
                certified_at=shop.certified_at if shop else None,
                shop_code=shop.code if shop else "",
                contact=" · ".join(filter(None, (contact.name, contact.phone, contact.wechat))) if contact else "",
            )
        )
    return found


Counts = tuple[dict[int, int], dict[int, int], dict[int, int], dict[int, int], dict[int, int]]


def _counts(actor: Actor, of: Q) -> Counts:
    """Visits, registrations, shops without one, certified shops, eligible shops: each by link."""
    visits = dict(LinkVisits.objects.filter(of).values_list("link").annotate(Sum("visits")))
    # A registration whose shop went to another partner stays one: the merchant did register here.
    registered = dict(Registration.objects.visible_to(actor).filter(of).values_list("link").annotate(Count("pk")))
    # The index on shop.link.
    shops = Shop.objects.visible_to(actor).filter(of)
    by_link = {
        link: (others, certified)
        for link, others, certified in shops.values_list("link").annotate(
            others=Count("pk", filter=Q(registration=None)),
            certified=Count("pk", filter=Q(certified_at__isnull=False)),
        )
    }
    eligible = dict(
        Result.objects.visible_to(actor)
        .filter(run__in=[run.pk for run in latest_runs()], verdict=Verdict.ELIGIBLE)
        .filter(shop__in=Shop.objects.filter(of).values("pk"))
        .values_list("shop__link")
        .annotate(Count("shop", distinct=True))
    )
    return (
        visits,
        registered,
        {link: others for link, (others, _certified) in by_link.items()},
        {link: certified for link, (_others, certified) in by_link.items()},
        eligible,
    )


def _row(link: InviteLink, counts: Counts, titles: dict[str, str], at: datetime, *, is_off: bool) -> LinkRow:
    visits, registered, shops, certified, eligible = (found.get(link.pk, 0) for found in counts)
    target = getattr(link, "target", None)
    revocation = getattr(link, "revocation", None)
    return LinkRow(
        code=link.code,
        partner_code=link.partner.code,
        label=link.label,
        state=_state(link, at, is_off=is_off),
        program=link.program.code if link.program else None,
        program_title=titles.get(link.program.code, link.program.code) if link.program else "",
        target=target.entry.code if target else None,
        target_name=_names(target.entry) if target else "",
        starts_at=link.starts_at,
        expires_at=link.expires_at,
        revoked_at=revocation.revoked_at if revocation else None,
        max_uses=link.max_uses,
        uses=link.uses,
        visits=visits,
        registrations=registered + shops,
        certified=certified,
        eligible=eligible,
        from_feed=link.batch.source == "feed",
    )


def _names(entry: TargetEntry) -> str:
    return entry.merchant_name or str(entry.merchant or entry.brand)


def _state(link: InviteLink, at: datetime, *, is_off: bool) -> str:
    revocation = getattr(link, "revocation", None)
    if revocation is not None and revocation.revoked_at <= at:
        return "revoked"
    if link.expires_at <= at:
        return "expired"
    if is_off:
        return "suspended"
    if link.max_uses is not None and link.uses >= link.max_uses:
        return "used_up"
    return "live" if link.starts_at <= at else "not_started"
