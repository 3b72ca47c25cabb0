"""Which links a merchant can register through now, and how often their pages are opened."""

import re
import secrets
from datetime import date, datetime

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from core.actors import Actor, Capability
from core.errors import Conflict, NotAllowed
from partners.models import InviteLink, LinkRevocation, Membership, Suspension
from partners.states import MemberRole

# No letter or digit that is mistaken for another when it is read out: 31 signs, of which 27 carry 133 bits.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
CODE_SIGNS = 27

# Programs that fetch a page for nobody's eyes: search engines, previews in chats, monitors, scripts.
_NO_READER = re.compile(
    # A phone by the name of Cubot is none.
    r"(?<!cu)bot(?:\b|_)|crawl|spider|slurp|preview|fetch|monitor|\bscan(?:ner)?\b|headless|lighthouse"
    r"|facebookexternalhit|embedly|whatsapp/|google-|googleother|mediapartners"
    r"|curl|wget|python|java/|okhttp|go-http|libwww|httpclient|axios|\bnode|\bruby|\bperl",
    re.IGNORECASE,
)


def new_code(signs: int = CODE_SIGNS) -> str:
    """A code that nobody guesses: 133 bits from the system's source of randomness."""
    return "".join(secrets.choice(ALPHABET) for _ in range(signs))


def live_links(at: datetime) -> QuerySet[InviteLink]:
    """Links through which a merchant can register at this moment (POLICY 4).

    Started, neither expired nor revoked nor used up, and the partner not suspended. All in one statement: whichever
    of these fails, there is no row, as there is none for a code that never was.
    """
    revoked = LinkRevocation.objects.filter(link=OuterRef("pk"), revoked_at__lte=at)
    suspended = Suspension.objects.filter(
        Q(during__contains=at) | Q(during__upper_inf=True), partner=OuterRef("partner")
    )
    found: QuerySet[InviteLink] = InviteLink.objects.filter(
        Q(max_uses=None) | Q(uses__lt=F("max_uses")),
        ~Exists(revoked),
        ~Exists(suspended),
        starts_at__lte=at,
        expires_at__gt=at,
    )
    return found


def is_reader(user_agent: str) -> bool:
    """Whether a person's browser is asking, as far as it tells: bots and previews name themselves, mostly."""
    return bool(user_agent.strip()) and not _NO_READER.search(user_agent)


def count_visit(*, link_id: int, day: date) -> None:
    """Count one more visit of the link on this day. Nothing about who came is kept."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO partners_linkvisits (link_id, day, visits) VALUES (%s, %s, 1)"
            " ON CONFLICT (link_id, day) DO UPDATE SET visits = partners_linkvisits.visits + 1",
            [link_id, day],
        )


def may_recruit(actor: Actor, partner_id: int) -> bool:
    """Whether the actor is an owner or member of this very partner: a viewer only looks.

    A person's roles are those of all its organisations together; here the one in this organisation counts.
    """
    if not actor.can(Capability.RECRUIT) or partner_id not in actor.partner_ids:
        return False
    recruiting = Membership.objects.filter(role__in=[MemberRole.OWNER, MemberRole.MEMBER])
    return recruiting.filter(partner=partner_id, user=actor.user_id).exists()


def ensure_recruits(actor: Actor, partner_id: int) -> None:
    """Raise NotAllowed unless the actor may make and change the partner's links."""
    if not may_recruit(actor, partner_id):
        raise NotAllowed(_("Only an owner or a member of the organisation makes and changes its links."))


def ensure_standing(partner_id: int) -> None:
    """Raise Conflict where the partner is suspended or terminated: its links are off, and it makes no new ones."""
    if Suspension.objects.filter(partner=partner_id, during__upper_inf=True).exists():
        raise Conflict(_("The organisation is suspended: its links are off, and no new ones are made."))
