"""What a partner does to its links after they are made: it puts their end off, or ends them.

Making one is a floor up (`merchants.services`), where the entries of the lists are known.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import BadInput, Conflict
from core.recording import open_batch, seal
from partners.links import ensure_recruits, ensure_standing
from partners.models import InviteLink, LinkExtension, LinkRevocation

LONGEST = timedelta(days=400)


def revoke_link(*, actor: Actor, link: InviteLink, at: datetime) -> LinkRevocation:
    """Let nobody register through the link any more, from now on and for good.

    Shops that are recorded keep their partner; a registration made before stays valid (POLICY 4). Raises NotAllowed;
    Conflict where the link is revoked already.
    """
    ensure_recruits(actor, link.partner_id)
    with transaction.atomic():
        InviteLink.objects.select_for_update().get(pk=link.pk)
        batch = open_batch(source="partner", actor_id=actor.user_id)
        try:
            with transaction.atomic():
                row = LinkRevocation.objects.create(link=link, revoked_at=max(at, link.starts_at), batch=batch)
        except IntegrityError:  # a colleague, or the invites feed
            raise Conflict(_("This link was revoked before.")) from None
        seal(batch)
        audit.record(actor=actor, action="link.revoked", subject=link, details={"revocation": row.pk})
    return row


def extend_link(*, actor: Actor, link: InviteLink, expires_at: datetime, at: datetime) -> LinkExtension:
    """Put the link's end off to `expires_at`.

    A link that has expired or was revoked stays so: merchants who came in between were told that it is over. Links that
    the invites feed brought are kept by the feed. Raises NotAllowed, BadInput for a moment that puts nothing off or
    lies more than 400 days ahead, Conflict for a link that is over, the feed's, or a suspended partner's.
    """
    ensure_recruits(actor, link.partner_id)
    with transaction.atomic():
        locked = InviteLink.objects.select_for_update().select_related("batch").get(pk=link.pk)
        ensure_standing(locked.partner_id)
        if locked.batch.source == "feed":
            raise Conflict(_("The marketplace's own records keep this link; ask it to change the link's end."))
        if locked.expires_at <= at or LinkRevocation.objects.filter(link=locked).exists():
            raise Conflict(_("This link is over. Make a new one."))
        if expires_at <= locked.expires_at:
            raise BadInput(_("Choose a later end than the present one."))
        if expires_at > at + LONGEST:
            raise BadInput(_("A link lasts for 400 days from today at most."))
        batch = open_batch(source="partner", actor_id=actor.user_id)
        row = LinkExtension.objects.create(
            link=locked, expires_before=locked.expires_at, expires_at=expires_at, batch=batch
        )
        locked.expires_at = expires_at
        locked.save(update_fields=["expires_at"])
        seal(batch)
        audit.record(actor=actor, action="link.extended", subject=locked, details={"extension": row.pk})
    return row
