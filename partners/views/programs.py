"""Programs: for everybody what they pay and ask, for a partner the way to take part."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.errors import DomainError
from core.models import PolicyVersion
from partners import policies
from partners.forms import JoiningForm
from partners.models import Partner
from partners.pages import actor_for, frame, partner_for
from partners.programs import latest_policy, offer_of, open_offers, taking_of, takings_of
from partners.queries import standing_of
from partners.services import join_program


@require_safe
def programs(request: HttpRequest) -> HttpResponse:
    """The programs that are open, for anybody."""
    return render(request, "partners/programs.html", {"offers": open_offers(now=timezone.now())})


@require_safe
def program(request: HttpRequest, program: str) -> HttpResponse:
    """One program: what it pays, what counts, when, how to apply. For anybody: its policy is published."""
    return render(request, "partners/program.html", {"offer": offer_of(_policy(program), now=timezone.now())})


@login_required
@require_safe
def portal_programs(request: HttpRequest) -> HttpResponse:
    """The partner's programs: those that it takes part in, and those that it may join."""
    partner, own = partner_for(request)
    now = timezone.now()
    zone = settings.PLATFORM_TIME_ZONE
    context = {
        **frame(request, "programs", partner, own),
        "takings": takings_of(partner, now=now),
        "standing": standing_of(partner, today=now.astimezone(ZoneInfo(zone)).date()),
        "zone": zone,
    }
    return render(request, "portal/programs.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def portal_program(request: HttpRequest, program: str) -> HttpResponse:
    """One program's rules, what a new version changes, and the acceptance."""
    partner, own = partner_for(request)
    policy = _policy(program)
    taking = taking_of(partner, policy, now=timezone.now())
    form = JoiningForm(initial={"commitment": taking.joining.commitment if taking.joining else None})
    if request.method == "POST":
        form = JoiningForm(request.POST)
        if form.is_valid() and _accept(request, form, partner, policy):
            return redirect("portal-program", policy.program.code)
    may = policies.can_join(actor_for(request), partner)
    context: dict[str, Any] = {
        **frame(request, "programs", partner, own),
        "taking": taking,
        "offer": taking.offer,
        "form": form,
        "refusal": None if may is True else may,
    }
    return render(request, "portal/program.html", context, status=422 if form.errors else 200)


def _accept(request: HttpRequest, form: JoiningForm, partner: Partner, policy: PolicyVersion) -> bool:
    seen = form.cleaned_data["version"]
    accepted = policy if seen == policy.number else policy.program.policies.filter(number=seen).first()
    if accepted is None:
        raise Http404
    try:
        join_program(
            actor=actor_for(request), partner=partner, policy=accepted, commitment=form.cleaned_data["commitment"]
        )
    except DomainError as refusal:
        form.add_error("commitment" if refusal.code == "bad_commitment" else None, refusal.message)
        return False
    messages.success(
        request,
        _("Version %(number)s is accepted for %(partner)s.") % {"number": accepted.number, "partner": partner.name},
    )
    return True


def _policy(code: str) -> PolicyVersion:
    found = latest_policy(code)
    if found is None:
        raise Http404
    return found
