"""A partner's pages: overview, shops, one shop's condition card, the statement."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from incentives.filters import ResultFilter
from incentives.models import Result, Run
from incentives.queries import partner_programs, program_titles, shop_view, shop_views, statement_of
from incentives.querysets import ResultQuerySet
from incentives.states import Verdict
from incentives.views.common import Place, actor_for, asked_payout, partner_for, program_or_404

PER_PAGE = 25


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The partner's programs: the answer first, then its figures."""
    partner, own = partner_for(request)
    mine, others = partner_programs(actor=actor_for(request), partner_id=partner.pk)
    return render(
        request,
        "portal/overview.html",
        {
            **_frame(request, "overview", own),
            "partner": partner,
            "mine": mine,
            "others": others,
            # What the rail leads to: the program that ends last.
            "program": mine[0].program if mine else None,
        },
    )


@login_required
@require_safe
def shops(request: HttpRequest, program: str) -> HttpResponse:
    """The partner's shops in the program's last run, to search and filter."""
    partner, own = partner_for(request)
    place = program_or_404(program)
    results = Result.objects.visible_to(actor_for(request)).filter(partner=partner)
    return render(
        request,
        "portal/shops.html",
        {
            **_frame(request, "shops", own, place),
            "partner": partner,
            **shop_list(request, place.run, results),
        },
    )


@login_required
@require_safe
def shop(request: HttpRequest, program: str, shop_code: str) -> HttpResponse:
    """One shop's condition card. Foreign and absent are not told apart."""
    partner, own = partner_for(request)
    place = program_or_404(program)
    view = shop_view(actor=actor_for(request), run=place.run, shop_code=shop_code) if place.run else None
    if view is None or view.partner_code != partner.code:
        raise Http404
    return render(
        request, "portal/shop.html", {**_frame(request, "shops", own, place), "partner": partner, "shop": view}
    )


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


def shop_list(request: HttpRequest, run: Run | None, results: ResultQuerySet) -> dict[str, Any]:
    """One page of a run's shops in words, with the filter's form and the verdicts' counts."""
    of_run = results.filter(run=run) if run else results.none()
    counts = dict(of_run.values_list("verdict").annotate(count=Count("shop")).order_by())
    narrowed = ResultFilter(request.GET, queryset=of_run.order_by("shop__code"))
    chosen = narrowed.qs if narrowed.is_valid() else of_run.none()
    page = Paginator(chosen.select_related("shop", "partner", "run__program"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    query = request.GET.copy()
    query.pop("page", None)
    return {
        "page": page,
        "shops": shop_views(list(page.object_list)),
        "search": request.GET.get("search", ""),
        "verdicts": [
            (
                verdict.value,
                verdict.label,
                counts.get(verdict.value, 0),
                verdict.value in request.GET.getlist("verdict"),
            )
            for verdict in Verdict
        ],
        "all_shops": sum(counts.values()),
        "query": query.urlencode(),
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
