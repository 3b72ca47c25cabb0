-- The earliest certified shop of every merchant and of every brand (POLICY 3, first_entity).
-- One statement over all shops, because brands cross merchants and merchants cross chunks.
-- Indexes: shopfact(shop_id) for the latest fact; the rest is one pass.
WITH certified AS (
    SELECT DISTINCT ON (f.shop_id) f.shop_id, f.brand_id, f.certified_at
    FROM merchants_shopfact f
    JOIN core_factbatch b ON b.id = f.batch_id AND b.recorded_at <= %(as_of)s
    ORDER BY f.shop_id, b.recorded_at DESC, f.id DESC
),
competing AS (
    SELECT s.id AS shop_id, s.code, s.merchant_id, c.brand_id, c.certified_at
    FROM certified c
    JOIN merchants_shop s ON s.id = c.shop_id
    JOIN core_factbatch b ON b.id = s.batch_id AND b.recorded_at <= %(as_of)s
    WHERE c.certified_at <= %(as_of)s
      AND (%(rival_markets)s = 'all' OR s.market = ANY(%(markets)s))
      AND (%(rival_period)s = 'all_time'
           OR (c.certified_at AT TIME ZONE %(zone)s)::date BETWEEN %(period_first)s AND %(period_last)s)
),
keyed AS (
    SELECT 'merchant' AS scope, merchant_id AS key, shop_id, code, certified_at FROM competing
    UNION ALL
    SELECT 'brand', brand_id, shop_id, code, certified_at FROM competing WHERE brand_id IS NOT NULL
)
INSERT INTO incentives_firstentity (run_id, scope, key, shop_id, shop_code, certified_at)
SELECT DISTINCT ON (scope, key) %(run)s, scope, key, shop_id, code, certified_at
FROM keyed
-- Ties go to the lower shop code; the column's collation is C, so "lower" is by bytes.
ORDER BY scope, key, certified_at, code
