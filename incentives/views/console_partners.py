"""Partners in the admin dashboard: the list, one partner with all that is known of it, and the decisions on it."""

from datetime import date
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
from incentives.models import Payout
from incentives.queries.partner_list import (
    COLUMNS,
    PAYEES,
    STANDINGS,
    PartnerFilter,
    as_rows,
    partners,
    stops_of,
)
from incentives.standing_steps import STANDING_STEPS, open_standing_steps, take_standing_step
from incentives.views.common import actor_for
from incentives.views.filter_bar import clean
from partners.console import decided_by, operators
from partners.models import Application, InviteLink, Joining, Partner, Payee, Suspension
from partners.payee_steps import PAYEE_STEPS, may_decide, take_step
from partners.payees import payees_view
from partners.queries import standing_of
from partners.states import PayeeState

PER_PAGE = 50
# A partner's page shows so many of its links; its own pages show all.
LINKS = 8


@operators
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Every partner, narrowed and sorted by the address."""
    asked = PartnerFilter(request.GET, queryset=partners(actor_for(request), today=_today()))
    page = Paginator(asked.qs, PER_PAGE).get_page(request.GET.get("page"))
    for partner in page:
        partner.standing_label = STANDINGS[partner.standing]
        partner.payee_label = PAYEES[partner.payee]
    return render(
        request,
        "console/partners/list.html",
        {"here": "partners", "filter": asked, "page": page, "query": clean(request.GET).urlencode()},
    )


@operators
@require_safe
def listed_csv(request: HttpRequest) -> HttpResponseBase:
    """All rows that the list's address finds, as CSV."""
    asked = PartnerFilter(request.GET, queryset=partners(actor_for(request), today=_today()))
    response = StreamingHttpResponse(
        stream_csv(Table(COLUMNS, as_rows(asked.qs))), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="partners.csv"'
    return response


@operators
@require_safe
def partner(request: HttpRequest, partner: str) -> HttpResponse:
    """One partner: standing, certifications, programs, team, links, account, payouts."""
    return _shown(request, _partner_or_404(request, partner))


@operators
@require_POST
@decided_by(step=dict.fromkeys(STANDING_STEPS, (Capability.SUSPEND_PARTNER,)))
def decide_standing(request: HttpRequest, partner: str, step: str) -> HttpResponse:
    """Suspend, reinstate or terminate. A refusal shows the partner as it stands now, with what was written kept."""
    found = _partner_or_404(request, partner)
    try:
        said = take_standing_step(step, actor=actor_for(request), partner=found, reason=request.POST.get("reason", ""))
    except DomainError as refusal:
        return _shown(request, found, refusal=refusal.message, tried=step, status=409)
    messages.success(request, said)
    return HttpResponseRedirect(reverse("console-partner", args=[found.code]))


@operators
@require_POST
@decided_by(answer=dict.fromkeys(PAYEE_STEPS, (Capability.CONFIRM_PAYEE,)))
def decide_payee(request: HttpRequest, partner: str, payee: int, answer: str) -> HttpResponse:
    """Confirm or refuse the account that the partner has stated."""
    found = _partner_or_404(request, partner)
    actor = actor_for(request)
    stated = Payee.objects.visible_to(actor).filter(partner=found, pk=payee).select_related("partner").first()
    if stated is None:
        raise Http404
    try:
        take_step(answer, actor=actor, payee=stated, posted=request.POST)
    except DomainError as refusal:
        return _shown(request, found, refusal=refusal.message, tried=answer, status=409)
    messages.success(request, str(PAYEE_STEPS[answer].done) % {"name": found.name, "account": stated.masked})
    return HttpResponseRedirect(reverse("console-partner", args=[found.code]))


def _shown(
    request: HttpRequest, found: Partner, *, refusal: str = "", tried: str = "", status: int = 200
) -> HttpResponse:
    actor, now = actor_for(request), timezone.now()
    standing = standing_of(found, today=_today())
    steps = open_standing_steps(actor, standing.state)
    waiting = Payee.objects.visible_to(actor).filter(partner=found, state=PayeeState.WAITING).first()
    answer = may_decide(actor, waiting) if waiting is not None else None
    links = InviteLink.objects.visible_to(actor).filter(partner=found)
    context: dict[str, Any] = {
        "here": "partners",
        "of": found,
        "standing": standing,
        "standing_label": STANDINGS[standing.state],
        "steps": steps,
        "stops": stops_of(found, at=now) if steps else None,
        "certifications": found.certification_facts.select_related("batch__actor").order_by("-batch__sequence", "-pk"),
        "suspensions": Suspension.objects.filter(partner=found)
        .select_related("reason", "batch__actor")
        .order_by("-during"),
        "joinings": Joining.objects.visible_to(actor)
        .filter(partner=found)
        .select_related("program", "policy", "accepted_by")
        .order_by("-accepted_at"),
        "team": found.memberships.select_related("user").order_by("role", "user__name", "pk"),
        "links": links.select_related("program", "revocation").order_by("-pk")[:LINKS],
        "links_count": links.count(),
        "payees": payees_view(actor=actor, partner=found),
        "payee_steps": PAYEE_STEPS.items() if answer is True else (),
        "payee_not_now": "" if answer is None or answer is True else answer,
        "payouts": Payout.objects.visible_to(actor)
        .filter(partner=found)
        .select_related("program")
        .order_by("-submitted_at", "-pk"),
        "application": Application.objects.visible_to(actor).filter(partner=found).first(),
        "refusal": refusal,
        "tried": tried,
        "typed": request.POST.get("reason", "") if tried else "",
        "zone": settings.PLATFORM_TIME_ZONE,
        "now": now,
    }
    return render(request, "console/partners/partner.html", context, status=status)


def _partner_or_404(request: HttpRequest, code: str) -> Partner:
    found: Partner | None = Partner.objects.visible_to(actor_for(request)).filter(code=code).first()
    if found is None:
        raise Http404
    return found


def _today() -> date:
    return local_date(timezone.now(), ZoneInfo(settings.PLATFORM_TIME_ZONE))
