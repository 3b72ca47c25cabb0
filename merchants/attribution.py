"""Which partner brought a shop in (POLICY 4): one statement for many shops, applied when they are recorded.

The claim, the link and the marketplace's record are asked in the order that the policy of the shop's program gives
(`attribution.order`). The program is, of those whose markets include the shop's, the one whose period holds the
registration's date, else the next to start, else the latest; without one the order is claim, link, record.

Parameters: `batch`; `known`, the moment up to which claims, links, releases and revocations count as known.
"""

# Whether link `l` was valid at the instant at which `r` registered: started, not expired, not revoked, its partner not
# suspended, by the facts known then. Null without a link. Decided once, when the shop is recorded.
LINK_WAS_VALID = """
CASE WHEN l.id IS NOT NULL THEN
    l.starts_at <= r.registered_at AND r.registered_at < l.expires_at
    AND EXISTS (SELECT FROM core_factbatch x WHERE x.id = l.batch_id AND x.recorded_at <= %(known)s)
    AND NOT EXISTS (
        SELECT FROM partners_linkrevocation v JOIN core_factbatch x ON x.id = v.batch_id
        WHERE v.link_id = l.id AND v.revoked_at <= r.registered_at AND x.recorded_at <= %(known)s
    )
    AND NOT EXISTS (
        SELECT FROM partners_suspension v JOIN core_factbatch x ON x.id = v.batch_id
        WHERE v.partner_id = l.partner_id AND v.during @> r.registered_at AND x.recorded_at <= %(known)s
    )
END"""

_ATTRIBUTE = """
INSERT INTO merchants_attribution (shop_id, partner_id, cause, claim_id, lost_by_id, batch_id)
SELECT s.id, won.partner_id, won.cause, won.claim_id,
    CASE WHEN won.cause = 'claim' AND link.partner_id <> won.partner_id THEN link.partner_id END,
    %(batch)s
FROM merchants_shop s
LEFT JOIN LATERAL (
    -- Few programs: the latest policy of each.
    SELECT p.document -> 'attribution' -> 'order' AS attribution_order
    FROM (
        SELECT DISTINCT ON (v.program_id) v.program_id, v.document FROM core_policyversion v
        ORDER BY v.program_id, v.number DESC
    ) p
    JOIN core_program g ON g.id = p.program_id
    CROSS JOIN LATERAL (SELECT (s.registered_at AT TIME ZONE (p.document ->> 'timezone'))::date AS day) on_
    WHERE jsonb_exists(p.document -> 'markets', s.market)
    ORDER BY
        CASE WHEN on_.day BETWEEN g.starts_on AND g.ends_on THEN 0 WHEN g.starts_on > on_.day THEN 1 ELSE 2 END,
        CASE WHEN g.starts_on > on_.day THEN g.starts_on END,
        g.starts_on DESC, g.code
    LIMIT 1
) program ON true
LEFT JOIN LATERAL (
    -- Approved by its latest fact, in force at the registration's instant (not expired, not released), on an entry
    -- naming the merchant or brand.
    SELECT c.id, c.partner_id
    FROM merchants_targetentry e
    JOIN merchants_claim c ON c.entry_id = e.id
    JOIN partners_partner o ON o.id = c.partner_id
    CROSS JOIN LATERAL (
        SELECT f.status FROM merchants_claimfact f JOIN core_factbatch x ON x.id = f.batch_id
        WHERE f.claim_id = c.id AND x.recorded_at <= %(known)s
        ORDER BY x.recorded_at DESC, f.id DESC LIMIT 1
    ) latest
    WHERE (e.merchant_id = s.merchant_id OR e.brand_id = s.brand_id)
        AND c.claimed_at <= s.registered_at AND s.registered_at < c.expires_at AND latest.status = 'approved'
        AND NOT EXISTS (
            SELECT FROM merchants_claimrelease v JOIN core_factbatch x ON x.id = v.batch_id
            WHERE v.claim_id = c.id AND v.released_at <= s.registered_at AND x.recorded_at <= %(known)s
        )
        -- A suspended partner's claims rest as its links do.
        AND NOT EXISTS (
            SELECT FROM partners_suspension v JOIN core_factbatch x ON x.id = v.batch_id
            WHERE v.partner_id = c.partner_id AND v.during @> s.registered_at AND x.recorded_at <= %(known)s
        )
    ORDER BY c.claimed_at, o.code
    LIMIT 1
) claim ON true
LEFT JOIN LATERAL (
    -- Made for an entry that names the merchant or brand, or for any.
    SELECT l.partner_id
    FROM partners_invitelink l
    LEFT JOIN merchants_linktarget g ON g.link_id = l.id
    LEFT JOIN merchants_targetentry e ON e.id = g.entry_id
    WHERE l.id = s.link_id AND s.link_valid
        AND (g.id IS NULL OR e.merchant_id = s.merchant_id OR e.brand_id = s.brand_id)
) link ON true
CROSS JOIN LATERAL (
    SELECT v.cause, v.partner_id, v.claim_id
    FROM (VALUES
        ('claim', claim.partner_id, claim.id),
        ('link', link.partner_id, NULL),
        ('record', s.record_partner_id, NULL)
    ) v (cause, partner_id, claim_id)
    JOIN jsonb_array_elements_text(coalesce(program.attribution_order, '["claim", "link", "record"]'))
        WITH ORDINALITY a (cause, place) ON a.cause = v.cause
    WHERE v.partner_id IS NOT NULL
    ORDER BY a.place
    LIMIT 1
) won
"""

# The shops of a round of the shops feed that are new: by the brand of their row.
ATTRIBUTE_ROUND = (
    _ATTRIBUTE
    + """WHERE EXISTS (SELECT FROM feed_round r WHERE r.shop_code = s.code AND r.outcome = 'new')
ORDER BY s.id"""
)

# The shops in the parameter `shops` that nobody was found to have brought in.
ATTRIBUTE_AGAIN = (
    _ATTRIBUTE
    + """WHERE s.id = ANY (%(shops)s) AND NOT EXISTS (SELECT FROM merchants_attribution a WHERE a.shop_id = s.id)
ORDER BY s.id"""
)
