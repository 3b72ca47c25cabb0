"""A partner's running account in the admin dashboard: what it stands at, and adjustments that two people decide on."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.errors import DomainError
from core.models import Program
from incentives import policies, services
from incentives.adjustment_forms import AdjustmentForm
from incentives.models import Adjustment
from incentives.queries import program_titles
from incentives.queries.books import entry_views, ledger_entries
from incentives.queries.ledger_pages import (
    Effect,
    PartnerBalances,
    causes,
    effect_of,
    partner_balances,
    payouts_in_review,
)
from incentives.queries.payments import adjustment_views, adjustments
from incentives.states import Account, AdjustmentKind, AdjustmentState
from incentives.views.common import actor_for
from incentives.views.console_ledger import decidable
from incentives.views.payout_steps import ZERO, told
from partners.console import decided_by, operators
from partners.models import Partner

# The page shows so many of each; the ledger's lists show all.
SHOWN = 30


@operators
@require_safe
def account(request: HttpRequest, partner: str) -> HttpResponse:
    """What a partner owes or is owed, what moved it, and what is proposed."""
    return _page(request, _partner_or_404(request, partner))


@operators
@require_POST
@decided_by(*policies.OPENED_BY["adjust"])
def adjust(request: HttpRequest, partner: str) -> HttpResponse:
    """Say what an adjustment would do, and with `sure=1` propose it; a second person decides."""
    actor, found = actor_for(request), _partner_or_404(request, partner)
    form = AdjustmentForm(request.POST, programs=program_titles())
    if not form.is_valid():
        return _page(request, found, form=form, status=422)
    given = form.cleaned_data
    program = Program.objects.get(code=given["program"])
    currency = program.current_policy.rules.incentive.currency
    kind = AdjustmentKind(given["kind"])
    if request.POST.get("sure") != "1":
        allowed = policies.can_adjust(actor, found.pk)
        if allowed is not True:
            messages.error(request, str(allowed))
            return HttpResponseRedirect(reverse("console-account", args=[found.code]))
        before = _running(partner_balances([found])).get(currency, ZERO)
        effect = effect_of(amount=given["amount"], currency=currency, before=before, reviewed=payouts_in_review(found))
        return _page(request, found, form=form, effect=effect)
    try:
        services.propose_adjustment(
            actor=actor,
            partner=found,
            program=program,
            amount=given["amount"],
            reason=given["reason"],
            kind=kind,
            reference=given["reference"],
        )
    except DomainError as refusal:
        return _page(request, found, form=form, wrong=refusal.message, status=422)
    messages.success(
        request,
        _("Proposed %(amount)s. Nothing has moved: a second person confirms or declines it.")
        % {"amount": told(given["amount"], currency)},
    )
    return HttpResponseRedirect(reverse("console-account", args=[found.code]))


@operators
@require_POST
@decided_by(answer=policies.ANSWERED_BY)
def decide(request: HttpRequest, adjustment: int, answer: str) -> HttpResponse:
    """Confirm or decline what somebody else has proposed, or withdraw what oneself has."""
    actor = actor_for(request)
    found: Adjustment | None = adjustments(actor).filter(pk=adjustment).first()
    version = request.POST.get("version", "")
    if found is None or not (version.isascii() and version.isdecimal()):
        raise Http404
    asked = found

    def act() -> str:
        if answer == "confirm":
            services.confirm_adjustment(actor=actor, adjustment=asked, version=int(version[:9]))
            return _("Confirmed: the partner's next payout has %(amount)s.") % {
                "amount": told(asked.amount, asked.currency)
            }
        services.decline_adjustment(
            actor=actor, adjustment=asked, reason=request.POST.get("text", ""), version=int(version[:9])
        )
        return _("Declined. Nothing changes.")

    return _taken(request, asked.partner.code, act)


def _taken(request: HttpRequest, partner: str, act: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, act())
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return HttpResponseRedirect(reverse("console-account", args=[partner]))


def _page(
    request: HttpRequest,
    partner: Partner,
    *,
    form: AdjustmentForm | None = None,
    effect: Effect | None = None,
    wrong: str = "",
    status: int = 200,
) -> HttpResponse:
    actor = actor_for(request)
    standing = partner_balances([partner])
    before = _running(standing)
    reviewed = payouts_in_review(partner)
    mine = adjustments(actor).filter(partner=partner)
    entries = entry_views(ledger_entries(actor).filter(posting__partner=partner)[:SHOWN])
    words = causes(entries)
    waiting = list(mine.filter(state=AdjustmentState.PROPOSED))
    effects = [
        effect_of(amount=each.amount, currency=each.currency, before=before.get(each.currency, ZERO), reviewed=reviewed)
        for each in waiting
    ]
    decided = list(mine.exclude(state=AdjustmentState.PROPOSED)[:SHOWN])
    return render(
        request,
        "console/ledger/account.html",
        {
            "here": "ledger",
            "partner": partner,
            "accounts": [(currency, max(at, ZERO), max(-at, ZERO)) for currency, at in before.items()],
            "standing": standing,
            "reviewed": [(each, -before.get(each.currency, ZERO)) for each in reviewed],
            "rows": [(*each, effect) for each, effect in zip(decidable(request, waiting), effects, strict=True)],
            "decided": adjustment_views(actor, decided),
            "entries": [(entry, words[entry.cause]) for entry in entries],
            "form": form or AdjustmentForm(programs=program_titles()),
            "form_open": form is not None,
            "effect": effect,
            "wrong": wrong,
            "may": policies.can_adjust(actor, partner.pk) is True,
            "zone": settings.PLATFORM_TIME_ZONE,
        },
        status=status,
    )


def _running(standing: Iterable[PartnerBalances]) -> dict[str, Decimal]:
    """What the running account stands at, by currency: above zero what the partner owes."""
    place = list(Account).index(Account.PARTNER_RECEIVABLE)
    return {each.currency: each.balances[place] for each in standing}


def _partner_or_404(request: HttpRequest, code: str) -> Partner:
    found: Partner | None = Partner.objects.visible_to(actor_for(request)).filter(code=code).first()
    if found is None:
        raise Http404
    return found
