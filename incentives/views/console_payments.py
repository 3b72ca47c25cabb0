"""Payments in the admin dashboard: what can be paid now, what can't and why, batches, and the bank's files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from core.actors import Actor, Capability
from core.errors import DomainError
from incentives import policies, services
from incentives.desk_filters import BATCHES_WAIT, BatchFilter, DeskFilter
from incentives.exports import stream_csv
from incentives.models import Payout
from incentives.queries import program_titles
from incentives.queries.paying import PayableRow, approved_payouts, payable_rows, payable_table
from incentives.queries.payments import bank_result_views, bank_results, batch_rows, batches
from incentives.queries.review import Money
from incentives.services.obstacles import in_the_way
from incentives.views.common import actor_for
from incentives.views.payout_steps import told
from partners.console import decided_by, operators

PER_PAGE = 50
SHOWS = ("ready", "not_yet", "batches", "results")
FILTERS = ("program", "search", "partner", "ordering")


@dataclass(frozen=True, slots=True)
class Payable:
    """The approved payouts that an address asks for: those that can be paid now, and the others."""

    ready: list[PayableRow]
    not_yet: list[PayableRow]


@operators
@require_safe
def payments(request: HttpRequest) -> HttpResponse:
    """What waits to be paid (`?show=ready`), what can't be yet (`not_yet`), the batches, the bank's files.

    Of the batches `?waits=` leaves those that wait for one thing.
    """
    actor, given = actor_for(request), asked(request)
    found = payable(actor, given)
    made, loaded = batches(actor), bank_results(actor)
    show = request.GET.get("show", "")
    if show not in SHOWS:
        show = "ready"
    waits = request.GET.get("waits", "") if show == "batches" else ""
    narrow = BatchFilter({"waits": waits}, queryset=made).qs if waits else made
    listed: Any = {"ready": found.ready, "not_yet": found.not_yet, "batches": narrow, "results": loaded}[show]
    page: Any = Paginator(listed, PER_PAGE).get_page(request.GET.get("page"))
    rows: Sequence[object] = list(page.object_list)
    if show == "batches":
        rows = batch_rows(page.object_list)
    elif show == "results":
        rows = bank_result_views(page.object_list.prefetch_related("quarantine__note"))
    counts = {"ready": len(found.ready), "not_yet": len(found.not_yet), "batches": made.count()}
    labels = {
        "ready": _("Can be paid"),
        "not_yet": _("Can't be paid yet"),
        "batches": _("Batches"),
        "results": _("Results of the bank"),
    }
    return render(
        request,
        "console/payments/list.html",
        {
            "here": "payments",
            "show": show,
            "chips": [(key, labels[key], counts[key] if key in counts else loaded.count()) for key in SHOWS],
            "rows": rows,
            "page": page,
            "ready": sums(found.ready),
            "not_yet": sums(found.not_yet),
            "kept": [(name, value) for name, values in given.lists() for value in values],
            "query": given.urlencode(),
            "page_query": f"show={show}&{urlencode({'waits': waits})}&{given.urlencode()}",
            "waits": waits,
            "waits_for": BATCHES_WAIT,
            "chosen": given,
            "titles": program_titles(),
            "may": policies.can_prepare_payment(actor) is True,
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@operators
@require_safe
def payments_csv(request: HttpRequest) -> HttpResponseBase:
    """All approved payouts that the address asks for, with what stands in the way of each."""
    found = payable(actor_for(request), asked(request))
    response = StreamingHttpResponse(
        stream_csv(payable_table([*found.ready, *found.not_yet])), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="payments.csv"'
    return response


@operators
@require_POST
@decided_by(Capability.PAY)
def make_batch(request: HttpRequest) -> HttpResponse:
    """Put the chosen payouts together (`payout=ID:VERSION`), or with `fit=1` all that the address asks for."""
    actor = actor_for(request)
    wanted = approved_payouts(actor)
    if request.POST.get("fit") == "1":
        wanted = narrowed(wanted, kept_of(request.POST))
        ready = [row.id for row in payable_of(list(wanted)).ready]
    else:
        ready = [number for text in request.POST.getlist("payout") if (number := _number(text)) is not None]
    try:
        # What has changed since it was shown is left out with its reason, or stays what it is: nothing is sent yet.
        report = services.create_payment_batch(actor=actor, payouts=list(wanted.filter(pk__in=ready)))
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse("console-payments"))
    said = ngettext(
        "Put together: %(count)s payment, %(amount)s. Nothing is sent yet; lock the batch to send it.",
        "Put together: %(count)s payments, %(amount)s. Nothing is sent yet; lock the batch to send it.",
        report.items,
    )
    messages.success(
        request, said % {"count": f"{report.items:,}", "amount": told(report.total, report.batch.currency)}
    )
    for each in report.left_out[:5]:
        messages.warning(request, _("Left out: %(partner)s. %(why)s") % {"partner": each.partner_code, "why": each.why})
    return HttpResponseRedirect(reverse("console-batch", args=[report.batch.pk]))


def asked(request: HttpRequest) -> QueryDict:
    """The filters of the address."""
    return kept_of(request.GET)


def kept_of(source: QueryDict) -> QueryDict:
    """The filters that stand in an address or a form, without what is empty."""
    given = QueryDict(mutable=True)
    for name in FILTERS:
        if source.get(name):
            given[name] = str(source[name])
    return given


def payable(actor: Actor, given: QueryDict) -> Payable:
    """The approved payouts that the filters leave. Six queries, however many there are."""
    return payable_of(list(narrowed(approved_payouts(actor), given)))


def payable_of(payouts: list[Payout]) -> Payable:
    """Sort payouts by whether something stands in the way of paying them."""
    rows = payable_rows(payouts, in_the_way(payouts))
    return Payable([row for row in rows if not row.code], [row for row in rows if row.code])


def narrowed(payouts: QuerySet[Payout], given: QueryDict) -> QuerySet[Payout]:
    """The payouts that the filters leave."""
    found: QuerySet[Payout] = DeskFilter(given, queryset=payouts).qs
    return found


def sums(rows: Iterable[PayableRow]) -> list[Money]:
    """What rows come to, by currency."""
    found: dict[str, Money] = {}
    for row in rows:
        so_far = found.get(row.currency, Money(row.currency, 0, Decimal(0)))
        found[row.currency] = Money(row.currency, so_far.count + 1, so_far.amount + row.amount)
    return [found[currency] for currency in sorted(found)]


def _number(text: str) -> int | None:
    ident = text.partition(":")[0]
    return int(ident) if ident.isascii() and ident.isdecimal() and len(ident) < 19 else None
