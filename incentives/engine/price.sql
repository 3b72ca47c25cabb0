-- What each partner in scope would be paid (POLICY 5): one row for each with at least one evaluated shop.
WITH figures AS (
    SELECT r.partner_id,
           count(*) FILTER (WHERE r.verdict = 'eligible') AS eligible,
           count(*) FILTER (WHERE r.verdict = 'pending') AS pending,
           count(*) FILTER (WHERE r.verdict = 'needs_data') AS needs_data,
           count(*) FILTER (WHERE r.verdict = 'not_eligible') AS not_eligible,
           count(*) FILTER (WHERE r.introduced) AS introduced,
           count(*) FILTER (WHERE r.introduced AND r.high_risk) AS high_risk,
           sum(r.amount) AS base
    FROM incentives_result r
    WHERE r.run_id = %(run)s AND /*partners r.partner_id*/
    GROUP BY r.partner_id
),
discounted AS (
    SELECT g.*,
           CASE WHEN g.high_risk = 0 THEN 1
                -- The share is compared without dividing: nothing is rounded before a comparison.
                ELSE coalesce((SELECT t.pay FROM unnest(%(tier_starts)s::numeric[], %(tier_pays)s::numeric[]) AS t(start, pay)
                               WHERE t.start * CASE %(discount_basis)s WHEN 'share' THEN g.introduced ELSE 1 END
                                     <= g.high_risk
                               ORDER BY t.start DESC LIMIT 1), 1) END AS factor
    FROM figures g
)
INSERT INTO incentives_payoutpreview (run_id, partner_id, eligible, pending, needs_data, not_eligible, introduced,
                                      high_risk, base_amount, factor, net_amount, currency)
SELECT %(run)s, partner_id, eligible, pending, needs_data, not_eligible, introduced, high_risk, base, factor,
       round(base * factor, 2), %(currency)s
FROM discounted
