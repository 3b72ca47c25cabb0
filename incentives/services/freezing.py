"""A run's eligible shops become payout lines, in three statements however many there are (POLICY 6)."""

from collections.abc import Collection

from django.db import connection
from django.db.backends.postgresql.psycopg_any import NumericRange

from incentives.models import Run

# Earliest certification first, so that of two shops in one submission the first entity is the one that lives. What
# would be a second live line violates an exclusion constraint of PayoutLine and is passed over: the database decides.
# Reads result_of_partner (run, partner, verdict) and the primary key of the frozen shops.
_LIVE = """
INSERT INTO incentives_payoutline
    (payout_id, shop_id, merchant_id, brand_id, entry_id, component, amount, scope, state, withheld_for)
SELECT p.id, r.shop_id, f.merchant_id, f.brand_id, f.entry_id, 'incentive', r.amount,
       int8range(%(low)s::bigint, %(high)s::bigint), 'live', ''
FROM incentives_payout p
JOIN incentives_result r ON r.run_id = p.run_id AND r.partner_id = p.partner_id
JOIN incentives_frozenshop f ON f.run_id = r.run_id AND f.shop_id = r.shop_id
JOIN merchants_shop s ON s.id = r.shop_id
WHERE p.id = ANY(%(payouts)s) AND r.verdict = 'eligible' AND r.amount > 0
  AND NOT EXISTS (SELECT FROM incentives_bar b
                  WHERE b.program_id = p.program_id AND b.merchant_id = f.merchant_id AND b.lifted_by_id IS NULL)
ORDER BY f.certified_at, s.code
ON CONFLICT DO NOTHING
"""

# Whatever is eligible and did not get a live line, with the first reason that applies.
_WITHHELD = """
INSERT INTO incentives_payoutline
    (payout_id, shop_id, merchant_id, brand_id, entry_id, component, amount, scope, state, withheld_for)
SELECT p.id, r.shop_id, f.merchant_id, f.brand_id, f.entry_id, 'incentive', r.amount,
       int8range(%(low)s::bigint, %(high)s::bigint), 'withheld',
       CASE WHEN EXISTS (SELECT FROM incentives_bar b WHERE b.program_id = p.program_id
                         AND b.merchant_id = f.merchant_id AND b.lifted_by_id IS NULL) THEN 'merchant_barred'
            WHEN EXISTS (SELECT FROM incentives_payoutline l
                         WHERE l.state IN ('live', 'added') AND l.component = 'incentive'
                         AND l.merchant_id = f.merchant_id AND l.scope && int8range(%(low)s::bigint, %(high)s::bigint))
            THEN 'same_merchant'
            WHEN EXISTS (SELECT FROM incentives_payoutline l
                         WHERE l.state IN ('live', 'added') AND l.component = 'incentive'
                         AND l.brand_id = f.brand_id AND l.scope && int8range(%(low)s::bigint, %(high)s::bigint))
            THEN 'same_brand'
            ELSE 'same_entry' END
FROM incentives_payout p
JOIN incentives_result r ON r.run_id = p.run_id AND r.partner_id = p.partner_id
JOIN incentives_frozenshop f ON f.run_id = r.run_id AND f.shop_id = r.shop_id
WHERE p.id = ANY(%(payouts)s) AND r.verdict = 'eligible' AND r.amount > 0
  AND NOT EXISTS (SELECT FROM incentives_payoutline l WHERE l.payout_id = p.id AND l.shop_id = r.shop_id)
"""

# The figures follow the live lines. Rounding numeric in PostgreSQL is half away from zero: half up, as POLICY 2 asks.
_REPRICE = """
UPDATE incentives_payout p
SET base_amount = l.base, net_amount = round(l.base * p.factor, 2),
    payable = round(l.base * p.factor, 2) + p.adjustments, version = p.version + 1
FROM (SELECT payout_id, coalesce(sum(amount) FILTER (WHERE state = 'live'), 0) AS base
      FROM incentives_payoutline WHERE payout_id = ANY(%(payouts)s) GROUP BY payout_id) l
WHERE p.id = l.payout_id AND p.base_amount <> l.base
"""


def scope_of(run: Run) -> NumericRange:
    """The range of program ids within which a merchant, a brand and an entry are paid once, by the run's policy."""
    if run.rules.first_entity.period == "program":
        return NumericRange(run.program_id, run.program_id + 1)
    return NumericRange(None, None)


def freeze_lines(*, run: Run, payout_ids: Collection[int]) -> None:
    """Write the lines of these payouts of `run`, live or withheld, and let the amounts follow.

    A line lives within the policy's first-entity scope: everywhere and always, or the program alone.
    """
    scope = scope_of(run)
    values = {"payouts": list(payout_ids), "low": scope.lower, "high": scope.upper}
    with connection.cursor() as cursor:
        for statement in (_LIVE, _WITHHELD, _REPRICE):
            cursor.execute(statement, values)
