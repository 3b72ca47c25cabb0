"""Submitting a run's payouts: first who gets how much and who doesn't, then one button that says the amount."""

from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from core.actors import Capability
from core.errors import BadInput, DomainError
from incentives import policies, services
from incentives.models import Run
from incentives.queries.run_pages import visible_runs
from incentives.services.submission_plan import PlannedPayout, plan_submission
from incentives.submission_words import tell
from incentives.views.common import actor_for
from partners.console import decided_by, operators
from partners.models import Partner

# So many withheld lines are listed; all of them are counted, and named afterwards in their payouts.
SHOWN = 200


@operators
@require_http_methods(["GET", "HEAD", "POST"])
@decided_by(Capability.SUBMIT_PAYOUT)
def submit(request: HttpRequest, run_id: int) -> HttpResponse:
    """Say what submitting this run's payouts would do (GET), and do it (POST) for the partners that are chosen."""
    run = visible_runs(actor_for(request)).filter(pk=run_id).first()
    if run is None:
        raise Http404
    allowed = policies.can_submit(actor_for(request))
    if allowed is not True:
        raise PermissionDenied(str(allowed))
    return _submitted(request, run) if request.method == "POST" else _page(request, run)


def _submitted(request: HttpRequest, run: Run) -> HttpResponse:
    codes, reason = set(request.POST.getlist("partner")), request.POST.get("text", "")
    if not codes:
        return _page(request, run, codes, wrong=_("Choose at least one partner."), status=422)
    if request.POST.get("seen") != str(len(codes)):
        # Without scripts the button goes on saying what it said before the choice was changed.
        return _page(request, run, codes, looked=True)
    of_run = Partner.objects.visible_to(actor_for(request)).filter(previews__run=run)
    partners = [partner for partner in of_run if partner.code in codes]
    try:
        report = services.submit_run(
            actor=actor_for(request), run=run, reason=reason, partners=partners, shown=_amount(request)
        )
    except DomainError as refusal:
        status = 422 if isinstance(refusal, BadInput) else 409
        return _page(request, run, codes, wrong=refusal.message, status=status)
    tell(request, report)
    return HttpResponseRedirect(f"{reverse('console-payouts')}?run={run.pk}&state=in_review&ordering=-submitted_at")


def _page(
    request: HttpRequest,
    run: Run,
    codes: set[str] | None = None,
    *,
    wrong: str = "",
    looked: bool = False,
    status: int = 200,
) -> HttpResponse:
    """The page with these partners chosen; `looked`: it is shown once more because the choice was changed."""
    plan = plan_submission(actor=actor_for(request), run=run, partners=codes)
    ready = [payout for payout in plan.payouts if not payout.needs]
    waiting = [payout for payout in plan.payouts if payout.needs]
    return render(
        request,
        "console/runs/submit.html",
        {
            "here": "runs",
            "run": run,
            "plan": plan,
            "zone": run.rules.timezone,
            "ready": ready,
            "waiting": waiting,
            "sums": {"ready": _sum(ready), "waiting": _sum(waiting)},
            "left_out": [
                {"code": code, "rows": rows}
                for code in ("barred", "in_life")
                if (rows := [skip for skip in plan.left_out if skip.code == code])
            ],
            "withheld": plan.withheld[:SHOWN],
            "more": max(len(plan.withheld) - SHOWN, 0),
            "wrong": wrong,
            "looked": looked,
            "text": request.POST.get("text", ""),
        },
        status=status,
    )


def _sum(payouts: list[PlannedPayout]) -> Decimal:
    return sum((payout.payable for payout in payouts), Decimal(0))


def _amount(request: HttpRequest) -> Decimal:
    """What the button said. What is no amount was on no button, and is refused as a changed one."""
    try:
        return Decimal(request.POST.get("shown", "")).quantize(Decimal("0.01"))
    except ArithmeticError:
        return Decimal("-0.01")
