"""The demo's outbox: the mails that it would have sent. Elsewhere there is no such page."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from config import mailbox

SHOWN = 100


@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """The mails, the newest first. Whoever looks at the demo sees them all: its people are invented."""
    _demo_only()
    context = {"mails": list(mailbox.newest(SHOWN)), "zone": settings.PLATFORM_TIME_ZONE}
    return render(request, "notices/outbox.html", context)


@require_safe
def mail(request: HttpRequest, mail_id: str) -> HttpResponse:
    """One mail as text."""
    _demo_only()
    found = mailbox.find(mail_id)
    if found is None:
        raise Http404
    return render(request, "notices/mail.html", {"mail": found, "zone": settings.PLATFORM_TIME_ZONE})


def _demo_only() -> None:
    if not settings.DEMO:
        raise Http404
