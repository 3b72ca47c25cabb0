"""Shops are given to partners, by decision or by the rules once more (POLICY 4)."""

from collections.abc import Callable, Sequence

from django.db import connection, transaction

from core import audit
from core.actors import Actor, Capability
from core.errors import BadInput, NotFound
from core.hooks import announce_facts
from core.models import Note
from core.recording import open_batch, seal
from merchants.attribution import ATTRIBUTE_AGAIN
from merchants.models import Attribution, Shop
from merchants.states import Cause
from partners.models import Partner


def assign_shop(
    *, actor: Actor, shop: Shop, partner: Partner, reason: str, guard: Callable[[Shop], None] | None = None
) -> Attribution:
    """Give a shop to a partner by decision, whoever had it before (POLICY 4, 3): a new row, with a reason.

    A shop never changes hands after its program's payouts are approved. That is known one floor up: who calls this
    for people passes `guard`, which is called with the locked shop and raises a DomainError where it is too late.
    """
    actor.require(Capability.ASSIGN_SHOP)
    if not reason.strip():
        raise BadInput("Say why: the partner that loses or gets the shop will ask.")
    with transaction.atomic():
        locked = Shop.objects.select_for_update().get(pk=shop.pk)
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


def apply_attribution_again(*, actor: Actor, shops: Sequence[Shop]) -> int:
    """Apply the rules of POLICY 4 once more to those of `shops` that nobody brought in, by what is known now.

    For a claim that was loaded late. Whether a link was valid was decided when its shop was recorded, and stays.
    Returns how many shops found their partner. Raises NotFound for an empty choice.
    """
    actor.require(Capability.ASSIGN_SHOP)
    if not shops:
        raise NotFound("Choose at least one shop.")
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
