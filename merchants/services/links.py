"""A partner makes an exclusive link (专属入驻链接): for any merchant, or for one entry of a list."""

import unicodedata
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound
from core.models import Program
from core.recording import open_batch, seal
from core.values import local_date
from merchants.models import LinkTarget, TargetEntry
from merchants.states import Review
from partners.links import ensure_recruits, ensure_standing, new_code
from partners.models import Certification, InviteLink, Partner
from partners.services.links import LONGEST

MOST_USES = 100_000
LONGEST_LABEL = 120


def create_link(
    *,
    actor: Actor,
    partner: Partner,
    expires_at: datetime,
    at: datetime,
    label: str = "",
    max_uses: int | None = None,
    program: Program | None = None,
    entry: TargetEntry | None = None,
) -> InviteLink:
    """Make a link that works from `at` until `expires_at`, for at most `max_uses` registrations.

    With `entry` it is made for that entry and belongs to its program; without, for any merchant. `program` is what the
    merchant is told that it is invited to.

    Raises NotAllowed; Conflict for a partner that is suspended or not certified on `at`'s date, and for an entry that
    was rejected or is off its list; NotFound for an entry that the partner can't see; BadInput for a period, label or
    number that makes no sense.
    """
    ensure_recruits(actor, partner.pk)
    label = " ".join(label.split())
    _check(label, max_uses, expires_at=expires_at, at=at)
    if entry is not None:
        _ensure_may_invite(actor, partner, entry, at)
        program = entry.program
    with transaction.atomic():
        # Whoever suspends holds this row: a link is made before, and then dead, or not at all.
        Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        ensure_standing(partner.pk)
        if not Certification.objects.filter(partner=partner, days__contains=_platform_date(at)).exists():
            raise Conflict(_("The organisation isn't certified today. Links can be made once it is."))
        batch = open_batch(source="partner", actor_id=actor.user_id)
        link = InviteLink.objects.create(
            code=new_code(),
            partner=partner,
            program=program,
            label=label,
            starts_at=at,
            expires_at=expires_at,
            max_uses=max_uses,
            batch=batch,
        )
        if entry is not None:
            LinkTarget.objects.create(link=link, entry=entry)
        seal(batch)
        audit.record(
            actor=actor,
            action="link.created",
            subject=link,
            details={"partner": partner.code, "entry": entry.pk if entry else None, "max_uses": max_uses},
        )
    return link


def _check(label: str, max_uses: int | None, *, expires_at: datetime, at: datetime) -> None:
    if len(label) > LONGEST_LABEL or any(unicodedata.category(sign).startswith("C") for sign in label):
        raise BadInput(_("A label has at most 120 characters, all of them visible."))
    if max_uses is not None and not 1 <= max_uses <= MOST_USES:
        raise BadInput(_("At most how many merchants: a number from 1 to 100,000, or nothing."))
    if expires_at <= at:
        raise BadInput(_("The link's end has passed already; choose a later one."))
    if expires_at > at + LONGEST:
        raise BadInput(_("A link lasts for 400 days from today at most."))


def _ensure_may_invite(actor: Actor, partner: Partner, entry: TargetEntry, at: datetime) -> None:
    visible = TargetEntry.objects.visible_to(actor).filter(pk=entry.pk).exists()
    if not visible or entry.assigned_to_id not in (None, partner.pk):
        raise NotFound(_("There is no such entry, or it is not for this organisation."))
    today = local_date(at, entry.program.zone)
    if entry.review == Review.REJECTED or (entry.delisted_on is not None and entry.delisted_on <= today):
        raise Conflict(_("This entry was rejected, or is off the list."))


def _platform_date(at: datetime) -> date:
    return local_date(at, ZoneInfo(settings.PLATFORM_TIME_ZONE))
