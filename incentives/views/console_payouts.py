"""The review table in the admin dashboard: every payout, narrowed and sorted by the address, and as a file."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incentives import policies
from incentives.exports import stream_csv
from incentives.queries import program_titles
from incentives.queries.review import mine_to_approve, review_rows, review_table, sums
from incentives.services.bulk import BULK_STEPS
from incentives.views.common import actor_for
from incentives.views.review_bar import asked_payouts, chips, sorts
from partners.console import operators

PER_PAGE = 50


@operators
@require_safe
def payouts(request: HttpRequest) -> HttpResponse:
    """Payouts to review. The chosen ones are decided on a page of their own, which says before what will happen."""
    actor, asked = actor_for(request), asked_payouts(request)
    page = Paginator(asked.payouts, PER_PAGE).get_page(request.GET.get("page"))
    totals = sums(asked.payouts)
    return render(
        request,
        "console/payouts/list.html",
        {
            "here": "payouts",
            "rows": review_rows(actor=actor, payouts=list(page.object_list)),
            "page": page,
            "sums": totals,
            "chips": chips(asked),
            "sorts": sorts(asked),
            "query": asked.query,
            "kept": [(name, value) for name, values in asked.given.lists() for value in values],
            "chosen": asked.given,
            "titles": program_titles(),
            "mine": mine_to_approve(actor=actor, payouts=asked.payouts)
            if policies.is_open_to(actor, "approve")
            else None,
            "currency": totals[0].currency if len(totals) == 1 else "",
            "may": [step for step in BULK_STEPS if policies.is_open_to(actor, step)],
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@operators
@require_safe
def payouts_csv(request: HttpRequest) -> HttpResponseBase:
    """All payouts that the address asks for, in its order."""
    table = review_table(actor=actor_for(request), payouts=asked_payouts(request).payouts)
    response = StreamingHttpResponse(stream_csv(table), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="payouts.csv"'
    return response
