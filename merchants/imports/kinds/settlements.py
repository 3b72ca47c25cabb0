"""Settled order lines: by far the longest feed, so they land quickly, and piece by piece."""

from core.locks import Lock
from merchants.imports.columns import CODE, CURRENCY, NUMBER, TIMESTAMP, Column, one_of
from merchants.imports.faults import RowError
from merchants.imports.kinds.base import SHOP, Check, Kind, not_later_than_now
from merchants.states import FeedKind, LineKind

# In the order of the shops: a run reads a range of shops at a time. Within a piece of the file, the lines' codes mostly
# are near to each other, so that both indexes grow in few of their pages.
INSERT = """
INSERT INTO merchants_settlement
    (line_code, shop_id, order_code, kind, ordered_at, settled_at, amount, currency, batch_id)
SELECT line_code, shop_id, order_code, kind, ordered_at, settled_at, amount, currency, %(batch)s
"""

SETTLEMENTS = Kind(
    kind=FeedKind.SETTLEMENTS,
    lock=Lock.FEED_SETTLEMENTS,
    columns=(
        Column("line_code", CODE),
        Column("shop_code", CODE),
        Column("order_code", CODE),
        Column("kind", one_of(LineKind.values)),
        Column("ordered_at", TIMESTAMP),
        Column("settled_at", TIMESTAMP),
        Column("amount", NUMBER),
        Column("currency", CURRENCY),
    ),
    key="line_code",
    references=(SHOP,),
    checks=(
        Check("amount", RowError.SIGN, "t.kind = 'sale' AND t.amount <= 0 OR t.kind = 'refund' AND t.amount >= 0"),
        Check("amount", RowError.DECIMALS, "scale(t.amount) > 4 AND t.amount <> trunc(t.amount, 4)"),
        Check("amount", RowError.MALFORMED, "t.amount >= 1e15 OR t.amount <= -1e15"),
        *not_later_than_now("ordered_at", "settled_at"),
        Check("settled_at", RowError.ORDER_OF_TIMES, "t.settled_at < t.ordered_at"),
    ),
    compare="""
    SELECT t.line, t.line_code, t.shop_id, t.order_code, t.kind, t.ordered_at, t.settled_at, t.amount, t.currency,
        CASE WHEN s.id IS NULL THEN 'new' WHEN differs.in_ IS NULL THEN 'unchanged'
            ELSE 'forbidden_repeat' END AS outcome,
        differs.in_ AS at_fault
    FROM feed_rows t
    LEFT JOIN merchants_settlement s ON s.line_code = t.line_code
    CROSS JOIN LATERAL (
        SELECT CASE WHEN s.id IS NULL THEN NULL
            WHEN s.shop_id <> t.shop_id THEN 'shop_code' WHEN s.order_code <> t.order_code THEN 'order_code'
            WHEN s.kind <> t.kind THEN 'kind' WHEN s.ordered_at <> t.ordered_at THEN 'ordered_at'
            WHEN s.settled_at <> t.settled_at THEN 'settled_at' WHEN s.amount <> t.amount THEN 'amount'
            WHEN s.currency <> t.currency THEN 'currency' END AS in_
    ) differs""",
    quick=f"{INSERT} FROM ({{rows}}) r WHERE r.fault IS NULL ORDER BY shop_id",
    land=(f"{INSERT} FROM feed_round WHERE outcome = 'new' ORDER BY shop_id",),
)
