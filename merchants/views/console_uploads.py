"""A feed's file from the dashboard: handed in, looked at, then loaded or thrown away."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.actors import Capability
from core.errors import DomainError
from merchants.feed_forms import LoadForm, UploadForm
from merchants.imports.kinds import KINDS
from merchants.models import FeedUpload
from merchants.services import drop_upload, keep_upload, map_upload, queue_upload
from merchants.states import FeedKind, UploadState
from partners.console import decide, decided_by, operators
from partners.pages import actor_for

SAMPLES = 3


@operators
@require_POST
@decided_by(Capability.LOAD_FEED)
def upload(request: HttpRequest) -> HttpResponse:
    """Take a file and show what it would come to. What can't be read at all is refused with its reason."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        wrong = [f"{form[name].label}: {error}" for name in form.errors for error in form[name].errors]
        messages.error(request, " ".join(wrong))
        return HttpResponseRedirect(reverse("console-feeds"))
    try:
        kept = keep_upload(actor=actor_for(request), kind=form.cleaned_data["kind"], file=form.cleaned_data["file"])
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse("console-feeds"))
    return HttpResponseRedirect(reverse("console-upload", args=[kept.pk]))


@operators
@require_safe
def look(request: HttpRequest, upload_id: int) -> HttpResponse:
    """What loading the file would come to; while it waits for its worker, that. Then its import's page takes over."""
    found = _or_404(request, upload_id)
    if found.import_of_id is not None and found.state != UploadState.QUEUED:
        return HttpResponseRedirect(reverse("console-feed", args=[found.import_of_id]))
    actor = actor_for(request)
    fits = [str(FeedKind(kind).label) for kind in found.preview.get("fits", [])]
    return render(
        request,
        "console/feeds/upload.html",
        {
            "here": "feeds",
            "upload": found,
            "preview": found.preview,
            "fits": fits,
            "unsplit": _unsplit(found),
            "headings": _headings(found),
            "kind": KINDS[FeedKind(found.kind)],
            "guessed": any(heading.likely for heading in _headings(found)),
            "others": (found.total or 0) - found.preview.get("checked", 0),
            "waits": found.state in (UploadState.QUEUED, UploadState.LOADING),
            "kept": found.state == UploadState.KEPT,
            "form": LoadForm() if actor.can(Capability.LOAD_FEED) else None,
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@operators
@require_POST
@decided_by(Capability.LOAD_FEED)
def columns(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Read the file's headings as they were said to be, and show what it then comes to."""
    found = _or_404(request, upload_id)
    said = [request.POST.get(f"column-{place}", "") for place in range(len(found.preview.get("header", [])))]
    return decide(
        request,
        lambda: map_upload(actor=actor_for(request), upload=found, columns=said),
        said=_("%(file)s is read by the columns that you chose.") % {"file": found.name},
        back=reverse("console-upload", args=[found.pk]),
    )


@operators
@require_POST
@decided_by(Capability.LOAD_FEED)
def load(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Have a worker load the file."""
    found = _or_404(request, upload_id)
    strict = request.POST.get("strict") == "on"
    return decide(
        request,
        lambda: queue_upload(actor=actor_for(request), upload=found, strict=strict),
        said=_("%(file)s is being loaded.") % {"file": found.name},
        back=reverse("console-upload", args=[found.pk]),
    )


@operators
@require_POST
@decided_by(Capability.LOAD_FEED)
def drop(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Throw the file away."""
    found = _or_404(request, upload_id)
    return decide(
        request,
        lambda: drop_upload(actor=actor_for(request), upload=found),
        said=_("Threw away %(file)s. Nothing of it was recorded.") % {"file": found.name},
        back=reverse("console-feeds"),
    )


def _unsplit(upload: FeedUpload) -> bool:
    """Whether the file's one heading looks like several that something else than commas separates."""
    header = upload.preview.get("header", [])
    return len(header) == 1 and any(mark in header[0] for mark in (";", "\\t", "|"))


@dataclass(frozen=True, slots=True)
class Heading:
    """One of the file's headings: some of the values below it, and the column that it is read as, or likely is."""

    text: str
    samples: tuple[str, ...]
    column: str
    likely: bool


def _headings(upload: FeedUpload) -> list[Heading]:
    preview = upload.preview
    rows = [cells for _line, cells in preview.get("first", [])]
    found = []
    for place, (text, column) in enumerate(zip(preview.get("header", []), preview.get("columns", []), strict=False)):
        cells = [cells[place] for cells in rows if place < len(cells) and cells[place]]
        likely = bool(column) and not upload.mapping and column != text
        found.append(Heading(text, tuple(dict.fromkeys(cells))[:SAMPLES], column, likely))
    return found


def _or_404(request: HttpRequest, upload_id: int) -> FeedUpload:
    rows = FeedUpload.objects.visible_to(actor_for(request)).select_related("uploaded_by", "asked_by")
    found: FeedUpload | None = rows.filter(pk=upload_id).first()
    if found is None:
        raise Http404
    return found
