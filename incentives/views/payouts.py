"""A partner's payouts over all programs, and the invoices for them."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core.errors import DomainError
from core.notices.kinds import money
from core.uploads import handed_out
from incentives.invoice_forms import InvoiceForm
from incentives.invoice_policies import can_hand_in
from incentives.models import Invoice, Payout
from incentives.queries import program_titles
from incentives.queries.payout_list import (
    live_invoices,
    own_payouts,
    payout_list,
    payout_sums,
    previews,
)
from incentives.services import BadInvoice, hand_in_invoice
from incentives.states import PayoutState
from partners.pages import actor_for, frame, partner_for
from partners.payees import payees_view, payment_obstacle

PER_PAGE = 25
# What core.uploads refuses a file for.
FILE_FAULTS = ("empty_file", "file_too_large", "file_type")


@login_required
@require_safe
def statements(request: HttpRequest) -> HttpResponse:
    """Every payout of the partner, by program and state, and what is provisional; what is owed stands first."""
    partner, own = partner_for(request)
    actor = actor_for(request)
    titles = program_titles()
    program, state = request.GET.get("program", ""), request.GET.get("state", "")
    payouts = own_payouts(actor=actor, partner_id=partner.pk).select_related("program", "partner", "policy__program")
    if program:
        payouts = payouts.filter(program__code=program)
    if state:
        payouts = payouts.filter(state=state)
    page = Paginator(payouts, PER_PAGE).get_page(request.GET.get("page"))
    first = page.number == 1 and state in ("", PayoutState.COMPUTED)
    provisional = previews(actor=actor, partner_id=partner.pk) if first else []
    query = request.GET.copy()
    query.pop("page", None)
    sums = payout_sums(actor=actor, partner_id=partner.pk)
    return render(
        request,
        "portal/statements.html",
        {
            **frame(request, "payout", partner, own),
            "rows": [
                *(row for row in provisional if program in ("", row.program)),
                *payout_list(list(page.object_list)),
            ],
            "page": page,
            "query": query.urlencode(),
            "titles": titles,
            "states": list(PayoutState.choices),
            "chosen": {"program": program, "state": state},
            "sums": sums,
            "owed": any(each.owed for each in sums),
            "obstacle": payment_obstacle(partner),
            "payees": payees_view(actor=actor, partner=partner),
            "zone": settings.PLATFORM_TIME_ZONE,
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def invoice(request: HttpRequest, program: str, payout: int) -> HttpResponse:
    """Hand in the invoice for an approved payout, or another one in its place."""
    partner, own = partner_for(request)
    found = (
        Payout.objects.visible_to(actor_for(request))
        .filter(partner=partner, program__code=program, pk=payout)
        .select_related("program", "partner", "policy__program")
        .first()
    )
    if found is None:
        raise Http404
    back = f"{reverse('portal-payout', args=[program])}?payout={found.pk}"
    answer = can_hand_in(actor_for(request), found)
    if answer is not True:
        messages.error(request, str(answer))
        return redirect(back)
    form = InvoiceForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and _handed_in(request, form, found):
        return redirect(back)
    context: dict[str, Any] = {
        **frame(request, "payout", partner, own),
        "payout": found,
        "title": found.policy.title,
        "back": back,
        "form": form,
        "before": live_invoices([found]).get(found.pk),
        "limit": settings.UPLOAD_MAX_BYTES // (1024 * 1024),
        "zone": found.policy.rules.timezone,
    }
    return render(request, "portal/invoice.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def invoice_file(request: HttpRequest, invoice: int) -> FileResponse:
    """An invoice's file, as an attachment, for whoever may see the invoice."""
    found = Invoice.objects.visible_to(actor_for(request)).filter(pk=invoice).first()
    if found is None:
        raise Http404
    try:
        content = found.content.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    return handed_out(content=content, name=found.name or f"{found.pk}", media_type=found.media_type)


def _handed_in(request: HttpRequest, form: InvoiceForm, payout: Payout) -> bool:
    try:
        made = hand_in_invoice(actor=actor_for(request), payout=payout, **form.cleaned_data)
    except BadInvoice as refusal:
        for name, said in refusal.fields.items():
            form.add_error(name, said)
        return False
    except DomainError as refusal:
        form.add_error("file" if refusal.code in FILE_FAULTS else None, refusal.message)
        return False
    words = {"number": made.number, "how": said_of(made.amount - payout.net_amount, payout.currency)}
    messages.success(request, _("The invoice %(number)s has been handed in. %(how)s") % words)
    return True


def said_of(difference: Decimal, currency: str) -> str:
    """How an invoice's amount compares with its payout's net, in a sentence."""
    if not difference:
        return _("Its amount is the payout's net.")
    said = (
        _("It says %(amount)s less than the payout's net: check it, you can replace it until it is accepted.")
        if difference < 0
        else _("It says %(amount)s more than the payout's net: check it, you can replace it until it is accepted.")
    )
    return said % {"amount": money([str(abs(difference)), currency])}
