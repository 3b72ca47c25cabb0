-- The rates that serve each date on which a counted line can settle (POLICY 2), as three lists side by side: currency, the
-- date's number from rates_first on, CNY for one. A rate serves its own date and those after it that have none, at most
-- 7 of them; CNY is itself.
WITH rate AS (
    SELECT DISTINCT ON (r.currency, r.rate_date) r.currency, r.rate_date, r.rate
    FROM merchants_rate r  -- index rate_key
    JOIN core_factbatch b ON b.id = r.batch_id AND b.recorded_at <= %(as_of)s
    WHERE r.rate_date BETWEEN %(rates_first)s AND %(rates_last)s AND r.currency <> 'CNY'
    ORDER BY r.currency, r.rate_date, b.recorded_at DESC, r.id DESC
),
serving AS (
    SELECT currency, rate, rate_date,
           least(rate_date + 7, lead(rate_date) OVER (PARTITION BY currency ORDER BY rate_date) - 1) AS serves_until
    FROM rate
),
rate_on AS (
    SELECT s.currency, d.day::date - %(rates_first)s::date + 1 AS day, s.rate
    FROM serving s CROSS JOIN LATERAL generate_series(s.rate_date, s.serves_until, interval '1 day') AS d(day)
    UNION ALL
    SELECT 'CNY', day, 1 FROM generate_series(1, cardinality(%(rated_from)s::timestamptz[])) AS day
)
SELECT array_agg(currency), array_agg(day), array_agg(rate) FROM rate_on
