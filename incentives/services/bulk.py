"""One decision on many payouts: kept as rows, worked off in pieces, its progress there to be read."""

from collections.abc import Callable, Mapping
from datetime import datetime
from time import monotonic

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import BadInput, DomainError
from core.models import Note
from incentives import policies, wake
from incentives.models import BulkDecision, BulkItem, Payout
from incentives.services.desk import lock_payouts
from incentives.services.holds import hold_payout, release_payout
from incentives.services.reviews import approve_payouts, return_payout
from incentives.services.voids import void_payout
from incentives.states import BulkOutcome
from partners.people import actor_of

# Large enough to spare queries, small enough that nobody waits long for a row or for the trail.
PIECE = 200
MOST = 5_000

Step = Callable[..., Payout]
ONE_BY_ONE: dict[str, Step] = {
    "return": return_payout,
    "void": void_payout,
    "hold": hold_payout,
    "release": release_payout,
}
BULK_STEPS = ("approve", *ONE_BY_ONE)
NEEDS_REASON = ("return", "void", "hold")


@transaction.atomic
def decide_in_bulk(
    *, actor: Actor, step: str, versions: Mapping[int, int | None], reason: str = "", at: datetime | None = None
) -> BulkDecision:
    """Have a step taken on each payout of `versions` (by id, the version that the person saw), by whoever works.

    `step`: one of BULK_STEPS. Each payout is decided as if alone, with the roles that the person has by then; what is
    refused stays as it is, with its reason. Raises NotAllowed where the roles don't open the step at all, BadInput for
    no payouts, too many, an unknown step, or no reason where one is needed.
    """
    at, reason = at or timezone.now(), reason.strip()
    if step not in BULK_STEPS:
        raise BadInput(_("There is no such step for many payouts."), code="unknown_step")
    policies.ensure(policies.can_decide_in_bulk(actor, step))
    if actor.user_id is None:
        raise RuntimeError("a person decides on many payouts")
    if step in NEEDS_REASON and not reason:
        raise BadInput(_("Give a reason: the partner will read it."), code="reason_needed")
    known = set(Payout.objects.visible_to(actor).filter(pk__in=list(versions)).values_list("pk", flat=True))
    if not known or len(versions) > MOST:
        raise BadInput(_("Name at least one payout and at most %(most)s.") % {"most": f"{MOST:,}"}, code="how_many")
    bulk = BulkDecision.objects.create(
        step=step,
        actor_id=actor.user_id,
        reason=Note.objects.create(text=reason) if reason else None,
        asked_at=at,
        total=len(known),
    )
    BulkItem.objects.bulk_create(
        BulkItem(bulk=bulk, payout_id=payout, seen=versions[payout]) for payout in sorted(known)
    )
    audit.record(
        actor=actor,
        action="payouts.bulk_asked",
        subject=bulk,
        details={"step": step, "payouts": len(known), "note": bulk.reason_id},
        at=at,
    )
    transaction.on_commit(lambda: wake.deciders(bulk.pk))
    return bulk


def work_on_bulk(bulk_id: int, *, seconds: float | None = None) -> bool:
    """Take the step on what is waiting, a piece at a time, for about so many seconds; True where something is left.

    Harmless when called twice or by many: a piece is done and marked in one transaction.
    """
    until = monotonic() + seconds if seconds is not None else None
    while _work_on_piece(bulk_id):
        if until is not None and monotonic() >= until:
            return True
    return False


def waiting_bulks() -> list[int]:
    """Bulk decisions that aren't finished: whose message was lost is found here."""
    return list(BulkDecision.objects.filter(finished_at=None).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _work_on_piece(bulk_id: int) -> bool:
    # One piece of a decision at a time: the row is the lock, and whoever comes second leaves it to the first.
    bulk = (
        BulkDecision.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        .select_related("actor", "reason")
        .filter(pk=bulk_id, finished_at=None)
        .first()
    )
    if bulk is None:
        return False
    items = list(bulk.items.filter(outcome=BulkOutcome.WAITING).order_by("payout")[:PIECE])
    if not items:
        bulk.finished_at = timezone.now()
        bulk.save(update_fields=["finished_at"])
        return False
    # The roles that the person has now: one that was taken meanwhile opens nothing.
    answers = _decide(actor_of(bulk.actor), bulk, {item.payout_id: item.seen for item in items})
    _mark(items, answers)
    return True


def _mark(items: list[BulkItem], answers: Mapping[int, Payout | DomainError]) -> None:
    refused = []
    for item in items:
        answer = answers[item.payout_id]
        if isinstance(answer, DomainError):
            item.outcome, item.code, item.message = BulkOutcome.REFUSED, answer.code[:40], answer.message
            refused.append(item)
    done = {item.pk for item in items} - {item.pk for item in refused}
    BulkItem.objects.filter(pk__in=done).update(outcome=BulkOutcome.DONE)
    BulkItem.objects.bulk_update(refused, ["outcome", "code", "message"])


def _decide(actor: Actor, bulk: BulkDecision, versions: Mapping[int, int | None]) -> dict[int, Payout | DomainError]:
    if bulk.step == "approve":
        return approve_payouts(actor=actor, versions=versions)
    reason = (bulk.reason.text or "") if bulk.reason else ""
    # All rows before the first decision: each leaves this transaction with the trail's lock, and whoever has one of the
    # rows may be waiting for that.
    payouts = {payout.pk: payout for payout in lock_payouts(versions)}
    answers: dict[int, Payout | DomainError] = {}
    for pk in sorted(versions):
        try:
            with transaction.atomic():
                answers[pk] = ONE_BY_ONE[bulk.step](
                    actor=actor, payout=payouts[pk], version=versions[pk], reason=reason
                )
        except DomainError as refusal:
            answers[pk] = refusal
    return answers
