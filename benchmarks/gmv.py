"""What the GMV aggregation of a full run takes by itself: its own SQL, chunk by chunk, without what stands around it.

Run as a program, in the benchmark's house; prints the seconds.
"""

from __future__ import annotations

import sys
import time

import django


def main(program_code: str) -> None:
    """Start a run, aggregate each of its chunks, and cancel it."""
    from django.db import connection, transaction

    from core.actors import Actor
    from core.models import Program
    from incentives.engine import finish, steps
    from incentives.engine.run import start_run
    from incentives.engine.scope import Scope, within
    from incentives.engine.texts import statement
    from incentives.states import Step

    actor = Actor.system("bench")
    run = start_run(actor=actor, program=Program.objects.get(code=program_code), full=True, inline=True)
    # The statement up to the aggregation; parts that nothing refers to are not executed.
    upto, found, _rest = statement("facts").partition("-- Stock inside the period")
    if not found:
        raise SystemExit("facts.sql has changed: where does the GMV end?")
    sql = upto.rstrip().rstrip(",") + "\nSELECT count(*), sum(gmv) FROM gmv"
    params = steps.parameters(run)
    params |= steps.rates(params)
    started = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(steps.PLANNING + "; SET LOCAL max_parallel_workers_per_gather = 0")
        for chunk in run.chunks.filter(step=Step.SHOPS).order_by("number"):
            cursor.execute(*within(sql, params, shops=Scope(chunk.low, chunk.high)))
            cursor.fetchall()
    sys.stdout.write(f"{time.monotonic() - started}\n")
    finish.cancel_run(actor=actor, run_id=run.pk)


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1])
