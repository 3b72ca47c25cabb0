"""How a run ends: published with its fingerprint, failed with its reason, or cancelled."""

from decimal import Decimal

from django.db import connection, transaction

from core import audit
from core.actors import Actor, Capability
from core.errors import NotFound
from core.states import ensure_transition
from incentives.engine.steps import statement
from incentives.models import Run
from incentives.states import RUN_TRANSITIONS, RunState

SYSTEM = Actor.system("engine")


def publish(run: Run) -> None:
    """Fingerprint the run and publish its figures; in the transaction of its last chunk, audit row last."""
    run = Run.objects.select_for_update().get(pk=run.pk)
    ensure_transition(RUN_TRANSITIONS, run.state, RunState.FINISHED, what=f"Run {run.pk}")
    with connection.cursor() as cursor:
        cursor.execute(statement("digest"), {"run": run.pk})
        (run.digest, run.shops, run.eligible, run.pending, run.needs_data, run.not_eligible, base, net) = (
            cursor.fetchone()
        )
        cursor.execute("SELECT clock_timestamp()")
        (run.finished_at,) = cursor.fetchone()
    run.base_amount, run.net_amount, run.state = Decimal(base), Decimal(net), RunState.FINISHED
    run.save()
    audit.record(
        actor=SYSTEM,
        action="run.finished",
        subject=run,
        details={"digest": run.digest, "shops": run.shops, "net": str(run.net_amount)},
    )


def fail(run_id: int, reason: str) -> None:
    """End a run loudly: it publishes nothing, and says why."""
    _end(run_id, RunState.FAILED, reason=reason, actor=SYSTEM)


def cancel_run(*, actor: Actor, run_id: int) -> None:
    """Stop a run before it is finished; what it has written so far is never published.

    Raises NotAllowed without the capability, Conflict where it has ended already.
    """
    actor.require(Capability.START_RUN)
    _end(run_id, RunState.CANCELLED, reason="", actor=actor)


def _end(run_id: int, state: RunState, *, reason: str, actor: Actor) -> None:
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id).first()
        if run is None:
            raise NotFound(f"There is no run {run_id}.")
        ensure_transition(RUN_TRANSITIONS, run.state, state, what=f"Run {run_id}")
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (run.finished_at,) = cursor.fetchone()
        run.state, run.error = state, reason
        run.save(update_fields=["state", "error", "finished_at"])
        audit.record(actor=actor, action=f"run.{state}", subject=run, details={})
