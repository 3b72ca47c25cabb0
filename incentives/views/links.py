"""A partner's invite links: the list with what each brought, a new one, one link with its QR code, its end."""

import io
from collections.abc import Sequence
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.errors import DomainError
from core.models import PolicyVersion
from incentives.link_forms import ExtendForm, NewLinkForm, last_day_of
from incentives.queries.link_counts import link_counts
from incentives.queries.links import LinkRow, link_rows, link_totals, registered_through, to_show
from incentives.queries.programs import current_policies
from incentives.views.common import actor_for, partner_for
from merchants.services import create_link
from partners.links import live_links, may_recruit
from partners.models import InviteLink, Partner
from partners.services import extend_link, revoke_link

PER_PAGE = 25


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def links(request: HttpRequest) -> HttpResponse:
    """All links, the newest first, and the form for a new one."""
    partner, own = partner_for(request)
    actor, at = actor_for(request), timezone.now()
    policies = current_policies()
    form = NewLinkForm(
        request.POST or None, actor=actor, partner=partner, policies=policies, at=at, initial=_asked(request)
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = create_link(actor=actor, partner=partner, at=at, **form.given())
        except DomainError as refused:
            form.add_error(None, refused.message)
        else:
            messages.info(request, _("The link works now. Copy it, or show its QR code."))
            return redirect("portal-link", made.code)
    visible = InviteLink.objects.visible_to(actor).filter(partner=partner)
    counts = link_counts(actor=actor, of=Q(link__partner=partner))
    totals = link_totals(links=visible, counts=counts, at=at)
    # Those that work come first: they are what somebody looks for here.
    works = Exists(live_links(at).filter(pk=OuterRef("pk")))
    pages = Paginator(to_show(visible).annotate(works=works).order_by("-works", "-pk"), PER_PAGE)
    pages.count = totals.links  # which has been counted
    page = pages.get_page(request.GET.get("page"))
    titles = {policy.program.code: policy.title for policy in policies}
    return render(
        request,
        "portal/links.html",
        {
            **_frame(request, partner, own, policies),
            "form": form,
            "may_recruit": may_recruit(actor, partner.pk),
            "open": form.is_bound or bool(_asked(request)),
            "house": request.build_absolute_uri("/").rstrip("/"),
            "page": page,
            "links": link_rows(actor=actor, links=list(page.object_list), at=at, titles=titles, counts=counts),
            "totals": totals,
        },
        status=422 if form.is_bound else 200,
    )


@login_required
@require_safe
def link(request: HttpRequest, code: str) -> HttpResponse:
    """One link: its address to copy, its QR code, what it brought, its end."""
    found, partner, own = _link_or_404(request, code)
    return _show(request, found, partner, own, ExtendForm(initial={"last_day": last_day_of(found.expires_at)}))


@login_required
@require_POST
def revoke(request: HttpRequest, code: str) -> HttpResponse:
    """End the link now."""
    found, _partner, _own = _link_or_404(request, code)
    try:
        revoke_link(actor=actor_for(request), link=found, at=timezone.now())
    except DomainError as refused:
        messages.error(request, refused.message)
    else:
        messages.info(request, _("The link is revoked: nobody registers through it any more."))
    return redirect("portal-link", found.code)


@login_required
@require_POST
def extend(request: HttpRequest, code: str) -> HttpResponse:
    """Put the link's end off."""
    found, partner, own = _link_or_404(request, code)
    form = ExtendForm(request.POST)
    if form.is_valid():
        try:
            extend_link(actor=actor_for(request), link=found, expires_at=form.expires_at, at=timezone.now())
        except DomainError as refused:
            form.add_error("last_day", refused.message)
        else:
            messages.info(request, _("The link works longer now."))
            return redirect("portal-link", found.code)
    return _show(request, found, partner, own, form, status=422)


@login_required
@require_safe
def qr_svg(request: HttpRequest, code: str) -> HttpResponse:
    """The QR code as a drawing, for print in any size."""
    return _qr(request, code, "svg", "image/svg+xml")


@login_required
@require_safe
def qr_png(request: HttpRequest, code: str) -> HttpResponse:
    """The QR code as a picture, for chats."""
    return _qr(request, code, "png", "image/png")


def _qr(request: HttpRequest, code: str, kind: str, content_type: str) -> HttpResponse:
    found, _partner, _own = _link_or_404(request, code)
    drawn = io.BytesIO()
    # Level M still reads when a seventh of it is dirty; the quiet zone of four is what readers ask for.
    segno.make(_address(request, found), error="m", micro=False).save(
        drawn, kind=kind, scale=10, border=4, light="#fff"
    )
    response = HttpResponse(drawn.getvalue(), content_type=content_type)
    shown = "attachment" if "download" in request.GET else "inline"
    response["Content-Disposition"] = f'{shown}; filename="{found.code}.{kind}"'
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _show(
    request: HttpRequest,
    found: InviteLink,
    partner: Partner,
    own: list[Partner],
    form: ExtendForm,
    *,
    status: int = 200,
) -> HttpResponse:
    actor = actor_for(request)
    policies = current_policies()
    titles = {policy.program.code: policy.title for policy in policies}
    (row,) = link_rows(actor=actor, links=[found], at=timezone.now(), titles=titles)
    context = {
        **_frame(request, partner, own, policies),
        "link": row,
        "address": _address(request, found),
        "message": _message(partner, row),
        "registered": registered_through(actor=actor, link=found),
        "form": form,
        "may_recruit": may_recruit(actor, partner.pk),
    }
    return render(request, "portal/link.html", context, status=status)


def _link_or_404(request: HttpRequest, code: str) -> tuple[InviteLink, Partner, list[Partner]]:
    """The partner's link of this code. Foreign and absent are not told apart."""
    partner, own = partner_for(request)
    visible = InviteLink.objects.visible_to(actor_for(request)).filter(partner=partner)
    found = to_show(visible.filter(code=code)).first()
    if found is None:
        raise Http404
    return found, partner, own


def _address(request: HttpRequest, found: InviteLink) -> str:
    return request.build_absolute_uri(reverse("invite", args=[found.code]))


def _message(partner: Partner, row: LinkRow) -> str:
    """What a recruiter can send along, in the recruiter's language: merchants mostly read the same."""
    if row.program_title:
        said = _("%(partner)s invites you to open a shop in %(program)s. Register here, it takes three minutes:")
        return said % {"partner": partner.name, "program": row.program_title}
    return _("%(partner)s invites you to open a shop. Register here, it takes three minutes:") % {
        "partner": partner.name
    }


def _asked(request: HttpRequest) -> dict[str, str]:
    """What another page asks a new link for: `?program=…&target=…`."""
    return {name: request.GET[name] for name in ("program", "target") if request.GET.get(name)}


def _frame(
    request: HttpRequest, partner: Partner, own: list[Partner], policies: Sequence[PolicyVersion]
) -> dict[str, Any]:
    return {
        "here": "links",
        "partner": partner,
        "own": own,
        "looking_in": actor_for(request).is_operator,
        "program": policies[0].program if policies else None,
    }
