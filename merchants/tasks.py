"""What beat has done for this floor. Harmless when it comes twice, late or never."""

from celery import shared_task

from merchants import services
from merchants.imports.load import SYSTEM


@shared_task(name="merchants.tasks.tell_of_lost_imports")
def tell_of_lost_imports() -> None:
    """Mark the loads that died without a word as failed."""
    services.fail_lost_imports(actor=SYSTEM)
