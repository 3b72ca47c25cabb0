"""Target entries: the merchant or brand that one names never changes; all else is facts."""

from core.locks import Lock
from merchants.imports.columns import CODE, COUNTRY, DATE, Column, one_of, text
from merchants.imports.faults import RowError
from merchants.imports.kinds.base import PARTNER, PROGRAM, Check, Kind, current, latest
from merchants.imports.kinds.entities import BRANDS, JOIN_BRAND, JOIN_MERCHANT, MERCHANTS
from merchants.states import FeedKind, Review, Track

TARGETS = Kind(
    kind=FeedKind.TARGETS,
    lock=Lock.FEED_LISTS,
    columns=(
        Column("program", CODE),
        Column("target_code", CODE),
        Column("merchant_name", text(255), required=False),
        Column("country", COUNTRY, required=False),
        Column("registration_no", text(64), required=False),
        Column("brand", text(255), required=False),
        Column("track", one_of(Track.values)),
        Column("partner_code", CODE, required=False),
        Column("listed_on", DATE),
        Column("delisted_on", DATE, required=False),
        Column("review", one_of(Review.values)),
    ),
    key="program_id, target_code",
    names=(("registration_no", "entity"), ("brand", "brand")),
    references=(PROGRAM, PARTNER),
    checks=(
        Check("country", RowError.MISSING, "t.registration_no IS NOT NULL AND t.country_ IS NULL"),
        Check(
            "partner_code",
            RowError.TRACK_PARTNER,
            "%(has_partner_code)s AND (t.track = 'directed') <> (t.partner_code_ IS NOT NULL)",
        ),
        Check("delisted_on", RowError.PERIOD, "t.delisted_on <= t.listed_on"),
    ),
    compare=f"""
    SELECT t.line, e.id AS entry_id, t.program_id, t.target_code, t.merchant_name, t.country, t.entity_key,
        t.entity_name, t.brand_key, t.brand_name, t.track, now_.partner_id, t.listed_on, now_.delisted_on, t.review,
        now_.fact IS DISTINCT FROM was.fact AS lists,
        CASE WHEN e.id IS NULL AND t.entity_key IS NULL AND t.brand_key IS NULL THEN 'names_nobody'
            WHEN differs.in_ IS NOT NULL THEN 'forbidden_repeat'
            WHEN (t.track = 'directed') <> (now_.partner_id IS NOT NULL) THEN 'track_partner'
            WHEN now_.delisted_on <= t.listed_on THEN 'period'
            WHEN e.id IS NULL THEN 'new'
            WHEN now_.fact IS DISTINCT FROM was.fact
                OR %(has_merchant_name)s AND e.merchant_name IS DISTINCT FROM t.merchant_name
            THEN 'updated' ELSE 'unchanged' END AS outcome,
        CASE WHEN e.id IS NULL AND t.entity_key IS NULL AND t.brand_key IS NULL THEN 'registration_no'
            WHEN differs.in_ IS NOT NULL THEN differs.in_
            WHEN (t.track = 'directed') <> (now_.partner_id IS NOT NULL) THEN 'partner_code'
            ELSE 'delisted_on' END AS at_fault
    FROM feed_rows t
    LEFT JOIN merchants_targetentry e ON e.program_id = t.program_id AND e.code = t.target_code
    LEFT JOIN merchants_merchant em ON em.id = e.merchant_id
    LEFT JOIN merchants_brand eb ON eb.id = e.brand_id {
        latest(
            table="merchants_targetfact",
            alias="was",
            on="f.entry_id = e.id",
            columns="f.assigned_to_id, f.delisted_on,"
            " (f.track, f.assigned_to_id, f.listed_on, f.delisted_on, f.review)::text AS fact",
        )
    }
    CROSS JOIN LATERAL (
        SELECT CASE WHEN %(has_partner_code)s THEN t.partner_id ELSE was.assigned_to_id END AS partner_id,
            CASE WHEN %(has_delisted_on)s THEN t.delisted_on ELSE was.delisted_on END AS delisted_on
    ) next
    CROSS JOIN LATERAL (
        SELECT next.partner_id, next.delisted_on,
            (t.track, next.partner_id, t.listed_on, next.delisted_on, t.review)::text AS fact
    ) now_
    CROSS JOIN LATERAL (
        SELECT CASE WHEN e.id IS NULL THEN NULL
            WHEN %(has_registration_no)s AND em.registration_key IS DISTINCT FROM t.entity_key THEN 'registration_no'
            WHEN %(has_registration_no)s AND em.country <> t.country THEN 'country'
            WHEN %(has_brand)s AND eb.key IS DISTINCT FROM t.brand_key THEN 'brand' END AS in_
    ) differs""",
    land=(
        MERCHANTS,
        BRANDS,
        f"""
        INSERT INTO merchants_targetentry
            (program_id, code, merchant_name, merchant_id, brand_id, track, assigned_to_id, listed_on, delisted_on,
             review, batch_id)
        SELECT r.program_id, r.target_code, r.merchant_name, m.id, b.id, r.track, r.partner_id, r.listed_on,
            r.delisted_on, r.review, %(batch)s
        FROM feed_round r
        {JOIN_MERCHANT} AND r.entity_key IS NOT NULL
        {JOIN_BRAND}
        WHERE r.outcome = 'new' ORDER BY r.line
        """,
        """
        INSERT INTO merchants_targetfact (entry_id, track, assigned_to_id, listed_on, delisted_on, review, batch_id)
        SELECT e.id, r.track, r.partner_id, r.listed_on, r.delisted_on, r.review, %(batch)s
        FROM feed_round r JOIN merchants_targetentry e ON e.program_id = r.program_id AND e.code = r.target_code
        WHERE r.outcome IN ('new', 'updated') AND r.lists ORDER BY r.line
        """,
        """
        UPDATE merchants_targetentry e SET merchant_name = r.merchant_name
        FROM feed_round r
        WHERE e.id = r.entry_id AND r.outcome = 'updated' AND %(has_merchant_name)s
            AND e.merchant_name IS DISTINCT FROM r.merchant_name
        """,
    ),
    after=(
        f"""
        UPDATE merchants_targetentry e SET track = now_.track, assigned_to_id = now_.assigned_to_id,
            listed_on = now_.listed_on, delisted_on = now_.delisted_on, review = now_.review
        FROM (SELECT DISTINCT entry_id FROM merchants_targetfact WHERE batch_id = %(batch)s) touched
        CROSS JOIN LATERAL (
            SELECT f.track, f.assigned_to_id, f.listed_on, f.delisted_on, f.review {
            current(table="merchants_targetfact", on="f.entry_id = touched.entry_id")
        }
        ) now_
        WHERE e.id = touched.entry_id
        """,
    ),
)
