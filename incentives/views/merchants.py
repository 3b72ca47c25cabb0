"""A partner's merchants: the list with its filters, the list to take along, and one shop with everything about it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from incentives.exports import stream_csv, write_xlsx
from incentives.merchant_files import MOST_IN_A_WORKBOOK, file_name, table
from incentives.queries import program_titles
from incentives.queries.merchants import MerchantList
from incentives.queries.shop_pages import ShopPage, shop_page
from incentives.views.common import Place, actor_for, partner_for, program_or_404
from incentives.views.filter_bar import clean, filter_bar
from incentives.views.sales_chart import sales_chart
from partners.models import InviteLink, Partner

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# So many links can be chosen from, the newest; an address can name any.
LINKS = 100


@login_required
@require_safe
def shops(request: HttpRequest, program: str) -> HttpResponse:
    """Registrations and shops of the partner in one list: narrowed, sorted and paged by the address."""
    partner, own = partner_for(request)
    place = program_or_404(program)
    merchants = merchants_of(request, place, partner)
    links = InviteLink.objects.visible_to(actor_for(request)).filter(partner=partner).order_by("-pk")[:LINKS]
    named = [(link.code, link.label or link.code) for link in links]
    return list_page(
        request, "portal/shops.html", merchants, frame(request, place, partner, own), links=named, base="portal-shops"
    )


@login_required
@require_safe
def shops_csv(request: HttpRequest, program: str) -> HttpResponseBase:
    """All rows that the list's address finds, as CSV."""
    partner, _own = partner_for(request)
    return as_csv(merchants_of(request, program_or_404(program), partner))


@login_required
@require_safe
def shops_xlsx(request: HttpRequest, program: str) -> HttpResponseBase:
    """The same as a workbook: at most twenty thousand rows of it."""
    partner, _own = partner_for(request)
    return as_xlsx(merchants_of(request, program_or_404(program), partner))


@login_required
@require_safe
def shop(request: HttpRequest, program: str, shop_code: str) -> HttpResponse:
    """One shop: its card, what changed, its sales, stock and history. Foreign and absent are not told apart."""
    partner, own = partner_for(request)
    place = program_or_404(program)
    found = (
        shop_page(actor=actor_for(request), run=place.run, shop_code=shop_code, partner_id=partner.pk)
        if place.run
        else None
    )
    if found is None:
        raise Http404
    return render(request, "portal/shop.html", {**frame(request, place, partner, own), **shop_context(found)})


# What the operators' pages share --------------------------------------------------------------------------------------


def merchants_of(request: HttpRequest, place: Place, partner: Partner | None) -> MerchantList:
    """The list that the address asks for: of a partner, or of all whom the actor may see."""
    asked = request.GET.copy()
    if partner is not None:
        asked.pop("partner", None)  # it has chosen whose pages these are
    return MerchantList(
        actor=actor_for(request),
        program=place.program,
        run=place.run,
        partner_id=partner.pk if partner else None,
        asked=asked,
        now=timezone.now(),
    )


def list_page(
    request: HttpRequest,
    template: str,
    merchants: MerchantList,
    context: dict[str, Any],
    *,
    links: list[tuple[str, str]],
    base: str,
) -> HttpResponse:
    """The list's page with its controls. To a script that asked for it, its clean address is told to be shown."""
    page, stages = merchants.look(request.GET.get("page"))
    context |= {
        "merchants": merchants,
        "page": page,
        "bar": filter_bar(merchants, request.GET, stages=stages, links=links),
        "all_rows": sum(stage.count for stage in stages),
        "workbook_limit": MOST_IN_A_WORKBOOK,
        "csv": f"{base}-csv",
        "xlsx": f"{base}-xlsx",
    }
    response = render(request, template, context)
    if getattr(request, "htmx", False):
        query = clean(request.GET).urlencode()
        response["HX-Push-Url"] = f"{request.path}?{query}" if query else request.path
    return response


def shop_context(found: ShopPage) -> dict[str, Any]:
    """What the shop's page is given, whoever reads it."""
    return {**found.context(), "chart": sales_chart(found.sales) if found.sales else None}


def as_csv(merchants: MerchantList) -> HttpResponseBase:
    """The list as CSV, sent while it is read. In the language of the request, to its end."""
    language = translation.get_language()

    def rows() -> Iterator[bytes]:
        with translation.override(language):
            yield from stream_csv(table(merchants))

    return StreamingHttpResponse(
        rows(), content_type="text/csv; charset=utf-8", headers=_attachment(file_name(merchants, "csv"))
    )


def as_xlsx(merchants: MerchantList) -> HttpResponseBase:
    """The list as a workbook."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "merchants.xlsx"
        write_xlsx(table(merchants, most=MOST_IN_A_WORKBOOK), path)
        return HttpResponse(path.read_bytes(), content_type=XLSX, headers=_attachment(file_name(merchants, "xlsx")))


def frame(request: HttpRequest, place: Place, partner: Partner, own: list[Partner]) -> dict[str, Any]:
    """What the frame around the portal's pages about merchants needs."""
    return {
        "here": "shops",
        "own": own,
        "partner": partner,
        "looking_in": actor_for(request).is_operator,
        "program": place.program,
        "programs": program_titles(),
        "run": place.run,
        "zone": place.zone,
    }


def _attachment(name: str) -> dict[str, str]:
    # It says how things stand now, and to nobody else.
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
