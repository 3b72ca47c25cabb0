"""Feeds in the admin dashboard: every import with what came of it, and its rejected rows to mend."""

import io
import tempfile

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.actors import Actor, Capability
from core.uploads import handed_out
from merchants.feed_export import stream_imports
from merchants.feed_forms import ImportFilter, UploadForm
from merchants.feed_querysets import ImportQuerySet
from merchants.imports.rejected import write_csv
from merchants.models import FeedUpload, Import
from merchants.services.uploads import rows_read
from merchants.states import ImportState, UploadState
from partners.console import operators, query_without
from partners.pages import actor_for

PER_PAGE = 50
OPEN = (UploadState.KEPT, UploadState.QUEUED, UploadState.LOADING)


@operators
@require_safe
def feeds(request: HttpRequest) -> HttpResponse:
    """Every import, the newest first; files that wait to be loaded; and the form for another, for whoever may."""
    actor = actor_for(request)
    asked = ImportFilter(request.GET, queryset=_visible(actor), request=request)
    page = Paginator(asked.qs, PER_PAGE).get_page(request.GET.get("page"))
    waiting = FeedUpload.objects.visible_to(actor).filter(state__in=OPEN).select_related("uploaded_by").order_by("-pk")
    return render(
        request,
        "console/feeds/list.html",
        {
            "here": "feeds",
            "filter": asked,
            "page": page,
            "query": query_without(request, "page"),
            "waiting": waiting,
            "at_work": any(row.state == ImportState.RUNNING for row in page),
            "form": UploadForm() if actor.can(Capability.LOAD_FEED) else None,
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@operators
@require_safe
def feeds_csv(request: HttpRequest) -> HttpResponseBase:
    """All imports that the list's address finds, as CSV."""
    asked = ImportFilter(request.GET, queryset=_visible(actor_for(request)), request=request)
    response = StreamingHttpResponse(stream_imports(asked.qs), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="feeds.csv"'
    return response


@operators
@require_safe
def feed(request: HttpRequest, import_id: int) -> HttpResponse:
    """One import: how far it is or what came of it, who loaded it, and the rows that it could not take."""
    actor = actor_for(request)
    found = _or_404(actor, import_id)
    upload = FeedUpload.objects.visible_to(actor).filter(import_of=found).first()
    works = found.state == ImportState.RUNNING
    read = rows_read(upload) if upload and works else None
    rejected = Paginator(found.rejected_rows.order_by("line", "pk"), PER_PAGE)
    return render(
        request,
        "console/feeds/import.html",
        {
            "here": "feeds",
            "found": found,
            "works": works,
            "read": read,
            "total": upload.total if upload else None,
            "percent": min(read * 100 // upload.total, 99) if upload and read and upload.total else None,
            "took": ((found.finished_at or timezone.now()) - found.started_at).total_seconds(),
            "page": rejected.get_page(request.GET.get("page")),
            "query": query_without(request, "page"),
            "may_load": actor.can(Capability.LOAD_FEED),
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@operators
@require_safe
def rejected_csv(request: HttpRequest, import_id: int) -> HttpResponseBase:
    """The rows that the import could not take, as a file that can be mended and loaded again."""
    found = _or_404(actor_for(request), import_id)
    if not found.rejected:
        raise Http404
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it when it is sent
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    write_csv(found, text)
    text.flush()
    text.detach()
    file.seek(0)
    name = f"{found.kind}-{found.pk}-rejected.csv"
    return handed_out(content=file, name=name, media_type="text/csv; charset=utf-8")


def _visible(actor: Actor) -> ImportQuerySet:
    return Import.objects.visible_to(actor).select_related("actor")


def _or_404(actor: Actor, import_id: int) -> Import:
    found: Import | None = _visible(actor).filter(pk=import_id).first()
    if found is None:
        raise Http404
    return found
