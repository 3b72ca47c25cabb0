"""`manage.py recompute`: evaluate a program, through the workers or in this process."""

import time
import uuid
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError

from core import outages
from core.cli import Command as BaseCommand
from core.cli import moment
from core.errors import BadInput, Conflict, DomainError, NotFound, Unavailable
from core.models import AuditEvent, PolicyVersion, Program
from core.policy_reader import load_policy
from core.requests import set_request_id
from incentives import wake
from incentives.engine.run import progress, start_run, try_policy, work
from incentives.models import Run
from incentives.states import RunState

PATIENCE = 15.0  # seconds without progress before the command says that no worker may be there


class Command(BaseCommand):
    """Start a run and wait for its end; the last line says what it found."""

    help = "Evaluate a program as of a moment and print the verdicts, the money and the fingerprint."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("program", help="the program's code")
        parser.add_argument("--as-of", help="ISO 8601 moment (default: now)")
        parser.add_argument("--policy-version", type=int, help="judge by this version (default: the latest)")
        parser.add_argument("--inline", action="store_true", help="in this process, without a broker")
        parser.add_argument("--full", action="store_true", help="ignore what earlier runs froze")
        parser.add_argument("--policy", type=Path, help="try this policy file; with --dry-run")
        parser.add_argument("--dry-run", action="store_true", help="publish nothing that could be paid; with --policy")

    def handle(self, *args: Any, **options: Any) -> None:
        program = find_program(options["program"])
        as_of = moment(options["as_of"], option="--as-of") if options["as_of"] else None
        actor = self.actor()
        if (options["policy"] is None) == options["dry_run"]:
            raise BadInput("--policy FILE and --dry-run go together: a draft is tried, never published, here.")
        if options["dry_run"]:
            if options["policy_version"] is not None:
                raise BadInput("--policy tries a file; --policy-version names a published one. Give one of them.")
            rules = load_policy(read_text(options["policy"]))
            self.report(try_policy(actor=actor, program=program, rules=rules, as_of=as_of))
            return
        policy = find_policy(program, options["policy_version"])
        if not options["inline"]:
            ensure_broker()
        run = start_once(
            lambda: start_run(
                actor=actor,
                program=program,
                policy=policy,
                as_of=as_of,
                full=options["full"],
                inline=options["inline"],
            ),
            inline=options["inline"],
        )
        # The run goes on without its database for a while, and so does whoever waits for it.
        if options["inline"]:
            outages.again(lambda: work(run.pk))
        else:
            self.watch(run)
        outages.again(run.refresh_from_db)
        self.report(run)

    def watch(self, run: Run) -> None:
        """Show the progress until the run has ended."""
        shown, moved = -1, time.monotonic()
        while True:
            now = outages.again(lambda: progress(run))
            if now.state != RunState.RUNNING:
                return
            if now.done != shown:
                shown, moved = now.done, time.monotonic()
                self.stdout.write(f"run {run.pk}: {now.done} of {now.total} chunks, {now.shops} shops judged")
            elif time.monotonic() - moved > PATIENCE:
                moved = time.monotonic()
                self.stderr.write(
                    f"run {run.pk} waits for a worker; start one with `python manage.py up`"
                    " or `celery -A config worker`"
                )
            time.sleep(0.2)

    def report(self, run: Run) -> None:
        """Print the contract's last line, or raise with the reason why there is none."""
        if run.state != RunState.FINISHED:
            raise DomainError(f"Run {run.pk} {run.get_state_display().lower()}: {run.error or 'it was stopped'}")
        self.stdout.write(
            f"run {run.pk} digest {run.digest} eligible {run.eligible} pending {run.pending}"
            f" needs_data {run.needs_data} not_eligible {run.not_eligible}"
            f" base {run.base_amount} net {run.net_amount}"
        )


def start_once(start: Callable[[], Run], *, inline: bool) -> Run:
    """Start a run; where the connection is lost over it, look whether it has started before starting it again.

    The key is this command's own: the request id in the audit row of the run's start.
    """
    key = uuid.uuid4().hex
    set_request_id(key)

    def started() -> Run | None:
        # Index audit_action: one row for each start ever.
        event = AuditEvent.objects.filter(action="run.started", request_id=key).first()
        if event is None:
            return None
        if not inline:
            wake.workers(int(event.subject_id), 1)  # nobody has: that comes after the COMMIT
        return Run.objects.get(pk=int(event.subject_id))

    def attempt() -> Run:
        try:
            return started() or start()
        except Conflict:
            # It may be our own, committed after we had looked: the start waits for it.
            run = started()
            if run is None:
                raise
            return run

    try:
        return outages.again(attempt)
    finally:
        set_request_id("")


def find_program(code: str) -> Program:
    """Return the program with this code. Raises NotFound, naming those that exist."""
    program = Program.objects.filter(code=code).first()
    if program is None:
        known = ", ".join(Program.objects.order_by("code").values_list("code", flat=True)[:20]) or "none yet"
        raise NotFound(f"There is no program {code!r}. Programs: {known}.")
    return program


def find_policy(program: Program, number: int | None) -> PolicyVersion | None:
    """Return the published version `number`, or None for the latest. Raises NotFound."""
    if number is None:
        return None
    policy = program.policies.filter(number=number).first()
    if policy is None:
        raise NotFound(f"{program} has no policy version {number}.")
    return policy


def read_text(path: Path) -> str:
    """Read a UTF-8 file. Raises BadInput where it can't be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not UTF-8.") from None
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}.") from None


def ensure_broker() -> None:
    """Raise Unavailable, saying what to do, where the broker doesn't answer: before anything is started."""
    try:
        with current_app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=1, timeout=5)
    except (OperationalError, ConnectionError, OSError) as error:
        raise Unavailable(
            f"The broker doesn't answer ({error}). Start it with `python manage.py up --services-only`,"
            " name one in REDIS_URL, or recompute --inline."
        ) from None
