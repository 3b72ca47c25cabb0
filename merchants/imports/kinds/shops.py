"""Shops. Brand and certification are facts; who brought a shop in is decided here, when it is recorded (POLICY 4)."""

from core.locks import Lock
from merchants.attribution import ATTRIBUTE_ROUND, LINK_WAS_VALID
from merchants.imports.columns import CODE, COUNTRY, TIMESTAMP, Column, text
from merchants.imports.faults import RowError
from merchants.imports.kinds.base import PARTNER, Check, Kind, Reference, current, latest, not_later_than_now
from merchants.imports.kinds.entities import BRANDS, JOIN_BRAND, JOIN_MERCHANT, MERCHANTS
from merchants.states import FeedKind

_INVITE = Reference(
    "invite_code", "LEFT JOIN partners_invitelink i ON i.code = t.invite_code", "i.id AS invite_id", "i.id"
)
# The registration's link and instant take the place of the row's; nothing else of it does.
_RECEIPT = Reference(
    "receipt",
    "LEFT JOIN merchants_registration q ON q.receipt = t.receipt",
    "q.id AS registration_id, coalesce(q.link_id, i.id) AS link_id,"
    " coalesce(q.registered_at, t.registered_at) AS really_registered_at",
    "q.id",
)

SHOPS = Kind(
    kind=FeedKind.SHOPS,
    lock=Lock.FEED_LISTS,
    columns=(
        Column("shop_code", CODE),
        Column("merchant_name", text(255)),
        Column("country", COUNTRY),
        Column("registration_no", text(64)),
        Column("brand", text(255), required=False),
        Column("market", COUNTRY),
        Column("registered_at", TIMESTAMP),
        Column("invite_code", CODE, required=False),
        Column("partner_code", CODE, required=False),
        Column("certified_at", TIMESTAMP, required=False),
        Column("receipt", CODE, required=False),
    ),
    key="shop_code",
    names=(("registration_no", "entity"), ("brand", "brand")),
    references=(_INVITE, PARTNER, _RECEIPT),
    checks=(
        *not_later_than_now("certified_at"),
        Check("certified_at", RowError.ORDER_OF_TIMES, "t.certified_at < coalesce(q.registered_at, t.registered_at)"),
        Check("receipt", RowError.UNKNOWN_REFERENCE, "q.link_id <> i.id"),
    ),
    # A shop that came by its registration keeps the registration's link and instant: a later row that leaves the
    # receipt out, and so says what the form replaced, says nothing else.
    compare=f"""
    SELECT t.line, s.id AS shop_id, t.shop_code, t.merchant_name, t.country, t.entity_key, t.entity_name, t.market,
        t.really_registered_at AS registered_at, t.link_id, t.registration_id, t.partner_id, next.brand_key,
        next.brand_name, next.certified_at, s.merchant_name <> t.merchant_name AS renames,
        (next.brand_key, next.certified_at) IS DISTINCT FROM (wb.key, was.certified_at) AS certifies,
        CASE WHEN taken.found THEN 'unknown_reference'
            WHEN differs.in_ IS NOT NULL THEN 'forbidden_repeat'
            WHEN s.id IS NULL THEN 'new'
            WHEN next.certified_at < s.registered_at THEN 'order_of_times'
            WHEN (next.brand_key, next.certified_at) IS DISTINCT FROM (wb.key, was.certified_at)
                OR s.merchant_name <> t.merchant_name
            THEN 'updated' ELSE 'unchanged' END AS outcome,
        CASE WHEN taken.found THEN 'receipt' ELSE coalesce(differs.in_, 'certified_at') END AS at_fault
    FROM feed_rows t
    LEFT JOIN merchants_shop s ON s.code = t.shop_code
    LEFT JOIN merchants_merchant sm ON sm.id = s.merchant_id {
        latest(
            table="merchants_shopfact",
            alias="was",
            on="f.shop_id = s.id",
            columns="f.brand_id, f.brand_name, f.certified_at",
        )
    }
    LEFT JOIN merchants_brand wb ON wb.id = was.brand_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN %(has_brand)s THEN t.brand_key ELSE wb.key END AS brand_key,
            CASE WHEN %(has_brand)s AND t.brand_key IS DISTINCT FROM wb.key THEN t.brand_name ELSE was.brand_name END
                AS brand_name,
            coalesce(t.certified_at, was.certified_at) AS certified_at
    ) next
    CROSS JOIN LATERAL (
        SELECT t.registration_id IS NOT NULL AND (
            EXISTS (
                SELECT FROM merchants_shop o WHERE o.registration_id = t.registration_id AND o.code <> t.shop_code
            ) OR EXISTS (
                SELECT FROM feed_rows o JOIN feed_ranks k ON k.line = o.line AND k.rank = %(rank)s
                WHERE o.registration_id = t.registration_id AND o.shop_code <> t.shop_code AND o.line < t.line
            )
        ) AS found
    ) taken
    CROSS JOIN LATERAL (
        SELECT CASE WHEN s.id IS NULL THEN NULL
            WHEN sm.registration_key <> t.entity_key THEN 'registration_no'
            WHEN sm.country <> t.country THEN 'country'
            WHEN s.market <> t.market THEN 'market'
            WHEN %(has_receipt)s AND s.registration_id IS DISTINCT FROM t.registration_id THEN 'receipt'
            WHEN s.registration_id IS NULL AND s.registered_at <> t.really_registered_at THEN 'registered_at'
            WHEN %(has_invite_code)s AND s.link_id IS DISTINCT FROM t.link_id
                AND NOT (s.registration_id IS NOT NULL AND t.link_id IS NULL) THEN 'invite_code'
            WHEN %(has_partner_code)s AND s.record_partner_id IS DISTINCT FROM t.partner_id THEN 'partner_code'
        END AS in_
    ) differs""",
    land=(
        MERCHANTS,
        BRANDS,
        f"""
        INSERT INTO merchants_shop
            (code, merchant_id, merchant_name, market, registered_at, link_id, link_valid, registration_id,
             record_partner_id, brand_id, brand_name, certified_at, batch_id)
        SELECT r.shop_code, m.id, r.merchant_name, r.market, r.registered_at, r.link_id, {LINK_WAS_VALID},
            r.registration_id, r.partner_id, b.id, r.brand_name, r.certified_at, %(batch)s
        FROM feed_round r {JOIN_MERCHANT} {JOIN_BRAND} LEFT JOIN partners_invitelink l ON l.id = r.link_id
        WHERE r.outcome = 'new' ORDER BY r.line
        """,
        ATTRIBUTE_ROUND,
        f"""
        INSERT INTO merchants_shopfact (shop_id, brand_id, brand_name, certified_at, batch_id)
        SELECT s.id, b.id, r.brand_name, r.certified_at, %(batch)s
        FROM feed_round r JOIN merchants_shop s ON s.code = r.shop_code {JOIN_BRAND}
        WHERE r.outcome = 'new' OR r.outcome = 'updated' AND r.certifies ORDER BY r.line
        """,
        """
        UPDATE merchants_shop s SET merchant_name = r.merchant_name
        FROM feed_round r
        WHERE s.id = r.shop_id AND r.outcome = 'updated' AND r.renames
        """,
        # A merchant that only the list knew, without a name, takes its first shop's; a changed name is its too.
        """
        UPDATE merchants_merchant m SET name = named.merchant_name
        FROM (
            SELECT DISTINCT ON (s.merchant_id) s.merchant_id, r.merchant_name, r.renames
            FROM feed_round r JOIN merchants_shop s ON s.code = r.shop_code
            WHERE r.outcome = 'new' OR r.outcome = 'updated' AND r.renames
            ORDER BY s.merchant_id, r.renames DESC NULLS LAST, r.line DESC
        ) named
        WHERE m.id = named.merchant_id AND m.name <> named.merchant_name AND (named.renames OR m.name = '')
        """,
    ),
    after=(
        f"""
        UPDATE merchants_shop s
        SET brand_id = now_.brand_id, brand_name = now_.brand_name, certified_at = now_.certified_at
        FROM (SELECT DISTINCT shop_id FROM merchants_shopfact WHERE batch_id = %(batch)s) touched
        CROSS JOIN LATERAL (
            SELECT f.brand_id, f.brand_name, f.certified_at {
            current(table="merchants_shopfact", on="f.shop_id = touched.shop_id")
        }
        ) now_
        WHERE s.id = touched.shop_id
            AND (s.brand_id, s.brand_name, s.certified_at)
                IS DISTINCT FROM (now_.brand_id, now_.brand_name, now_.certified_at)
        """,
    ),
)
