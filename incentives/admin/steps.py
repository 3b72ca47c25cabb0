"""The page between a wish and a deed: what will happen to which amount, and the reason where one is needed.

One view for every step of a payout's life, for one or many: `…/payout/step/<step>/?ids=1,2`. It calls the
services, each payout in its own transaction, and shows what they refuse.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.actors import Actor
from core.errors import Conflict, DomainError
from incentives import policies, services
from incentives.models import Decision, Payout, PayoutLine
from incentives.states import DecisionKind
from partners.console import decided_by
from partners.people import actor_of


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its button, what it does to the amount, what it asks for (`reason`, `why`, `reference`, nothing).

    `reason` must be given, `why` may be.
    """

    label: Promise
    effect: Promise
    asks: str
    act: Callable[..., Any]


def undo_payout_void(*, actor: Actor, payout: Payout, reason: str, version: int) -> Payout:
    """Undo the void of a whole payout: the one that stands."""
    return _undo(actor, payout, reason, version, kind=DecisionKind.VOID, line=None)


def _undo(
    actor: Actor, payout: Payout, reason: str, version: int, *, kind: DecisionKind, line: PayoutLine | None
) -> Payout:
    standing = Decision.objects.filter(payout=payout, kind=kind, line=line, undone_by=None).order_by("-pk").first()
    if standing is None:
        raise Conflict(_("There is no void to undo."))
    return services.undo_void(actor=actor, decision=standing, reason=reason, version=version)


STEPS: dict[str, Step] = {
    "approve": Step(
        gettext_lazy("Approve"),
        gettext_lazy("These amounts will be owed to the partners, and can be paid. A void can still stop them."),
        "",
        services.approve_payout,
    ),
    "return": Step(
        gettext_lazy("Return"),
        gettext_lazy("These payouts end; their shops can be submitted again. The partners read the reason."),
        "reason",
        services.return_payout,
    ),
    "void": Step(
        gettext_lazy("Void"),
        gettext_lazy(
            "These amounts will not be paid, and the partners are barred from this program's later submissions "
            "until the void is undone. The partners read the reason."
        ),
        "reason",
        services.void_payout,
    ),
    "undo_void": Step(
        gettext_lazy("Undo the void"),
        gettext_lazy("Lines, state and amounts come back exactly as they were before the void."),
        "why",
        undo_payout_void,
    ),
    "hold": Step(
        gettext_lazy("Hold"),
        gettext_lazy(
            "Approval and payment of these amounts stop until they are released. The partners read the reason."
        ),
        "reason",
        services.hold_payout,
    ),
    "release": Step(
        gettext_lazy("Release"),
        gettext_lazy("These payouts go on from where they were held."),
        "why",
        services.release_payout,
    ),
    "start_payment": Step(
        gettext_lazy("Send to payment"),
        gettext_lazy("These amounts count as under way to the bank; they can't be voided any more."),
        "",
        services.start_payment,
    ),
    "mark_paid": Step(
        gettext_lazy("Mark as paid"),
        gettext_lazy("These amounts count as paid under the bank's reference. This can't be undone, only clawed back."),
        "reference",
        services.mark_paid,
    ),
    "refuse_payment": Step(
        gettext_lazy("Refused by the bank"),
        gettext_lazy("These amounts are owed again and can be sent once more. The partners read the reason."),
        "reason",
        services.refuse_payment,
    ),
    "claw_back": Step(
        gettext_lazy("Claw back"),
        gettext_lazy(
            "The partners owe these amounts from now on; their next payouts settle them. The partners read the reason."
        ),
        "reason",
        services.claw_back,
    ),
}


@decided_by(step={step: policies.OPENED_BY[step] for step in STEPS})
def step_view(request: HttpRequest, step: str) -> HttpResponse:
    """Ask (GET) and act (POST) for the payouts named by `ids`."""
    if step not in STEPS:
        raise Http404
    payouts = list(
        Payout.objects.visible_to(actor_of(request.user))
        .filter(pk__in=ids_of(request))
        .select_related("program", "partner")
        .order_by("pk")
    )
    if not payouts:
        raise Http404
    actor, wanted = actor_of(request.user), STEPS[step]
    if request.method == "POST":
        _act(request, actor, wanted, payouts)
        single = len(payouts) == 1
        return HttpResponseRedirect(
            reverse("admin:incentives_payout_change", args=[payouts[0].pk])
            if single
            else reverse("admin:incentives_payout_changelist")
        )
    able = {payout.pk for payout in payouts if step in policies.steps(actor, payout)}
    return TemplateResponse(
        request,
        "admin/incentives/step.html",
        {
            **admin.site.each_context(request),
            "title": wanted.label,
            "step": wanted,
            "rows": [(payout, payout.pk in able) for payout in payouts],
            "able": len(able),
            "total": sum((payout.payable for payout in payouts if payout.pk in able), Decimal(0)),
            "currency": payouts[0].currency,
            "back": reverse("admin:incentives_payout_changelist"),
            "opts": Payout._meta,
        },
    )


