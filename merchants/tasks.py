"""What workers and beat do on this floor. Harmless when it comes twice, late or never."""

from celery import shared_task
from django.utils import timezone

from core.actors import Actor
from core.models import Program
from merchants import services, waking
from merchants.imports.load import SYSTEM

LISTS = Actor.system("lists")


@shared_task(name="merchants.tasks.tell_of_lost_imports")
def tell_of_lost_imports() -> None:
    """Mark the loads that died without a word as failed."""
    services.fail_lost_imports(actor=SYSTEM)


@shared_task(name=waking.LOAD)
def load_feed_upload(upload_id: int) -> None:
    """Load the file that was handed in; nothing where another worker has it, or had it."""
    services.carry_out_upload(upload_id=upload_id)


@shared_task(name="merchants.tasks.sweep_feed_uploads")
def sweep_feed_uploads() -> None:
    """Call workers to uploads whose message or worker was lost, and throw away what nobody wanted."""
    services.sweep_uploads(actor=SYSTEM)


@shared_task(name="merchants.tasks.compare_entries")
def compare_entries() -> None:
    """Compare entries that came since the last time with their lists, a part of each list at a time, until all are."""
    for program in Program.objects.order_by("pk"):
        while services.find_duplicates(actor=LISTS, program=program, at=timezone.now())[0]:
            pass
