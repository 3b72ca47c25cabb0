"""Applications in the admin dashboard: the queue, one application with what it states, and the decisions on it."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from core.actors import Capability
from core.errors import DomainError
from core.values import local_date
from incentives.exports import Table, stream_csv
from incentives.views.common import actor_for
from incentives.views.filter_bar import clean
from partners.application_pages import COLUMNS, ApplicationFilter, applications, as_rows
from partners.application_steps import STEPS, given_for, open_steps, possible_steps
from partners.console import decided_by, operators
from partners.models import Application, ApplicationContact
from partners.states import Resource, Service

PER_PAGE = 50


@operators
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """The queue, the longest waiting first, narrowed and sorted by the address."""
    asked = ApplicationFilter(request.GET, queryset=applications(actor_for(request)), request=request)
    return render(
        request,
        "console/applications/list.html",
        {
            "here": "applications",
            "filter": asked,
            "page": Paginator(asked.qs, PER_PAGE).get_page(request.GET.get("page")),
            "query": clean(request.GET).urlencode(),
            "zone": settings.PLATFORM_TIME_ZONE,
            "now": timezone.now(),
        },
    )


@operators
@require_safe
def listed_csv(request: HttpRequest) -> HttpResponseBase:
    """All rows that the list's address finds, as CSV."""
    asked = ApplicationFilter(request.GET, queryset=applications(actor_for(request)), request=request)
    response = StreamingHttpResponse(
        stream_csv(Table(COLUMNS, as_rows(asked.qs))), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="applications.csv"'
    return response


@operators
@require_safe
def application(request: HttpRequest, application: int) -> HttpResponse:
    """One application: what it states, its files, what has happened, and what this person may decide."""
    return _shown(request, _application_or_404(request, application))


@operators
@require_POST
@decided_by(step=dict.fromkeys(STEPS, (Capability.CERTIFY_PARTNER,)))
def decide_on(request: HttpRequest, application: int, step: str) -> HttpResponse:
    """Take one of `STEPS`. A refusal shows the application as it is now, with what was written kept."""
    found = _application_or_404(request, application)
    try:
        STEPS[step].act(actor=actor_for(request), application=found, **given_for(STEPS[step].asks, request.POST))
    except DomainError as refusal:
        again = _application_or_404(request, application)
        return _shown(request, again, refusal=refusal.message, tried=step, status=409)
    messages.success(request, str(STEPS[step].done) % {"name": found.name})
    return HttpResponseRedirect(reverse("console-application", args=[found.pk]))


def _shown(
    request: HttpRequest, found: Application, *, refusal: str = "", tried: str = "", status: int = 200
) -> HttpResponse:
    actor = actor_for(request)
    may = open_steps(actor, found)
    return render(
        request,
        "console/applications/application.html",
        {
            "here": "applications",
            "of": found,
            "contact": ApplicationContact.objects.filter(application=found).first(),
            "resources": [Resource(value).label for value in found.resources],
            "services": [Service(value).label for value in found.services],
            "files": found.files.order_by("pk"),
            "events": found.events.select_related("actor", "note").order_by("pk"),
            "steps": [(key, STEPS[key]) for key in may],
            "not_now": _why_not(request, found, may),
            "refusal": refusal,
            "tried": tried,
            "typed": request.POST if tried else {},
            "today": local_date(timezone.now(), ZoneInfo(settings.PLATFORM_TIME_ZONE)),
            "zone": settings.PLATFORM_TIME_ZONE,
        },
        status=status,
    )


def _why_not(request: HttpRequest, found: Application, may: list[str]) -> list[Any]:
    """Why this person may not take steps that somebody else may, each reason once."""
    actor = actor_for(request)
    reasons = [STEPS[key].may(actor, found) for key in possible_steps(found) if key not in may]
    return list(dict.fromkeys(str(reason) for reason in reasons))


def _application_or_404(request: HttpRequest, pk: int) -> Application:
    found = applications(actor_for(request)).select_related("applicant", "reviewer", "partner").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
