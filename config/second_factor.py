"""Operators come in with a second factor, where the house asks for one (OPERATORS_NEED_SECOND_FACTOR)."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from core.models import User

# Where what only operators reach begins; theirs is also everything that the API shows them.
GUARDED = ("/operator/", "/admin/", "/api/v1/")
SECOND = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class SecondFactorMiddleware:
    """Sends an operator whose session was opened by a password alone to set a second factor up, or to sign in with it.

    Partners are left alone: their second factor is their own choice. The API's callers with a key are no people.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request pass, or say what is missing and lead there."""
        user = request.user
        if (
            settings.OPERATORS_NEED_SECOND_FACTOR
            and request.path.startswith(GUARDED)
            and isinstance(user, User)
            and user.is_staff
            and not _came_with_second(request, user)
        ):
            return _lead_there(request, user)
        return self.get_response(request)


def _came_with_second(request: HttpRequest, user: User) -> bool:
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, user))


def _lead_there(request: HttpRequest, user: User) -> HttpResponse:
    if request.path.startswith("/api/"):
        said = "Operators need a second factor: sign in with it first."
        error = {"code": "second_factor_needed", "detail": said, "attr": None}
        return JsonResponse({"type": "client_error", "errors": [error]}, status=403)
    if is_mfa_enabled(user, SECOND):
        messages.warning(request, _("Give your second factor once more: operators' pages need it."))
        return HttpResponseRedirect(f"{reverse('mfa_reauthenticate')}?next={request.path}")
    messages.warning(request, _("Set a second factor up first: operators' pages open only with one."))
    return HttpResponseRedirect(reverse("mfa_index"))
