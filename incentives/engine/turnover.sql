-- The settled money of each certified shop in its window (POLICY 2 and 3, activated): one pass over the lines, which
-- PostgreSQL may share among its parallel workers; in a run from changes only, the lines of the shops in scope.
-- Settlements lie in the order in which they came, so a chunk of shops would have to read nearly all of them.
-- Dates are compared as instants that Python worked out for them (param days): SQL picks the wrong one of two midnights.
WITH
days AS MATERIALIZED (
    SELECT * FROM unnest(%(days)s::date[], %(ordered_before)s::timestamptz[], %(settled_before)s::timestamptz[])
        AS d(day, ordered_before, settled_before)
),
late AS MATERIALIZED (
    SELECT id FROM core_factbatch WHERE recorded_at > %(as_of)s  -- index batch_recorded; empty for a run as of now
),
certified AS (
    SELECT DISTINCT ON (f.shop_id) f.shop_id, f.certified_at
    FROM merchants_shopfact f  -- index on shop_id
    JOIN core_factbatch b ON b.id = f.batch_id AND b.recorded_at <= %(as_of)s
    WHERE /*shops f.shop_id*/
    ORDER BY f.shop_id, b.recorded_at DESC, f.id DESC
),
counting AS MATERIALIZED (
    SELECT c.shop_id, c.certified_at, d.ordered_before, least(d.settled_before, %(as_of)s + interval '1 microsecond') AS settled_before
    FROM certified c
    JOIN days d ON d.day = (c.certified_at AT TIME ZONE %(zone)s)::date
    WHERE c.certified_at <= %(as_of)s
),
rate AS (
    SELECT DISTINCT ON (r.currency, r.rate_date) r.currency, r.rate_date, r.rate
    FROM merchants_rate r  -- index rate_key
    JOIN core_factbatch b ON b.id = r.batch_id AND b.recorded_at <= %(as_of)s
    WHERE r.rate_date BETWEEN %(rates_first)s AND %(rates_last)s
    ORDER BY r.currency, r.rate_date, b.recorded_at DESC, r.id DESC
),
rate_on AS MATERIALIZED (
    -- A rate serves its own date and those after it that have none, at most 7 of them.
    SELECT r.currency, r.rate, d.day::date AS day
    FROM (SELECT currency, rate, rate_date,
                 least(rate_date + 7, lead(rate_date) OVER (PARTITION BY currency ORDER BY rate_date) - 1) AS serves_until
          FROM rate) r
    CROSS JOIN LATERAL generate_series(r.rate_date, r.serves_until, interval '1 day') AS d(day)
),
line AS (
    SELECT t.shop_id, t.amount, t.currency, (t.settled_at AT TIME ZONE %(zone)s)::date AS settled_on
    FROM counting c
    JOIN merchants_settlement t
      ON t.shop_id = c.shop_id AND t.ordered_at >= c.certified_at AND t.ordered_at < c.ordered_before
         AND t.settled_at < c.settled_before
    WHERE /*shops t.shop_id*/ AND t.batch_id NOT IN (SELECT id FROM late)
)
SELECT %(run)s::bigint, l.shop_id,
       coalesce(sum(CASE l.currency WHEN 'CNY' THEN l.amount ELSE l.amount * r.rate END), 0),
       count(*)::int,
       count(*) FILTER (WHERE l.currency <> 'CNY' AND r.rate IS NULL)::int,
       min(to_char(l.settled_on, 'YYYY-MM-DD') || l.currency) FILTER (WHERE l.currency <> 'CNY' AND r.rate IS NULL)
FROM line l LEFT JOIN rate_on r ON r.currency = l.currency AND r.day = l.settled_on
GROUP BY l.shop_id
