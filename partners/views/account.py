"""A person's own account in one place: who they are, how they sign in, where they are signed in."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override
from django.views.decorators.http import require_http_methods

from core.actors import OPERATOR_ROLES
from core.errors import DomainError, NotFound
from core.forms import ROLE_NAMES
from core.models import User
from core.services import describe_self
from core.sessions import end_other_sessions, end_session, sessions_of
from partners.forms import OwnAccountForm
from partners.models import Membership
from partners.pages import actor_for


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Name and language, and the way to everything else about the account."""
    user = _user(request)
    form = OwnAccountForm(request.POST or None, initial={"name": user.name, "language": user.language})
    if request.method == "POST" and form.is_valid():
        try:
            changed = describe_self(actor=actor_for(request), **form.cleaned_data)
        except DomainError as refusal:
            form.add_error(None, refusal.message)
        else:
            with override(changed.language):
                messages.success(request, _("Your name and your language have been kept."))
            answer = redirect("account")
            answer.set_cookie(settings.LANGUAGE_COOKIE_NAME, changed.language, samesite="Lax")
            return answer
    kinds = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    context = {
        "form": form,
        "memberships": Membership.objects.filter(user=user).select_related("partner").order_by("partner__name"),
        "roles": [ROLE_NAMES[role] for role in sorted(actor_for(request).roles & OPERATOR_ROLES)],
        "has_totp": Authenticator.Type.TOTP in kinds,
        "passkeys": kinds.count(Authenticator.Type.WEBAUTHN),
        "has_codes": Authenticator.Type.RECOVERY_CODES in kinds,
        "new_address": EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).first(),
        "places": len(_sessions(request, user)),
    }
    return render(request, "account/own.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request: HttpRequest) -> HttpResponse:
    """Where the person is signed in, and signing out there."""
    user = _user(request)
    if request.method == "POST":
        _end(request)
        return redirect("account-sessions")
    context = {"sessions": _sessions(request, user), "zone": settings.PLATFORM_TIME_ZONE}
    return render(request, "account/sessions.html", context)


def _end(request: HttpRequest) -> None:
    actor, wish = actor_for(request), request.POST.get("session", "")
    if wish == "others":
        count = end_other_sessions(actor=actor, here=request.session.session_key)
        said = ngettext(
            "You are signed out on %(count)d other device.", "You are signed out on %(count)d other devices.", count
        )
        messages.success(request, said % {"count": count})
        return
    if not (wish.isascii() and wish.isdecimal() and len(wish) < 19):
        raise Http404
    try:
        end_session(actor=actor, session=int(wish))
    except NotFound:
        raise Http404 from None
    messages.success(request, _("You are signed out there."))


def _sessions(request: HttpRequest, user: User) -> list[object]:
    found = sessions_of(user=user, here=request.session.session_key)
    if not any(view.is_here for view in found):
        # Whoever came in by another way than the sign-in page, or before sessions were kept.
        UserSession.objects.create_from_request(request)
        found = sessions_of(user=user, here=request.session.session_key)
    return list(found)


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user
