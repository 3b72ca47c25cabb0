"""What is computed and paid."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IncentivesConfig(AppConfig):
    """Runs, results, payouts, the ledger."""

    name = "incentives"
    verbose_name = _("Incentives")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Ask for a run once facts have been recorded, keep history out of what was submitted, say what is told."""
        from core import hooks
        from incentives import (
            digest,  # noqa: F401 (declares its kind)
            history,
            invoice_notices,  # noqa: F401 (declares its kinds)
            notices,  # noqa: F401 (declares its kinds)
        )

        hooks.on_recorded(history.request_runs)
        hooks.register_recording_floor(history.submitted_until)
