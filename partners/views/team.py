"""The team: who is on it, who is invited; and the page behind an invitation's link."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.actors import Role
from core.errors import DomainError
from core.models import User
from partners import policies, services
from partners.forms import InvitationForm, NewAccountForm
from partners.models import Invitation, Membership, Partner
from partners.pages import actor_for, frame, partner_for
from partners.services.invitations import find_invitation
from partners.states import MemberRole


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest) -> HttpResponse:
    """The partner's people, and what its owners do about them."""
    partner, own = partner_for(request)
    actor = actor_for(request)
    form = InvitationForm()
    if request.method == "POST":
        if request.POST.get("do") == "invite":
            form = InvitationForm(request.POST)
            if form.is_valid() and _invite(request, form, partner):
                return redirect("portal-team")
        else:
            _change(request, partner)
            return redirect("portal-team")
    now = timezone.now()
    context: dict[str, Any] = {
        **frame(request, "team", partner, own),
        "members": Membership.objects.filter(partner=partner).select_related("user").order_by("role", "since", "pk"),
        "invitations": Invitation.objects.visible_to(actor)
        .filter(partner=partner, accepted_at=None, withdrawn_at=None, expires_at__gt=now)
        .order_by("pk"),
        "roles": MemberRole.choices,
        "manages": policies.can_manage_team(actor, partner) is True,
        "form": form,
        "zone": settings.PLATFORM_TIME_ZONE,
    }
    return render(request, "portal/team.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Behind the link: join with the account that is signed in, sign in, or make one. Looking takes nothing up."""
    found = find_invitation(token, at=timezone.now())
    if found is None:
        return render(request, "partners/no_invitation.html", status=404)
    user = request.user
    mine = isinstance(user, User) and user.email.lower() == found.email.lower()
    has_account = User.objects.filter(email__iexact=found.email).exists()
    form = NewAccountForm()
    if request.method == "POST" and mine:
        try:
            services.accept_invitation(actor=actor_for(request), token=token)
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return redirect("home")
        return _welcome(request, found)
    if request.method == "POST" and not user.is_authenticated and not has_account:
        form = NewAccountForm(request.POST)
        if form.is_valid() and _make_account(request, form, token):
            return _welcome(request, found)
    context = {
        "invitation": found,
        "mine": mine,
        "other": user.is_authenticated and not mine,
        "has_account": has_account,
        "form": form,
        "zone": settings.PLATFORM_TIME_ZONE,
    }
    return render(request, "partners/invitation.html", context, status=422 if form.errors else 200)


def _invite(request: HttpRequest, form: InvitationForm, partner: Partner) -> bool:
    try:
        sent = services.invite_member(
            actor=actor_for(request),
            partner=partner,
            email=form.cleaned_data["email"],
            role=Role(form.cleaned_data["role"]),
        )
    except DomainError as refusal:
        form.add_error("email", refusal.message)
        return False
    messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": sent.email})
    return True


def _change(request: HttpRequest, partner: Partner) -> None:
    """Withdraw an invitation, or change or end a colleague's place. Http404 for what isn't this partner's."""
    actor, do = actor_for(request), request.POST.get("do", "")
    try:
        if do == "withdraw":
            open_one = Invitation.objects.visible_to(actor).filter(partner=partner, pk=_number(request, "invitation"))
            sent = open_one.select_related("partner").first()
            if sent is None:
                raise Http404
            services.withdraw_invitation(actor=actor, invitation=sent)
            messages.success(request, _("The invitation of %(email)s doesn't work any more.") % {"email": sent.email})
            return
        member = (
            Membership.objects.filter(partner=partner, user=_number(request, "user")).select_related("user").first()
        )
        if member is None or do not in ("role", "dismiss"):
            raise Http404
        who = member.user.get_full_name()
        if do == "dismiss":
            services.dismiss_member(actor=actor, partner=partner, user=member.user)
            messages.success(request, _("%(who)s is off the team.") % {"who": who})
        else:
            role = request.POST.get("role", "")
            if role not in MemberRole.values:
                raise Http404
            changed = services.change_member_role(actor=actor, partner=partner, user=member.user, role=Role(role))
            messages.success(request, _("%(who)s is %(role)s now.") % {"who": who, "role": changed.get_role_display()})
    except DomainError as refusal:
        messages.error(request, refusal.message)


def _number(request: HttpRequest, name: str) -> int:
    given = request.POST.get(name, "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else 0


def _make_account(request: HttpRequest, form: NewAccountForm, token: str) -> bool:
    try:
        user = services.accept_with_new_account(
            token=token,
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            language=get_language() or settings.LANGUAGE_CODE,
        )
    except DomainError as refusal:
        form.add_error("password" if refusal.code == "weak_password" else None, refusal.message)
        return False
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    UserSession.objects.create_from_request(request)  # among the places where the person is signed in
    return True


def _welcome(request: HttpRequest, found: Invitation) -> HttpResponse:
    request.session["partner"] = found.partner.code
    messages.success(request, _("You are on the team of %(partner)s now.") % {"partner": found.partner.name})
    return redirect("portal-overview")
