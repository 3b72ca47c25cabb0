"""The ground floor: what every other app stands on."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Users and roles, programs and policies, fact batches, the audit trail."""

    name = "core"
    default_auto_field = "django.db.models.BigAutoField"
