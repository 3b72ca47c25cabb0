"""What is judged by people."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GovernanceConfig(AppConfig):
    """Cases, post-audit, sanctions, disputes. Acts downward through services; nothing below knows of it."""

    name = "governance"
    verbose_name = _("Governance")
    default_auto_field = "django.db.models.BigAutoField"
