-- The earliest certified shop of every merchant and of every brand (POLICY 3, first_entity).
-- One statement, because brands cross merchants and merchants cross chunks; in a run from changes only, about the
-- merchants and brands that the changes touched (merchants, brands) and the shops that ever were theirs (shops).
-- Indexes: shopfact(shop_id) for the latest fact; the rest is one pass.
WITH certified AS (
    SELECT DISTINCT ON (f.shop_id) f.shop_id, f.brand_id, f.certified_at
    FROM merchants_shopfact f
    JOIN core_factbatch b ON b.id = f.batch_id AND b.recorded_at <= %(as_of)s
    WHERE /*shops f.shop_id*/
    ORDER BY f.shop_id, b.recorded_at DESC, f.id DESC
),
competing AS MATERIALIZED (
    SELECT s.id AS shop_id, s.code, s.merchant_id, c.brand_id, c.certified_at
    FROM certified c
    JOIN merchants_shop s ON s.id = c.shop_id
    WHERE s.batch_id <> ALL(%(late)s::bigint[])
      AND c.certified_at <= %(as_of)s
      AND (%(rival_markets)s = 'all' OR s.market = ANY(%(markets)s))
      AND (%(rival_period)s = 'all_time'
           OR (c.certified_at AT TIME ZONE %(zone)s)::date BETWEEN %(period_first)s AND %(period_last)s)
),
fresh AS (
    -- Ties go to the lower shop code; the column's collation is C, so "lower" is by bytes.
    (SELECT DISTINCT ON (merchant_id) 'merchant' AS scope, merchant_id AS key, shop_id, code AS shop_code, certified_at
     FROM competing WHERE /*merchants merchant_id*/
     ORDER BY merchant_id, certified_at, code)
    UNION ALL
    (SELECT DISTINCT ON (brand_id) 'brand', brand_id, shop_id, code, certified_at
     FROM competing WHERE brand_id IS NOT NULL AND /*brands brand_id*/
     ORDER BY brand_id, certified_at, code)
)
