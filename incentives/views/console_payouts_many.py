"""One decision on many payouts: first what will happen to which amounts, then its progress."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from core.actors import Actor
from core.errors import DomainError
from incentives import policies, services
from incentives.admin.steps import STEPS
from incentives.models import BulkDecision, Payout
from incentives.queries.desk import RELATED, PayoutRow, payout_desk_rows
from incentives.queries.payments import BulkProgress, bulk_progress
from incentives.queries.review import Money
from incentives.services.bulk import BULK_STEPS, MOST, NEEDS_REASON
from incentives.views.common import actor_for
from incentives.views.payout_steps import ZERO, told
from incentives.views.review_bar import asked_payouts
from partners.console import decided_by, operators

# The page before the decision shows so many of its payouts; all of them are counted, added up and decided.
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Left:
    """A payout that was chosen and that the step isn't open for: why."""

    payout: PayoutRow
    why: str


@operators
@require_http_methods(["GET", "HEAD", "POST"])
@decided_by(step={step: policies.OPENED_BY[step] for step in BULK_STEPS})
def decide_many(request: HttpRequest) -> HttpResponse:
    """Say what a step on the chosen payouts will do (GET), and have it done (POST) in the versions that were shown.

    Chosen are those that `payout=ID:VERSION` names, or with `fit=1` all that the list's address asks for.
    """
    if request.method == "POST":
        return _asked(request)
    step = request.GET.get("step", "")
    if step not in BULK_STEPS:
        raise Http404
    if request.GET.get("fit") == "1":
        chosen = dict(asked_payouts(request).payouts.values_list("pk", "version")[: MOST + 1])
    else:
        chosen = _versions(request.GET.getlist("payout"))
    if not chosen or len(chosen) > MOST:
        messages.error(request, _("Choose at least one payout and at most %(most)s.") % {"most": f"{MOST:,}"})
        return HttpResponseRedirect(reverse("console-payouts"))
    return _before(request, step, chosen)


def _asked(request: HttpRequest) -> HttpResponse:
    step, chosen = request.POST.get("step", ""), _versions(request.POST.get("chosen", "").split())
    if step not in BULK_STEPS or not chosen:
        raise Http404
    reason = request.POST.get("text", "")
    try:
        bulk = services.decide_in_bulk(actor=actor_for(request), step=step, versions=chosen, reason=reason)
    except DomainError as refusal:
        return _before(request, step, chosen, wrong=refusal.message)
    return HttpResponseRedirect(reverse("console-payouts-bulk", args=[bulk.pk]))


def _before(request: HttpRequest, step: str, chosen: Mapping[int, int], *, wrong: str = "") -> HttpResponse:
    actor = actor_for(request)
    found = list(
        Payout.objects.visible_to(actor).filter(pk__in=list(chosen)).select_related(*RELATED).order_by("-payable")
    )
    rows = payout_desk_rows(actor=actor, payouts=found)
    able = [row for row in rows if step in row.steps]
    open_to = {row.id for row in able}
    changed = policies.changed_by(actor, chosen)
    left = [
        Left(row, _why_not(actor, payout, step, changed))
        for payout, row in zip(found, rows, strict=True)
        if row.id not in open_to
    ]
    return render(
        request,
        "console/payouts/decide.html",
        {
            "here": "payouts",
            "step": step,
            "title": titled(step, able),
            "effect": STEPS[step].effect,
            "able": able[:SHOWN],
            "more": max(len(able) - SHOWN, 0),
            "left": sorted(left, key=lambda each: each.why)[:SHOWN],
            "left_count": len(left),
            "chosen": " ".join(f"{row.id}:{row.version}" for row in able),
            "moved": {row.id for row in able if row.version != chosen[row.id]},
            "needs_reason": step in NEEDS_REASON,
            "text": request.POST.get("text", ""),
            "wrong": wrong,
        },
        status=422 if wrong else 200,
    )


