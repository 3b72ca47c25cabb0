"""The engine's statements, and the parameters that a run gives them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from core.models import FactBatch
from core.policy import Policy
from core.values import Period, local_date
from incentives.engine import held, reach
from incentives.engine.held import FIRST_ENTITIES, FROZEN_FACTS, JUDGEMENTS
from incentives.engine.scope import EVERYTHING, Scope, within
from incentives.engine.texts import judge_statement, statement
from incentives.models import Run, RunChunk
from incentives.states import ChunkState, Step

RATE_REACH = timedelta(days=7)  # POLICY 2: how long the latest earlier rate stands in for a missing one

# PostgreSQL's default of 4 MB makes it sort a large quarter on disk; two chunks at a time take it a few times each.
WORK_MEMORY = "64MB"
# Compiling costs more than it saves here; a merge join sorts a chunk's lines to find a few hundred rates among them;
# and what a chunk looks up by index lies in memory, mostly side by side.
PLANNING = (
    f"SET LOCAL work_mem = '{WORK_MEMORY}'; SET LOCAL jit = off; SET LOCAL enable_mergejoin = off;"
    " SET LOCAL random_page_cost = 1.1"
)

# The shops of one chunk: ids in the order of the primary key, so that a chunk's rows lie together.
LAY_OUT = """
INSERT INTO incentives_runchunk (run_id, step, number, low, high, state, epoch, attempts, worker, rows, error)
SELECT %(run)s, 'shops', g + 1, min(id), max(id), 'waiting', 0, 0, '', 0, ''
FROM (SELECT {column} AS id, (row_number() OVER (ORDER BY {column}) - 1) / %(size)s AS g FROM {table}) s
GROUP BY g
"""
ALL_SHOPS = LAY_OUT.format(column="id", table="merchants_shop")
REACHED_SHOPS = LAY_OUT.format(column="shop_id", table="incentives_reached WHERE run_id = %(run)s")

# The figures of partners of whom nothing changed, as the base has them.
CARRY_OVER = """
INSERT INTO incentives_payoutpreview (run_id, partner_id, eligible, pending, needs_data, not_eligible, introduced,
                                      high_risk, base_amount, factor, net_amount, currency)
SELECT %(run)s, partner_id, eligible, pending, needs_data, not_eligible, introduced, high_risk, base_amount, factor,
       net_amount, currency
FROM incentives_payoutpreview WHERE run_id = %(base)s AND partner_id <> ALL(%(changed)s)
"""

Params = dict[str, Any]


def parameters(run: Run) -> Params:
    """Return what every statement of `run` needs: the moment, what came too late for it, the policy's keys."""
    if run.as_of is None:
        raise ValueError(f"run {run.pk} has not started")
    late = FactBatch.objects.filter(recorded_at__gt=run.as_of).values_list("pk", flat=True)  # index batch_recorded
    own = {"run": run.pk, "chain": run.chain_id, "program": run.program_id, "late": list(late)}
    return policy_parameters(run.rules, run.program.period, run.as_of) | own


def policy_parameters(rules: Policy, period: Period, as_of: datetime) -> Params:
    """Return the parameters that follow from a policy, a period and a moment alone."""
    days = list(period.dates())
    windows = [rules.window_ends_on(day) for day in days]
    settled = [rules.settles_by(day) for day in days]
    rated = Period(period.first - RATE_REACH, settled[-1])
    return {
        "as_of": as_of.astimezone(UTC),
        "as_of_date": local_date(as_of, rules.zone),
        "zone": rules.timezone,
        "markets": list(rules.markets),
        "period_first": period.first,
        "period_last": period.last,
        "period_starts_at": period.starts_at(rules.zone),
        "period_ends_at": period.ends_at(rules.zone),
        "closes_at": rules.closes_at(period),
        "days": days,
        "window_ends": windows,
        "settles_by": settled,
        "ordered_before": [Period(day, day).ends_at(rules.zone) for day in windows],
        "settled_before": [Period(day, day).ends_at(rules.zone) for day in settled],
        "rates_first": rated.first,
        "rates_last": rated.last,
        "rated_from": [Period(day, day).starts_at(rules.zone) for day in rated.dates()],
        "must_precede": rules.list.must_precede_certification,
        "rival_period": rules.first_entity.period,
        "rival_markets": rules.first_entity.markets,
        "gmv_above": rules.activation.gmv_above,
        "stock_countries": list(rules.stock.countries),
        "stock_minimum": rules.stock.minimum,
        "stock_scope": rules.stock.scope,
        "exempt_markets": list(rules.stock.exempt_markets),
        "normal_statuses": list(rules.shop.normal_statuses),
        "high_risk_categories": list(rules.high_risk.categories),
        "amount": rules.incentive.amount,
        "currency": rules.incentive.currency,
        "discount_basis": rules.discount.basis,
        "tier_starts": [tier.start for tier in rules.discount.tiers],
        "tier_pays": [tier.pay for tier in rules.discount.tiers],
    }


