"""One payment batch in the admin dashboard: its payments, and what is done with it."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from core.actors import Capability
from core.errors import DomainError
from incentives import policies, services
from incentives.models import PaymentBatch, Payout
from incentives.queries.paying import batch_parts, batch_row, payment_views, payments_of
from incentives.services.obstacles import in_the_way
from incentives.states import BatchState, ItemState
from incentives.views.common import actor_for
from partners.console import decided_by, operators

PER_PAGE = 100
MOVES = ("lock", "cancel", "drop", "export")


@operators
@require_safe
def batch(request: HttpRequest, batch: int) -> HttpResponse:
    """A batch, readable at every time: `?state=` shows the payments that the bank refused, say."""
    actor = actor_for(request)
    row = batch_row(actor=actor, batch_id=batch)
    if row is None:
        raise Http404
    found = PaymentBatch.objects.select_related(
        "created_by", "locked_by", "exported_by", "cancelled_by", "cancel_reason"
    ).get(pk=batch)
    items = payments_of(found)
    state = request.GET.get("state", "")
    if state in ItemState.values:
        items = items.filter(state=state)
    page = Paginator(items, PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    draft = found.state == BatchState.DRAFT
    waiting = (
        Payout.objects.filter(payment_items__batch=found, payment_items__state=ItemState.WAITING)
        if draft
        else Payout.objects.none()
    )
    obstacles = in_the_way(list(waiting.select_related("partner")), batch=found) if draft else {}
    return render(
        request,
        "console/payments/batch.html",
        {
            "here": "payments",
            "row": row,
            "batch": found,
            "parts": batch_parts(found),
            "state": state,
            "payments": [(each, obstacles.get(each.payout)) for each in payment_views(shown)],
            "stopped": len(obstacles),
            "page": page,
            "query": f"state={state}" if state else "",
            "may": policies.can_prepare_payment(actor) is True,
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@operators
@require_POST
@decided_by(move=dict.fromkeys(MOVES, (Capability.PAY,)))
def move(request: HttpRequest, batch: int, move: str) -> HttpResponse:
    """Lock it, give it up, take payments out, or take its file for the bank."""
    actor = actor_for(request)
    row = batch_row(actor=actor, batch_id=batch)
    if row is None:
        raise Http404
    found = PaymentBatch.objects.get(pk=batch)
    if move == "export":
        return _exported(request, found)
    version = _version(request)

    def act() -> str:
        if move == "lock":
            services.lock_payment_batch(actor=actor, batch=found, version=version)
            return _("Locked: its payouts are in payment, and can't be voided any more. Take its file to the bank.")
        if move == "cancel":
            services.cancel_payment_batch(
                actor=actor, batch=found, reason=request.POST.get("text", ""), version=version
            )
            return _("Cancelled: its payouts are approved and owed, and can be put into another batch.")
        wanted = {int(text) for text in request.POST.getlist("payout") if text.isascii() and text.isdecimal()}
        payouts = list(Payout.objects.visible_to(actor).filter(pk__in=wanted))
        services.drop_from_batch(actor=actor, batch=found, payouts=payouts, version=version)
        return ngettext(
            "Taken out: %(count)s payment. It can be put into another batch.",
            "Taken out: %(count)s payments. They can be put into another batch.",
            len(payouts),
        ) % {"count": len(payouts)}

    return _taken(request, found, act)


def _taken(request: HttpRequest, found: PaymentBatch, act: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, act())
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return HttpResponseRedirect(reverse("console-batch", args=[found.pk]))


def _exported(request: HttpRequest, found: PaymentBatch) -> HttpResponse:
    """The file itself: the only one with account numbers. Who took it stands in the trail."""
    try:
        content = services.export_payment_batch(actor=actor_for(request), batch=found)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse("console-batch", args=[found.pk]))
    return HttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="payments-{found.pk:06d}.csv"',
            "Cache-Control": "private, no-store",
        },
    )


def _version(request: HttpRequest) -> int:
    """The version that the page showed: without one nothing is decided."""
    given = request.POST.get("version", "")
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise Http404
    return int(given)
