"""What one shop sold in its window, by the day of the order: just the lines that `activated` counts (POLICY 3)."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection

from incentives.engine import steps
from incentives.models import FrozenShop, Run
from incentives.queries.deadlines import run_date

# As in facts.sql, for a single shop; index settlement.shop_id.
BY_DAY = """
SELECT (t.ordered_at AT TIME ZONE %(zone)s)::date, count(*) FILTER (WHERE t.kind = 'sale'),
       count(*) FILTER (WHERE t.kind = 'refund'), coalesce(sum(t.amount * r.rate), 0), count(*) - count(r.rate)
FROM merchants_settlement t
LEFT JOIN unnest(%(rate_currencies)s::text[], %(rate_days)s::int[], %(rates)s::numeric[]) AS r(currency, day, rate)
  ON r.currency = t.currency AND r.day = width_bucket(t.settled_at, %(rated_from)s::timestamptz[])
WHERE t.shop_id = %(shop)s AND t.ordered_at >= %(certified_at)s AND t.ordered_at < %(ordered_until)s
  AND t.settled_at < least(%(settled_until)s, %(as_of)s + interval '1 microsecond')
  AND t.batch_id <> ALL(%(late)s::bigint[])
GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Day:
    """A day with orders that count: how many lines and what they come to in CNY, and the sum up to its end.

    `unrated` lines have no exchange rate yet: they are in neither sum.
    """

    day: date
    sales: int
    refunds: int
    amount: Decimal
    sum: Decimal
    unrated: int


@dataclass(frozen=True, slots=True)
class Sales:
    """A shop's window with its sales. `total` is the GMV that the run judged by."""

    first: date
    last: date
    settles_by: date
    today: date
    above: Decimal
    total: Decimal
    days: tuple[Day, ...]

    @property
    def sales(self) -> int:
        """How many lines sold something."""
        return sum(day.sales for day in self.days)

    @property
    def refunds(self) -> int:
        """How many took something back."""
        return sum(day.refunds for day in self.days)

    @property
    def is_over(self) -> bool:
        """Whether orders don't count any more."""
        return self.today > self.last


def sales_of(run: Run, frozen: FrozenShop) -> Sales | None:
    """The window's sales by day; None before the shop is certified. Three queries."""
    if frozen.certified_on is None or frozen.window_ends_on is None or frozen.settles_by is None:
        return None
    params = steps.parameters(run)
    place = (frozen.certified_on - params["period_first"]) // timedelta(days=1)
    params |= steps.rates(params) | {
        "shop": frozen.shop_id,
        "certified_at": frozen.certified_at,
        "ordered_until": params["ordered_before"][place],
        "settled_until": params["settled_before"][place],
    }
    days, total = [], Decimal(0)
    with connection.cursor() as cursor:
        cursor.execute(BY_DAY, params)
        for day, sales, refunds, amount, unrated in cursor:
            total += amount
            days.append(Day(day, sales, refunds, amount, total, unrated))
    return Sales(
        first=frozen.certified_on,
        last=frozen.window_ends_on,
        settles_by=frozen.settles_by,
        today=run_date(run),
        above=run.rules.activation.gmv_above,
        total=total,
        days=tuple(days),
    )
