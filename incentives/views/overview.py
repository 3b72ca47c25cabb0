"""A partner's overview: one program, the answer first, then its figures."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incentives.charts import funnel_shape, pace_shape
from incentives.queries.answers import answer_of
from incentives.queries.overview import partner_overview
from incentives.views.common import actor_for, partner_for


@login_required
@require_safe
def overview(request: HttpRequest, program: str | None = None) -> HttpResponse:
    """The program of this code; with none, the one that there is most to do in."""
    partner, own = partner_for(request)
    actor = actor_for(request)
    shown, programs = partner_overview(actor=actor, partner=partner, program=program)
    if program is not None and shown is None:
        raise Http404
    return render(
        request,
        "portal/overview.html",
        {
            "here": "overview",
            "partner": partner,
            "own": own,
            "looking_in": actor.is_operator,
            "overview": shown,
            "program": shown.program if shown else None,
            "programs": [(glance.code, glance.title) for glance in programs],
            "others": [glance for glance in programs if shown is None or glance.code != shown.program.code],
            "answer": answer_of(shown) if shown else (),
            "funnel": funnel_shape(shown.funnel) if shown else None,
            "pace": pace_shape(shown.pace) if shown else None,
        },
    )
