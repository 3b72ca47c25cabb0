-- Of which merchants and brands the first entity may have changed since the base, and all shops that ever were theirs.
WITH shop AS (
    SELECT id FROM merchants_shop WHERE batch_id = ANY(%(new_batches)s)
    UNION SELECT shop_id FROM merchants_shopfact WHERE batch_id = ANY(%(new_batches)s)
    UNION SELECT shop_id FROM merchants_shopfact
    WHERE batch_id = ANY(%(ahead_batches)s) AND certified_at > %(base_as_of)s AND certified_at <= %(as_of)s
),
merchant AS (SELECT DISTINCT s.merchant_id AS id FROM shop JOIN merchants_shop s USING (id)),
brand AS (
    SELECT DISTINCT f.brand_id AS id FROM shop JOIN merchants_shopfact f ON f.shop_id = shop.id
    WHERE f.brand_id IS NOT NULL
)
SELECT ARRAY(SELECT id FROM merchant), ARRAY(SELECT id FROM brand),
       ARRAY(SELECT s.id FROM merchants_shop s WHERE s.merchant_id IN (SELECT id FROM merchant)
             UNION SELECT f.shop_id FROM merchants_shopfact f WHERE f.brand_id IN (SELECT id FROM brand))
