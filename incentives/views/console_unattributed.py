"""Whose a shop is, in the admin dashboard: shops of nobody, one shop's attribution, contested registrations."""

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
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from core.actors import Capability
from core.errors import DomainError, NotFound
from incentives.exports import Table, stream_csv
from incentives.services import ensure_attribution_open, settled_shops
from incentives.views.common import actor_for
from incentives.views.filter_bar import clean
from merchants.console_shops import (
    REGISTRATION_COLUMNS,
    SHOP_COLUMNS,
    ContestedFilter,
    UnattributedFilter,
    attributions_of,
    claims_about,
    contested_registrations,
    facts_about,
    registration_rows,
    registrations_like,
    shop_rows,
    shops,
    unattributed_shops,
)
from merchants.models import Shop
from merchants.services import apply_attribution_again, assign_shop
from partners.console import decided_by, operators
from partners.models import Partner

PER_PAGE = 50
# One application of the rules locks so many shops at most.
AT_ONCE = 5000
# How many claims and registrations a shop's page shows.
HINTS = 20


@operators
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Shops that nobody brought, with why not; the rules can be applied to them again."""
    actor = actor_for(request)
    asked = UnattributedFilter(request.GET, queryset=unattributed_shops(actor))
    return render(
        request,
        "console/shops/unattributed.html",
        {
            "here": "unattributed",
            "filter": asked,
            "page": Paginator(asked.qs, PER_PAGE).get_page(request.GET.get("page")),
            "query": clean(request.GET).urlencode(),
            "may_assign": actor.can(Capability.ASSIGN_SHOP),
            "at_once": AT_ONCE,
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@operators
@require_safe
def listed_csv(request: HttpRequest) -> HttpResponseBase:
    """All rows that the list's address finds, as CSV."""
    asked = UnattributedFilter(request.GET, queryset=unattributed_shops(actor_for(request)))
    return _as_csv(Table(SHOP_COLUMNS, shop_rows(asked.qs)), "unattributed.csv")


@operators
@require_POST
@decided_by(Capability.ASSIGN_SHOP)
def apply_again(request: HttpRequest) -> HttpResponse:
    """Apply the rules of attribution once more to the shops that the address finds."""
    actor, query = actor_for(request), clean(request.GET).urlencode()
    asked = UnattributedFilter(request.GET, queryset=unattributed_shops(actor))
    chosen = list(asked.qs[:AT_ONCE])
    try:
        found = apply_attribution_again(actor=actor, shops=chosen)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        said = ngettext(
            "Applied the rules to %(shops)d shop again: %(found)d found its partner.",
            "Applied the rules to %(shops)d shops again: %(found)d found their partner.",
            len(chosen),
        )
        messages.success(request, said % {"shops": len(chosen), "found": found})
    return HttpResponseRedirect(f"{reverse('console-unattributed')}{f'?{query}' if query else ''}")


@operators
@require_safe
def attribution(request: HttpRequest, shop_code: str) -> HttpResponse:
    """Whose one shop is and was, what speaks for whom, and giving it to a partner."""
    return _shown(request, _shop_or_404(request, shop_code))


@operators
@require_POST
@decided_by(Capability.ASSIGN_SHOP)
def assign(request: HttpRequest, shop_code: str) -> HttpResponse:
    """Give the shop to a partner. A refusal shows the shop as it is now, with what was written kept."""
    actor, found = actor_for(request), _shop_or_404(request, shop_code)
    given = request.POST.get("seen", "")
    seen = int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else 0
    code = request.POST.get("partner", "").strip()
    try:
        partner = Partner.objects.visible_to(actor).filter(code=code).first()
        if partner is None:
            raise NotFound(_("There is no partner with the code %(code)s.") % {"code": code or "–"})
        assign_shop(
            actor=actor,
            shop=found,
            partner=partner,
            reason=request.POST.get("reason", ""),
            guard=ensure_attribution_open,
            seen=seen,
        )
    except DomainError as refusal:
        return _shown(request, found, refusal=refusal.message, status=409)
    messages.success(
        request,
        _("%(shop)s is given to %(partner)s. The next run counts it so.") % {"shop": found.code, "partner": partner},
    )
    return HttpResponseRedirect(reverse("console-attribution", args=[found.code]))


@operators
@require_safe
def contested(request: HttpRequest) -> HttpResponse:
    """Registrations of merchants that were registered more than once."""
    asked = ContestedFilter(request.GET, queryset=contested_registrations(actor_for(request)))
    query: Any = request.GET.copy()
    query.pop("page", None)
    return render(
        request,
        "console/shops/contested.html",
        {
            "here": "unattributed",
            "filter": asked,
            "page": Paginator(asked.qs, PER_PAGE).get_page(request.GET.get("page")),
            "query": query.urlencode(),
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@operators
@require_safe
def contested_csv(request: HttpRequest) -> HttpResponseBase:
    """All rows that the list's address finds, as CSV."""
    asked = ContestedFilter(request.GET, queryset=contested_registrations(actor_for(request)))
    return _as_csv(Table(REGISTRATION_COLUMNS, registration_rows(asked.qs)), "contested-registrations.csv")


def _shown(request: HttpRequest, found: Shop, *, refusal: str = "", status: int = 200) -> HttpResponse:
    actor = actor_for(request)
    attributions = list(attributions_of(found))
    settled = settled_shops([found.pk]).get(found.pk)
    context = {
        "here": "unattributed",
        "shop": found,
        "attributions": attributions,
        "current": attributions[0] if attributions else None,
        "facts": facts_about(found),
        "claims": claims_about(actor, found)[:HINTS],
        "registrations": registrations_like(actor, found)[:HINTS],
        "settled": settled,
        "may_assign": actor.can(Capability.ASSIGN_SHOP) and settled is None,
        "refusal": refusal,
        "typed": request.POST if refusal else {},
        "zone": settings.PLATFORM_TIME_ZONE,
    }
    return render(request, "console/shops/attribution.html", context, status=status)


def _shop_or_404(request: HttpRequest, code: str) -> Shop:
    found = shops(actor_for(request)).filter(code=code).first()
    if found is None:
        raise Http404
    return found


def _as_csv(table: Table, name: str) -> HttpResponseBase:
    response = StreamingHttpResponse(stream_csv(table), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
