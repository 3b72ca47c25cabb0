"""The lines of a difference: shops that a later run adds take their merchants' places, those it loses leave them."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.errors import Conflict
from core.states import IllegalTransition
from incentives.models import Adjustment, FrozenShop, Payout, PayoutLine, Run
from incentives.queries.differences import SETTLED, Difference, difference_of
from incentives.services.freezing import scope_of
from incentives.states import LineState


def recompute(payout: Payout) -> Difference:
    """The difference of the program's last published run to this payout. Raises Conflict where there is none."""
    if payout.state not in SETTLED:
        raise IllegalTransition(
            _("The payout is %(now)s; a later run's difference is settled once it is approved.")
            % {"now": payout.get_state_display()}
        )
    run = Run.objects.published().filter(program=payout.program_id).select_related("program").order_by("-pk").first()
    if run is None or run.pk <= payout.run_id:
        raise Conflict(_("No run has come after this payout's."), code="no_difference")
    return difference_of(payout=payout, run=run)


def place_lines(adjustment: Adjustment) -> None:
    """Give the shops of a proposed difference their places in its payout, whose amounts stay as they are.

    Raises Conflict where the difference isn't what was proposed any more, or a place was taken meanwhile.
    """
    payout = adjustment.payout
    if payout is None:
        raise ValueError("only a difference has lines")
    difference = recompute(payout)
    gained, lost = ([line.shop_id for line in part] for part in (difference.gained, difference.lost))
    then = adjustment.details
    if (difference.run_id, difference.amount, gained, lost) != (
        adjustment.run_id,
        adjustment.amount,
        then["gained"],
        then["lost"],
    ):
        raise Conflict(
            _("The difference is %(now)s now: decline this one, and propose that.")
            % {"now": f"{difference.amount:,.2f}"},
            code="stale",
        )
    lines = PayoutLine.objects.filter(payout=payout)
    try:
        with transaction.atomic():
            lines.filter(shop__in=lost, state=LineState.LIVE).update(state=LineState.DEDUCTED)
            lines.filter(shop__in=lost, state=LineState.ADDED).update(state=LineState.RETURNED)
            lines.filter(shop__in=gained, state=LineState.DEDUCTED).update(state=LineState.LIVE)
            known = lines.filter(shop__in=gained)
            known.exclude(state=LineState.LIVE).update(state=LineState.ADDED, withheld_for="")
            _add(payout, difference, set(gained) - set(known.values_list("shop", flat=True)))
    except IntegrityError:
        raise Conflict(
            _("A merchant, brand or target entry of this difference is in another payout meanwhile."),
            code="taken_since",
        ) from None


def _add(payout: Payout, difference: Difference, shops: set[int]) -> None:
    amounts = {line.shop_id: line.after for line in difference.gained}
    PayoutLine.objects.bulk_create(
        PayoutLine(
            payout=payout,
            shop_id=shop.shop_id,
            merchant_id=shop.merchant_id,
            brand_id=shop.brand_id,
            entry_id=shop.entry_id,
            amount=amounts[shop.shop_id],
            scope=scope_of(payout.run),
            state=LineState.ADDED,
        )
        for shop in FrozenShop.objects.filter(run=difference.run_id, shop__in=shops).order_by("shop")
    )
