"""The engine's statements, and the parameters that a run gives them."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection

from core.policy import Policy
from core.values import Period, local_date
from incentives.engine.conditions import CONDITION_KEYS, CONDITIONS
from incentives.models import Run, RunChunk
from incentives.states import Step

RATE_REACH = timedelta(days=7)  # POLICY 2: how long the latest earlier rate stands in for a missing one

Params = dict[str, Any]


def parameters(run: Run) -> Params:
    """Return what every statement of `run` needs: the moment, the dates, the policy's keys."""
    if run.as_of is None:
        raise ValueError(f"run {run.pk} has not started")
    return policy_parameters(run.rules, run.program.period, run.as_of) | {"run": run.pk, "program": run.program_id}


def policy_parameters(rules: Policy, period: Period, as_of: datetime) -> Params:
    """Return the parameters that follow from a policy, a period and a moment alone."""
    days = list(period.dates())
    windows = [rules.window_ends_on(day) for day in days]
    settled = [rules.settles_by(day) for day in days]
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
        "rates_first": period.first - RATE_REACH,
        "rates_last": settled[-1],
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
    """Do one chunk's work in the present transaction and return how many rows it wrote."""
    params = parameters(run)
    match chunk.step:
        case Step.FIRST_ENTITIES:
            refresh_statistics()
            return _execute(statement("first_entities"), params)
        case Step.SHOPS:
            params |= {"low": chunk.low, "high": chunk.high}
            _execute(statement("facts"), params)
            return _execute(judge_statement(), params)
        case Step.PRICE:
            return _execute(statement("price"), params)
    raise ValueError(f"no such step: {chunk.step}")


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


@cache
def statement(name: str) -> str:
    """The text of one of the SQL files beside this module."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")


@cache
def judge_statement() -> str:
    """`judge.sql`, completed with the conditions."""
    outcomes = ",\n           ".join(f"{c.outcome_sql} AS o_{c.key}" for c in CONDITIONS)
    judged = ", ".join(f"o_{key}" for key in CONDITION_KEYS)
    text = statement("judge").replace("/*outcomes*/", outcomes).replace("/*judged*/", judged)
    return text.replace("/*keys*/", ", ".join(CONDITION_KEYS))


def _execute(sql: str, params: Params) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
