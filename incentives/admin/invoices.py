"""Invoices in the back office: to look at, to open, and to accept or refuse through the services."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.actors import Capability
from core.backoffice import LookOnlyAdmin
from core.errors import DomainError
from incentives.invoice_policies import can_decide_invoice
from incentives.models import Invoice
from incentives.queries.payout_list import invoice_view
from incentives.services import accept_invoice, refuse_invoice
from partners.console import decided_by
from partners.people import actor_of

STEPS = {"accept": _("Accept the invoice"), "refuse": _("Refuse the invoice")}


@decided_by(step=dict.fromkeys(STEPS, (Capability.PAY,)))
def step_view(request: HttpRequest, invoice: int, step: str) -> HttpResponse:
    """Ask (GET) and act (POST) for one invoice."""
    actor = actor_of(request.user)
    found = (
        Invoice.objects.visible_to(actor)
        .select_related("payout__program", "payout__partner", "uploaded_by", "reason")
        .filter(pk=invoice)
        .first()
    )
    if step not in STEPS or found is None:
        raise Http404
    back = reverse("admin:incentives_invoice_change", args=[found.pk])
    if request.method == "POST":
        given = request.POST.get("version", "")
        version = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0
        try:
            if step == "accept":
                accept_invoice(actor=actor, invoice=found, version=version)
            else:
                refuse_invoice(actor=actor, invoice=found, reason=request.POST.get("reason", ""), version=version)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            found.refresh_from_db()
            messages.success(request, f"{found.number} · {found.get_state_display()}")
        return HttpResponseRedirect(back)
    answer = can_decide_invoice(actor, found)
    return TemplateResponse(
        request,
        "admin/incentives/invoice_step.html",
        {
            **admin.site.each_context(request),
            "title": STEPS[step],
            "step": step,
            "payout": found.payout,
            "invoice": invoice_view(found, net=found.payout.net_amount),
            "answer": answer,
            "able": answer is True,
            "back": back,
            "opts": Invoice._meta,
        },
    )


@admin.register(Invoice)
class InvoiceAdmin(LookOnlyAdmin):
    """What partners have handed in for their payouts."""

    change_form_template = "admin/partners/application.html"
    list_display = ("number", "partner", "payout", "state", "amount", "net", "currency", "issued_on", "uploaded_at")
    list_filter = ("state", "payout__program")
    list_select_related = ("partner", "payout__program", "payout__partner")
    search_fields = ("number", "partner__code", "partner__name")
    ordering: ClassVar[tuple[str, ...]] = ("-uploaded_at",)
    fields = (
        ("number", "state", "version"),
        ("partner", "payout"),
        ("amount", "net", "difference", "currency"),
        ("issued_on", "document", "media_type", "size", "sha256"),
        ("uploaded_by", "uploaded_at"),
        ("decided_by", "decided_at", "reason"),
    )
    readonly_fields = ("net", "difference", "document")

    @admin.display(description=_("net of the payout"))
    def net(self, invoice: Invoice) -> str:
        """What it should say."""
        return f"{invoice.payout.net_amount:,.2f}"

    @admin.display(description=_("differs by"))
    def difference(self, invoice: Invoice) -> str:
        """By how much it doesn't."""
        apart = invoice.amount - invoice.payout.net_amount
        return f"{apart:+,.2f}" if apart else "0.00"

    @admin.display(description=_("file"))
    def document(self, invoice: Invoice) -> str:
        """The file's name, leading to the file."""
        address = reverse("portal-invoice-file", args=[invoice.pk])
        return format_html('<a href="{}">{}</a>', address, invoice.name or invoice.pk)

    def get_urls(self) -> list[URLPattern]:
        """The pages of the decisions, before Django's catch-all."""
        view = self.admin_site.admin_view(step_view)
        return [path("<int:invoice>/step/<slug:step>/", view, name="incentives_invoice_step"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The invoice with the decisions that this person may take now."""
        found = Invoice.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        able = found is not None and can_decide_invoice(actor_of(request.user), found) is True
        steps = [
            (reverse("admin:incentives_invoice_step", args=[object_id, step]), label)
            for step, label in STEPS.items()
            if able
        ]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "steps": steps})
