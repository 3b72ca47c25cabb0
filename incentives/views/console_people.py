"""People in the admin dashboard: who has an account, what they may do, and signing somebody out."""

from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from core import services
from core.actors import OPERATOR_ROLES, Actor, Capability, Role
from core.forms import ROLE_NAMES
from core.models import User
from core.people_pages import COLUMNS, PeopleFilter, as_rows, people
from core.sessions import sign_out_everywhere
from incentives.exports import Table, stream_csv
from incentives.views.common import actor_for
from partners.console import decide, decided_by, operators, query_without

PER_PAGE = 50
STEPS = ("grant", "revoke", "close", "open", "sign-out")


@operators
@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    """Every account, with its roles and second factor."""
    actor = actor_for(request)
    asked = PeopleFilter(request.GET, queryset=people(actor))
    return render(
        request,
        "console/people/list.html",
        {
            "here": "people",
            "filter": asked,
            "page": Paginator(asked.qs, PER_PAGE).get_page(request.GET.get("page")),
            "query": query_without(request, "page"),
            "role_names": ROLE_NAMES,
            "may_manage": actor.can(Capability.MANAGE_USERS),
        },
    )


@operators
@require_safe
def accounts_csv(request: HttpRequest) -> HttpResponseBase:
    """All accounts that the list's address finds, as CSV."""
    asked = PeopleFilter(request.GET, queryset=people(actor_for(request)))
    response = StreamingHttpResponse(
        stream_csv(Table(COLUMNS, as_rows(asked.qs))), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="people.csv"'
    return response


@operators
@require_safe
def account(request: HttpRequest, user_id: int) -> HttpResponse:
    """One account: roles to give and take, closing and opening it, signing it out everywhere."""
    actor = actor_for(request)
    found = _user_or_404(actor, user_id)
    has = {Role(grant.role) for grant in found.roles}  # type: ignore[attr-defined]
    return render(
        request,
        "console/people/person.html",
        {
            "here": "people",
            "person": found,
            "roles": [(role.value, ROLE_NAMES[role], role in has) for role in sorted(OPERATOR_ROLES)],
            "may_change": actor.can(Capability.MANAGE_USERS) and actor.user_id != found.pk,
            "is_self": actor.user_id == found.pk,
        },
    )


@operators
@require_POST
@decided_by(step=dict.fromkeys(STEPS, (Capability.MANAGE_USERS,)))
def change(request: HttpRequest, user_id: int, step: str) -> HttpResponse:
    """Take one step about an account: `grant`, `revoke`, `close`, `open`, `sign-out`."""
    actor = actor_for(request)
    found = _user_or_404(actor, user_id)
    steps: dict[str, tuple[Callable[[], Any], str]] = {
        "close": (
            lambda: services.deactivate_user(actor=actor, user=found),
            _("The account of %(who)s is closed, and signed out everywhere. What they did stays."),
        ),
        "open": (
            lambda: services.reactivate_user(actor=actor, user=found),
            _("The account of %(who)s is open again."),
        ),
    }
    back = reverse("console-person", args=[found.pk])
    if step in steps:
        act, said = steps[step]
        return decide(request, act, said=said % {"who": found.get_full_name()}, back=back)
    if step == "sign-out":
        devices: int = found.devices  # type: ignore[attr-defined]
        said = ngettext(
            "%(who)s is signed out on %(count)d device.", "%(who)s is signed out on %(count)d devices.", devices
        ) % {"who": found.get_full_name(), "count": devices}
        return decide(request, lambda: sign_out_everywhere(actor=actor, user=found), said=said, back=back)
    return _change_role(request, actor, found, step, back)


def _change_role(request: HttpRequest, actor: Actor, found: User, step: str, back: str) -> HttpResponse:
    asked = request.POST.get("role", "")
    if asked not in OPERATOR_ROLES:
        raise Http404
    role = Role(asked)
    said = {
        "grant": _("%(who)s has the role “%(role)s” now."),
        "revoke": _("%(who)s has the role “%(role)s” no longer."),
    }[step] % {"who": found.get_full_name(), "role": ROLE_NAMES[role]}
    act = services.grant_role if step == "grant" else services.revoke_role
    return decide(request, lambda: act(actor=actor, user=found, role=role), said=said, back=back)


def _user_or_404(actor: Actor, user_id: int) -> User:
    found = people(actor).filter(pk=user_id).first()
    if found is None:
        raise Http404
    return found
