"""One payout in the admin dashboard: what a person decides by, and each decision as a form that says what it does."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.actors import Actor, Capability
from core.errors import DomainError
from incentives import policies, services
from incentives.invoice_policies import can_decide_invoice, takes_invoice
from incentives.invoice_states import InvoiceState
from incentives.models import Adjustment, Invoice, Payout, PayoutLine
from incentives.queries import statement_of
from incentives.queries.desk import RELATED, PayoutDetail, payout_detail
from incentives.queries.payments import adjustment_views, adjustments
from incentives.queries.payout_list import live_invoices, wants_invoice
from incentives.queries.review import review_rows
from incentives.queries.waterfall import stages, waterfall
from incentives.services.invoices import invoice_needed, not_invoiced
from incentives.services.stale import Stale
from incentives.states import AdjustmentState, PayoutState
from incentives.views.common import actor_for
from incentives.views.payout_steps import SAID, line_forms, step_forms, take, take_line, told
from partners.console import decided_by, operators

# A payout that isn't paid yet: what stands in its payment's way is worth knowing.
UNPAID = (PayoutState.IN_REVIEW, PayoutState.APPROVED)
# What can be decided here, with the capabilities that open it.
STEPS = {step: policies.OPENED_BY[step] for step in (*SAID, "note")}
STEPS |= dict.fromkeys(("hold_partner", "release_partner"), policies.OPENED_BY["hold"])
STEPS |= {"settle_difference": policies.OPENED_BY["adjust"]}
INVOICE_ANSWERS = ("accept", "refuse")
LINE_STEPS = {step: policies.OPENED_BY[step] for step in ("void", "undo_void", "hold", "release", "claw_back")}


@operators
@require_safe
def payout(request: HttpRequest, payout: int) -> HttpResponse:
    """A payout; `?line=` opens what can be decided about one of its lines."""
    return _page(request, _payout_or_404(request, payout))


@operators
@require_POST
@decided_by(step=STEPS)
def step(request: HttpRequest, payout: int, step: str) -> HttpResponse:
    """Take a step with the payout in the version that the page showed, write a note, or settle a difference."""
    actor, found = actor_for(request), _payout_or_404(request, payout)
    text = request.POST.get("text", "")
    if step == "note":
        return _taken(request, found, lambda: _noted(actor, found, text))
    if step == "settle_difference":
        amount = _amount(request.POST.get("amount", ""))
        return _taken(request, found, lambda: _proposed(actor, found, text, amount))
    version = _version(request)
    return _taken(request, found, lambda: take(actor, found, step, version=version, text=text))


@operators
@require_POST
@decided_by(step=LINE_STEPS)
def line_step(request: HttpRequest, payout: int, line: int, step: str) -> HttpResponse:
    """Take a step with one line, in the version of its payout that the page showed."""
    actor, found = actor_for(request), _payout_or_404(request, payout)
    asked = _line_or_none(found, str(line))
    if asked is None:
        raise Http404
    version, text = _version(request), request.POST.get("text", "")
    return _taken(request, found, lambda: take_line(actor, found, asked, step, version=version, text=text))


@operators
@require_POST
@decided_by(answer=policies.ANSWERED_BY)
def adjustment_step(request: HttpRequest, payout: int, adjustment: int, answer: str) -> HttpResponse:
    """Confirm or decline what somebody has proposed to settle this payout's difference with."""
    actor, found = actor_for(request), _payout_or_404(request, payout)
    asked = adjustments(actor).filter(payout=found, pk=adjustment).first()
    if asked is None:
        raise Http404
    version, text = _version(request), request.POST.get("text", "")

    def act() -> str:
        if answer == "confirm":
            services.confirm_adjustment(actor=actor, adjustment=asked, version=version)
            return _("Confirmed: the partner's next payout has %(amount)s.") % {
                "amount": told(asked.amount, asked.currency)
            }
        services.decline_adjustment(actor=actor, adjustment=asked, reason=text, version=version)
        return _("Declined. Nothing changes.")

    return _taken(request, found, act)


@operators
@require_POST
@decided_by(answer=dict.fromkeys(INVOICE_ANSWERS, (Capability.PAY,)))
def invoice_step(request: HttpRequest, payout: int, invoice: int, answer: str) -> HttpResponse:
    """Accept or refuse the invoice that the partner has handed in for this payout."""
    actor, found = actor_for(request), _payout_or_404(request, payout)
    asked = Invoice.objects.visible_to(actor).filter(payout=found, pk=invoice).first()
    if asked is None:
        raise Http404
    version, text = _version(request), request.POST.get("text", "")

    def act() -> str:
        if answer == "accept":
            services.accept_invoice(actor=actor, invoice=asked, version=version)
            return _("Accepted the invoice %(number)s.") % {"number": asked.number}
        services.refuse_invoice(actor=actor, invoice=asked, reason=text, version=version)
        return _("Refused the invoice %(number)s; the partner reads why, and may hand in another one.") % {
            "number": asked.number
        }

    return _taken(request, found, act)


def _taken(request: HttpRequest, payout: Payout, act: Callable[[], str]) -> HttpResponse:
    """Act, and go back with what happened. What came too late is shown with all that has changed since."""
    try:
        messages.success(request, act())
    except Stale as refusal:
        return _page(request, _payout_or_404(request, payout.pk), stale=refusal)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return HttpResponseRedirect(reverse("console-payout", args=[payout.pk]))


