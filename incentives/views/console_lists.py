"""Target lists in the admin dashboard: a program's entries, one entry with its history, and the decisions on them."""

from collections.abc import Callable
from datetime import date
from typing import Any

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

from core.actors import Actor, Capability
from core.errors import BadInput, DomainError, NotFound
from incentives.exports import Table, stream_csv
from incentives.queries import program_titles
from incentives.views.common import Place, actor_for, program_or_404
from incentives.views.filter_bar import clean
from merchants.console_lists import (
    ENTRY_COLUMNS,
    EntryFilter,
    claims_of,
    entries,
    entry_rows,
    facts_of,
    pairs,
    shops_named,
    undecided,
)
from merchants.listing import platform_date, standing_claims
from merchants.models import TargetEntry
from merchants.services import assign_entry, delist_entry, review_entries
from merchants.states import Review
from partners.console import decided_by, operators
from partners.models import Partner

PER_PAGE = 50
# How many shops an entry's page shows.
HINTS = 20
STEPS = ("direct", "open", "delist", "relist")
REVIEWS = {"approve": Review.APPROVED, "reject": Review.REJECTED, "reopen": Review.PENDING}


@operators
@require_safe
def newest(request: HttpRequest) -> HttpResponse:
    """Lead on to the newest program's list, with the same query; asked for a review, to the newest that has such."""
    codes = [code for code, _title in program_titles()]
    if not codes:
        raise Http404
    asked = entries(actor_for(request), at=timezone.now()).filter(review=request.GET.get("review", ""))
    having = set(asked.order_by().values_list("program__code", flat=True).distinct())
    code = next((code for code in codes if code in having), codes[0])
    query = clean(request.GET).urlencode()
    there = reverse("console-lists", args=[code])
    return HttpResponseRedirect(f"{there}?{query}" if query else there)


@operators
@require_safe
def listed(request: HttpRequest, program: str) -> HttpResponse:
    """The program's entries, narrowed and sorted by the address; several can be reviewed at once."""
    return _list(request, program_or_404(program))


