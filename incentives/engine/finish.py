"""How a run ends: published with its fingerprint, failed with its reason, or cancelled."""

from datetime import datetime

from django.db import connection, transaction

from core import audit
from core.actors import Actor, Capability
from core.errors import NotFound
from core.states import ensure_transition
from incentives.engine import held
from incentives.engine.steps import refresh_statistics_of_findings
from incentives.engine.texts import statement
from incentives.models import Run
from incentives.states import RUN_TRANSITIONS, RunState

SYSTEM = Actor.system("engine")

# What digest.sql works out, in its order.
FIGURES = ("digest", "shops", "eligible", "pending", "needs_data", "not_eligible", "base_amount", "net_amount")


def publish(run: Run, *, priced: int) -> None:
    """Fingerprint the run and publish its figures; in the transaction of its last chunk, audit row last.

    `priced` is how many partners' figures the run worked out anew.
    """
    run = Run.objects.select_for_update(of=("self",)).select_related("base").get(pk=run.pk)
    ensure_transition(RUN_TRANSITIONS, run.state, RunState.FINISHED, what=f"Run {run.pk}")
    if run.base is not None and not priced:
        figures = tuple(getattr(run.base, name) for name in FIGURES)  # nothing differs from the base
    else:
        with connection.cursor() as cursor:
            cursor.execute(statement("digest"), {"run": run.pk})
            figures = cursor.fetchone()
    for name, figure in zip(FIGURES, figures, strict=True):
        setattr(run, name, figure)
    run.finished_at, run.state = _now(), RunState.FINISHED
    run.save()
    _clear_the_table(run)
    if run.base is None:
        # Whoever reads the run now would have it planned as if its chain were empty.
        transaction.on_commit(refresh_statistics_of_findings, robust=True)
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
        run.state, run.error, run.finished_at = state, reason, _now()
        run.save(update_fields=["state", "error", "finished_at"])
        _take_back(run)
        _clear_the_table(run)
        audit.record(actor=actor, action=f"run.{state}", subject=run, details={})


def _take_back(run: Run) -> None:
    """Leave the chain as the run found it: what it wrote goes, what it ended holds on."""
    params = {"chain": run.chain_id, "run": run.pk}
    with connection.cursor() as cursor:
        for table in held.ALL:
            cursor.execute(table.take_back(), params)
        cursor.execute("DELETE FROM incentives_payoutpreview WHERE run_id = %(run)s", params)


def _clear_the_table(run: Run) -> None:
    """Remove what only the steps of the run had use for."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM incentives_reached WHERE run_id = %s", [run.pk])


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now  # type: ignore[no-any-return]
