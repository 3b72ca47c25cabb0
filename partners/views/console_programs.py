"""Programs in the admin dashboard: what each asks and pays, the versions of its policy, and what they changed."""

import json
from typing import Any

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.actors import Capability
from core.models import DraftState, PolicyDraft, PolicyVersion
from core.policy_words import differences, stated
from partners.console import operators
from partners.models import Joining
from partners.pages import actor_for
from partners.programs import offer_of


@operators
@require_safe
def programs(request: HttpRequest) -> HttpResponse:
    """Every program by the version in force, the one that ends last first; and how many partners take part.

    `?draft=open` leaves those whose next version somebody has begun.
    """
    now = timezone.now()
    latest = PolicyVersion.objects.select_related("program", "published_by")
    found = sorted(
        latest.order_by("program", "-number").distinct("program"),
        key=lambda policy: (policy.program.ends_on, policy.program.code),
        reverse=True,
    )
    joined = (
        Joining.objects.visible_to(actor_for(request)).values("program").annotate(of=Count("partner", distinct=True))
    )
    partners: dict[int, int] = dict(joined.values_list("program", "of"))
    begun = set(PolicyDraft.objects.filter(state=DraftState.OPEN).values_list("program", flat=True))
    with_a_draft = request.GET.get("draft") == "open"
    rows = [
        {
            "policy": policy,
            "offer": offer_of(policy, now=now),
            "partners": partners.get(policy.program_id, 0),
            "next": policy.number + 1 if policy.program_id in begun else None,
        }
        for policy in found
        if policy.program_id in begun or not with_a_draft
    ]
    return render(
        request,
        "console/programs/list.html",
        {
            "here": "programs",
            "rows": rows,
            "with_a_draft": with_a_draft,
            "drafts": len(begun),
            "may_create": actor_for(request).can(Capability.PUBLISH_POLICY),
        },
    )


@operators
@require_safe
def program(request: HttpRequest, program: str) -> HttpResponse:
    """One program: the version that `?version=` names, else the one in force, and what it changed against another.

    `?against=` names the other; without it that is the version before.
    """
    versions = _versions_or_404(program)
    shown = _chosen(versions, request.GET.get("version")) or versions[0]
    asked = request.GET.get("against")
    against = _chosen(versions, asked) or next((one for one in versions if one.number < shown.number), None)
    context: dict[str, Any] = {
        "here": "programs",
        "program": shown.program,
        "versions": versions,
        "shown": shown,
        "in_force": versions[0],
        "against": against,
        "offer": offer_of(shown, now=timezone.now()),
        "keys": stated(shown.rules),
        "changed": differences(against.rules, shown.rules) if against else [],
        "document": json.dumps(shown.document, ensure_ascii=False, indent=2),
        "draft": PolicyDraft.objects.filter(program=shown.program, state=DraftState.OPEN).first(),
        "may_edit": actor_for(request).can(Capability.DRAFT_POLICY),
        "zone": shown.rules.timezone,
    }
    return render(request, "console/programs/program.html", context)


@operators
@require_safe
def policy_json(request: HttpRequest, program: str) -> HttpResponse:
    """A version's document as the file that `publish_policy` reads; `?version=` names it."""
    versions = _versions_or_404(program)
    shown = _chosen(versions, request.GET.get("version")) or versions[0]
    text = json.dumps(shown.document, ensure_ascii=False, indent=2)
    response = HttpResponse(text + "\n", content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{shown.program.code}-v{shown.number}.json"'
    return response


def _versions_or_404(code: str) -> list[PolicyVersion]:
    """The program's versions, the newest first."""
    rows = PolicyVersion.objects.filter(program__code=code).select_related("program", "published_by")
    found = list(rows.order_by("-number"))
    if not found:
        raise Http404
    return found


def _chosen(versions: list[PolicyVersion], number: str | None) -> PolicyVersion | None:
    """The version of this number; None where none is asked for. Raises Http404 for one that isn't there."""
    if not number:
        return None
    found = next((one for one in versions if str(one.number) == number), None)
    if found is None:
        raise Http404
    return found
