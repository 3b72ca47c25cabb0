-- The shops that a run has to look at again: reached by facts recorded, or happening, since its base (DESIGN 3).
-- A shop too many costs a little; one too few would be wrong. So the reach is wide where being exact costs more.
--
-- new_batches: recorded after the base's moment and by the run's. ahead_batches: recorded by the base's moment, but able
-- to tell of what happened after it (history that was loaded with an earlier date); none where the base was as of now.
-- first_merchants, first_brands: those whose first entity differs from the base's.
-- Indexes: by batch, for each kind of fact (settlement_arrival and stock_arrival for the large ones).
INSERT INTO incentives_reached (run_id, shop_id)
WITH
entry AS (
    -- Entries of which something was told, that a date reaches, or that name whoever has another first entity now.
    SELECT e.merchant_id, e.brand_id
    FROM merchants_targetentry e
    JOIN (
        SELECT entry_id AS id FROM merchants_targetfact WHERE batch_id = ANY(%(new_batches)s)
        UNION SELECT entry_id FROM merchants_targetfact
        WHERE %(base_date)s < %(as_of_date)s
          AND (listed_on > %(base_date)s AND listed_on <= %(as_of_date)s
               OR delisted_on > %(base_date)s AND delisted_on <= %(as_of_date)s)
        UNION SELECT id FROM merchants_targetentry WHERE merchant_id = ANY(%(first_merchants)s)
        UNION SELECT id FROM merchants_targetentry WHERE brand_id = ANY(%(first_brands)s)
    ) named USING (id)
    WHERE e.program_id = %(program)s
),
stocked AS (
    SELECT shop_id FROM merchants_stockobservation WHERE batch_id = ANY(%(new_batches)s)
    UNION SELECT shop_id FROM merchants_stockobservation
    WHERE batch_id = ANY(%(ahead_batches)s) AND observed_at > %(base_as_of)s AND observed_at <= %(as_of)s
),
merchant AS (
    SELECT unnest(%(first_merchants)s::bigint[]) AS id
    UNION SELECT merchant_id FROM entry
    -- Stock counts for all shops of a merchant, and that of a shop from when the shop is known.
    UNION SELECT s.merchant_id FROM stocked t JOIN merchants_shop s ON s.id = t.shop_id
    UNION SELECT merchant_id FROM merchants_shop WHERE batch_id = ANY(%(new_batches)s)
),
brand AS (
    SELECT unnest(%(first_brands)s::bigint[]) AS id
    UNION SELECT brand_id FROM entry
),
violation AS (
    SELECT code FROM merchants_violation WHERE batch_id = ANY(%(new_batches)s)
    UNION SELECT code FROM merchants_violation
    WHERE batch_id = ANY(%(ahead_batches)s)
      AND (penalised_at > %(base_as_of)s AND penalised_at <= %(as_of)s
           OR overturned_at > %(base_as_of)s AND overturned_at <= %(as_of)s)
),
rate AS (
    -- A rate serves its own date and up to 7 more; the hour at either end is for a zone's clock changes.
    SELECT currency, min(rate_date)::timestamp AT TIME ZONE %(zone)s - interval '1 hour' AS first_at,
           (max(rate_date) + 8)::timestamp AT TIME ZONE %(zone)s + interval '1 hour' AS last_at
    FROM merchants_rate WHERE batch_id = ANY(%(new_batches)s) GROUP BY currency
)
SELECT %(run)s, shop_id FROM (
    -- Recorded
    SELECT id AS shop_id FROM merchants_shop WHERE batch_id = ANY(%(new_batches)s)
    UNION SELECT shop_id FROM merchants_shopfact WHERE batch_id = ANY(%(new_batches)s)
    UNION SELECT shop_id FROM merchants_attribution WHERE batch_id = ANY(%(new_batches)s)
    UNION SELECT shop_id FROM merchants_shopstatus WHERE batch_id = ANY(%(new_batches)s)
    UNION SELECT shop_id FROM merchants_settlement WHERE batch_id = ANY(%(new_batches)s)
    -- A correction may have moved a violation from one shop to another: all that it ever named.
    UNION SELECT shop_id FROM merchants_violation WHERE code IN (SELECT code FROM violation)
    -- Happened. A feed may announce a shop before it registers, so any batch can have told of one.
    UNION SELECT id FROM merchants_shop WHERE registered_at > %(base_as_of)s AND registered_at <= %(as_of)s
    UNION SELECT shop_id FROM merchants_shopfact
    WHERE batch_id = ANY(%(ahead_batches)s) AND certified_at > %(base_as_of)s AND certified_at <= %(as_of)s
    UNION SELECT shop_id FROM merchants_shopstatus
    WHERE batch_id = ANY(%(ahead_batches)s) AND at > %(base_as_of)s AND at <= %(as_of)s
    UNION SELECT shop_id FROM merchants_settlement
    WHERE batch_id = ANY(%(ahead_batches)s) AND settled_at > %(base_as_of)s AND settled_at <= %(as_of)s
    -- Through others
    UNION SELECT s.id FROM merchants_shop s WHERE s.merchant_id IN (SELECT id FROM merchant)
    UNION SELECT f.shop_id FROM merchants_shopfact f WHERE f.brand_id IN (SELECT id FROM brand)
    UNION SELECT h.shop_id FROM incentives_frozenfacts h
    WHERE h.chain_id = %(chain)s AND h.until_id > %(run)s
      AND h.partner_id IN (SELECT partner_id FROM partners_certificationfact WHERE batch_id = ANY(%(new_batches)s))
    UNION SELECT t.shop_id FROM rate r
    JOIN merchants_settlement t ON t.currency = r.currency AND t.settled_at BETWEEN r.first_at AND r.last_at
    -- By time alone
    UNION SELECT f.shop_id FROM incentives_frozenfacts f
    WHERE %(base_date)s < %(as_of_date)s AND f.chain_id = %(chain)s AND f.until_id > %(run)s AND (/*turns*/)
) reached
