"""Stock observations: how many sellable pieces a shop was seen to have in a country."""

from core.locks import Lock
from merchants.imports.columns import CODE, COUNTRY, FLAG, TIMESTAMP, WHOLE, Column
from merchants.imports.kinds.base import SHOP, Kind, latest, not_later_than_now
from merchants.states import FeedKind

STOCK = Kind(
    kind=FeedKind.STOCK,
    lock=Lock.FEED_STOCK,
    columns=(
        Column("shop_code", CODE),
        Column("country", COUNTRY),
        Column("sellable", WHOLE),
        Column("observed_at", TIMESTAMP),
        Column("corrects", FLAG, required=False),
    ),
    key="shop_id, country, observed_at",
    references=(SHOP,),
    checks=not_later_than_now("observed_at"),
    compare=f"""
    SELECT t.line, t.shop_id, t.country, t.sellable, t.observed_at,
        CASE WHEN was.id IS NULL THEN 'new' WHEN was.sellable = t.sellable THEN 'unchanged'
            WHEN t.corrects THEN 'updated' ELSE 'forbidden_repeat' END AS outcome,
        'sellable' AS at_fault
    FROM feed_rows t {
        latest(
            table="merchants_stockobservation",
            alias="was",
            on="f.shop_id = t.shop_id AND f.country = t.country AND f.observed_at = t.observed_at",
            columns="f.sellable",
        )
    }""",
    land=(
        """
        INSERT INTO merchants_stockobservation (shop_id, country, sellable, observed_at, batch_id)
        SELECT shop_id, country, sellable, observed_at, %(batch)s FROM feed_round
        WHERE outcome IN ('new', 'updated') ORDER BY shop_id, observed_at, line
        """,
    ),
)