def _noted(actor: Actor, payout: Payout, text: str) -> str:
    services.note_payout(actor=actor, payout=payout, text=text)
    return _("The note is kept. Partners never read it.")


def _proposed(actor: Actor, payout: Payout, text: str, amount: Decimal) -> str:
    proposed = services.propose_difference(actor=actor, payout=payout, reason=text, amount=amount)
    return _("Proposed to settle %(amount)s in the partner's next payout; a second person confirms it.") % {
        "amount": told(proposed.amount, proposed.currency)
    }


def _page(request: HttpRequest, found: Payout, *, stale: Stale | None = None) -> HttpResponse:
    actor = actor_for(request)
    detail = payout_detail(actor=actor, payout_id=found.pk)
    statement = statement_of(actor=actor, run=found.run, partner_id=found.partner_id, payout_id=found.pk)
    if detail is None or statement is None:
        raise Http404
    line = _line_or_none(found, request.GET.get("line", ""))
    held_lines = {each.id for each in detail.lines if each.hold is not None}
    return render(
        request,
        "console/payouts/payout.html",
        {
            "here": "payouts",
            "program": found.program,
            "detail": detail,
            "row": review_rows(actor=actor, payouts=[found])[0],
            "statement": statement,
            "chart": waterfall(statement),
            "stages": stages(statement),
            "zone": found.run.rules.timezone,
            "forms": step_forms(actor, found, detail),
            "why_not": _why_not(actor, found),
            "line": line,
            "line_forms": line_forms(actor, found, line, held=line.pk in held_lines) if line is not None else [],
            "obstacles": _obstacles(found, detail),
            "stale": stale,
            "may_note": policies.can_note(actor) is True,
            **_difference(actor, found, detail),
            **_invoice(actor, found),
        },
        status=409 if stale is not None else 200,
    )


def _invoice(actor: Actor, payout: Payout) -> dict[str, object]:
    """The invoice for this payout, and whether this person decides on it."""
    if not takes_invoice(payout):
        return {}
    shown = live_invoices([payout]).get(payout.pk)
    waits = shown is not None and shown.state == InvoiceState.HANDED_IN and actor.can(Capability.PAY)
    return {
        "takes_invoice": True,
        "invoice": shown,
        "invoice_wanted": wants_invoice(payout, shown),
        "may_decide_invoice": waits
        and shown is not None
        and can_decide_invoice(actor, Invoice.objects.get(pk=shown.id)) is True,
    }


def _difference(actor: Actor, payout: Payout, detail: PayoutDetail) -> dict[str, object]:
    """What a later run says differently, what was proposed about it, and what this person may do with either."""
    proposals = list(adjustments(actor).filter(payout=payout))
    may_decide = {
        each.pk: policies.can_confirm_adjustment(actor, each) is True
        for each in proposals
        if each.state == AdjustmentState.PROPOSED
    }
    views = adjustment_views(actor, proposals)
    return {
        "difference": detail.difference,
        "proposals": [
            (view, may_decide.get(view.id, False), _withdraws(actor, each))
            for view, each in zip(views, proposals, strict=True)
        ],
        "may_settle": detail.difference is not None
        and bool(detail.difference.amount)
        and not may_decide
        and policies.can_adjust(actor, payout.partner_id) is True,
    }


def _withdraws(actor: Actor, adjustment: Adjustment) -> bool:
    """Whether this person may take back what they themselves have proposed."""
    own = adjustment.state == AdjustmentState.PROPOSED and adjustment.proposed_by_id == actor.user_id
    return own and policies.can_adjust(actor, adjustment.partner_id) is True


def _why_not(actor: Actor, payout: Payout) -> str:
    """Why somebody who approves can't approve this one; empty where nothing is in the way, or nobody asks."""
    if payout.state != PayoutState.IN_REVIEW or not policies.is_open_to(actor, "approve"):
        return ""
    allowed = policies.can_approve(actor, payout)
    if allowed is not True:
        return str(allowed)
    return _("The payout is held; release it first.") if payout.held else ""


def _obstacles(payout: Payout, detail: PayoutDetail) -> list[str]:
    """What stands in the way of paying it, besides its approval and what holds it."""
    if payout.state not in UNPAID:
        return []
    found = [detail.payout.payment_obstacle] if detail.payout.payment_obstacle else []
    if payout.state == PayoutState.APPROVED and payout.pk in not_invoiced([payout]):
        found.append(invoice_needed().message)
    return found


def _payout_or_404(request: HttpRequest, payout_id: int) -> Payout:
    visible = Payout.objects.visible_to(actor_for(request))
    found: Payout | None = visible.select_related(*RELATED, "run", "policy").filter(pk=payout_id).first()
    if found is None:
        raise Http404
    return found


def _line_or_none(payout: Payout, asked: str) -> PayoutLine | None:
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        return None
    return PayoutLine.objects.filter(payout=payout, pk=int(asked)).select_related("shop", "payout").first()


def _version(request: HttpRequest) -> int:
    """The version that the page showed: without one nothing is decided."""
    given = request.POST.get("version", "")
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise Http404
    return int(given)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise Http404 from None
    if not amount.is_finite():
        raise Http404
    return amount
