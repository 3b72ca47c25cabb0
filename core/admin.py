"""The ground floor's back office: people, programs, policies, batches of facts, the audit trail."""

import json
from typing import ClassVar

from django.contrib import admin
from django.contrib.auth import admin as _auth_admin  # noqa: F401 (registers groups, so that they can be taken out)
from django.contrib.auth.models import Group
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.backoffice import LookOnlyAdmin, LookOnlyInline
from core.models import AuditEvent, FactBatch, PolicyVersion, Program, RoleGrant, User

# Roles are ours (core.actors); Django's groups would be a second place to look for them.
admin.site.unregister(Group)
admin.site.site_header = _("Dingyao back office")
admin.site.site_title = _("Dingyao back office")
admin.site.index_title = _("Everything there is")


class RoleInline(LookOnlyInline):
    """A user's operator roles."""

    model = RoleGrant
    fields = ("role", "granted_at")


@admin.register(User)
class UserAdmin(LookOnlyAdmin):
    """People and their roles."""

    list_display = ("email", "name", "language", "is_active", "is_staff", "joined_at")
    search_fields = ("email", "name")
    list_filter = ("role_grants__role", "is_active")
    fields = ("email", "name", "language", "is_active", "is_staff", "is_superuser", "joined_at", "last_login")
    inlines: ClassVar = [RoleInline]


class PolicyInline(LookOnlyInline):
    """A program's policy versions."""

    model = PolicyVersion
    fields = ("number", "published_at", "published_by", "fingerprint")


@admin.register(Program)
class ProgramAdmin(LookOnlyAdmin):
    """Programs."""

    list_display = ("code", "starts_on", "ends_on", "created_at")
    search_fields = ("code",)
    inlines: ClassVar = [PolicyInline]


@admin.register(PolicyVersion)
class PolicyVersionAdmin(LookOnlyAdmin):
    """Published policies, whole."""

    list_display = ("program", "number", "published_at", "published_by", "fingerprint")
    list_filter = ("program",)
    list_select_related = ("program", "published_by")
    fields = ("program", "number", "published_at", "published_by", "fingerprint", "text")
    readonly_fields = ("text",)

    @admin.display(description=_("document"))
    def text(self, version: PolicyVersion) -> str:
        """The document, indented."""
        return format_html("<pre>{}</pre>", json.dumps(version.document, ensure_ascii=False, indent=2))


@admin.register(FactBatch)
class FactBatchAdmin(LookOnlyAdmin):
    """What was recorded when."""

    list_display = ("pk", "source", "recorded_at", "sequence", "backdated", "actor")
    list_filter = ("source", "backdated")
    list_select_related = ("actor",)


@admin.register(AuditEvent)
class AuditEventAdmin(LookOnlyAdmin):
    """The audit trail."""

    list_display = ("at", "who", "action", "subject_type", "subject_id", "request_id")
    list_filter = ("action", "at")
    list_select_related = ("actor",)
    search_fields = ("=subject_id", "=request_id", "actor__email")
    fields = ("at", "who", "action", "subject_type", "subject_id", "text", "request_id", "prev", "hash")
    readonly_fields = ("who", "text")

    @admin.display(description=_("who"))
    def who(self, event: AuditEvent) -> str:
        """The person, or the part of the product that acted."""
        return str(event.actor) if event.actor else event.actor_label

    @admin.display(description=_("details"))
    def text(self, event: AuditEvent) -> str:
        """The details, readable."""
        return format_html("<pre>{}</pre>", json.dumps(event.details, ensure_ascii=False, indent=2))
