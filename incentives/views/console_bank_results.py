"""The bank's answer in the admin dashboard: a look at what a file would do, its loading, and what it has done."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
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
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from core.actors import Capability
from core.errors import DomainError
from incentives import policies, services
from incentives.bank_formats import LARGEST_FILE
from incentives.exports import Cell, Table, stream_csv
from incentives.models import BankResult
from incentives.queries.paying import settled_by, settled_rows
from incentives.queries.payments import bank_result_views, bank_results
from incentives.services.bank_preview import ExpectedRow, preview_bank_result, sums_of
from incentives.services.bank_results import ASIDE, UNCHANGED
from incentives.views.bank_file import forget, keep, kept
from incentives.views.common import actor_for
from partners.console import decided_by, operators

PER_PAGE = 100
# The preview shows so many rows of each kind; all of them are counted and added up.
SHOWN = 100
ROW_COLUMNS = ("line", "code", "why", "row")


class ResultForm(forms.Form):
    """The file that the bank gave."""

    file = forms.FileField(label=gettext_lazy("The bank's result file (CSV)"), allow_empty_file=True)


@operators
@require_POST
@decided_by(Capability.PAY)
def look(request: HttpRequest) -> HttpResponse:
    """Say what a file would do (`file`), or load the one that was looked at (`token`)."""
    actor = actor_for(request)
    if actor.user_id is None:
        raise Http404
    token = request.POST.get("token", "")
    if token:
        content = kept(actor.user_id, token)
        if content is None:
            messages.error(request, _("The file has waited too long. Choose it again; nothing was loaded."))
            return _back()
        return _loaded(request, actor.user_id, token, content)
    form = ResultForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Choose the file that the bank gave."))
        return _back()
    file: UploadedFile[Any] = form.cleaned_data["file"]
    content = file.read(LARGEST_FILE + 1)
    try:
        rows = preview_bank_result(actor=actor, content=content)
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return _back()
    outcomes: dict[str, list[ExpectedRow]] = {"paid": [], "refused": [], UNCHANGED: [], ASIDE: []}
    for row in rows:
        outcomes[row.outcome].append(row)
    return render(
        request,
        "console/payments/preview.html",
        {
            "here": "payments",
            "name": file.name,
            "sums": sums_of(rows),
            "total": len(rows),
            "parts": [
                (key, found[:SHOWN], len(found) - SHOWN)
                for key, found in outcomes.items()
                if found and key != UNCHANGED
            ],
            "unchanged": len(outcomes[UNCHANGED]),
            "moves": bool(outcomes["paid"] or outcomes["refused"]),
            "token": keep(actor.user_id, content),
        },
    )


def _loaded(request: HttpRequest, user_id: int, token: str, content: bytes) -> HttpResponse:
    try:
        result = services.load_bank_result(actor=actor_for(request), content=content).result
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return _back()
    forget(user_id, token)
    messages.success(
        request,
        _("Loaded: %(paid)s paid, %(refused)s refused, %(unchanged)s unchanged, %(aside)s set aside.")
        % {
            "paid": f"{result.paid:,}",
            "refused": f"{result.refused:,}",
            "unchanged": f"{result.unchanged:,}",
            "aside": f"{result.quarantined:,}",
        },
    )
    return HttpResponseRedirect(reverse("console-bank-result", args=[result.pk]))


@operators
@require_safe
def bank_result(request: HttpRequest, result: int) -> HttpResponse:
    """A loaded file: what it settled, and the rows that were set aside, with what is wrong with each."""
    found = _result_or_404(request, result)
    page = Paginator(settled_by(found), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "console/payments/result.html",
        {
            "here": "payments",
            "result": bank_result_views([found])[0],
            "page": page,
            "rows": settled_rows(page.object_list),
            "may": policies.can_prepare_payment(actor_for(request)) is True,
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@operators
@require_safe
def rows_csv(request: HttpRequest, result: int) -> HttpResponseBase:
    """The rows that were set aside, as a file to ask the bank by."""
    view = bank_result_views([_result_or_404(request, result)])[0]
    cells: Iterator[Sequence[Cell]] = ([row.line, row.code, *row.text.partition("\n")[::2]] for row in view.quarantine)
    response = StreamingHttpResponse(stream_csv(Table(ROW_COLUMNS, cells)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="bank-result-{view.id}-rows.csv"'
    return response


def _result_or_404(request: HttpRequest, result: int) -> BankResult:
    visible = bank_results(actor_for(request)).prefetch_related("quarantine__note")
    found: BankResult | None = visible.filter(pk=result).first()
    if found is None:
        raise Http404
    return found


def _back() -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('console-payments')}?show=results")
