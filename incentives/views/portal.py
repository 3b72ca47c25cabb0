"""A partner's statement."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from incentives.invoice_policies import can_hand_in, takes_invoice
from incentives.models import Payout
from incentives.queries import Statement, program_titles, statement_of
from incentives.queries.payout_list import hold_reasons, live_invoices, wants_invoice
from incentives.queries.waterfall import stages, waterfall
from incentives.states import PayoutState
from incentives.views.common import Place, actor_for, asked_payout, partner_for, program_or_404
from partners.models import Partner
from partners.payees import payment_obstacle


@login_required
@require_safe
def payout(request: HttpRequest, program: str) -> HttpResponse:
    """The partner's statement: lines, discount, state, provisional until it is approved. `?payout=`: an earlier one."""
    partner, own = partner_for(request)
    place = program_or_404(program)
    asked = asked_payout(request)
    statement = (
        statement_of(actor=actor_for(request), run=place.run, partner_id=partner.pk, payout_id=asked)
        if place.run
        else None
    )
    if statement is None and asked is not None:
        raise Http404
    return render(
        request,
        "portal/payout.html",
        {
            **_frame(request, "payout", own, place),
            "partner": partner,
            "statement": statement,
            **(_around(request, statement, partner) if statement else {}),
            "files": (
                ("portal-payout-csv", "CSV"),
                ("portal-payout-xlsx", "XLSX"),
                ("portal-payout-json", _("Signed JSON")),
            ),
        },
    )


def _around(request: HttpRequest, statement: Statement, partner: Partner) -> dict[str, Any]:
    """What stands beside the figures: where the payout is on its way, what stops it, its invoice."""
    found: dict[str, Any] = {"chart": waterfall(statement), "stages": stages(statement)}
    if statement.payout_id is not None and statement.held:
        found["held_for"] = hold_reasons([statement.payout_id]).get(statement.payout_id, "")
    if statement.payout_id is None or statement.approved_at is None:
        return found  # nothing to be paid or invoiced yet
    payout = Payout.objects.visible_to(actor_for(request)).select_related("partner").get(pk=statement.payout_id)
    invoice = live_invoices([payout]).get(payout.pk)
    return {
        **found,
        "obstacle": payment_obstacle(partner) if payout.state == PayoutState.APPROVED else None,
        "takes_invoice": takes_invoice(payout) or invoice is not None,
        "may_invoice": can_hand_in(actor_for(request), payout) is True,
        "invoice": invoice,
        "invoice_wanted": wants_invoice(payout, invoice),
    }


def _frame(request: HttpRequest, here: str, own: list[Any], place: Place | None = None) -> dict[str, Any]:
    """What the frame around every page of the portal needs."""
    return {
        "here": here,
        "own": own,
        "looking_in": actor_for(request).is_operator,
        "program": place.program if place else None,
        "programs": program_titles() if place else (),
        "run": place.run if place else None,
        "zone": place.zone if place else "",
    }