@operators
@require_safe
def listed_csv(request: HttpRequest, program: str) -> HttpResponseBase:
    """All rows that the list's address finds, as CSV."""
    asked = _asked(request, program_or_404(program))
    response = StreamingHttpResponse(
        stream_csv(Table(ENTRY_COLUMNS, entry_rows(asked.qs))), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="targets-{program}.csv"'
    return response


@operators
@require_POST
@decided_by(Capability.KEEP_LISTS)
def review_chosen(request: HttpRequest, program: str) -> HttpResponse:
    """Review the entries that were chosen in the list: all of them, or none where one has changed since."""
    place, actor = program_or_404(program), actor_for(request)
    chosen = [value.partition(".") for value in request.POST.getlist("entry")[: 2 * PER_PAGE]]
    seen = {int(pk): _number(fact) for pk, _dot, fact in chosen if _number(pk)}
    found = list(TargetEntry.objects.visible_to(actor).filter(program=place.program, pk__in=seen))
    try:
        review = REVIEWS.get(request.POST.get("review", ""), "")
        reason = request.POST.get("reason", "")
        changed = review_entries(actor=actor, entries=found, review=review, reason=reason, seen=seen)
    except DomainError as refusal:
        return _list(request, place, refusal=refusal.message, chosen=set(seen), status=409)
    messages.success(request, _reviewed(review, changed))
    query = clean(request.GET).urlencode()
    there = reverse("console-lists", args=[place.program.code])
    return HttpResponseRedirect(f"{there}?{query}" if query else there)


@operators
@require_safe
def entry(request: HttpRequest, program: str, code: str) -> HttpResponse:
    """One entry: what it names, what was recorded of it by whom, who holds it, what looks like it, and decisions."""
    place = program_or_404(program)
    return _entry(request, place, _entry_or_404(request, place, code))


@operators
@require_POST
@decided_by(step=dict.fromkeys((*REVIEWS, *STEPS), (Capability.KEEP_LISTS,)))
def decide_on(request: HttpRequest, program: str, code: str, step: str) -> HttpResponse:
    """Review, direct or delist one entry. A refusal shows it as it is now, with what was written kept."""
    place = program_or_404(program)
    found = _entry_or_404(request, place, code)
    given = request.POST
    try:
        if step in REVIEWS:
            changed = review_entries(
                actor=actor_for(request),
                entries=[found],
                review=REVIEWS[step],
                reason=given.get("reason", ""),
                seen={found.pk: _number(given.get("seen", ""))},
            )
            said = _reviewed(REVIEWS[step], changed)
        else:
            said = _TAKEN[step](actor_for(request), found, given)
    except DomainError as refusal:
        again = _entry_or_404(request, place, code)
        return _entry(request, place, again, refusal=refusal.message, tried=step, status=409)
    messages.success(request, said)
    return HttpResponseRedirect(reverse("console-list-entry", args=[place.program.code, found.code]))


def _direct(actor: Actor, found: TargetEntry, given: Any) -> str:
    code = given.get("partner", "").strip()
    partner = Partner.objects.visible_to(actor).filter(code=code).first()
    if partner is None:
        raise NotFound(_("There is no partner with the code %(code)s.") % {"code": code or "–"})
    reason, seen = given.get("reason", ""), _number(given.get("seen", ""))
    assign_entry(actor=actor, entry=found, partner=partner, reason=reason, seen=seen)
    return _("%(entry)s is directed to %(partner)s: its own link alone counts for it now.") % {
        "entry": found.code,
        "partner": partner.name,
    }


def _open_to_all(actor: Actor, found: TargetEntry, given: Any) -> str:
    reason, seen = given.get("reason", ""), _number(given.get("seen", ""))
    assign_entry(actor=actor, entry=found, partner=None, reason=reason, seen=seen)
    return _("%(entry)s is open to every certified partner.") % {"entry": found.code}


def _delist(actor: Actor, found: TargetEntry, given: Any) -> str:
    try:
        on = date.fromisoformat(given.get("on", ""))
    except ValueError:
        raise BadInput(_("Give the day as YYYY-MM-DD.")) from None
    reason, seen, today = given.get("reason", ""), _number(given.get("seen", "")), platform_date(timezone.now())
    delist_entry(actor=actor, entry=found, on=on, reason=reason, today=today, seen=seen)
    return _("%(entry)s is off the list from %(day)s on.") % {"entry": found.code, "day": on.isoformat()}


def _relist(actor: Actor, found: TargetEntry, given: Any) -> str:
    reason, seen, today = given.get("reason", ""), _number(given.get("seen", "")), platform_date(timezone.now())
    delist_entry(actor=actor, entry=found, on=None, reason=reason, today=today, seen=seen)
    return _("%(entry)s is on the list again.") % {"entry": found.code}


_TAKEN: dict[str, Callable[[Actor, TargetEntry, Any], str]] = {
    "direct": _direct,
    "open": _open_to_all,
    "delist": _delist,
    "relist": _relist,
}


def _reviewed(review: str, changed: int) -> str:
    said = {
        Review.APPROVED: ngettext("%(count)d entry is approved.", "%(count)d entries are approved.", changed),
        Review.REJECTED: ngettext("%(count)d entry is rejected.", "%(count)d entries are rejected.", changed),
        Review.PENDING: ngettext(
            "%(count)d entry is in review again.", "%(count)d entries are in review again.", changed
        ),
    }[Review(review)]
    return said % {"count": changed} + " " + _("The next run counts it so.")


def _asked(request: HttpRequest, place: Place) -> EntryFilter:
    rows = entries(actor_for(request), at=timezone.now()).filter(program=place.program)
    return EntryFilter(request.GET, queryset=rows)


def _list(
    request: HttpRequest, place: Place, *, refusal: str = "", chosen: set[int] | None = None, status: int = 200
) -> HttpResponse:
    actor, asked = actor_for(request), _asked(request, place)
    context = {
        "here": "lists",
        "program": place.program,
        "programs": program_titles(),
        "filter": asked,
        "page": Paginator(asked.qs, PER_PAGE).get_page(request.GET.get("page")),
        "query": clean(request.GET).urlencode(),
        "duplicates": pairs(actor).filter(undecided(), program=place.program).order_by().count(),
        "may_decide": actor.can(Capability.KEEP_LISTS),
        "refusal": refusal,
        "chosen": chosen or set(),
        "typed": request.POST if refusal else {},
        "today": platform_date(timezone.now()),
    }
    return render(request, "console/lists/list.html", context, status=status)


def _entry(
    request: HttpRequest, place: Place, found: Any, *, refusal: str = "", tried: str = "", status: int = 200
) -> HttpResponse:
    actor, now = actor_for(request), timezone.now()
    today, claims = platform_date(now), list(claims_of(actor, found))
    context = {
        "here": "lists",
        "program": place.program,
        "of": found,
        "facts": facts_of(found),
        "claims": claims,
        "standing": set(standing_claims(now).filter(entry=found).values_list("pk", flat=True)) if claims else set(),
        "shops": shops_named(actor, found)[:HINTS],
        "pairs": (pairs(actor).filter(first=found) | pairs(actor).filter(second=found))[:HINTS],
        "is_off": found.delisted_on is not None and found.delisted_on <= today,
        "may_decide": actor.can(Capability.KEEP_LISTS),
        "refusal": refusal,
        "tried": tried,
        "typed": request.POST if tried else {},
        "today": today,
        "zone": settings.PLATFORM_TIME_ZONE,
    }
    return render(request, "console/lists/entry.html", context, status=status)


def _entry_or_404(request: HttpRequest, place: Place, code: str) -> Any:
    rows = entries(actor_for(request), at=timezone.now())
    found = rows.filter(program=place.program, code=code).first()
    if found is None:
        raise Http404
    return found


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
