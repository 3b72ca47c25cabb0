-- The run's fingerprint: SHA-256 over the results' fingerprints in their own order (each holds its shop's code) and the
-- previews by partner code; and the totals.
WITH results AS (
    SELECT string_agg(r.fingerprint, ''::bytea ORDER BY r.fingerprint) AS prints, count(*) AS shops,
           count(*) FILTER (WHERE r.verdict = 'eligible') AS eligible,
           count(*) FILTER (WHERE r.verdict = 'pending') AS pending,
           count(*) FILTER (WHERE r.verdict = 'needs_data') AS needs_data,
           count(*) FILTER (WHERE r.verdict = 'not_eligible') AS not_eligible
    FROM incentives_result r
    WHERE r.run_id = %(run)s
),
previews AS (
    SELECT coalesce(string_agg(convert_to(jsonb_build_array(
               p.code, v.eligible, v.pending, v.needs_data, v.not_eligible, v.introduced, v.high_risk, v.base_amount,
               v.factor, v.net_amount, v.currency)::text, 'UTF8'), '|'::bytea ORDER BY p.code), ''::bytea) AS lines,
           coalesce(sum(v.base_amount), 0) AS base, coalesce(sum(v.net_amount), 0) AS net
    FROM incentives_payoutpreview v JOIN partners_partner p ON p.id = v.partner_id
    WHERE v.run_id = %(run)s
)
SELECT encode(sha256(sha256(coalesce(r.prints, ''::bytea)) || sha256(p.lines)), 'hex'),
       r.shops, r.eligible, r.pending, r.needs_data, r.not_eligible, p.base, p.net
FROM results r, previews p
