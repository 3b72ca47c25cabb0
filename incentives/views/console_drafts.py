"""The next version of a program's policy in the admin dashboard: written as a form or as JSON, and published."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.actors import Capability
from core.errors import DomainError
from core.models import PolicyDraft, PolicyVersion
from core.policy import Policy
from core.policy_forms import PolicyForm
from core.policy_reader import PolicyError, load_policy
from core.policy_words import differences
from core.services import drop_policy_draft, publish_policy_draft, save_policy_draft
from incentives.queries.trials import open_draft, tried
from incentives.views.common import Place, actor_for, program_or_404
from partners.console import decide, decided_by, operators
from partners.models import Joining

LONGEST = 200_000  # characters of a document; a policy has a few thousand


def asked_revision(request: HttpRequest) -> int:
    """The revision that the page was made from; 0 where it had none."""
    asked = request.POST.get("revision", "")
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 9 else 0


@operators
@require_http_methods(["GET", "HEAD", "POST"])
@decided_by(Capability.DRAFT_POLICY)
def draft(request: HttpRequest, program: str) -> HttpResponse:
    """The draft key by key, its document beside it, what it changes, what trying it gave; posted, it is saved."""
    place = program_or_404(program)
    found, in_force = open_draft(place.program), place.program.current_policy
    rules = found.rules if found else in_force.rules
    document = rules.document()
    form = PolicyForm(
        request.POST if request.method == "POST" and "document" not in request.POST else None,
        document=document,
        in_force=in_force.rules.document(),
    )
    text = json.dumps(document, ensure_ascii=False, indent=2)
    problems: tuple[str, ...] = ()
    if request.method == "POST":
        text = request.POST.get("document", text)[:LONGEST]
        try:
            policy = _posted(form, text)
            if policy is not None:
                save_policy_draft(
                    actor=actor_for(request), program_code=program, policy=policy, revision=asked_revision(request)
                )
                return HttpResponseRedirect(reverse("console-draft", args=[program]))
        except PolicyError as refusal:
            problems = refusal.problems
        except DomainError as refusal:
            problems = (refusal.message,)
    context = _context(request, place, found, in_force) | {"form": form, "text": text, "problems": problems}
    wrong = bool(problems) or (form.is_bound and not form.is_valid())
    return render(request, "console/programs/draft.html", context, status=422 if wrong else 200)


def _posted(form: PolicyForm, text: str) -> Policy | None:
    if not form.is_bound:
        return load_policy(text)
    return form.policy if form.is_valid() else None


def _context(request: HttpRequest, place: Place, found: PolicyDraft | None, in_force: PolicyVersion) -> dict[str, Any]:
    actor = actor_for(request)
    may_publish = actor.can(Capability.PUBLISH_POLICY)
    return {
        "here": "programs",
        "program": place.program,
        "draft": found,
        "edits": list(found.edits.select_related("by").order_by("-revision")) if found else [],
        "in_force": in_force,
        "next": in_force.number + 1,
        "outdated": found is not None and found.based_on_id != in_force.pk,
        "changed": differences(in_force.rules, found.rules) if found else [],
        "trial": tried(found, actor) if found else None,
        "against": place.run,
        "told": Joining.objects.visible_to(actor).filter(program=place.program).values("partner").distinct().count(),
        "may_edit": actor.can(Capability.DRAFT_POLICY),
        "may_publish": may_publish,
        "edited_it": found is not None and may_publish and found.was_edited_by(actor.user_id),
        "zone": place.zone,
    }


@operators
@require_POST
@decided_by(Capability.PUBLISH_POLICY)
def publish(request: HttpRequest, program: str) -> HttpResponse:
    """Publish the draft as the next version."""
    place = program_or_404(program)
    found = open_draft(place.program)
    back = reverse("console-draft", args=[program])
    if found is None:
        return HttpResponseRedirect(back)

    def act() -> None:
        publish_policy_draft(
            actor=actor_for(request),
            draft=found,
            revision=asked_revision(request),
            accept_example_tiers=request.POST.get("examples") == "on",
        )

    number = place.program.current_policy.number + 1
    said = _("Published version %(number)d. Runs judge by it from now on, and who takes part is told.")
    return decide(request, act, said=said % {"number": number}, back=back)


@operators
@require_POST
@decided_by(Capability.DRAFT_POLICY)
def drop(request: HttpRequest, program: str) -> HttpResponse:
    """Throw the draft away."""
    found = open_draft(program_or_404(program).program)
    back = reverse("console-draft", args=[program])
    if found is None:
        return HttpResponseRedirect(back)
    return decide(
        request,
        lambda: drop_policy_draft(actor=actor_for(request), draft=found, revision=asked_revision(request)),
        said=_("Threw the draft away. The version in force stays as it is."),
        back=back,
    )
