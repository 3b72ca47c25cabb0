"""Payouts: their lines, decisions and postings to look at, and the buttons of each step."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.backoffice import LookOnlyAdmin, LookOnlyInline, operator_of
from incentives import policies
from incentives.admin.steps import LINE_STEPS, STEPS, line_step_view, step_view
from incentives.models import Bar, Decision, Payout, PayoutLine, Posting
from incentives.states import LineState
from partners.people import actor_of


class LineInline(LookOnlyInline):
    """A payout's lines, each with what can be done with it."""

    model = PayoutLine
    fields = ("shop", "merchant", "brand", "amount", "state", "withheld_for", "steps")
    readonly_fields = ("steps",)
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what its rows name."""
        return super().get_queryset(request).select_related("shop", "merchant", "brand").order_by("shop__code")

    @admin.display(description=_("steps"))
    def steps(self, line: PayoutLine) -> str:
        """Void, or undo it."""
        step = {LineState.LIVE.value: "void", LineState.VOID.value: "undo_void"}.get(line.state)
        if step is None:
            return "–"
        address = reverse("admin:incentives_payoutline_step", args=[line.pk, step])
        return format_html('<a href="{}">{}</a>', address, LINE_STEPS[step].label)


class DecisionInline(LookOnlyInline):
    """Who decided what, and why."""

    model = Decision
    fk_name = "payout"
    fields = ("at", "kind", "actor", "line", "state_before", "state_after", "reason")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what its rows name, oldest first."""
        return super().get_queryset(request).select_related("actor", "line", "reason").order_by("pk")


class PostingInline(LookOnlyInline):
    """What the ledger holds of it."""

    model = Posting
    fields = ("at", "cause", "entries_told", "reverses")
    readonly_fields = ("entries_told",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With its entries, oldest first."""
        return super().get_queryset(request).select_related("reverses").prefetch_related("entries").order_by("pk")

    @admin.display(description=_("entries"))
    def entries_told(self, posting: Posting) -> str:
        """Each account and its amount."""
        return format_html_join(
            "; ", "{} {}", ((entry.get_account_display(), f"{entry.amount:,.2f}") for entry in posting.entries.all())
        )


@admin.register(Payout)
class PayoutAdmin(LookOnlyAdmin):
    """Payouts. Every step goes through a page that says what will happen, and through the services."""

    list_display = (
        "pk",
        "program",
        "partner",
        "run_number",
        "state",
        "held_or_not",
        "base_amount",
        "factor",
        "payable",
        "currency",
    )
    list_filter = ("program", "state", "held")
    list_select_related = ("program", "partner")
    search_fields = ("partner__code", "partner__name")
    inlines: ClassVar = [LineInline, DecisionInline, PostingInline]
    change_form_template = "admin/incentives/payout.html"
    fields = (
        ("program", "partner", "run", "policy"),
        ("state", "held", "version"),
        ("introduced", "high_risk", "factor"),
        ("base_amount", "net_amount", "adjustments", "payable", "currency"),
        ("submitted_by", "submitted_at"),
        ("approved_by", "approved_at"),
        ("paid_at", "payment_reference"),
    )

    @admin.display(description=_("run"), ordering="run_id")
    def run_number(self, payout: Payout) -> int:
        """The run whose figures it has."""
        return payout.run_id

    @admin.display(description=_("held"), ordering="held")
    def held_or_not(self, payout: Payout) -> str:
        """The word where it is held, nothing where it isn't."""
        return gettext("held") if payout.held else "–"

    def get_urls(self) -> list[URLPattern]:
        """The pages of the steps, before Django's catch-all."""
        view = self.admin_site.admin_view
        return [
            path("step/<slug:step>/", view(step_view), name="incentives_payout_step"),
            path("line/<int:line_id>/step/<slug:step>/", view(line_step_view), name="incentives_payoutline_step"),
            *super().get_urls(),
        ]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The steps that this operator's roles allow at all."""
        actor = operator_of(request)
        return {key: (_to_step(key), key, step.label) for key, step in STEPS.items() if policies.is_open_to(actor, key)}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The payout with the steps that this person may take with it now."""
        payout = Payout.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        able = policies.steps(actor_of(request.user), payout) if payout is not None else ()
        steps = [
            (f"{reverse('admin:incentives_payout_step', args=[key])}?ids={object_id}", STEPS[key].label) for key in able
        ]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "steps": steps})


def _to_step(key: str) -> Any:
    def action(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Payout]) -> HttpResponse:
        ids = ",".join(str(pk) for pk in queryset.order_by("pk").values_list("pk", flat=True)[:500])
        return HttpResponseRedirect(f"{reverse('admin:incentives_payout_step', args=[key])}?ids={ids}")

    return action


@admin.register(Bar)
class BarAdmin(LookOnlyAdmin):
    """What voids bar from later submissions."""

    list_display = ("program", "partner", "merchant", "decision", "is_lifted")
    list_filter = ("program",)
    list_select_related = ("program", "partner", "merchant", "decision")

    @admin.display(description=_("lifted"), boolean=True)
    def is_lifted(self, bar: Bar) -> bool:
        """Whether the void was undone."""
        return bar.lifted_by_id is not None


@admin.register(Decision)
class DecisionAdmin(LookOnlyAdmin):
    """All decisions, the newest first."""

    list_display = ("at", "payout", "kind", "actor", "state_before", "state_after", "told")
    list_filter = ("kind",)
    list_select_related = ("payout__program", "payout__partner", "actor", "reason")

    @admin.display(description=_("reason"))
    def told(self, decision: Decision) -> str:
        """The reason, as far as it was not erased."""
        return str(decision.reason or gettext("none"))
