"""Merchants and brands that a round's rows name for the first time. They are made once, whoever names them."""

MERCHANTS = """
INSERT INTO merchants_merchant (country, registration_key, registration_no, name)
SELECT DISTINCT ON (r.country, r.entity_key) r.country, r.entity_key, r.entity_name, coalesce(r.merchant_name, '')
FROM feed_round r
WHERE r.outcome = 'new' AND r.country IS NOT NULL AND r.entity_key IS NOT NULL
    AND NOT EXISTS (SELECT FROM merchants_merchant m WHERE m.country = r.country AND m.registration_key = r.entity_key)
ORDER BY r.country, r.entity_key, r.line
ON CONFLICT (country, registration_key) DO NOTHING
"""

BRANDS = """
INSERT INTO merchants_brand (key, name)
SELECT DISTINCT ON (r.brand_key) r.brand_key, r.brand_name
FROM feed_round r
WHERE r.outcome IN ('new', 'updated') AND r.brand_key IS NOT NULL
    AND NOT EXISTS (SELECT FROM merchants_brand b WHERE b.key = r.brand_key)
ORDER BY r.brand_key, r.line
ON CONFLICT (key) DO NOTHING
"""

JOIN_MERCHANT = "LEFT JOIN merchants_merchant m ON m.country = r.country AND m.registration_key = r.entity_key"
JOIN_BRAND = "LEFT JOIN merchants_brand b ON b.key = r.brand_key"
