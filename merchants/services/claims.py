"""A partner claims an entry of the list (报备), and gives a claim back (POLICY 4)."""

from datetime import datetime, timedelta

import psycopg
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils.translation import gettext as _

from core import audit, locks
from core.actors import Actor
from core.errors import Conflict, NotAllowed, NotFound, Unavailable
from core.models import PolicyVersion
from core.policy import Policy
from core.recording import open_batch, seal
from core.values import local_date
from merchants.listing import Place, for_partner, placed, standing_claims
from merchants.models import Claim, ClaimFact, ClaimRelease, TargetEntry
from merchants.states import ClaimStatus
from partners.links import may_recruit
from partners.models import Certification, Partner, Suspension

# Behind a large feed of lists a claim has to wait; no longer than a person does.
PATIENCE = "10s"
INSTANT = timedelta(microseconds=1)


def claim_entry(*, actor: Actor, partner: Partner, entry: TargetEntry, at: datetime) -> Claim:
    """Reserve `entry` for the partner from `at` on, for `claim.days` of 24 hours; in force at once.

    Raises NotAllowed; NotFound for an entry that the partner can't see; Conflict where the partner isn't certified or
    is suspended, the program has ended, the entry is off the list, directed, the partner's own already, has a certified
    shop, or isn't free (in the same words whoever has it, and by whatever), and where the partner holds
    `claim.max_in_force` claims on this program's list; Unavailable where a feed of lists is being recorded for longer
    than a person waits.
    """
    _ensure_recruits(actor, partner.pk)
    with transaction.atomic():
        wait_for_the_lists()
        # Whoever suspends holds this row: a claim is made before, or not at all.
        Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        version = entry.program.current_policy
        rules = version.rules
        _ensure_standing(partner, entry, rules, at)
        _ensure_free(actor, partner, entry, version, at)
        _ensure_room(partner, entry, rules, at)
        batch = open_batch(source="partner", actor_id=actor.user_id)
        # A terminated partner's claim holds nothing any more; that it ended becomes a fact when another follows it.
        ended = [_release(claim, at, batch_id=batch.pk).claim_id for claim in _left_behind(entry, at)]
        claim = _reserve(partner, entry, rules, at, batch_id=batch.pk)
        seal(batch)
        audit.record(
            actor=actor,
            action="claim.made",
            subject=claim,
            details={"partner": partner.code, "entry": entry.pk, "ended": ended},
        )
    return claim


def release_claim(*, actor: Actor, claim: Claim, at: datetime) -> ClaimRelease:
    """Give the claim back from `at` on, for good: whoever comes first may have the entry.

    A shop that registered before stays covered by it, also when it becomes known later. Raises NotAllowed; Conflict
    for a claim that is over.
    """
    _ensure_recruits(actor, claim.partner_id)
    with transaction.atomic():
        locked = Claim.objects.select_for_update().get(pk=claim.pk)
        over = locked.released_at is not None or locked.expires_at <= at or locked.status == ClaimStatus.REJECTED
        if over:
            raise Conflict(_("This claim is over already."), code="claim_over")
        batch = open_batch(source="partner", actor_id=actor.user_id)
        row = _release(locked, at, batch_id=batch.pk)
        seal(batch)
        audit.record(actor=actor, action="claim.released", subject=locked, details={"release": row.pk})
    return row


def _ensure_recruits(actor: Actor, partner_id: int) -> None:
    if not may_recruit(actor, partner_id):
        raise NotAllowed(_("Only an owner or a member of the organisation claims entries and gives them back."))


def wait_for_the_lists() -> None:
    """Take the lock under which feeds of lists are compared and written: a claim comes before a feed or after it.

    All claims and decisions on entries take it, so what they read of one another is what is there.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        try:
            locks.take(locks.Lock.FEED_LISTS)
        except OperationalError as error:
            if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise
            raise Unavailable(_("The lists are being updated just now. Try again in a minute.")) from None
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


def _ensure_standing(partner: Partner, entry: TargetEntry, rules: Policy, at: datetime) -> None:
    today = local_date(at, rules.zone)
    if Suspension.objects.filter(partner=partner, during__upper_inf=True).exists():
        raise Conflict(_("The organisation is suspended: it makes no new claims."), code="standing")
    if not Certification.objects.filter(partner=partner, days__contains=today).exists():
        raise Conflict(_("The organisation isn't certified today. It can claim entries once it is."), code="standing")
    if today > entry.program.ends_on:
        raise Conflict(_("This program has ended."), code="program_over")


def _ensure_free(actor: Actor, partner: Partner, entry: TargetEntry, version: PolicyVersion, at: datetime) -> None:
    visible = for_partner(TargetEntry.objects.visible_to(actor).filter(pk=entry.pk), partner.pk)
    found = placed(visible, partner_ids=[partner.pk], versions=[version], at=at)
    place = found.values_list("place", flat=True).first()
    if place is None:
        raise NotFound(_("There is no such entry."))
    match place:
        case Place.MINE:
            raise Conflict(_("Your organisation has claimed this entry already."), code="yours")
        case Place.WAITING:
            raise Conflict(_("Your organisation's claim on this entry is in review."), code="yours")
        case Place.OFF:
            raise Conflict(_("This entry was rejected, or is off the list."), code="off_the_list")
        case Place.SHOP:
            raise Conflict(_("It has a certified shop already: another one doesn't count."), code="has_shop")
        case Place.DIRECTED:
            raise Conflict(_("This entry is directed to you: invite it through a link of yours."), code="directed")
        case Place.TAKEN:
            raise _taken()


def _ensure_room(partner: Partner, entry: TargetEntry, rules: Policy, at: datetime) -> None:
    held = standing_claims(at).filter(partner=partner, entry__program=entry.program_id).count()
    if held >= rules.claim.max_in_force:
        raise Conflict(
            _("Your organisation holds %(most)s claims, as many as it may. Give one back first.")
            % {"most": rules.claim.max_in_force},
            code="too_many",
        )


def _reserve(partner: Partner, entry: TargetEntry, rules: Policy, at: datetime, *, batch_id: int) -> Claim:
    try:
        with transaction.atomic():
            claim: Claim = Claim.objects.create(
                entry=entry,
                partner=partner,
                claimed_at=at,
                expires_at=at + timedelta(days=rules.claim.days),
                status=ClaimStatus.APPROVED,
                batch_id=batch_id,
            )
    except IntegrityError:
        # The database's own guard, where this reading of the list was late: a claim that ended only after `at`.
        raise _taken() from None
    ClaimFact.objects.create(claim=claim, status=ClaimStatus.APPROVED, batch_id=batch_id)
    return claim


def _left_behind(entry: TargetEntry, at: datetime) -> list[Claim]:
    claims = Claim.objects.filter(entry=entry, status=ClaimStatus.APPROVED, expires_at__gt=at, released_at=None)
    return list(claims.exclude(pk__in=standing_claims(at)).order_by("pk"))


def _release(claim: Claim, at: datetime, *, batch_id: int) -> ClaimRelease:
    # One that is to begin later ends with its first instant.
    claim.released_at = max(at, claim.claimed_at + INSTANT)
    claim.save(update_fields=["released_at"])
    row: ClaimRelease = ClaimRelease.objects.create(claim=claim, released_at=claim.released_at, batch_id=batch_id)
    return row


def _taken() -> Conflict:
    return Conflict(_("This entry isn't free now."), code="taken")
