"""A policy draft in the admin dashboard: written, tried on the facts of the last run, and what it would change."""

import json

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from core.actors import Capability
from core.errors import DomainError
from core.policy import Policy
from core.policy_reader import PolicyError, load_policy
from core.policy_words import differences, stated
from incentives.engine.run import try_policy
from incentives.models import Run
from incentives.queries.run_pages import progress_of, visible_runs
from incentives.queries.trials import trial_of
from incentives.states import RunKind, RunState
from incentives.views.common import Place, actor_for, program_or_404
from partners.console import operators

LONGEST = 200_000  # characters of a draft; a policy has a few thousand


@operators
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, program: str) -> HttpResponse:
    """The policy in force as a text to change, each key explained beside it; posted, the draft is tried."""
    place = program_or_404(program)
    rules = place.program.current_policy.rules
    text = json.dumps(rules.document(), ensure_ascii=False, indent=2)
    problems: tuple[str, ...] = ()
    if request.method == "POST":
        text = request.POST.get("document", "")[:LONGEST]
        try:
            run = _try(request, place, load_policy(text))
        except PolicyError as refusal:
            problems = refusal.problems
        except DomainError as refusal:
            problems = (refusal.message,)
        else:
            return HttpResponseRedirect(reverse("console-trial", args=[run.pk]))
    context = {
        "here": "programs",
        "program": place.program,
        "text": text,
        "problems": problems,
        "keys": stated(rules),
        "against": place.run,
        "may_try": actor_for(request).can(Capability.START_RUN),
    }
    return render(request, "console/programs/try.html", context, status=422 if problems else 200)


def _try(request: HttpRequest, place: Place, rules: Policy) -> Run:
    """By the moment of the last official run: what differs then is the policy's doing, not new facts'."""
    as_of = place.run.as_of if place.run else None
    return try_policy(actor=actor_for(request), program=place.program, rules=rules, as_of=as_of, inline=False)


@operators
@require_safe
def trial(request: HttpRequest, run_id: int) -> HttpResponse:
    """How far a draft's run is, then who would flip, which way, and what it costs by condition and by partner."""
    runs = visible_runs(actor_for(request))
    run = runs.filter(pk=run_id, kind=RunKind.DRAFT).first()
    if run is None:
        raise Http404
    against = (
        Run.objects.visible_to(actor_for(request))
        .published()
        .filter(program=run.program_id, as_of=run.as_of)
        .select_related("policy")
        .order_by("-pk")
        .first()
    )
    finished = run.state == RunState.FINISHED
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
            "trial": trial_of(run, against) if against and finished else None,
            "zone": run.rules.timezone,
        },
    )
