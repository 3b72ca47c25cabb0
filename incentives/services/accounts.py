"""A partner's running account: what its next payout pays or keeps besides its net (POLICY 6).

Whatever a payout couldn't settle, a clawback, an adjustment: all of it is the balance of the ledger's
`partner_receivable`, so that nothing is carried twice and the books always add up.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict
from core.states import IllegalTransition
from incentives import ledger, policies
from incentives.models import Payout
from incentives.services.desk import ZERO, change, decide, lock_payout, told
from incentives.states import DecisionKind, PayoutState


def open_accounts(
    partner_ids: Collection[int], *, currency: str, without: Payout | None = None
) -> Mapping[int, Decimal]:
    """What a payout of each partner would carry now: below zero a debt that it keeps, above zero what it pays besides.

    That is the account's balance as far as no other payout in review (other than `without`) carries it, and never
    beyond what the account holds. Partners with nothing to carry are left out.
    """
    others = Payout.objects.filter(partner__in=partner_ids, state=PayoutState.IN_REVIEW, currency=currency)
    if without is not None:
        others = others.exclude(pk=without.pk)
    carried = dict(others.values_list("partner").annotate(total=Sum("adjustments")).order_by())
    found = {}
    for partner, balance in ledger.accounts(partner_ids, currency=currency).items():
        due = -balance
        rest = due - carried.get(partner, ZERO)
        amount = max(ZERO, min(rest, due)) if due > 0 else min(ZERO, max(rest, due))
        if amount:
            found[partner] = amount
    return found


@transaction.atomic
def carry_account(*, actor: Actor, payout: Payout, version: int | None = None, at: datetime | None = None) -> Payout:
    """Take the partner's running account into a payout in review, as it stands now, in place of what it carries.

    It changes the payout: whoever does it doesn't approve it. Raises NotAllowed, Conflict where nothing has changed.
    """
    at = at or timezone.now()
    payout = lock_payout(payout, version)
    policies.ensure(policies.can_carry(actor, payout))
    if payout.state != PayoutState.IN_REVIEW:
        raise IllegalTransition(
            _("The payout is %(now)s; an account is carried into a payout in review.")
            % {"now": payout.get_state_display()}
        )
    carried = open_accounts([payout.partner_id], currency=payout.currency, without=payout)
    now = carried.get(payout.partner_id, ZERO)
    if now == payout.adjustments:
        raise Conflict(_("The payout carries the account as it stands."), code="nothing_to_carry")
    before = payout.adjustments
    change(payout, adjustments=now, payable=payout.net_amount + now)
    decision = decide(
        payout,
        DecisionKind.CARRY,
        actor=actor,
        at=at,
        before=payout.state,
        details={"adjustments_before": str(before), "adjustments": str(now)},
    )
    audit.record(
        actor=actor,
        action="payout.account_carried",
        subject=payout,
        details={**told(decision, payout), "adjustments_before": str(before), "adjustments": str(now)},
        at=at,
    )
    return payout
