"""Runs from changes only: what they may go on from, and which shops they have to look at again (DESIGN 3)."""

from datetime import datetime
from typing import Any

from django.db import connection

from core.models import FactBatch, PolicyVersion, Program
from core.values import local_date
from incentives.engine.conditions import CONDITIONS
from incentives.engine.held import FIRST_ENTITIES
from incentives.engine.scope import Scope, within
from incentives.engine.texts import statement
from incentives.models import FirstEntity, Run
from incentives.states import RunKind, RunState

Params = dict[str, Any]

# Looking at this share of all shops again costs as much as looking at all of them, in order.
EVERYTHING_FROM = 0.2
BASES_LOOKED_AT = 20


def find_base(program: Program, policy: PolicyVersion, as_of: datetime) -> Run | None:
    """Return the run that one of this program and policy as of `as_of` can go on from, or None.

    It must have finished, be the last of its chain, look from no later moment, and have seen every batch that counts
    as recorded by its moment: history that was loaded since with an earlier date makes it useless.
    """
    known = Run.objects.filter(program=program, policy=policy, kind=RunKind.OFFICIAL, state=RunState.FINISHED)
    usable = known.filter(as_of__lte=as_of, chain__isnull=False, last_sequence__isnull=False)
    run: Run
    for run in usable.order_by("-as_of", "-pk")[:BASES_LOOKED_AT]:
        went_on = Run.objects.filter(chain=run.chain_id, pk__gt=run.pk, state=RunState.FINISHED).exists()
        older_batch = FactBatch.objects.filter(sequence__gt=run.last_sequence, recorded_at__lte=run.as_of).exists()
        if not went_on and not older_batch:
            return run
    return None


def since_base(run: Run) -> Params:
    """The parameters that say what came between the base of `run` and `run`."""
    base = run.base
    if base is None or base.as_of is None or base.started_at is None:
        raise ValueError(f"run {run.pk} goes on from nothing")
    new = FactBatch.objects.filter(recorded_at__gt=base.as_of, recorded_at__lte=run.as_of)
    ahead = FactBatch.objects.filter(recorded_at__lte=base.as_of, backdated=True)
    return {
        "base_as_of": base.as_of,
        "base_date": local_date(base.as_of, run.rules.zone),
        "new_batches": list(new.values_list("pk", flat=True)),
        # Nothing is recorded before it happens but history that is loaded with an earlier date, and even that not
        # before it happens by the clock: a base as of its own start has seen all that its batches tell.
        "ahead_batches": list(ahead.values_list("pk", flat=True)) if base.as_of < base.started_at else [],
    }


def renew_first_entities(run: Run, params: Params) -> Params:
    """Work out the first entities that the changes touch; return those that differ, as parameters of the reach."""
    with connection.cursor() as cursor:
        cursor.execute(statement("touched"), params)
        merchants, brands, shops = cursor.fetchone()
        scopes = {"merchants": Scope(ids=merchants), "brands": Scope(ids=brands), "shops": Scope(ids=shops)}
        cursor.execute(*within(statement("first_entities") + FIRST_ENTITIES.write(run), params, **scopes))
    changed = FirstEntity.objects.filter(chain_id=params["chain"])
    differing = {
        scope: set(changed.filter(scope=scope, key__in=keys, since_id=run.pk).values_list("key", flat=True))
        | set(changed.filter(scope=scope, key__in=keys, until_id=run.pk).values_list("key", flat=True))
        for scope, keys in (("merchant", merchants), ("brand", brands))
    }
    return {"first_merchants": list(differing["merchant"]), "first_brands": list(differing["brand"])}


def reach(run: Run, params: Params) -> int | None:
    """Write down the shops that `run` has to look at again and return their number; None where it is as good as all."""
    turns = " OR ".join(
        f"{condition.turns_sql} >= %(base_date)s AND {condition.turns_sql} < %(as_of_date)s"
        for condition in CONDITIONS
        if condition.turns_sql
    )
    with connection.cursor() as cursor:
        cursor.execute(statement("reach").replace("/*turns*/", turns), params)
        reached: int = cursor.rowcount
        cursor.execute("SELECT count(*) FROM merchants_shop")
        (shops,) = cursor.fetchone()
        if reached <= shops * EVERYTHING_FROM:
            return reached
        cursor.execute("DELETE FROM incentives_reached WHERE run_id = %(run)s", params)
    return None


def shops_between(run_id: int, low: int, high: int) -> list[int]:
    """The reached shops of one chunk."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shop_id FROM incentives_reached WHERE run_id = %s AND shop_id BETWEEN %s AND %s",
            [run_id, low, high],
        )
        return [shop for (shop,) in cursor.fetchall()]


def changed_partners(run: Run) -> list[int]:
    """The partners of whose shops this run judges any other than its base did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT partner_id FROM incentives_judgement"
            " WHERE chain_id = %(chain)s AND (since_id = %(run)s OR until_id = %(run)s)",
            {"chain": run.chain_id, "run": run.pk},
        )
        return [partner for (partner,) in cursor.fetchall()]
