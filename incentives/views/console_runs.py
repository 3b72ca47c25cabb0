"""Runs in the admin dashboard: the history, starting, cancelling, progress, two compared, what was unknown."""

from datetime import datetime

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
from django.views.decorators.http import require_POST, require_safe

from core.actors import Capability
from core.errors import DomainError
from core.models import Program
from incentives import policies
from incentives.engine.changes import changes, default_against
from incentives.engine.finish import cancel_run
from incentives.engine.run import start_run
from incentives.exports import Table, stream_csv
from incentives.models import Run
from incentives.queries import program_titles
from incentives.queries.run_pages import (
    WAITING_COLUMNS,
    compare,
    progress_of,
    unknown_data,
    visible_runs,
    waiting_for_data,
)
from incentives.run_forms import RUN_COLUMNS, RunFilter, StartForm, run_rows
from incentives.services.submittable import latest_published
from incentives.states import RunKind, RunState
from incentives.views.common import actor_for, program_or_404
from partners.console import decide, decided_by, operators, query_without

PER_PAGE = 50
# What is compared with: so many earlier runs to choose from.
EARLIER = 30


@operators
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """The history, the newest first; with the form that starts one, for whoever may."""
    actor = actor_for(request)
    asked = RunFilter(request.GET, queryset=visible_runs(actor))
    page = Paginator(asked.qs, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "console/runs/list.html",
        {
            "here": "runs",
            "filter": asked,
            "page": page,
            "query": query_without(request, "page"),
            "at_work": [run for run in page if run.state in (RunState.QUEUED, RunState.RUNNING)],
            "form": StartForm(programs=program_titles()) if actor.can(Capability.START_RUN) else None,
        },
    )


