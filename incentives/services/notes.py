"""What operators note about a payout for one another."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import BadInput
from core.models import Note
from incentives import policies
from incentives.models import Payout, PayoutNote

LONGEST = 4000


@transaction.atomic
def note_payout(*, actor: Actor, payout: Payout, text: str, at: datetime | None = None) -> PayoutNote:
    """Keep a note on a payout, whatever its state. Partners never read it. Raises NotAllowed, BadInput."""
    at, text = at or timezone.now(), text.strip()
    policies.ensure(policies.can_note(actor))
    if actor.user_id is None:
        raise RuntimeError("a person writes notes")
    if not 0 < len(text) <= LONGEST:
        raise BadInput(_("Write a note of at most %(most)s characters.") % {"most": f"{LONGEST:,}"}, code="bad_note")
    note = Note.objects.create(text=text)
    kept = PayoutNote.objects.create(payout=payout, author_id=actor.user_id, at=at, note=note)
    audit.record(actor=actor, action="payout.noted", subject=payout, details={"note": note.pk}, at=at)
    return kept
