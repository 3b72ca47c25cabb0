"""The account that the organisation is paid to: what is confirmed, what waits, and the change of it."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.errors import DomainError
from partners import policies, services
from partners.models import Partner, Payee
from partners.pages import actor_for, frame, partner_for
from partners.payee_forms import PayeeForm
from partners.payees import payees_view, payment_obstacle
from partners.proof import can_prove, proof_page, proved_at
from partners.services.payees import ensure_proved


@login_required
@require_safe
def payee(request: HttpRequest) -> HttpResponse:
    """Where the organisation's money goes, masked; what waits, and what became of earlier versions."""
    partner, own = partner_for(request)
    actor = actor_for(request)
    return render(
        request,
        "portal/payee.html",
        {
            **frame(request, "payout", partner, own),
            "payees": payees_view(actor=actor, partner=partner),
            "obstacle": payment_obstacle(partner),
            "sees": actor.is_operator or policies.can_see_payee(actor, partner) is True,
            "changes": policies.can_change_payee(actor, partner) is True,
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@sensitive_variables("form")
@sensitive_post_parameters("account_number", "again")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest) -> HttpResponse:
    """State another account. The password or second factor is asked for first, and again where that is too long ago.

    What was typed isn't kept over that: an account number has no place in a session.
    """
    partner, own = partner_for(request)
    if policies.can_change_payee(actor_for(request), partner) is not True:
        raise Http404
    if not can_prove(request):
        messages.error(request, _("Your account has no password yet. Set one, and come back."))
        return redirect("account_reset_password")
    if not _proved(request):
        if request.method == "POST":
            messages.error(request, _("That took a while: prove once more that it is you, and type the account again."))
        return redirect(proof_page(request.path))
    form = PayeeForm(request.POST or None)
    if request.method == "POST" and _stated(request, form, partner):
        return redirect("portal-payee")
    context = {
        **frame(request, "payout", partner, own),
        "form": form,
        "payees": payees_view(actor=actor_for(request), partner=partner),
    }
    return render(request, "portal/payee_change.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    """Take a change back that waits. Which one the person saw is said in the form."""
    partner, _mine = partner_for(request)
    actor, asked = actor_for(request), request.POST.get("payee", "")
    ident = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 19 else 0
    found = Payee.objects.visible_to(actor).filter(partner=partner, pk=ident).select_related("partner").first()
    if found is None or policies.can_change_payee(actor, partner) is not True:
        raise Http404
    try:
        services.withdraw_payee(actor=actor, payee=found)
        messages.success(request, _("The account %(account)s was withdrawn.") % {"account": found.masked})
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("portal-payee")


def _proved(request: HttpRequest) -> bool:
    try:
        ensure_proved(proved_at(request), at=timezone.now())
    except DomainError:
        return False
    return True


@sensitive_variables("form")
def _stated(request: HttpRequest, form: PayeeForm, partner: Partner) -> bool:
    """State what the form says, or have the refusal's words stand beside the fields."""
    form.is_valid()  # what it refuses is shown with what the service refuses
    try:
        if form.errors:
            services.check_payee_details(details=form.details())
            return False
        made = services.change_payee(
            actor=actor_for(request), partner=partner, details=form.details(), proved_at=proved_at(request)
        )
    except services.Incomplete as refusal:
        for name, words in refusal.fields.items():
            form.add_error(name, words)
        return False
    except DomainError as refusal:
        form.add_error(None, refusal.message)
        return False
    messages.success(
        request,
        _("The account %(account)s waits for confirmation now. Nothing is paid until then; every owner was told.")
        % {"account": made.masked},
    )
    return True
