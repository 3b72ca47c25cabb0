"""A partner's links with what they brought, and who registered. For pages and API.

A constant number of queries, however many links are shown (`incentives.queries.link_counts`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import words
from core.actors import Actor
from core.values import local_date
from incentives.queries.link_counts import NOTHING, Counts, link_counts
from incentives.queries.programs import program_titles
from merchants.models import Registration, RegistrationConsent, RegistrationContact, Shop, TargetEntry
from merchants.states import Consent
from partners.links import live_links
from partners.models import InviteLink, Suspension

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
    """One link as it is at `at`. `registrations` counts the own form and shops that named the link without it."""

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
    at: datetime
    zone: ZoneInfo

    @property
    def until(self) -> str:
        """When it ends, in words: a midnight as the end of the day before it."""
        ends = self.expires_at.astimezone(self.zone)
        if ends.time() == time.min:
            return gettext("the end of %(day)s") % {"day": words.long_day(ends.date() - timedelta(days=1))}
        return words.moment(ends)

    @property
    def when(self) -> str:
        """The time that goes with the state."""
        if self.state == "revoked" and self.revoked_at is not None:
            return words.moment(self.revoked_at.astimezone(self.zone))
        if self.state == "not_started":
            return gettext("from %(moment)s") % {"moment": words.moment(self.starts_at.astimezone(self.zone))}
        if self.state == "expired":
            return gettext("over since %(moment)s") % {"moment": self.until}
        last = local_date(self.expires_at - timedelta(microseconds=1), self.zone)
        left = words.days_left((last - local_date(self.at, self.zone)).days)
        return gettext("until %(moment)s") % {"moment": self.until} + " · " + left

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
        """What people call it: its label, or else the merchant that it is for, or else its code."""
        return self.label or self.target_name or self.code

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
    brought: Counts


def to_show(links: QuerySet[InviteLink]) -> QuerySet[InviteLink]:
    """The links with what a row of them reads. They come from `visible_to(actor)`."""
    suspended = Suspension.objects.filter(partner=OuterRef("partner"), during__upper_inf=True)
    return links.select_related(*RELATED).annotate(is_off=Exists(suspended))


def link_rows(
    *,
    actor: Actor,
    links: Sequence[InviteLink],
    at: datetime,
    titles: Mapping[str, str] | None = None,
    counts: Mapping[int, Counts] | None = None,
) -> list[LinkRow]:
    """The links, which come from `to_show`, in their order, with their counts.

    Whoever knows the programs' titles by code, and what the links brought, need not have them asked for again.
    """
    titles = dict(program_titles()) if titles is None else titles
    counts = link_counts(actor=actor, of=Q(link__in=[link.pk for link in links])) if counts is None else counts
    return [_row(link, counts.get(link.pk, NOTHING), titles, at) for link in links]


def link_totals(*, links: QuerySet[InviteLink], counts: Mapping[int, Counts], at: datetime) -> LinkTotals:
    """What the links brought, all together, and how many of them work now. One query."""
    live = Count("pk", filter=Q(pk__in=live_links(at).values("pk")))
    found = links.aggregate(links=Count("pk"), live=live)
    return LinkTotals(found["links"], found["live"], sum(counts.values(), NOTHING))


def registered_through(*, actor: Actor, link: InviteLink, most: int = 100) -> list[Registered]:
    """Who registered on the portal's own form through the link, the latest first."""
    agreed = RegistrationConsent.objects.filter(registration=OuterRef("pk"), kind=Consent.SHARE_CONTACT)
    rows = list(
        Registration.objects.visible_to(actor)
        .filter(link=link)
        .select_related("contact")
        .annotate(shared=Exists(agreed))
        .order_by("-pk")[:most]
    )
    known = Shop.objects.visible_to(actor).filter(registration__in=[row.pk for row in rows])
    shops = {shop.registration_id: shop for shop in known}
    found = []
    for row in rows:
        shop = shops.get(row.pk)
        contact: RegistrationContact | None = getattr(row, "contact", None) if row.shared else None
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


def _row(link: InviteLink, brought: Counts, titles: Mapping[str, str], at: datetime) -> LinkRow:
    target = getattr(link, "target", None)
    revocation = getattr(link, "revocation", None)
    return LinkRow(
        code=link.code,
        partner_code=link.partner.code,
        label=link.label,
        state=_state(link, at),
        program=link.program.code if link.program else None,
        program_title=titles.get(link.program.code, link.program.code) if link.program else "",
        target=target.entry.code if target else None,
        target_name=_names(target.entry) if target else "",
        starts_at=link.starts_at,
        expires_at=link.expires_at,
        revoked_at=revocation.revoked_at if revocation else None,
        max_uses=link.max_uses,
        uses=link.uses,
        visits=brought.visits,
        registrations=brought.registrations,
        certified=brought.certified,
        eligible=brought.eligible,
        from_feed=link.batch.source == "feed",
        at=at,
        zone=ZoneInfo(settings.PLATFORM_TIME_ZONE),
    )


def _names(entry: TargetEntry) -> str:
    return entry.merchant_name or str(entry.merchant or entry.brand)


def _state(link: InviteLink, at: datetime) -> str:
    revocation = getattr(link, "revocation", None)
    if revocation is not None and revocation.revoked_at <= at:
        return "revoked"
    if link.expires_at <= at:
        return "expired"
    if getattr(link, "is_off", False):
        return "suspended"
    if link.max_uses is not None and link.uses >= link.max_uses:
        return "used_up"
    return "live" if link.starts_at <= at else "not_started"
