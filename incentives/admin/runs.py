"""Runs: their figures to look at, and the submission of their payouts."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.actors import Capability
from core.backoffice import LookOnlyAdmin, LookOnlyInline, operator_of
from core.errors import DomainError
from incentives import policies, services
from incentives.models import Run, RunChunk
from incentives.services.submission_plan import plan_submission
from incentives.states import RunKind, RunState
from incentives.submission_words import tell
from partners.console import decided_by
from partners.people import actor_of


class ChunkInline(LookOnlyInline):
    """A run's chunks, and what became of them."""

    model = RunChunk
    fields = ("step", "number", "state", "attempts", "worker", "rows", "started_at", "finished_at", "error")
    show_change_link = False
    max_num = 200


@admin.register(Run)
class RunAdmin(LookOnlyAdmin):
    """Runs."""

    list_display = (
        "pk",
        "program",
        "kind",
        "trigger",
        "state",
        "as_of",
        "finished_at",
        "shops",
        "eligible",
        "pending",
        "needs_data",
        "not_eligible",
        "base_amount",
        "net_amount",
    )
    list_filter = ("program", "state", "kind")
    list_select_related = ("program",)
    inlines: ClassVar = [ChunkInline]
    exclude = ("document",)
    change_form_template = "admin/incentives/run.html"

    def get_urls(self) -> list[URLPattern]:
        """The submission's page, before Django's catch-all."""
        submit = self.admin_site.admin_view(submit_view)
        return [path("<int:run_id>/submit/", submit, name="incentives_run_submit"), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Submitting, for whoever may."""
        if not operator_of(request).can(Capability.SUBMIT_PAYOUT):
            return {}
        return {"submit_payouts": (_to_submission, "submit_payouts", _("Submit payouts of this run"))}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The run, with the way to its submission and its results."""
        run = Run.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        ready = run is not None and (run.state, run.kind) == (RunState.FINISHED, RunKind.OFFICIAL)
        offered = ready and operator_of(request).can(Capability.SUBMIT_PAYOUT)
        steps = (
            [(reverse("admin:incentives_run_submit", args=[object_id]), _("Submit payouts of this run"))]
            if offered
            else []
        )
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "steps": steps})


def _to_submission(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
    chosen = list(queryset.values_list("pk", flat=True)[:2])
    if len(chosen) != 1:
        messages.error(request, gettext("Choose one run: each submission is one program's."))
        return None
    return HttpResponseRedirect(reverse("admin:incentives_run_submit", args=chosen))


@decided_by(Capability.SUBMIT_PAYOUT)
def submit_view(request: HttpRequest, run_id: int) -> HttpResponse:
    """Ask (GET) and submit (POST): which partners, which amounts, and why now."""
    actor = actor_of(request.user)
    run = Run.objects.visible_to(actor).select_related("program").filter(pk=run_id).first()
    if run is None:
        raise Http404
    if request.method == "POST":
        try:
            tell(request, services.submit_run(actor=actor, run=run, reason=request.POST.get("text", "")))
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(request.path)
        return HttpResponseRedirect(f"{reverse('admin:incentives_payout_changelist')}?run__id__exact={run.pk}")
    allowed = policies.can_submit(actor)
    if allowed is not True:
        raise PermissionDenied(str(allowed))
    plan = plan_submission(actor=actor, run=run)
    # Here nobody is named, and who was clawed back is submitted only by name.
    rows = [row for row in plan.payouts if row.needs != "clawed_back"]
    return TemplateResponse(
        request,
        "admin/incentives/submit.html",
        {
            **admin.site.each_context(request),
            "title": _("Submit payouts of this run"),
            "run": run,
            "plan": plan,
            "rows": rows,
            "waiting": sum(1 for row in rows if row.needs),
            "total": sum(row.payable for row in rows),
            "zone": run.rules.timezone,
            "opts": Run._meta,
        },
    )
