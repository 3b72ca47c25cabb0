"""Violations that the platform penalised. What is recorded of one is a whole: an appeal added is a new whole fact."""

from core.locks import Lock
from merchants.imports.columns import CODE, FLAG, TIMESTAMP, WORD, Column
from merchants.imports.faults import RowError
from merchants.imports.kinds.base import SHOP, Check, Kind, latest, not_later_than_now
from merchants.states import FeedKind

VIOLATIONS = Kind(
    kind=FeedKind.VIOLATIONS,
    lock=Lock.FEED_VIOLATIONS,
    columns=(
        Column("violation_code", CODE),
        Column("shop_code", CODE),
        Column("category", WORD),
        Column("penalised_at", TIMESTAMP),
        Column("enforced_closure", FLAG),
        Column("appealed_at", TIMESTAMP, required=False),
        Column("overturned_at", TIMESTAMP, required=False),
        Column("corrects", FLAG, required=False),
    ),
    key="violation_code",
    references=(SHOP,),
    checks=(
        *not_later_than_now("penalised_at", "appealed_at", "overturned_at"),
        Check("overturned_at", RowError.ORDER_OF_TIMES, "t.overturned_at < t.penalised_at"),
    ),
    # An empty appealed_at or overturned_at retracts nothing, except in a row that corrects: that supersedes them too.
    compare=f"""
    SELECT t.line, t.violation_code, t.shop_id, t.category, t.penalised_at, t.enforced_closure,
        now_.appealed_at, now_.overturned_at,
        CASE WHEN was.id IS NULL THEN 'new'
            WHEN differs.in_ IS NULL AND now_.appealed_at IS NOT DISTINCT FROM was.appealed_at
                AND now_.overturned_at IS NOT DISTINCT FROM was.overturned_at THEN 'unchanged'
            WHEN t.corrects AND now_.overturned_at < t.penalised_at THEN 'order_of_times'
            WHEN t.corrects OR (differs.in_ IS NULL AND added.appeal AND added.overturn) THEN 'updated'
            ELSE 'forbidden_repeat' END AS outcome,
        CASE WHEN t.corrects THEN 'overturned_at' WHEN differs.in_ IS NOT NULL THEN differs.in_
            WHEN added.appeal THEN 'overturned_at' ELSE 'appealed_at' END AS at_fault
    FROM feed_rows t {
        latest(
            table="merchants_violation",
            alias="was",
            on="f.code = t.violation_code",
            columns="f.shop_id, f.category, f.penalised_at, f.enforced_closure, f.appealed_at, f.overturned_at",
        )
    }
    CROSS JOIN LATERAL (
        SELECT CASE WHEN t.corrects AND %(has_appealed_at)s THEN t.appealed_at
                ELSE coalesce(t.appealed_at, was.appealed_at) END AS appealed_at,
            CASE WHEN t.corrects AND %(has_overturned_at)s THEN t.overturned_at
                ELSE coalesce(t.overturned_at, was.overturned_at) END AS overturned_at
    ) now_
    CROSS JOIN LATERAL (
        SELECT was.appealed_at IS NULL OR now_.appealed_at = was.appealed_at AS appeal,
            was.overturned_at IS NULL OR now_.overturned_at = was.overturned_at AS overturn
    ) added
    CROSS JOIN LATERAL (
        SELECT CASE WHEN was.shop_id <> t.shop_id THEN 'shop_code' WHEN was.category <> t.category THEN 'category'
            WHEN was.penalised_at <> t.penalised_at THEN 'penalised_at'
            WHEN was.enforced_closure <> t.enforced_closure THEN 'enforced_closure' END AS in_
    ) differs""",
    land=(
        """
        INSERT INTO merchants_violation
            (code, shop_id, category, penalised_at, enforced_closure, appealed_at, overturned_at, batch_id)
        SELECT violation_code, shop_id, category, penalised_at, enforced_closure, appealed_at, overturned_at, %(batch)s
        FROM feed_round WHERE outcome IN ('new', 'updated') ORDER BY shop_id, line
        """,
    ),
)
