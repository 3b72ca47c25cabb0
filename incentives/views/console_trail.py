"""The audit trail in the admin dashboard: to read, to narrow, to take along, and to verify."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.audit import verify_chain
from core.trail import COLUMNS, TrailFilter, as_rows, trail
from incentives.exports import Table, stream_csv
from incentives.views.common import actor_for
from partners.console import operators, query_without

PER_PAGE = 100


@operators
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The newest rows that fit, or those before `?before=`; with `?verify=1` the whole chain is walked first."""
    asked = TrailFilter(request.GET, queryset=trail(actor_for(request)))
    before = request.GET.get("before", "")
    rows = asked.qs
    if before.isascii() and before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    shown = list(rows[: PER_PAGE + 1])
    return render(
        request,
        "console/trail.html",
        {
            "here": "audit",
            "filter": asked,
            "events": shown[:PER_PAGE],
            "next": shown[PER_PAGE - 1].pk if len(shown) > PER_PAGE else None,
            "query": query_without(request, "before", "verify"),
            "report": verify_chain() if request.GET.get("verify") == "1" else None,
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@operators
@require_safe
def audit_csv(request: HttpRequest) -> HttpResponseBase:
    """All rows that fit, as CSV."""
    asked = TrailFilter(request.GET, queryset=trail(actor_for(request)))
    response = StreamingHttpResponse(
        stream_csv(Table(COLUMNS, as_rows(asked.qs))), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response
