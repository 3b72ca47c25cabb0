"""Applications in the back office: to look at, and to decide on through the services, one at a time."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from core.actors import Capability
from core.backoffice import LookOnlyAdmin, LookOnlyInline
from core.errors import DomainError
from partners.application_steps import STEPS, given_for, open_steps
from partners.console import decided_by
from partners.models import Application, ApplicationContact, ApplicationEvent, ApplicationFile, Invitation, Joining
from partners.people import actor_of


@decided_by(step=dict.fromkeys(STEPS, (Capability.CERTIFY_PARTNER,)))
def step_view(request: HttpRequest, application: int, step: str) -> HttpResponse:
    """Ask (GET) and act (POST) for one application."""
    actor = actor_of(request.user)
    found = Application.objects.visible_to(actor).filter(pk=application).first()
    if step not in STEPS or found is None:
        raise Http404
    wanted, back = STEPS[step], reverse("admin:partners_application_change", args=[found.pk])
    if request.method == "POST":
        try:
            wanted.act(actor=actor, application=found, **given_for(wanted.asks, request.POST))
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            found.refresh_from_db()
            messages.success(request, f"{found.name} · {found.get_state_display()}")
        return HttpResponseRedirect(back)
    return TemplateResponse(
        request,
        "admin/partners/application_step.html",
        {
            **admin.site.each_context(request),
            "title": wanted.label,
            "step": wanted,
            "application": found,
            "able": step in open_steps(actor, found),
            "today": timezone.now().astimezone(ZoneInfo(settings.PLATFORM_TIME_ZONE)).date(),
            "back": back,
            "opts": Application._meta,
        },
    )


class ContactInline(LookOnlyInline):
    """Whom to reach."""

    model = ApplicationContact
    fields = ("name", "email", "phone", "wechat", "about")


class EventInline(LookOnlyInline):
    """What has happened."""

    model = ApplicationEvent
    fields = ("at", "step", "actor", "note", "effective_from")


class FileInline(LookOnlyInline):
    """What was handed in, behind links that look who asks."""

    model = ApplicationFile
    fields = ("document", "media_type", "size", "uploaded_at")

    @admin.display(description=gettext_lazy("file"))
    def document(self, file: ApplicationFile) -> str:
        """The file's name, leading to the file."""
        address = reverse("application-file", args=[file.application_id, file.pk])
        return format_html('<a href="{}">{}</a>', address, file.name or file.pk)


@admin.register(Application)
class ApplicationAdmin(LookOnlyAdmin):
    """Applications that were submitted, the one that has waited longest first."""

    change_form_template = "admin/partners/application.html"
    list_display = ("name", "category", "country", "state", "submitted_at", "reviewer", "partner")
    list_filter = ("state", "category")
    list_select_related = ("reviewer", "partner")
    search_fields = ("name", "registration_no")
    ordering = ("submitted_at",)
    inlines: ClassVar = [ContactInline, FileInline, EventInline]
    fields = (
        ("name", "category"),
        ("country", "registration_no"),
        ("markets", "resources", "services"),
        ("state", "version", "reviewer"),
        ("applicant", "submitted_at", "decided_at"),
        ("follows", "partner"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Drafts are nobody's business."""
        return super().get_queryset(request).filter(submitted_at__isnull=False)

    def get_urls(self) -> list[URLPattern]:
        """The pages of the decisions, before Django's catch-all."""
        view = self.admin_site.admin_view(step_view)
        return [
            path("<int:application>/step/<slug:step>/", view, name="partners_application_step"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The application with the decisions that this person may take now."""
        found = Application.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        able = open_steps(actor_of(request.user), found) if found is not None else []
        steps = [(reverse("admin:partners_application_step", args=[object_id, key]), STEPS[key].label) for key in able]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "steps": steps})


@admin.register(Joining)
class JoiningAdmin(LookOnlyAdmin):
    """Which partner takes part in which program, by which version."""

    list_display = ("partner", "program", "policy", "commitment", "accepted_by", "accepted_at")
    list_select_related = ("partner", "program", "policy__program", "accepted_by")
    list_filter = ("program",)


@admin.register(Invitation)
class InvitationAdmin(LookOnlyAdmin):
    """Colleagues who were asked to join a team. Never the token."""

    list_display = ("partner", "email", "role", "created_at", "expires_at", "accepted_at", "withdrawn_at")
    list_select_related = ("partner",)
    fields = ("partner", "email", "role", "invited_by", "created_at", "expires_at", "accepted_by", "accepted_at")
