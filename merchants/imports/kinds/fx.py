"""Exchange rates: CNY for one unit of a currency on a date."""

from core.locks import Lock
from merchants.imports.columns import CURRENCY, DATE, FLAG, NUMBER, Column
from merchants.imports.faults import RowError
from merchants.imports.kinds.base import Check, Kind, latest
from merchants.states import FeedKind

FX = Kind(
    kind=FeedKind.FX,
    lock=Lock.FEED_RATES,
    columns=(
        Column("rate_date", DATE),
        Column("currency", CURRENCY),
        Column("rate", NUMBER),
        Column("corrects", FLAG, required=False),
    ),
    key="rate_date, currency",
    checks=(
        # A date is local to the platform; its own today is not yet the future.
        Check("rate_date", RowError.FUTURE, "t.rate_date > (%(now)s AT TIME ZONE %(zone)s)::date"),
        Check("rate", RowError.RATE, "t.rate <= 0"),
        Check("rate", RowError.DECIMALS, "t.rate <> trunc(t.rate, 12)"),
        Check("rate", RowError.MALFORMED, "t.rate >= 1e12"),
    ),
    compare=f"""
    SELECT t.line, t.rate_date, t.currency, t.rate,
        CASE WHEN was.id IS NULL THEN 'new' WHEN was.rate = t.rate THEN 'unchanged'
            WHEN t.corrects THEN 'updated' ELSE 'forbidden_repeat' END AS outcome,
        'rate' AS at_fault
    FROM feed_rows t {
        latest(
            table="merchants_rate",
            alias="was",
            on="f.currency = t.currency AND f.rate_date = t.rate_date",
            columns="f.rate",
        )
    }""",
    land=(
        """
        INSERT INTO merchants_rate (rate_date, currency, rate, batch_id)
        SELECT rate_date, currency, rate, %(batch)s FROM feed_round WHERE outcome IN ('new', 'updated') ORDER BY line
        """,
    ),
)
