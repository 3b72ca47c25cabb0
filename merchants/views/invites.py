"""The merchant's pages: behind a link the form, behind a receipt how far it got. No account, no script, no cookie."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from core.values import local_date
from merchants.forms import RegistrationForm
from merchants.onboarding import onboarding_address
from merchants.queries import Invite, invite, receipt
from merchants.services import LinkIsDead, register_merchant
from partners.callers import address_of
from partners.links import count_visit, is_reader
from partners.rates import Rate, take

View = Callable[..., HttpResponse]
SPAN = 600
# What a dead link's form is read by: the same work, whatever it died of.
NO_MARKETS: tuple[str, ...] = ()


def in_chosen_language(view: View) -> View:
    """Speak the language that `?lang=` asks for; without it the browser's. Links carry it on, as there is no cookie."""

    @wraps(view)
    def spoken(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.GET.get("lang", "")
        if asked not in dict(settings.LANGUAGES):
            return view(request, *args, **kwargs)
        with translation.override(asked):
            return view(request, *args, **kwargs)

    return spoken


@csrf_exempt  # there is no account and no cookie: a foreign page could do nothing here that anybody can't do
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@in_chosen_language
def invite_page(request: HttpRequest, code: str) -> HttpResponse:
    """The form behind a link. Opening it uses nothing up; a link that doesn't work says so, and not why."""
    at = timezone.now()
    if request.method == "POST":
        return _sent(request, code)
    found = invite(code=code, at=at)
    if found is None:
        return _dead(request)
    if request.method == "GET" and _is_visit(request):
        count_visit(link_id=found.link_id, day=local_date(at, ZoneInfo(settings.PLATFORM_TIME_ZONE)))
    if settings.ONBOARDING_URL:
        return redirect(
            onboarding_address(url=settings.ONBOARDING_URL, key=settings.ONBOARDING_KEY, code=found.code, at=at)
        )
    return _form(request, found, RegistrationForm(markets=found.markets, partner=found.partner))


def _sent(request: HttpRequest, code: str) -> HttpResponse:
    at = timezone.now()
    wait = take(Rate("register-address", settings.REGISTRATIONS_PER_ADDRESS, SPAN), what=address_of(request), at=at)
    wait = wait or take(Rate("register-link", settings.REGISTRATIONS_PER_LINK, SPAN), what=code, at=at)
    if wait:
        response = render(request, "invite/wait.html", {"minutes": -(-wait // 60)}, status=429)
        response["Retry-After"] = str(wait)
        return response
    found = invite(code=code, at=at)
    form = RegistrationForm(
        request.POST, markets=found.markets if found else NO_MARKETS, partner=found.partner if found else ""
    )
    if found is not None and not form.is_valid():
        return _form(request, found, form, status=422)
    form.is_valid()
    try:
        made = register_merchant(code=code, entrant=form.entrant(), at=at)
    except LinkIsDead:
        return _dead(request)
    asked = request.GET.get("lang", "")
    query = f"?lang={asked}" if asked in dict(settings.LANGUAGES) else ""
    return redirect(reverse("receipt", args=[made.receipt]) + query)


@never_cache
@require_safe
@in_chosen_language
def receipt_page(request: HttpRequest, number: str) -> HttpResponse:
    """How far a registration got, for whoever holds its receipt."""
    found = receipt(number=number, platform_zone=settings.PLATFORM_TIME_ZONE)
    if found is None:
        return _dead(request)
    return _quietly(render(request, "invite/receipt.html", {"receipt": found}))


def _form(request: HttpRequest, found: Invite, form: RegistrationForm, *, status: int = 200) -> HttpResponse:
    return _quietly(render(request, "invite/form.html", {"invite": found, "form": form}, status=status))


def _dead(request: HttpRequest) -> HttpResponse:
    return _quietly(render(request, "invite/dead.html", status=404))


def _quietly(response: HttpResponse) -> HttpResponse:
    """Not for search engines, and not to be told to the pages that it leads to."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _is_visit(request: HttpRequest) -> bool:
    early = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return "prefetch" not in early and is_reader(request.headers.get("User-Agent", ""))
