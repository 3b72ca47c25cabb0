"""A partner's statement."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from incentives.queries import program_titles, statement_of
from incentives.views.common import Place, actor_for, asked_payout, partner_for, program_or_404


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
            "files": (
                ("portal-payout-csv", "CSV"),
                ("portal-payout-xlsx", "XLSX"),
                ("portal-payout-json", _("Signed JSON")),
            ),
        },
    )


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
