"""Invite links. All that ever changes is that one is revoked."""

from core.locks import Lock
from merchants.imports.columns import CODE, TIMESTAMP, Column
from merchants.imports.faults import RowError
from merchants.imports.kinds.base import PARTNER, PROGRAM, TARGET, Check, Kind
from merchants.states import FeedKind

INVITES = Kind(
    kind=FeedKind.INVITES,
    lock=Lock.FEED_LISTS,
    columns=(
        Column("invite_code", CODE),
        Column("partner_code", CODE),
        Column("target_code", CODE, required=False),
        Column("program", CODE, required=False),
        Column("starts_at", TIMESTAMP),
        Column("expires_at", TIMESTAMP),
        Column("revoked_at", TIMESTAMP, required=False),
    ),
    key="invite_code",
    references=(PARTNER, PROGRAM, TARGET),
    checks=(
        Check("program", RowError.MISSING, "t.target_code IS NOT NULL AND t.program_ IS NULL"),
        Check("expires_at", RowError.PERIOD, "t.expires_at <= t.starts_at"),
        Check("revoked_at", RowError.ORDER_OF_TIMES, "t.revoked_at < t.starts_at"),
    ),
    compare="""
    SELECT t.line, l.id AS link_id, t.invite_code, t.partner_id, t.program_id, t.entry_id, t.starts_at, t.expires_at,
        t.revoked_at,
        CASE WHEN l.id IS NULL THEN 'new' WHEN differs.in_ IS NOT NULL THEN 'forbidden_repeat'
            WHEN t.revoked_at IS NULL OR v.revoked_at = t.revoked_at THEN 'unchanged'
            WHEN v.id IS NULL THEN 'updated' ELSE 'forbidden_repeat' END AS outcome,
        coalesce(differs.in_, 'revoked_at') AS at_fault
    FROM feed_rows t
    LEFT JOIN partners_invitelink l ON l.code = t.invite_code
    LEFT JOIN merchants_linktarget g ON g.link_id = l.id
    LEFT JOIN partners_linkrevocation v ON v.link_id = l.id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN l.id IS NULL THEN NULL
            WHEN l.partner_id <> t.partner_id THEN 'partner_code'
            WHEN %(has_program)s AND l.program_id IS DISTINCT FROM t.program_id THEN 'program'
            WHEN %(has_target_code)s AND g.entry_id IS DISTINCT FROM t.entry_id THEN 'target_code'
            WHEN l.starts_at <> t.starts_at THEN 'starts_at'
            WHEN l.expires_at <> t.expires_at THEN 'expires_at' END AS in_
    ) differs""",
    land=(
        """
        INSERT INTO partners_invitelink (code, partner_id, program_id, label, starts_at, expires_at, uses, batch_id)
        SELECT invite_code, partner_id, program_id, '', starts_at, expires_at, 0, %(batch)s
        FROM feed_round WHERE outcome = 'new' ORDER BY line
        """,
        """
        INSERT INTO merchants_linktarget (link_id, entry_id)
        SELECT l.id, r.entry_id FROM feed_round r JOIN partners_invitelink l ON l.code = r.invite_code
        WHERE r.outcome = 'new' AND r.entry_id IS NOT NULL ORDER BY r.line
        """,
        """
        INSERT INTO partners_linkrevocation (link_id, revoked_at, batch_id)
        SELECT l.id, r.revoked_at, %(batch)s FROM feed_round r JOIN partners_invitelink l ON l.code = r.invite_code
        WHERE r.outcome IN ('new', 'updated') AND r.revoked_at IS NOT NULL ORDER BY r.line
        """,
    ),
)
