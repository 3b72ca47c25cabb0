-- Judge the frozen facts of the shops in scope: the outcome of each condition, the verdict, what it is worth, a fingerprint.
-- Filled in by steps.py: outcomes, the conditions' own SQL (conditions.py), each AS o_<key>; judged, those names; named,
-- those names as the result's columns.
WITH judged AS (
    SELECT f.*, /*outcomes*/
    FROM incentives_frozenfacts f  -- primary key
    WHERE f.chain_id = %(chain)s AND f.since_id <= %(run)s AND f.until_id > %(run)s AND /*shops f.shop_id*/
),
verdict AS (
    SELECT j.*,
           CASE WHEN 'not_met' IN (/*judged*/) THEN 'not_eligible'
                WHEN 'unknown' IN (/*judged*/) THEN 'needs_data'
                WHEN 'pending' IN (/*judged*/) THEN 'pending'
                ELSE 'eligible' END AS verdict
    FROM judged j
),
worth AS (
    SELECT v.*, CASE v.verdict WHEN 'eligible' THEN %(amount)s::numeric ELSE 0 END AS amount FROM verdict v
),
fresh AS (
    SELECT w.shop_id, w.partner_id, w.verdict, w.amount, w.certified_at IS NOT NULL AS introduced, w.high_risk,
           /*named*/,
           -- Everything that the results export shows and that is a fact; names may change and are left out. Times as
           -- numbers and NULL as a mark of its own, so that no setting of the session and no two cells can look alike.
           sha256(convert_to(jsonb_build_array(
               s.code, p.code, b.key, w.market, w.track, e.code, extract(epoch FROM w.registered_at),
               extract(epoch FROM w.certified_at), w.verdict, round(w.amount, 2), ARRAY[/*judged*/]::text[],
               round(CASE WHEN w.o_activated <> 'unknown' THEN w.gmv END, 2),
               to_char(w.window_ends_on, 'YYYY-MM-DD'), to_char(w.settles_by, 'YYYY-MM-DD'), w.stock_countries,
               w.high_risk)::text, 'UTF8')) AS fingerprint
    FROM worth w
    JOIN merchants_shop s ON s.id = w.shop_id AND /*shops s.id*/
    JOIN partners_partner p ON p.id = w.partner_id
    LEFT JOIN merchants_brand b ON b.id = w.brand_id
    LEFT JOIN merchants_targetentry e ON e.id = w.entry_id
)
