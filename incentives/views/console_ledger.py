"""The ledger in the admin dashboard: balances that add up to zero, entries, running accounts, adjustments."""

import io
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from incentives import policies
from incentives.desk_filters import AdjustmentFilter, LedgerFilter
from incentives.exports import write_csv
from incentives.models import Adjustment
from incentives.queries import program_titles
from incentives.queries.books import account_views, entry_views, ledger_balances, ledger_entries, ledger_table
from incentives.queries.ledger_pages import causes, partner_balances, partners_with_postings, totals
from incentives.queries.payments import adjustment_views, adjustments
from incentives.states import Account, AdjustmentKind, AdjustmentState
from incentives.views.common import actor_for
from partners.console import operators

PER_PAGE = 50
SHOWS = ("balances", "entries", "accounts", "adjustments")
# A list's own parameters in the address; the rest of it is left alone.
FILTERS = {
    "balances": ("search",),
    "entries": ("program", "partner", "payout", "account", "since", "until"),
    "accounts": (),
    "adjustments": ("program", "partner", "state", "kind"),
}


@operators
@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    """Balances (`?show=balances`), entries, partners' running accounts that aren't even, adjustments."""
    actor = actor_for(request)
    show = request.GET.get("show", "")
    if show not in SHOWS:
        show = "balances"
    given = _given(request, show)
    balances = ledger_balances(ledger_entries(actor))
    extra: dict[str, Any] = {}
    if show == "balances":
        page: Any = Paginator(partners_with_postings(actor, search=given.get("search", "")), PER_PAGE)
        page = page.get_page(request.GET.get("page"))
        rows: Sequence[object] = partner_balances(list(page.object_list))
        extra["accounts"] = [(account.value, account.label) for account in Account]
    elif show == "entries":
        found = LedgerFilter(given, queryset=ledger_entries(actor)).qs
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        views = entry_views(page.object_list)
        words = causes(views)
        rows = [(view, words[view.cause]) for view in views]
        extra |= {"of_these": ledger_balances(found), "choices": Account.choices}
    elif show == "accounts":
        page = Paginator(account_views(actor), PER_PAGE).get_page(request.GET.get("page"))
        rows = list(page.object_list)
    else:
        asked = AdjustmentFilter(given, queryset=adjustments(actor)).qs
        page = Paginator(asked, PER_PAGE).get_page(request.GET.get("page"))
        rows = decidable(request, list(page.object_list))
        extra |= {"states": AdjustmentState.choices, "kinds": AdjustmentKind.choices}
    return render(
        request,
        "console/ledger/list.html",
        {
            "here": "ledger",
            "show": show,
            "chips": [(key, label) for key, label in zip(SHOWS, _labels(), strict=True)],
            "balances": balances,
            "totals": totals(balances),
            "rows": rows,
            "page": page,
            "chosen": given,
            "query": given.urlencode(),
            "page_query": f"show={show}&{given.urlencode()}",
            "titles": program_titles(),
            "zone": settings.PLATFORM_TIME_ZONE,
            **extra,
        },
    )


@operators
@require_safe
def ledger_csv(request: HttpRequest) -> HttpResponse:
    """All entries that the address asks for, the oldest posting first."""
    found = LedgerFilter(_given(request, "entries"), queryset=ledger_entries(actor_for(request))).qs
    content = io.BytesIO()
    with transaction.atomic():
        write_csv(ledger_table(found), content)
    return HttpResponse(
        content.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="ledger.csv"', "Cache-Control": "private, no-store"},
    )


def decidable(request: HttpRequest, found: list[Adjustment]) -> list[tuple[object, bool, bool]]:
    """Adjustments to show, whether this person may decide on each, and whether they may withdraw it."""
    actor = actor_for(request)
    proposed = [each.state == AdjustmentState.PROPOSED for each in found]
    return [
        (
            view,
            is_open and policies.can_confirm_adjustment(actor, each) is True,
            is_open and each.proposed_by_id == actor.user_id and policies.can_adjust(actor, each.partner_id) is True,
        )
        for view, each, is_open in zip(adjustment_views(actor, found), found, proposed, strict=True)
    ]


def _labels() -> tuple[str, ...]:
    return (_("Balances"), _("Entries"), _("Running accounts"), _("Adjustments"))


def _given(request: HttpRequest, show: str) -> QueryDict:
    """The list's filters that stand in the address, without what is empty."""
    given = QueryDict(mutable=True)
    for name in FILTERS[show]:
        values = [value for value in request.GET.getlist(name) if value]
        if values:
            given.setlist(name, values)
    return given
