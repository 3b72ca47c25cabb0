"""Operators' pages: what waits and how programs stand, a run's shops. Everything else is in the back office."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.actors import Capability
from incentives.models import Run
from incentives.queries import program_overviews, program_titles
from incentives.queries.queues import queues
from incentives.queries.shop_pages import shop_page
from incentives.queries.today import failed_runs, freshness, since_last_week, standing
from incentives.views.common import Place, actor_for, program_or_404
from incentives.views.merchants import as_csv, as_xlsx, list_page, merchants_of, shop_context
from partners.console import operators


def _operators_only(request: HttpRequest) -> None:
    """To partners these pages don't exist."""
    if not actor_for(request).can(Capability.VIEW_EVERYTHING):
        raise Http404


@operators
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """What waits for this person, what each program stands at, how fresh the facts are. `?program=` chooses one."""
    actor, now = actor_for(request), timezone.now()
    programs = program_overviews(now=now)
    chosen = next((one for one in programs if one.code == request.GET.get("program")), None)
    chosen = chosen or next((one for one in programs if one.is_open), None) or next(iter(programs), None)
    run = Run.objects.select_related("program", "policy").get(pk=chosen.run.run_id) if chosen and chosen.run else None
    found = standing(actor=actor, run=run) if run else None
    return render(
        request,
        "console/overview.html",
        {
            "here": "overview",
            "queues": queues(actor),
            "overview": chosen,
            "program": chosen,
            "programs": [(one.code, one.title) for one in programs],
            "standing": found,
            "since": since_last_week(run) if run else None,
            "feeds": freshness(now=now),
            "failed": failed_runs(since=now - timedelta(days=7)),
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@login_required
@require_safe
def shops(request: HttpRequest, program: str) -> HttpResponse:
    """Every merchant of the program's last run, whoever brought it in."""
    _operators_only(request)
    place = program_or_404(program)
    merchants = merchants_of(request, place, None)
    return list_page(request, "console/shops.html", merchants, _frame(place), links=[], base="console-shops")


@login_required
@require_safe
def shops_csv(request: HttpRequest, program: str) -> HttpResponseBase:
    """All rows that the list's address finds, as CSV."""
    _operators_only(request)
    return as_csv(merchants_of(request, program_or_404(program), None))


@login_required
@require_safe
def shops_xlsx(request: HttpRequest, program: str) -> HttpResponseBase:
    """The same as a workbook."""
    _operators_only(request)
    return as_xlsx(merchants_of(request, program_or_404(program), None))


@login_required
@require_safe
def shop(request: HttpRequest, program: str, shop_code: str) -> HttpResponse:
    """One shop, exactly as its partner sees it."""
    _operators_only(request)
    place = program_or_404(program)
    found = shop_page(actor=actor_for(request), run=place.run, shop_code=shop_code) if place.run else None
    if found is None:
        raise Http404
    return render(request, "console/shop.html", {**_frame(place), **shop_context(found)})


def _frame(place: Place) -> dict[str, Any]:
    return {
        "program": place.program,
        "programs": program_titles(),
        "run": place.run,
        "zone": place.zone,
        "here": "shops",
    }
