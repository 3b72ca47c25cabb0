"""Entries of a list that look like one, in the admin dashboard: side by side, to reject one or keep both."""

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
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from core.actors import Capability
from core.errors import DomainError
from core.models import Program
from incentives.exports import Table, stream_csv
from incentives.queries import program_titles
from incentives.views.common import actor_for
from incentives.views.filter_bar import clean
from merchants.console_lists import PAIR_COLUMNS, PairFilter, pair_rows, pairs
from merchants.services import find_duplicates, keep_both, reject_duplicate, uncompared
from partners.console import decided_by, operators

PER_PAGE = 25


@operators
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Pairs that wait for a decision, the most alike first; or what was decided."""
    return _list(request)


@operators
@require_safe
def listed_csv(request: HttpRequest) -> HttpResponseBase:
    """All rows that the list's address finds, as CSV."""
    asked = PairFilter(request.GET, queryset=pairs(actor_for(request)))
    response = StreamingHttpResponse(
        stream_csv(Table(PAIR_COLUMNS, pair_rows(asked.qs))), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="possible-duplicates.csv"'
    return response


@operators
@require_POST
@decided_by(Capability.KEEP_LISTS)
def look(request: HttpRequest) -> HttpResponse:
    """Compare entries of a program that weren't compared yet."""
    program = Program.objects.filter(code=request.POST.get("program", "")).first()
    if program is None:
        raise Http404
    try:
        compared, found = find_duplicates(actor=actor_for(request), program=program, at=timezone.now())
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        said = ngettext("Compared %(count)d entry.", "Compared %(count)d entries.", compared) % {"count": compared}
        pairs_found = ngettext("%(count)d new pair looks alike.", "%(count)d new pairs look alike.", found)
        messages.success(request, f"{said} {pairs_found % {'count': found}}")
    return HttpResponseRedirect(f"{reverse('console-duplicates')}?program={program.code}")


@operators
@require_POST
@decided_by(Capability.KEEP_LISTS)
def decide_on(request: HttpRequest, pair: int) -> HttpResponse:
    """Keep both, or reject one of the two: the button says which. A refusal keeps what was written."""
    actor = actor_for(request)
    found = pairs(actor).filter(pk=pair).first()
    if found is None:
        raise Http404
    answer, reason, now = request.POST.get("answer", ""), request.POST.get("reason", ""), timezone.now()
    sides = {"first": found.first, "second": found.second}
    try:
        if answer in sides:
            reject_duplicate(actor=actor, pair=found, entry=sides[answer], at=now, reason=reason)
            said = _("%(entry)s is rejected as a duplicate. The next run counts it so.") % {"entry": sides[answer].code}
        else:
            keep_both(actor=actor, pair=found, at=now, reason=reason)
            said = _("%(first)s and %(second)s both stay. The pair isn't shown again.") % {
                "first": found.first.code,
                "second": found.second.code,
            }
    except DomainError as refusal:
        return _list(request, refusal=refusal.message, tried=found.pk, status=409)
    messages.success(request, said)
    query = clean(request.GET).urlencode()
    return HttpResponseRedirect(f"{reverse('console-duplicates')}{f'?{query}' if query else ''}")


def _list(request: HttpRequest, *, refusal: str = "", tried: int = 0, status: int = 200) -> HttpResponse:
    actor = actor_for(request)
    asked = PairFilter(request.GET, queryset=pairs(actor))
    may_decide = actor.can(Capability.KEEP_LISTS)
    chosen = asked.form.cleaned_data.get("program") if asked.is_valid() else None
    titles = program_titles()
    compared = chosen or (Program.objects.filter(code=titles[0][0]).first() if titles else None)
    context = {
        "here": "lists",
        "program": compared,
        "filter": asked,
        "page": Paginator(asked.qs, PER_PAGE).get_page(request.GET.get("page")),
        "query": clean(request.GET).urlencode(),
        "uncompared": uncompared(compared).count() if compared and may_decide else 0,
        "may_decide": may_decide,
        "refusal": refusal,
        "tried": tried,
        "typed": request.POST.get("reason", "") if tried else "",
        "zone": settings.PLATFORM_TIME_ZONE,
    }
    return render(request, "console/lists/duplicates.html", context, status=status)
