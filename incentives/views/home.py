"""The front page: what this is, and from there to wherever a signed-in person belongs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from core.models import User
from incentives.queries import program_overviews
from incentives.views.common import actor_for


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """For strangers what this is; for everybody else the way to their own page.

    The programs' figures and the sign-ins are shown on the demo's front page only: elsewhere they are nobody's
    business who hasn't signed in.
    """
    if request.user.is_authenticated:
        return _to_own_page(request)
    context: dict[str, Any] = {"demo": settings.DEMO}
    if settings.DEMO:
        from incentives.demo.signins import PASSWORD, SIGNINS

        context |= {"programs": program_overviews(), "signins": SIGNINS, "password": PASSWORD}
    return render(request, "home.html", context)


def _to_own_page(request: HttpRequest) -> HttpResponse:
    actor = actor_for(request)
    if actor.is_operator:
        response: HttpResponse = redirect("console-overview")
    elif actor.partner_ids:
        response = redirect("portal-overview")
    else:
        response = render(request, "nowhere.html")
    user = request.user
    # The account's language, until somebody chooses another one in this browser.
    chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    if isinstance(user, User) and isinstance(response, HttpResponseRedirect) and not chosen:
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, user.language, samesite="Lax")
    return response
