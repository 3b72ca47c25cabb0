-- Freeze the facts of the shops in scope: everything that the conditions are asked of, one row for each shop.
--
-- "As of" is two filters, everywhere: the fact was recorded by then (its batch is not among those of param late), and
-- what it tells had happened by then. Of several facts for one key the latest recorded rules: (batch.recorded_at, id).
-- Dates are compared as local dates of the program's zone; where an index must help, or where there are very many, as the
-- instants that Python worked out for those dates (params days, rated_from): SQL picks the wrong one of two midnights.
WITH
days AS MATERIALIZED (
    SELECT * FROM unnest(%(days)s::date[], %(ordered_before)s::timestamptz[], %(settled_before)s::timestamptz[],
                         %(window_ends)s::date[], %(settles_by)s::date[])
        AS d(day, ordered_before, settled_before, window_ends_on, settles_by)
),
-- Which shops are evaluated (POLICY 3, What is evaluated) -------------------------------------------------------------
shop_fact AS (
    SELECT DISTINCT ON (f.shop_id) f.shop_id, f.brand_id, f.brand_name, f.certified_at
    FROM merchants_shopfact f  -- index on shop_id
    JOIN core_factbatch b ON b.id = f.batch_id AND b.recorded_at <= %(as_of)s
    WHERE /*shops f.shop_id*/
    ORDER BY f.shop_id, b.recorded_at DESC, f.id DESC
),
attributed AS (
    SELECT DISTINCT ON (a.shop_id) a.shop_id, a.partner_id, a.cause
    FROM merchants_attribution a  -- index on shop_id
    JOIN core_factbatch b ON b.id = a.batch_id AND b.recorded_at <= %(as_of)s
    WHERE /*shops a.shop_id*/
    ORDER BY a.shop_id, b.recorded_at DESC, a.id DESC
),
-- Each of the three is cut down to the scope by itself. The planner takes that for chance, and guesses one shop where there
-- are hundreds; all that follows is then looked up for each shop again, over all shops. "+ 0" hides what it would guess
-- from, so that it guesses too many, and LIMIT tells it how many there can be. It never cuts anything off.
evaluated AS MATERIALIZED (
    SELECT s.id, s.code, s.merchant_id, s.market, s.registered_at, s.link_id, s.link_valid, f.brand_id, f.brand_name,
           c.certified_at, (c.certified_at AT TIME ZONE %(zone)s)::date AS certified_on, a.partner_id, a.cause
    FROM merchants_shop s  -- primary key
    JOIN shop_fact f ON f.shop_id + 0 = s.id + 0
    CROSS JOIN LATERAL (SELECT CASE WHEN f.certified_at <= %(as_of)s THEN f.certified_at END AS certified_at) c
    JOIN attributed a ON a.shop_id + 0 = s.id + 0
    WHERE /*shops s.id*/
      AND s.market = ANY(%(markets)s)
      AND s.batch_id <> ALL(%(late)s::bigint[])
      AND s.registered_at <= %(as_of)s
      -- Spelled out, and not as a CASE, so that the planner can guess how many they are.
      AND (f.certified_at <= %(as_of)s AND f.certified_at >= %(period_starts_at)s AND f.certified_at < %(period_ends_at)s
           OR (f.certified_at IS NULL OR f.certified_at > %(as_of)s) AND s.registered_at < %(period_ends_at)s)
    LIMIT %(shops_at_most)s
),
-- The covering entry (POLICY 3) -----------------------------------------------------------------------------------------
named AS (
    SELECT s.id AS shop_id, e.id AS entry_id, e.code, e.merchant_id, e.brand_id, false AS by_brand, s.certified_on
    FROM evaluated s JOIN merchants_targetentry e ON e.merchant_id = s.merchant_id AND e.program_id = %(program)s
    UNION ALL
    SELECT s.id, e.id, e.code, e.merchant_id, e.brand_id, true, s.certified_on
    FROM evaluated s JOIN merchants_targetentry e ON e.brand_id = s.brand_id AND e.program_id = %(program)s
),
candidate AS (
    SELECT n.*, l.track, l.assigned_to_id, l.review,
           (NOT %(must_precede)s OR l.listed_on <= coalesce(n.certified_on, %(as_of_date)s))
           AND (l.delisted_on IS NULL OR l.delisted_on > coalesce(n.certified_on, %(as_of_date)s)) AS in_force
    FROM named n
    CROSS JOIN LATERAL (
        SELECT f.track, f.assigned_to_id, f.listed_on, f.delisted_on, f.review
        FROM merchants_targetfact f  -- index on entry_id
        JOIN core_factbatch b ON b.id = f.batch_id AND b.recorded_at <= %(as_of)s
        WHERE f.entry_id = n.entry_id
        ORDER BY b.recorded_at DESC, f.id DESC LIMIT 1
    ) l
),
covering AS MATERIALIZED (
    SELECT DISTINCT ON (shop_id) shop_id, entry_id, track, assigned_to_id, review, in_force, merchant_id, brand_id
    FROM candidate
    ORDER BY shop_id, in_force DESC,
             CASE review WHEN 'approved' THEN 0 WHEN 'pending' THEN 1 ELSE 2 END, by_brand, code
),
-- An earlier shop of the merchant or brand, of this shop or of what its covering entry names --------------------------
rival AS (
    SELECT s.id AS shop_id, e.rival_id, e.scope
    FROM evaluated s
    LEFT JOIN covering c ON c.shop_id = s.id
    CROSS JOIN LATERAL (
        SELECT e.shop_id AS rival_id, e.scope
        FROM (
            -- One by one: only so is each sure to be looked up by its whole primary key, even in a chain that is new.
            SELECT * FROM incentives_firstentity WHERE chain_id = %(chain)s AND scope = 'merchant' AND key = s.merchant_id
            UNION ALL
            SELECT * FROM incentives_firstentity WHERE chain_id = %(chain)s AND scope = 'brand' AND key = s.brand_id
            UNION ALL
            SELECT * FROM incentives_firstentity WHERE chain_id = %(chain)s AND scope = 'merchant' AND key = c.merchant_id
            UNION ALL
            SELECT * FROM incentives_firstentity WHERE chain_id = %(chain)s AND scope = 'brand' AND key = c.brand_id
        ) e
        WHERE e.until_id > %(run)s AND e.shop_id <> s.id
          AND (s.certified_at IS NULL OR (e.certified_at, e.shop_code) < (s.certified_at, s.code))
        ORDER BY e.certified_at, e.shop_code, e.scope DESC LIMIT 1
    ) e
),
-- The partner's certification ---------------------------------------------------------------------------------------------
certification AS (
    SELECT DISTINCT ON (f.partner_id) f.partner_id, f.valid_from, f.valid_until
    FROM partners_certificationfact f
    JOIN core_factbatch b ON b.id = f.batch_id AND b.recorded_at <= %(as_of)s
    WHERE f.partner_id IN (SELECT partner_id FROM evaluated)
    ORDER BY f.partner_id, b.recorded_at DESC, f.id DESC
),
-- GMV in the window (POLICY 2 and 3, activated) ---------------------------------------------------------------------------
gmv AS (
    SELECT t.shop_id, coalesce(sum(t.amount * r.rate), 0) AS gmv, count(*) AS lines,
           count(*) - count(r.rate) AS unrated_lines,
           min(to_char(t.settled_at AT TIME ZONE %(zone)s, 'YYYY-MM-DD') || t.currency) FILTER (WHERE r.rate IS NULL)
               AS first_unrated
    FROM evaluated s
    JOIN days d ON d.day = s.certified_on
    JOIN merchants_settlement t  -- index on shop_id
      ON t.shop_id = s.id AND t.ordered_at >= s.certified_at AND t.ordered_at < d.ordered_before
         AND t.settled_at < least(d.settled_before, %(as_of)s + interval '1 microsecond')
         AND t.batch_id <> ALL(%(late)s::bigint[])
    -- The rates of rates.sql. A line's date is looked up among the instants at which dates start: asking the zone for
    -- it cost as much as all else about the line.
    LEFT JOIN unnest(%(rate_currencies)s::text[], %(rate_days)s::int[], %(rates)s::numeric[]) AS r(currency, day, rate)
      ON r.currency = t.currency AND r.day = width_bucket(t.settled_at, %(rated_from)s::timestamptz[])
    GROUP BY t.shop_id
),
-- Stock inside the period, of the shop or of all shops of its merchant ------------------------------------------------
stock_owner AS (
    SELECT DISTINCT CASE %(stock_scope)s WHEN 'merchant' THEN merchant_id ELSE id END AS owner, merchant_id, id AS only_shop
    FROM evaluated
),
stock_shop AS (
    SELECT DISTINCT o.owner, s.id AS shop_id
    FROM stock_owner o
    JOIN merchants_shop s ON s.merchant_id = o.merchant_id  -- index on merchant_id
    WHERE (%(stock_scope)s = 'merchant' OR s.id = o.only_shop) AND s.batch_id <> ALL(%(late)s::bigint[])
),
observed AS (
    SELECT DISTINCT ON (t.shop_id, t.country, t.observed_at) o.owner, t.country, t.sellable
    FROM stock_shop o
    JOIN merchants_stockobservation t  -- index stock_key
      ON t.shop_id = o.shop_id AND t.observed_at >= %(period_starts_at)s AND t.observed_at < %(period_ends_at)s
         AND t.observed_at <= %(as_of)s
    JOIN core_factbatch b ON b.id = t.batch_id AND b.recorded_at <= %(as_of)s
    ORDER BY t.shop_id, t.country, t.observed_at, b.recorded_at DESC, t.id DESC
),
stock AS (
    SELECT owner, array_agg(DISTINCT country::text ORDER BY country::text)
                      FILTER (WHERE sellable >= 1 AND country = ANY(%(stock_countries)s)) AS countries
    FROM observed GROUP BY owner
),
-- The status, and whether the shop is high-risk (POLICY 5); nothing after the close of observation -------------------
status AS (
    SELECT DISTINCT ON (t.shop_id) t.shop_id, t.status, t.at
    FROM merchants_shopstatus t  -- index status_key
    JOIN core_factbatch b ON b.id = t.batch_id AND b.recorded_at <= %(as_of)s
    WHERE /*shops t.shop_id*/ AND t.at <= %(as_of)s AND t.at < %(closes_at)s
    ORDER BY t.shop_id, t.at DESC, b.recorded_at DESC, t.id DESC
),
violation AS (
    SELECT DISTINCT ON (v.code) v.*
    FROM merchants_violation v  -- index violation_key
    JOIN core_factbatch b ON b.id = v.batch_id AND b.recorded_at <= %(as_of)s
    -- A correction may have moved a violation to another shop, so all facts of a code are looked at.
    WHERE v.code IN (SELECT code FROM merchants_violation WHERE /*shops shop_id*/)
    ORDER BY v.code, b.recorded_at DESC, v.id DESC
),
high_risk AS (
    SELECT DISTINCT shop_id FROM violation
    WHERE category = ANY(%(high_risk_categories)s) AND enforced_closure
      AND penalised_at <= %(as_of)s AND penalised_at < %(closes_at)s
      AND (overturned_at IS NULL OR overturned_at > %(as_of)s)
),
fresh AS MATERIALIZED (
    SELECT s.id AS shop_id, s.partner_id, s.cause, s.merchant_id, s.brand_id, s.brand_name, s.market, s.registered_at,
           s.certified_at, s.certified_on, d.window_ends_on, d.settles_by,
           e.entry_id, e.track, coalesce(e.in_force, false) AS entry_in_force, e.review AS entry_review,
           e.assigned_to_id, r.rival_id, r.scope AS rival_of,
           CASE WHEN s.certified_at IS NULL THEN NULL
                ELSE coalesce(s.certified_on BETWEEN c.valid_from AND coalesce(c.valid_until, 'infinity'), false)
           END AS partner_certified,
           s.link_id, l.partner_id AS link_partner_id, s.link_valid, lt.entry_id AS link_entry_id,
           CASE WHEN s.certified_at IS NOT NULL THEN coalesce(g.gmv, 0) END AS gmv,
           coalesce(g.lines, 0) AS lines, coalesce(g.unrated_lines, 0) AS unrated_lines,
           right(g.first_unrated, 3) AS unrated_currency, left(g.first_unrated, 10)::date AS unrated_on,
           coalesce(k.countries, '{}')::varchar[] AS stock_countries, k.owner IS NOT NULL AS stock_seen,
           t.status, t.at AS status_at, h.shop_id IS NOT NULL AS high_risk
    FROM evaluated s
    LEFT JOIN days d ON d.day = s.certified_on
    LEFT JOIN covering e ON e.shop_id = s.id
    LEFT JOIN rival r ON r.shop_id = s.id
    LEFT JOIN certification c ON c.partner_id = s.partner_id
    LEFT JOIN partners_invitelink l ON l.id = s.link_id
    LEFT JOIN merchants_linktarget lt ON lt.link_id = s.link_id
    LEFT JOIN gmv g ON g.shop_id = s.id
    LEFT JOIN stock k ON k.owner = CASE %(stock_scope)s WHEN 'merchant' THEN s.merchant_id ELSE s.id END
    LEFT JOIN status t ON t.shop_id = s.id
    LEFT JOIN high_risk h ON h.shop_id = s.id
)