def _act(request: HttpRequest, actor: Actor, step: Step, payouts: Sequence[Payout]) -> None:
    extra = _asked(request, step.asks)
    done: list[Payout] = []
    for payout in payouts:
        seen = request.POST.get(f"version_{payout.pk}", "")
        if not seen.isdecimal():
            continue  # it wasn't on the page, or couldn't be decided
        try:
            done.append(step.act(actor=actor, payout=payout, version=int(seen), **extra))
        except DomainError as refusal:
            messages.error(request, f"{payout}: {refusal.message}")
    if done:
        messages.success(
            request,
            ngettext(
                "%(step)s: %(count)d payout · %(amount)s %(currency)s",
                "%(step)s: %(count)d payouts · %(amount)s %(currency)s",
                len(done),
            )
            % {
                "step": step.label,
                "count": len(done),
                "amount": f"{sum((payout.payable for payout in done), Decimal(0)):,.2f}",
                "currency": done[0].currency,
            },
        )


def _asked(request: HttpRequest, asks: str) -> dict[str, str]:
    given = request.POST.get("text", "")
    return {"reason": given} if asks in ("reason", "why") else {"reference": given} if asks == "reference" else {}


def ids_of(request: HttpRequest) -> list[int]:
    """The ids named in the address: `?ids=1,2`. At most as many as one page shows."""
    return [int(part) for part in request.GET.get("ids", "").split(",") if part.isdecimal() and len(part) < 19][:500]


LINE_STEPS: dict[str, Step] = {
    "void": Step(
        gettext_lazy("Void the line"),
        gettext_lazy(
            "This shop's amount leaves the payout, and its merchant is barred from this program's later submissions "
            "until the void is undone. The partner reads the reason."
        ),
        "reason",
        lambda *, actor, line, reason, version: services.void_line(
            actor=actor, line=line, reason=reason, version=version
        ),
    ),
    "undo_void": Step(
        gettext_lazy("Undo the void"),
        gettext_lazy("The line lives again, and the payout's amount follows."),
        "why",
        lambda *, actor, line, reason, version: _undo(
            actor, line.payout, reason, version, kind=DecisionKind.VOID_LINE, line=line
        ),
    ),
}


@decided_by(step={step: policies.OPENED_BY[step] for step in LINE_STEPS})
def line_step_view(request: HttpRequest, line_id: int, step: str) -> HttpResponse:
    """Ask (GET) and act (POST) for one line."""
    actor = actor_of(request.user)
    line = (
        PayoutLine.objects.select_related("payout__program", "payout__partner", "shop")
        .filter(pk=line_id, payout__in=Payout.objects.visible_to(actor))
        .first()
    )
    if step not in LINE_STEPS or line is None:
        raise Http404
    wanted, back = LINE_STEPS[step], reverse("admin:incentives_payout_change", args=[line.payout_id])
    if request.method == "POST":
        given = request.POST.get("version", "")
        try:
            payout = wanted.act(
                actor=actor,
                line=line,
                version=int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0,
                **_asked(request, wanted.asks),
            )
            messages.success(
                request,
                _("%(step)s: %(shop)s. The payout comes to %(amount)s %(currency)s now.")
                % {
                    "step": wanted.label,
                    "shop": line.shop.code,
                    "amount": f"{payout.payable:,.2f}",
                    "currency": payout.currency,
                },
            )
        except DomainError as refusal:
            messages.error(request, f"{line.shop.code}: {refusal.message}")
        return HttpResponseRedirect(back)
    return TemplateResponse(
        request,
        "admin/incentives/line_step.html",
        {
            **admin.site.each_context(request),
            "title": wanted.label,
            "step": wanted,
            "line": line,
            "back": back,
            "opts": Payout._meta,
        },
    )
