"""What a payout settles about a shop: whose it is doesn't change any more (POLICY 4)."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from core.errors import Conflict
from incentives.models import Payout, Result
from incentives.services.desk import lock_payouts
from incentives.states import PayoutState
from merchants.models import Shop

# Approved once: what happened to the payout later doesn't open the quarter again, but a void does.
SETTLED = (
    PayoutState.APPROVED,
    PayoutState.CLOSED,
    PayoutState.IN_PAYMENT,
    PayoutState.PAID,
    PayoutState.CLAWED_BACK,
)


def settled_shops(shop_ids: Collection[int]) -> dict[int, str]:
    """Those of the shops whose attribution is settled, each with the code of a program that settled it.

    Settled is a shop that a run evaluated of which a payout, anybody's, was approved: moving it would change
    what the program's partners were approved for.
    """
    runs = dict(Payout.objects.filter(state__in=SETTLED).values_list("run", "program__code").distinct())
    # The index on result.shop.
    return {
        shop: runs[run]
        for shop, run in Result.objects.filter(shop__in=shop_ids, run__in=runs).values_list("shop", "run")
    }


def ensure_attribution_open(shop: Shop) -> None:
    """Raise Conflict where the shop's attribution may not change any more: its program's payouts are approved.

    The guard of `merchants.services.assign_shop`, called in its transaction. It locks the payouts that an
    approval would lock, so that an approval at the same moment comes before it or after the assignment.
    """
    evaluated = Result.objects.filter(shop=shop).values("run")
    lock_payouts(Payout.objects.filter(run__in=evaluated).values_list("pk", flat=True))
    program = settled_shops([shop.pk]).get(shop.pk)
    if program is not None:
        raise Conflict(
            _("Payouts of %(program)s are approved; the attribution of its shops doesn't change any more.")
            % {"program": program},
            code="attribution_settled",
        )
