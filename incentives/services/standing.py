"""A partner's standing and its money: a suspended or terminated one has its unpaid payouts held at once (POLICY 6)."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from core import locks
from core.actors import Actor
from incentives import policies
from incentives.models import Payout
from incentives.services.desk import lock_payouts
from incentives.services.holds import hold_payout, unheld
from partners.models import Partner, Suspension
from partners.services import suspend_partner, terminate_partner


@transaction.atomic
def suspend_partner_and_hold(
    *, actor: Actor, partner: Partner, reason: str, at: datetime | None = None
) -> tuple[Suspension, list[Payout]]:
    """Suspend a partner until it is reinstated, and hold its unpaid payouts; both or neither.

    Returns the suspension and the payouts that are held by it, not those that were held before. They stay held when
    the partner is reinstated: releasing each is a decision of its own. The partner reads `reason` on all of them.
    Raises NotAllowed, BadInput without a reason, Conflict where the partner is suspended or terminated already.
    """
    return _decide(suspend_partner, actor=actor, partner=partner, reason=reason, at=at or timezone.now())


@transaction.atomic
def terminate_partner_and_hold(
    *, actor: Actor, partner: Partner, reason: str, at: datetime | None = None
) -> tuple[Suspension, list[Payout]]:
    """End the cooperation (清退) for good, and hold what is unpaid; the rest as for a suspension."""
    return _decide(terminate_partner, actor=actor, partner=partner, reason=reason, at=at or timezone.now())


def _decide(
    change_standing: Callable[..., Suspension], *, actor: Actor, partner: Partner, reason: str, at: datetime
) -> tuple[Suspension, list[Payout]]:
    # A submission under way ends first, and its payouts are seen here; one that comes later sees the suspension. The
    # rows are locked before anything is decided, as whoever decides on a payout has its row before the trail's lock.
    locks.take(locks.Lock.PAYOUT_LINES)
    unpaid = lock_payouts(
        Payout.objects.filter(partner=partner, state__in=policies.STEPS["hold"]).values_list("pk", flat=True)
    )
    suspension = change_standing(actor=actor, partner=partner, reason=reason)
    # As the rows are under the lock: one may have been paid, held or released while it was waited for.
    to_hold = unheld([payout for payout in unpaid if payout.state in policies.STEPS["hold"]])
    return suspension, [hold_payout(actor=actor, payout=payout, reason=reason, at=at) for payout in to_hold]
