"""Who recruits."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PartnersConfig(AppConfig):
    """Organisations, their members, certification, invite links."""

    name = "partners"
    verbose_name = _("Partners")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Declare what people are told of, and have them told of new rules."""
        from core import hooks
        from partners import (
            notices,
            payee_notices,  # noqa: F401 (declares its kinds)
        )

        hooks.on_published(notices.policy_published)