@operators
@require_safe
def runs_csv(request: HttpRequest) -> HttpResponseBase:
    """All runs that the list's address finds, as CSV."""
    asked = RunFilter(request.GET, queryset=visible_runs(actor_for(request)))
    response = StreamingHttpResponse(
        stream_csv(Table(RUN_COLUMNS, run_rows(asked.qs))), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="runs.csv"'
    return response


@operators
@require_POST
@decided_by(Capability.START_RUN)
def start(request: HttpRequest) -> HttpResponse:
    """Start a run; where one is running, its page says how far it is."""
    form = StartForm(request.POST, programs=program_titles())
    if not form.is_valid():
        wrong = [f"{form[name].label}: {error}" for name in form.errors for error in form[name].errors]
        messages.error(request, " ".join(wrong))
        return HttpResponseRedirect(reverse("console-runs"))
    program = Program.objects.get(code=form.cleaned_data["program"])
    try:
        run = start_run(
            actor=actor_for(request),
            program=program,
            as_of=form.moment(program.current_policy.rules),
            full=form.cleaned_data["full"],
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse("console-runs"))
    return HttpResponseRedirect(reverse("console-run", args=[run.pk]))


@operators
@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """One run: how far it is, what it found, what changed since the one before, what it lacked."""
    actor = actor_for(request)
    found = _run_or_404(request, run_id)
    against = default_against(found) if _published(found) else None
    return render(
        request,
        "console/runs/run.html",
        {
            "here": "runs",
            "run": found,
            "zone": found.rules.timezone,
            "progress": progress_of(found, now=timezone.now()),
            "works": found.state in (RunState.QUEUED, RunState.RUNNING),
            "took": _took(found),
            "against": against,
            "changed": compare(found, against, size=0) if against else None,
            "unknown": unknown_data(actor=actor, run=found) if _published(found) else [],
            "may_cancel": actor.can(Capability.START_RUN),
            "may_submit": policies.can_submit(actor) is True and latest_published(found) == found.pk,
        },
    )


@operators
@require_POST
@decided_by(Capability.START_RUN)
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    """Cancel a run that is at work."""
    found = _run_or_404(request, run_id)
    return decide(
        request,
        lambda: cancel_run(actor=actor_for(request), run_id=found.pk),
        said=_("Cancelled run %(run)s. What it had worked out is gone; people go on seeing the one before.")
        % {"run": found.pk},
        back=reverse("console-run", args=[found.pk]),
    )


@operators
@require_safe
def compared(request: HttpRequest, run_id: int) -> HttpResponse:
    """What this run judges differently than an earlier one, and by what cause. `?with=` names the other."""
    found, against, earlier = _pair(request, run_id)
    number = _number(request.GET.get("page"), default=1)
    cause, flips = request.GET.get("cause", ""), request.GET.get("flips") == "1"
    comparison = (
        compare(found, against, cause=cause, flips=flips, start=(number - 1) * PER_PAGE, size=PER_PAGE)
        if against
        else None
    )
    return render(
        request,
        "console/runs/compare.html",
        {
            "here": "runs",
            "run": found,
            "against": against,
            "earlier": earlier,
            "zone": found.rules.timezone,
            "comparison": comparison,
            "cause": cause,
            "flips": flips,
            "program": found.program,
            "number": number,
            "more": comparison is not None and comparison.total > number * PER_PAGE,
            "query": query_without(request, "page"),
        },
    )


@operators
@require_safe
def compared_csv(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """The same as the export `changes`, of all rows."""
    found, against, _earlier = _pair(request, run_id)
    if against is None:
        raise Http404
    response = StreamingHttpResponse(stream_csv(changes(found, against)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="run-{found.pk}-against-{against.pk}.csv"'
    return response


@operators
@require_safe
def unknown(request: HttpRequest, program: str) -> HttpResponse:
    """What the program's last run lacked, the most wanted first, each with the way to mend it."""
    place = program_or_404(program)
    return render(
        request,
        "console/runs/unknown.html",
        {
            "here": "unknown",
            "program": place.program,
            "programs": program_titles(),
            "run": place.run,
            "zone": place.zone,
            "unknown": unknown_data(actor=actor_for(request), run=place.run) if place.run else [],
        },
    )


@operators
@require_safe
def unknown_csv(request: HttpRequest, program: str) -> HttpResponseBase:
    """Every shop that waits for a fact, with the fact: what whoever has the fact is asked for."""
    run = program_or_404(program).run
    rows = waiting_for_data(actor=actor_for(request), run=run) if run else iter(())
    response = StreamingHttpResponse(stream_csv(Table(WAITING_COLUMNS, rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{program}-unknown.csv"'
    return response


def _pair(request: HttpRequest, run_id: int) -> tuple[Run, Run | None, list[Run]]:
    """The run, what it is compared with, and what else it could be."""
    found = _run_or_404(request, run_id)
    if not _published(found):
        raise Http404
    published = Run.objects.visible_to(actor_for(request)).published().filter(program=found.program_id)
    earlier = published.exclude(pk=found.pk).select_related("policy").order_by("-pk")
    asked = request.GET.get("with")
    against = default_against(found)
    if asked:
        against = earlier.filter(pk=_number(asked, default=0)).first()
        if against is None:
            raise Http404
    return found, against, list(earlier[:EARLIER])


def _run_or_404(request: HttpRequest, run_id: int) -> Run:
    found = visible_runs(actor_for(request)).filter(pk=run_id).first()
    if found is None:
        raise Http404
    return found


def _published(run: Run) -> bool:
    return run.state == RunState.FINISHED and run.kind == RunKind.OFFICIAL


def _took(run: Run) -> float | None:
    """The seconds from start to end, or up to now."""
    if run.started_at is None:
        return None
    end: datetime = run.finished_at or timezone.now()
    return (end - run.started_at).total_seconds()


def _number(text: str | None, *, default: int) -> int:
    good = text is not None and text.isascii() and text.isdecimal() and 0 < len(text) < 10
    return max(int(text), 1) if good and text is not None else default
