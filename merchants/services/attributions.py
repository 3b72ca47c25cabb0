"""Shops are given to partners, by decision or by the rules once more (POLICY 4)."""

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, Capability
from core.errors import BadInput, Conflict, NotFound
from core.hooks import announce_facts
from core.models import Note
from core.recording import open_batch, seal
from merchants.attribution import ATTRIBUTE_AGAIN
from merchants.models import Attribution, Shop
from merchants.states import Cause
from partners.models import Partner


def assign_shop(
    *,
    actor: Actor,
    shop: Shop,
    partner: Partner,
    reason: str,
    guard: Callable[[Shop], None] | None = None,
    seen: int | None = None,
) -> Attribution:
    """Give a shop to a partner by decision, whoever had it before (POLICY 4, 3): a new row, with a reason.

    A shop never changes hands after its program's payouts are approved. That is known one floor up: who calls this
    for people passes `guard`, which is called with the locked shop and raises a DomainError where it is too late.
    `seen` is the attribution in force that the person saw, 0 for none: raises Conflict that says who has changed it
    since, and when.
    """
    actor.require(Capability.ASSIGN_SHOP)
    if not reason.strip():
        raise BadInput(_("Say why: the partner that loses or gets the shop will ask."), code="reason_needed")
    with transaction.atomic():
        locked = Shop.objects.select_for_update().get(pk=shop.pk)
        if seen is not None:
            _ensure_seen(locked, seen)
        if guard is not None:
            guard(locked)
        batch = open_batch(source="operator", actor_id=actor.user_id)
        note = Note.objects.create(text=reason.strip())
        row = Attribution.objects.create(shop=locked, partner=partner, cause=Cause.ASSIGNMENT, reason=note, batch=batch)
        announce_facts(kind="assignment", batch_id=batch.pk)
        seal(batch)
        audit.record(
            actor=actor,
            action="shop.assigned",
            subject=locked,
            details={"partner": partner.code, "attribution": row.pk, "reason": note.pk},
        )
    return row


def _ensure_seen(shop: Shop, seen: int) -> None:
    latest = (
        Attribution.objects.filter(shop=shop, batch__recorded_at__isnull=False)
        .select_related("partner", "batch__actor")
        .order_by("-batch__recorded_at", "-pk")
        .first()
    )
    if latest is None or latest.pk == seen:
        return
    actor, at = latest.batch.actor, latest.batch.recorded_at
    raise Conflict(
        _("The shop was given to %(partner)s by %(who)s at %(when)s. Look at it again.")
        % {
            "partner": latest.partner.code,
            "who": actor.get_full_name() if actor else _("a feed"),
            "when": f"{localtime(at, ZoneInfo(settings.PLATFORM_TIME_ZONE)):%Y-%m-%d %H:%M}",
        },
        code="stale",
    )


def apply_attribution_again(*, actor: Actor, shops: Sequence[Shop]) -> int:
    """Apply the rules of POLICY 4 once more to those of `shops` that nobody brought in, by what is known now.

    For a claim that was loaded late. Whether a link was valid was decided when its shop was recorded, and stays.
    Returns how many shops found their partner. Raises NotFound for an empty choice.
    """
    actor.require(Capability.ASSIGN_SHOP)
    if not shops:
        raise NotFound(_("Choose at least one shop."))
    with transaction.atomic():
        # In the order of their ids, as whoever locks shops does; attributions are written under a shop's lock.
        ids = list(
            Shop.objects.select_for_update()
            .filter(pk__in=[shop.pk for shop in shops])
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        batch = open_batch(source="operator", actor_id=actor.user_id)
        with connection.cursor() as cursor:
            cursor.execute(ATTRIBUTE_AGAIN, {"batch": batch.pk, "known": "infinity", "shops": ids})
            found = int(cursor.rowcount)
        if found:
            announce_facts(kind="attribution", batch_id=batch.pk)
        seal(batch)
        audit.record(
            actor=actor,
            action="attribution.applied_again",
            subject=batch,
            details={"shops": len(ids), "found": found},
        )
    return found
