"""A person's own notices: the inbox, ticking off, and how they want to be told. For partners' people and operators."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.models import Notice
from core.notices.filters import NoticeFilter
from core.notices.inbox import channels_of, choose_channels, kinds_for, mark_read, notice_views, unread_count
from partners.pages import actor_for, frame, partner_for

PER_PAGE = 25


@login_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """What the person was told, the newest first; all, unread, or of a kind."""
    actor = actor_for(request)
    mine = Notice.objects.visible_to(actor).order_by("-created_at", "-pk")
    narrowed = NoticeFilter(request.GET, queryset=mine)
    page = Paginator(narrowed.qs if narrowed.is_valid() else mine.none(), PER_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    kinds = [(kind.key, kind.title, kind.key == request.GET.get("kind")) for kind in kinds_for(actor)]
    return render(
        request,
        "notices/inbox.html",
        {
            **_frame(request),
            "page": page,
            "notices": notice_views(page.object_list),
            "unread": unread_count(actor=actor),
            "newest": mine.order_by("-pk").values_list("pk", flat=True).first() or 0,
            "kinds": kinds,
            "only_unread": request.GET.get("unread") == "true",
            "narrowed": bool(request.GET.get("unread") or request.GET.get("kind")),
            "query": query.urlencode(),
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@login_required
@require_safe
def open_notice(request: HttpRequest, notice: int) -> HttpResponse:
    """Go where the notice leads, and count it as read: that is what reading is. Looking ahead (HEAD) counts nothing."""
    actor = actor_for(request)
    found = Notice.objects.visible_to(actor).filter(pk=notice).first()
    if found is None:
        raise Http404
    if request.method == "GET":
        mark_read(actor=actor, notices=[found.pk])
    [view] = notice_views([found])
    return redirect(view.path or "notices")


@login_required
@require_POST
def read(request: HttpRequest, notice: int) -> HttpResponse:
    """Tick one off, and stay where one was."""
    actor = actor_for(request)
    if not Notice.objects.visible_to(actor).filter(pk=notice).exists():
        raise Http404
    mark_read(actor=actor, notices=[notice])
    return redirect(_back(request))


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Tick all off that were there when the page was made: none is hidden that came since and nobody has seen."""
    actor = actor_for(request)
    newest = request.POST.get("until", "")
    if not (newest.isascii() and newest.isdecimal() and len(newest) < 19):
        raise Http404
    seen = Notice.objects.visible_to(actor).unread().filter(pk__lte=int(newest)).values_list("pk", flat=True)
    count = mark_read(actor=actor, notices=list(seen))
    messages.success(
        request, ngettext("%(count)d notice is read now.", "%(count)d notices are read now.", count) % {"count": count}
    )
    return redirect("notices")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """How the person wants to be told of each kind."""
    actor = actor_for(request)
    if request.method == "POST":
        # A box that can't be changed isn't sent: what is fixed stays on.
        chosen = {
            each.kind: (f"inbox:{each.kind}" in request.POST, each.mail_fixed or f"mail:{each.kind}" in request.POST)
            for each in channels_of(actor=actor)
        }
        choose_channels(actor=actor, chosen=chosen)
        messages.success(request, _("From now on you are told as chosen here."))
        return redirect("notice-settings")
    context = {**_frame(request), "channels": channels_of(actor=actor), "address": getattr(request.user, "email", "")}
    return render(request, "notices/settings.html", context)


def _frame(request: HttpRequest) -> dict[str, Any]:
    """The frame of whichever side the person is on; the bare one for who is on none."""
    actor = actor_for(request)
    if actor.partner_ids and not actor.is_operator:
        return {"frame": "portal/base.html", **frame(request, "notices", *partner_for(request))}
    return {"frame": "console/base.html" if actor.is_operator else "base.html", "here": "notices"}


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "notices"
