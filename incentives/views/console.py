"""Operators' pages: programs with their runs and money, a run's shops. Everything else is in the back office."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.actors import Capability
from incentives.models import Result
from incentives.queries import program_overviews, program_titles, shop_view
from incentives.views.common import actor_for, program_or_404
from incentives.views.portal import shop_list


def _operators_only(request: HttpRequest) -> None:
    """To partners these pages don't exist."""
    if not actor_for(request).can(Capability.VIEW_EVERYTHING):
        raise Http404


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Programs, the last run of each, one at work, verdicts, money by state."""
    _operators_only(request)
    return render(request, "console/overview.html", {"programs": program_overviews(), "here": "overview"})


@login_required
@require_safe
def shops(request: HttpRequest, program: str) -> HttpResponse:
    """Every shop of the program's last run, whoever brought it in."""
    _operators_only(request)
    place = program_or_404(program)
    listed = shop_list(request, place.run, Result.objects.visible_to(actor_for(request)))
    context = {"program": place.program, "run": place.run, "zone": place.zone, "here": "shops", **listed}
    context["programs"] = program_titles()
    return render(request, "console/shops.html", context)


@login_required
@require_safe
def shop(request: HttpRequest, program: str, shop_code: str) -> HttpResponse:
    """One shop's card, exactly as its partner sees it."""
    _operators_only(request)
    place = program_or_404(program)
    view = shop_view(actor=actor_for(request), run=place.run, shop_code=shop_code) if place.run else None
    if view is None:
        raise Http404
    context = {"program": place.program, "run": place.run, "zone": place.zone, "here": "shops", "shop": view}
    return render(request, "console/shop.html", context)
