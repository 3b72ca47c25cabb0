"""Claims: a partner's reservations of entries. One approved claim at a time may stand on an entry; one that its partner
released in the portal stands no longer.

Whether a claim overlaps depends on the rows before it, so a round takes one row of each entry, not of each claim.
"""

from core.locks import Lock
from merchants.imports.columns import CODE, TIMESTAMP, Column, one_of
from merchants.imports.faults import RowError
from merchants.imports.kinds.base import PARTNER, PROGRAM, TARGET, Check, Kind, current, latest
from merchants.states import ClaimStatus, FeedKind

CLAIMS = Kind(
    kind=FeedKind.CLAIMS,
    lock=Lock.FEED_LISTS,
    columns=(
        Column("program", CODE),
        Column("target_code", CODE),
        Column("partner_code", CODE),
        Column("claimed_at", TIMESTAMP),
        Column("expires_at", TIMESTAMP),
        Column("status", one_of(ClaimStatus.values)),
    ),
    key="entry_id",
    references=(PROGRAM, TARGET, PARTNER),
    checks=(Check("expires_at", RowError.PERIOD, "t.expires_at <= t.claimed_at"),),
    # A backdated status that a later one has overtaken approves nothing now, hence overlaps with nothing.
    compare=f"""
    SELECT t.line, c.id AS claim_id, t.entry_id, t.partner_id, t.claimed_at, t.expires_at, t.status,
        CASE WHEN c.expires_at <> t.expires_at THEN 'forbidden_repeat'
            WHEN was.status = t.status THEN 'unchanged'
            WHEN t.status = 'approved' AND overlap.found AND NOT later.overtakes THEN 'claim_overlap'
            WHEN c.id IS NULL THEN 'new' ELSE 'updated' END AS outcome,
        CASE WHEN c.expires_at <> t.expires_at THEN 'expires_at' ELSE 'claimed_at' END AS at_fault
    FROM feed_rows t
    LEFT JOIN merchants_claim c
        ON c.entry_id = t.entry_id AND c.partner_id = t.partner_id AND c.claimed_at = t.claimed_at {
        latest(table="merchants_claimfact", alias="was", on="f.claim_id = c.id", columns="f.status")
    }
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM merchants_claim o
            WHERE o.entry_id = t.entry_id AND o.status = 'approved' AND o.id IS DISTINCT FROM c.id
                AND o.claimed_at < coalesce(c.released_at, t.expires_at)
                AND t.claimed_at < coalesce(o.released_at, o.expires_at)
        ) AS found
    ) overlap
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM merchants_claimfact f JOIN core_factbatch b ON b.id = f.batch_id
            WHERE f.claim_id = c.id AND b.recorded_at > %(known)s
        ) AS overtakes
    ) later""",
    land=(
        """
        INSERT INTO merchants_claim (entry_id, partner_id, claimed_at, expires_at, status, batch_id)
        SELECT entry_id, partner_id, claimed_at, expires_at, status, %(batch)s
        FROM feed_round WHERE outcome = 'new' ORDER BY line
        """,
        """
        INSERT INTO merchants_claimfact (claim_id, status, batch_id)
        SELECT c.id, r.status, %(batch)s
        FROM feed_round r JOIN merchants_claim c
            ON c.entry_id = r.entry_id AND c.partner_id = r.partner_id AND c.claimed_at = r.claimed_at
        WHERE r.outcome IN ('new', 'updated') ORDER BY r.line
        """,
        f"""
        UPDATE merchants_claim c SET status = now_.status
        FROM feed_round r
        CROSS JOIN LATERAL (
            SELECT f.status {current(table="merchants_claimfact", on="f.claim_id = r.claim_id")}
        ) now_
        WHERE c.id = r.claim_id AND r.outcome = 'updated' AND c.status <> now_.status
        """,
    ),
)
