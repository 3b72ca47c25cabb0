"""A policy draft in the admin dashboard: tried on the facts of the last run, and what it would change."""

from django.contrib import messages
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
from core.errors import Conflict, DomainError
from core.models import DraftState, PolicyDraft
from core.policy_words import differences
from incentives.engine.changes import changes
from incentives.engine.run import try_policy
from incentives.exports import stream_csv
from incentives.models import Run
from incentives.queries.run_pages import progress_of, visible_runs
from incentives.queries.trials import official_of, open_draft, trial_of
from incentives.states import RunKind, RunState
from incentives.views.common import actor_for, program_or_404
from partners.console import decided_by, operators

PER_PAGE = 50
PARTNERS = 20  # so many whose amount differs most; the others stand behind a disclosure


@operators
@require_POST
@decided_by(Capability.DRAFT_POLICY)
def try_draft(request: HttpRequest, program: str) -> HttpResponse:
    """Have the draft as it is saved tried by the moment of the last official run.

    What differs then is the policy's doing, not new facts'.
    """
    place = program_or_404(program)
    found = open_draft(place.program)
    try:
        if found is None:
            raise Conflict(_("There is no draft to try."))
        run = try_policy(
            actor=actor_for(request),
            program=place.program,
            rules=found.rules,
            as_of=place.run.as_of if place.run else None,
            inline=False,
        )
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse("console-draft", args=[program]))
    return HttpResponseRedirect(reverse("console-trial", args=[run.pk]))


@operators
@require_safe
def trial(request: HttpRequest, run_id: int) -> HttpResponse:
    """How far a draft's run is, then who would flip, which way, and what it costs by condition and by partner."""
    run = _or_404(request, run_id)
    against = official_of(run, actor_for(request))
    draft = PolicyDraft.objects.filter(program=run.program_id, state=DraftState.OPEN).first()
    number = _number(request.GET.get("page"))
    finished = run.state == RunState.FINISHED
    found = trial_of(run, against, start=(number - 1) * PER_PAGE, size=PER_PAGE) if against and finished else None
    return render(
        request,
        "console/programs/trial.html",
        {
            "here": "programs",
            "program": run.program,
            "run": run,
            "against": against,
            "works": run.state == RunState.RUNNING,
            "progress": progress_of(run, now=timezone.now()),
            "changed": differences(against.rules, run.rules) if against else [],
            "trial": found,
            "partners": found.partners[:PARTNERS] if found else (),
            "other_partners": found.partners[PARTNERS:] if found else (),
            "number": number,
            "more": found is not None and found.comparison.total > number * PER_PAGE,
            "draft": draft,
            "is_draft": draft is not None and draft.document == run.document,
            "zone": run.rules.timezone,
        },
    )


@operators
@require_safe
def trial_csv(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Every shop that the draft judges differently, as the export `changes` writes it."""
    run = _or_404(request, run_id)
    against = official_of(run, actor_for(request))
    if against is None or run.state != RunState.FINISHED:
        raise Http404
    response = StreamingHttpResponse(stream_csv(changes(run, against)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="draft-{run.pk}-against-{against.pk}.csv"'
    return response


def _or_404(request: HttpRequest, run_id: int) -> Run:
    run: Run | None = visible_runs(actor_for(request)).filter(pk=run_id, kind=RunKind.DRAFT).first()
    if run is None:
        raise Http404
    return run


def _number(asked: str | None) -> int:
    """The page that is asked for; the first where that is no number of one."""
    return int(asked) if asked and asked.isascii() and asked.isdecimal() and len(asked) < 9 and int(asked) else 1
