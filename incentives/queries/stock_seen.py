"""Where sellable stock was seen, as far as the shop's partner may know which shop it was in."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from core.actors import Actor
from incentives.engine.steps import policy_parameters
from incentives.models import FrozenShop, Run
from merchants.models import Shop

# Index stock_key. Of several facts for one key the latest recorded rules, as in facts.sql.
SEEN = """
WITH observed AS (
    SELECT DISTINCT ON (t.shop_id, t.country, t.observed_at)
           t.shop_id, t.country, t.observed_at, t.sellable, b.recorded_at
    FROM merchants_stockobservation t
    JOIN core_factbatch b ON b.id = t.batch_id AND b.recorded_at <= %(as_of)s
    WHERE t.shop_id = ANY(%(shops)s) AND t.observed_at >= %(period_starts_at)s AND t.observed_at < %(period_ends_at)s
      AND t.observed_at <= %(as_of)s
    ORDER BY t.shop_id, t.country, t.observed_at, b.recorded_at DESC, t.id DESC
)
SELECT country, min(observed_at) FILTER (WHERE sellable >= 1),
       (array_agg(recorded_at ORDER BY observed_at) FILTER (WHERE sellable >= 1))[1],
       (array_agg(shop_id ORDER BY observed_at) FILTER (WHERE sellable >= 1))[1],
       max(observed_at), (array_agg(sellable ORDER BY observed_at DESC))[1]
FROM observed GROUP BY country
"""


@dataclass(frozen=True, slots=True)
class Stock:
    """One country: whether it counts, when stock was first seen, in which shop if not this one, and how it is now.

    `counts`: the policy asks this shop for the country. `seen` without `first_seen`: in a shop of the
    merchant that isn't the partner's.
    """

    country: str
    counts: bool
    seen: bool
    first_seen: datetime | None
    recorded_at: datetime | None
    other_shop: str
    latest: int | None
    latest_at: datetime | None


def stock_of(*, actor: Actor, run: Run, frozen: FrozenShop, partner_code: str) -> tuple[Stock, ...]:
    """The policy's countries in its order, then others with stock; none counts for an exempt shop. Two queries."""
    if run.as_of is None:
        return ()
    rules = run.rules
    # What the shop's partner sees: operators read the page exactly as it does.
    own = Shop.objects.visible_to(actor).with_attribution()
    own = own.filter(merchant=frozen.merchant_id, partner_code=partner_code)
    if rules.stock.scope != "merchant":
        own = own.filter(pk=frozen.shop_id)
    shops = dict(own.values_list("pk", "code"))
    params = policy_parameters(rules, run.program.period, run.as_of) | {"shops": list(shops)}
    with connection.cursor() as cursor:
        cursor.execute(SEEN, params)
        found = {row[0]: row[1:] for row in cursor}
    asked = frozen.market not in rules.stock.exempt_markets
    others = sorted(code for code in found if code not in rules.stock.countries)
    return tuple(
        _stock(code, found.get(code), shops, frozen, counts=asked and code in rules.stock.countries)
        for code in (*rules.stock.countries, *others)
    )


def _stock(
    code: str,
    row: tuple[datetime | None, datetime | None, int | None, datetime, int] | None,
    shops: dict[int, str],
    frozen: FrozenShop,
    *,
    counts: bool,
) -> Stock:
    if row is None:
        return Stock(code, counts, code in frozen.stock_countries, None, None, "", None, None)
    first, recorded_at, shop_id, latest_at, latest = row
    other = shops[shop_id] if shop_id is not None and shop_id != frozen.shop_id else ""
    seen = first is not None or code in frozen.stock_countries
    return Stock(code, counts, seen, first, recorded_at, other, latest, latest_at)