@operators
@require_safe
def bulk(request: HttpRequest, bulk: int) -> HttpResponse:
    """How far a decision on many payouts is, and what was refused, why. The page asks again by itself."""
    actor = actor_for(request)
    progress = bulk_progress(actor=actor, bulk_id=bulk)
    if progress is None:
        raise Http404
    refused = {payout: message for payout, _code, message in progress.refusals}
    payouts = Payout.objects.visible_to(actor).filter(pk__in=list(refused)[:SHOWN]).select_related("partner", "program")
    asked = BulkDecision.objects.select_related("actor").get(pk=progress.id)
    return render(
        request,
        "console/payouts/bulk.html",
        {
            "here": "payouts",
            "progress": progress,
            "title": STEPS[progress.step].label,
            "who": asked.actor.get_full_name(),
            "percent": 100 * (progress.total - progress.waiting) // max(progress.total, 1),
            "left": _seconds_left(progress),
            "refusals": [(payout, refused[payout.pk]) for payout in payouts.order_by("pk")],
            "more": max(progress.refused - SHOWN, 0),
        },
    )


def _seconds_left(progress: BulkProgress) -> int | None:
    """How long the rest will take at the pace so far; None where there is nothing to go by."""
    done = progress.total - progress.waiting
    if progress.finished_at is not None or not done:
        return None
    return round((timezone.now() - progress.asked_at).total_seconds() * progress.waiting / done)


def added_up(rows: Iterable[PayoutRow]) -> list[Money]:
    """What these payouts come to, by currency."""
    found: dict[str, Money] = {}
    for row in rows:
        so_far = found.get(row.currency, Money(row.currency, 0, ZERO))
        found[row.currency] = Money(row.currency, so_far.count + 1, so_far.amount + row.payable)
    return [found[currency] for currency in sorted(found)]


def titled(step: str, rows: list[PayoutRow]) -> str:
    """The decision with its objects: ``Approve 12 payouts · 214,000.00 CNY``."""
    count = len(rows)
    words = {
        "approve": ngettext("Approve %(count)s payout · %(amount)s", "Approve %(count)s payouts · %(amount)s", count),
        "return": ngettext("Return %(count)s payout · %(amount)s", "Return %(count)s payouts · %(amount)s", count),
        "void": ngettext("Void %(count)s payout · %(amount)s", "Void %(count)s payouts · %(amount)s", count),
        "hold": ngettext("Hold %(count)s payout · %(amount)s", "Hold %(count)s payouts · %(amount)s", count),
        "release": ngettext("Release %(count)s payout · %(amount)s", "Release %(count)s payouts · %(amount)s", count),
    }[step]
    amounts = " + ".join(told(each.amount, each.currency) for each in added_up(rows))
    return words % {"count": f"{count:,}", "amount": amounts or told(ZERO, "CNY")}


def _why_not(actor: Actor, payout: Payout, step: str, changed: policies.Changed) -> str:
    if step == "approve" and payout.state in policies.STEPS[step]:
        allowed = policies.can_approve(actor, payout, changed=changed)
        if allowed is not True:
            return str(allowed)
    if not policies.is_open_to(actor, step):
        return _("Your role doesn't allow you to take this step.")
    if payout.held and step in ("approve", "hold"):
        return _("It is held.")
    if step == "release" and not payout.held:
        return _("It isn't held.")
    if payout.state not in policies.STEPS[step]:
        return _("Its state: %(state)s.") % {"state": payout.get_state_display()}
    return _("You belong to this partner; somebody else has to decide on its payout.")


def _versions(texts: Iterable[str]) -> dict[int, int]:
    """Payouts and the versions that were seen, of `ID:VERSION`; what is neither is left out."""
    found: dict[int, int] = {}
    for text in texts:
        payout, _colon, version = text.partition(":")
        if _is_number(payout, 18) and _is_number(version, 9):
            found[int(payout)] = int(version)
    return found


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= most
