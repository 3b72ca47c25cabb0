"""What workers and beat do. Each task is harmless when it comes twice, late or never: rows are the queue."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from core.errors import Conflict
from core.models import Program
from core.values import local_date
from incentives import wake
from incentives.digest import send_digests
from incentives.engine import queue
from incentives.engine.run import request_run, start_run, work
from incentives.models import Run
from incentives.services.bulk import waiting_bulks, work_on_bulk
from incentives.states import RunState, RunTrigger

DIGEST_SECONDS = 200  # below the soft time limit; the rest of the partners have their turn an hour later
WORK_SECONDS = 60  # well below the tasks' time limit; what is left is handed to the next message


@shared_task(name=wake.WORK)
def work_on_run(run_id: int) -> None:
    """Do what a run has to do."""
    if work(run_id, seconds=WORK_SECONDS):
        wake.workers(run_id, 1)


@shared_task(name=wake.DECIDE)
def work_on_decisions(bulk_id: int) -> None:
    """Do what a decision on many payouts asks for."""
    if work_on_bulk(bulk_id, seconds=WORK_SECONDS):
        wake.deciders(bulk_id)


@shared_task(name="incentives.tasks.sweep_overdue_chunks")
def sweep_overdue_chunks() -> None:
    """Send again what was lost: chunks that nobody holds, decisions that nobody works on."""
    for bulk_id in waiting_bulks():
        wake.deciders(bulk_id)
    for run_id in queue.overdue_runs():
        if not queue.fail_exhausted(run_id):
            wake.workers(run_id, settings.ENGINE_FAN_OUT)


@shared_task(name="incentives.tasks.start_nightly_runs")
def start_nightly_runs() -> None:
    """Ask for a run of each open program."""
    for program in open_programs():
        request_run(program=program, trigger=RunTrigger.NIGHTLY, wait=timedelta(), at_most=timedelta())
    start_requested_runs()


@shared_task(name="incentives.tasks.start_requested_runs")
def start_requested_runs() -> None:
    """Start the automatic runs whose time has come; one whose program is busy waits for its next turn."""
    due = Run.objects.filter(state=RunState.QUEUED, not_before__lte=timezone.now()).select_related("program")
    for run in due.order_by("pk"):
        try:
            start_run(actor=queue.SYSTEM, program=run.program, trigger=RunTrigger(run.trigger))
        except Conflict:
            continue


@shared_task(name="incentives.tasks.send_weekly_digests")
def send_weekly_digests() -> None:
    """Tell each partner what it can still win this week."""
    send_digests(now=timezone.now(), seconds=DIGEST_SECONDS)


def request_runs_after_facts() -> None:
    """Ask for one run of each open program, once the imports have been quiet for a while."""
    for program in open_programs():
        request_run(
            program=program,
            trigger=RunTrigger.IMPORT,
            wait=timedelta(seconds=settings.ENGINE_QUIET_SECONDS),
            at_most=timedelta(seconds=settings.ENGINE_QUIET_AT_MOST_SECONDS),
        )


def open_programs() -> list[Program]:
    """Programs that have begun and have not closed for observation (POLICY 3)."""
    now = timezone.now()
    found = []
    for program in Program.objects.filter(policies__isnull=False).distinct().order_by("pk"):
        rules = program.current_policy.rules
        if program.starts_on <= local_date(now, rules.zone) and now < rules.closes_at(program.period):
            found.append(program)
    return found