def perform(run: Run, chunk: RunChunk) -> int:
    """Do one chunk's work in the present transaction.

    Returns what the step is counted by: first entities, shops judged, partners priced anew.
    """
    params = parameters(run)
    with connection.cursor() as cursor:
        cursor.execute(PLANNING)
    match chunk.step:
        case Step.FIRST_ENTITIES:
            return _first_entities(run, params)
        case Step.SHOPS:
            scope = _scope(run, chunk.low, chunk.high)
            params |= rates(params)
            _write(*within(statement("facts") + FROZEN_FACTS.write(run), params, shops=scope))
            return _write(*within(judge_statement() + JUDGEMENTS.write(run), params, shops=scope))
        case Step.PRICE:
            return _price(run, params)
    raise ValueError(f"no such step: {chunk.step}")


def rates(params: Params) -> Params:
    """Return the parameters that hold the rates of each currency and date (rates.sql)."""
    with connection.cursor() as cursor:
        cursor.execute(statement("rates"), params)
        currencies, days, rates = cursor.fetchone()
    return {"rate_currencies": currencies, "rate_days": days, "rates": rates}


def lay_out(run: Run, *steps: Step) -> None:
    """Make the chunks of these steps."""
    for step in steps:
        if step != Step.SHOPS:
            RunChunk.objects.create(run=run, step=step, number=1, state=ChunkState.WAITING)
            continue
        with connection.cursor() as cursor:
            sql = ALL_SHOPS if run.reached is None else REACHED_SHOPS
            cursor.execute(sql, {"run": run.pk, "size": settings.ENGINE_CHUNK_SHOPS})


def refresh_statistics() -> None:
    """Let the planner know what a large load has just brought, where autovacuum has not come by yet.

    Without it the first run after a load may be planned as if the tables were still empty.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_stat_user_tables WHERE relname ~ '^(core|partners|merchants)_'"
            " AND n_mod_since_analyze > 500 + n_live_tup / 5"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")


def refresh_statistics_of_findings() -> None:
    """The same for what runs have written."""
    with connection.cursor() as cursor:
        for table in held.ALL:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table.name)}")


def _first_entities(run: Run, params: Params) -> int:
    if run.base_id is None:
        sql = statement("first_entities") + FIRST_ENTITIES.write(run)
        return _write(*within(sql, params, shops=EVERYTHING, merchants=EVERYTHING, brands=EVERYTHING))
    params = params | reach.since_base(run)
    params |= reach.renew_first_entities(run, params)
    run.reached = reach.reach(run, params)
    run.save(update_fields=["reached"])
    if run.reached != 0:
        lay_out(run, Step.SHOPS)
    return len(params["first_merchants"]) + len(params["first_brands"])


def _price(run: Run, params: Params) -> int:
    if run.base_id is None:
        return _write(*within(statement("price"), params, partners=EVERYTHING))
    changed = reach.changed_partners(run)
    _write(*within(statement("price"), params, partners=Scope(ids=changed)))
    _write(CARRY_OVER, {"run": run.pk, "base": run.base_id, "changed": changed})
    return len(changed)


def _scope(run: Run, low: int | None = None, high: int | None = None) -> Scope:
    if run.reached is None:
        return Scope(low, high)
    return Scope(ids=reach.shops_between(run.pk, low or 0, high or 2**62))


def _write(sql: str, params: Params) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount if cursor.description is None else cursor.fetchone()[0])
