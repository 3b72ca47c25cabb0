"""Why a payout can't be paid now, asked for many at once."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from core.actors import Actor
from core.errors import Conflict, DomainError, NotAllowed
from incentives import policies
from incentives.models import PaymentBatch, PaymentItem, Payout
from incentives.services.invoices import invoice_needed, not_invoiced
from incentives.states import ItemState, PayoutState
from partners.payees import payment_obstacles


def obstacles_to_payment(
    actor: Actor, payouts: Collection[Payout], *, batch: PaymentBatch | None = None
) -> dict[int, DomainError]:
    """Why which of these payouts, locked, can't be sent to the bank by this actor; who isn't in the answer can be.

    `batch` is the one that they are in already. A few queries however many payouts.
    """
    others = in_the_way(payouts, batch=batch)
    found: dict[int, DomainError] = {}
    for payout in payouts:
        allowed = policies.can_pay(actor, payout)
        if allowed is not True:
            found[payout.pk] = NotAllowed(str(allowed))
        elif payout.pk in others:
            found[payout.pk] = others[payout.pk]
    return found


def in_the_way(payouts: Collection[Payout], *, batch: PaymentBatch | None = None) -> dict[int, Conflict]:
    """Why which of these payouts can't be paid now, whoever pays: what the payments page shows. A few queries."""
    others = PaymentItem.objects.filter(payout__in=payouts, state=ItemState.WAITING)
    if batch is not None:
        others = others.exclude(batch=batch)
    elsewhere = dict(others.values_list("payout", "batch"))
    payees = payment_obstacles({payout.partner_id for payout in payouts})
    papers = not_invoiced(payouts)
    found: dict[int, Conflict] = {}
    for payout in payouts:
        if payout.state != PayoutState.APPROVED:
            words = _("The payout is %(state)s, not approved.") % {"state": payout.get_state_display()}
            found[payout.pk] = Conflict(words, code="not_approved")
        elif payout.held:
            found[payout.pk] = Conflict(_("The payout is held; release it first."), code="held")
        elif payout.pk in elsewhere:
            words = _("The payout is in batch %(batch)s already.") % {"batch": elsewhere[payout.pk]}
            found[payout.pk] = Conflict(words, code="in_a_batch")
        elif payout.partner_id in payees:
            obstacle = payees[payout.partner_id]
            found[payout.pk] = Conflict(obstacle.reason, code=obstacle.code)
        elif payout.pk in papers:
            found[payout.pk] = invoice_needed()
    return found
