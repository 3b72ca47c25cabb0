"""What beat has done for this floor. Harmless when it comes twice, late or never."""

from celery import shared_task

from merchants import services
from merchants.imports.load import SYSTEM


@shared_task(name="merchants.tasks.fail_lost_imports")
def fail_lost_imports() -> None:
    """Tell of loads that died without a word."""
    services.fail_lost_imports(actor=SYSTEM)
