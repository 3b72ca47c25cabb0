"""A shop's operating status from an instant on. The reason is free text and stands in a note that can be erased."""

from core.locks import Lock
from merchants.imports.columns import CODE, FLAG, TIMESTAMP, Column, one_of, text
from merchants.imports.kinds.base import SHOP, Kind, latest, not_later_than_now
from merchants.states import FeedKind, ShopState

SHOP_STATUSES = Kind(
    kind=FeedKind.SHOP_STATUSES,
    lock=Lock.FEED_STATUSES,
    columns=(
        Column("shop_code", CODE),
        Column("status", one_of(ShopState.values)),
        Column("at", TIMESTAMP),
        Column("reason", text(2000), required=False),
        Column("corrects", FLAG, required=False),
    ),
    key='shop_id, "at"',
    references=(SHOP,),
    checks=not_later_than_now("at"),
    # An erased reason equals every reason: what it said is nobody's to know any more.
    compare=f"""
    SELECT t.line, t.shop_id, t.status, t."at", t.reason, was.reason_id AS old_reason_id,
        CASE WHEN was.id IS NULL THEN 'new'
            WHEN was.status = t.status AND same.reason THEN 'unchanged'
            WHEN t.corrects THEN 'updated' ELSE 'forbidden_repeat' END AS outcome,
        CASE WHEN was.status = t.status THEN 'reason' ELSE 'status' END AS at_fault,
        CASE WHEN t.reason IS NOT NULL THEN nextval(pg_get_serial_sequence('core_note', 'id')) END AS note_id
    FROM feed_rows t {
        latest(
            table="merchants_shopstatus",
            alias="was",
            on='f.shop_id = t.shop_id AND f."at" = t."at"',
            columns="f.status, f.reason_id",
        )
    }
    LEFT JOIN core_note n ON n.id = was.reason_id
    CROSS JOIN LATERAL (
        SELECT NOT %(has_reason)s OR n.erased_at IS NOT NULL OR n.text IS NOT DISTINCT FROM t.reason AS reason
    ) same""",
    land=(
        """
        INSERT INTO core_note (id, text)
        SELECT note_id, reason FROM feed_round WHERE outcome IN ('new', 'updated') AND note_id IS NOT NULL
        """,
        # Where the file has no such column, a correction of the status keeps the reason.
        """
        INSERT INTO merchants_shopstatus (shop_id, status, "at", reason_id, batch_id)
        SELECT shop_id, status, "at", CASE WHEN %(has_reason)s THEN note_id ELSE old_reason_id END, %(batch)s
        FROM feed_round WHERE outcome IN ('new', 'updated') ORDER BY shop_id, "at", line
        """,
    ),
)
