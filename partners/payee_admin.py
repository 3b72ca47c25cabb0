"""Payees in the back office: to look at, and to confirm or refuse through the services. Account numbers stay masked."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from core.actors import Capability
from core.backoffice import LookOnlyAdmin
from core.errors import DomainError
from partners.console import decided_by
from partners.models import Payee
from partners.payee_steps import PAYEE_STEPS, may_decide, take_step
from partners.payees import payee_view
from partners.people import actor_of
from partners.states import PayeeState


@decided_by(step=dict.fromkeys(PAYEE_STEPS, (Capability.CONFIRM_PAYEE,)))
def step_view(request: HttpRequest, payee: int, step: str) -> HttpResponse:
    """Ask (GET) and act (POST) for one payee."""
    actor = actor_of(request.user)
    found = Payee.objects.visible_to(actor).select_related("partner", "stated_by", "reason").filter(pk=payee).first()
    if step not in PAYEE_STEPS or found is None:
        raise Http404
    back = reverse("admin:partners_payee_change", args=[found.pk])
    if request.method == "POST":
        try:
            take_step(step, actor=actor, payee=found, posted=request.POST)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            found.refresh_from_db()
            messages.success(request, f"{found.partner} · {found.get_state_display()}")
        return HttpResponseRedirect(back)
    before = (
        Payee.objects.filter(partner=found.partner, state=PayeeState.CONFIRMED)
        .select_related("stated_by", "reason")
        .first()
    )
    return TemplateResponse(
        request,
        "admin/partners/payee_step.html",
        {
            **admin.site.each_context(request),
            "title": PAYEE_STEPS[step].label,
            "step": PAYEE_STEPS[step],
            "partner": found.partner,
            "payee": payee_view(found),
            "before": payee_view(before) if before else None,
            "answer": may_decide(actor, found),
            "able": may_decide(actor, found) is True,
            "back": back,
            "opts": Payee._meta,
        },
    )


@admin.register(Payee)
class PayeeAdmin(LookOnlyAdmin):
    """Where partners' money goes: every version, the latest first."""

    change_form_template = "admin/partners/application.html"
    list_display = ("partner", "number", "state", "holder", "bank_name", "masked_account", "stated_by", "stated_at")
    list_filter = ("state", "country", "currency")
    list_select_related = ("partner", "stated_by")
    search_fields = ("partner__code", "partner__name", "holder")
    ordering: ClassVar[tuple[str, ...]] = ("-stated_at",)
    fields = (
        ("partner", "number", "state", "version"),
        ("holder", "bank_name", "bank_code"),
        ("country", "currency", "masked_account"),
        ("stated_by", "stated_at"),
        ("decided_by", "decided_at", "reason", "ended_at"),
    )
    readonly_fields = ("masked_account",)

    @admin.display(description=_("account number"))
    def masked_account(self, payee: Payee) -> str:
        """Dots and the end."""
        return payee.masked

    def get_urls(self) -> list[URLPattern]:
        """The pages of the decisions, before Django's catch-all."""
        view = self.admin_site.admin_view(step_view)
        return [path("<int:payee>/step/<slug:step>/", view, name="partners_payee_step"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The payee with the decisions that this person may take now."""
        found = Payee.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        able = found is not None and may_decide(actor_of(request.user), found) is True
        steps = [
            (reverse("admin:partners_payee_step", args=[object_id, key]), step.label)
            for key, step in PAYEE_STEPS.items()
            if able
        ]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "steps": steps})
