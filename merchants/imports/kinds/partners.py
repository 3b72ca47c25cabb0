"""Partners and their certification. The certification is a fact; everything else about a partner is updated."""

from core.locks import Lock
from merchants.imports.columns import CODE, COUNTRY, DATE, EMAIL, WHOLE, Column, one_of, text
from merchants.imports.faults import RowError
from merchants.imports.kinds.base import Check, Kind, current, latest
from merchants.states import FeedKind
from partners.states import Category

PARTNERS = Kind(
    kind=FeedKind.PARTNERS,
    lock=Lock.FEED_LISTS,
    columns=(
        Column("partner_code", CODE),
        Column("name", text(255)),
        Column("category", one_of(Category.values)),
        Column("country", COUNTRY, required=False),
        Column("registration_no", text(64), required=False),
        Column("certified_from", DATE, required=False),
        Column("certified_until", DATE, required=False),
        Column("commitment", WHOLE, required=False),
        Column("contact_email", EMAIL, required=False),
    ),
    key="partner_code",
    checks=(
        Check("certified_from", RowError.MISSING, "t.certified_until IS NOT NULL AND t.certified_from IS NULL"),
        Check("certified_until", RowError.PERIOD, "t.certified_until < t.certified_from"),
        Check("commitment", RowError.MALFORMED, "t.commitment > 2147483647"),
    ),
    # Codes that differ only in case would be one partner to people and two to the machine.
    before=(
        Check(
            "partner_code",
            RowError.CODE_CASE,
            """EXISTS (SELECT FROM partners_partner p
                WHERE lower(p.code) = lower(t.partner_code) AND p.code <> t.partner_code)""",
        ),
        Check(
            "partner_code",
            RowError.CODE_CASE,
            """EXISTS (SELECT FROM feed_rows o WHERE o.fault IS NULL AND o.line < t.line
                AND lower(o.partner_code) = lower(t.partner_code) AND o.partner_code <> t.partner_code)
            AND t.partner_code <> (SELECT o.partner_code FROM feed_rows o WHERE o.fault IS NULL
                AND lower(o.partner_code) = lower(t.partner_code) ORDER BY o.line LIMIT 1)""",
        ),
    ),
    compare=f"""
    SELECT t.line, p.id AS partner_id, t.partner_code, t.name, t.category, t.country, t.registration_no, t.commitment,
        t.contact_email, cert.from_, cert.until,
        cert.from_ IS NOT NULL
            AND (cert.from_, cert.until) IS DISTINCT FROM (was.valid_from, was.valid_until) AS certifies,
        CASE WHEN p.id IS NULL THEN 'new'
            WHEN cert.until < cert.from_ THEN 'period'
            WHEN cert.from_ IS NOT NULL AND (cert.from_, cert.until) IS DISTINCT FROM (was.valid_from, was.valid_until)
                OR p.name <> t.name OR p.category <> t.category
                OR %(has_country)s AND p.country IS DISTINCT FROM t.country
                OR %(has_registration_no)s AND p.registration_no IS DISTINCT FROM t.registration_no
                OR %(has_commitment)s AND p.commitment IS DISTINCT FROM t.commitment
                OR %(has_contact_email)s AND p.contact_email IS DISTINCT FROM t.contact_email
            THEN 'updated' ELSE 'unchanged' END AS outcome,
        'certified_until' AS at_fault
    FROM feed_rows t LEFT JOIN partners_partner p ON p.code = t.partner_code {
        latest(
            table="partners_certificationfact",
            alias="was",
            on="f.partner_id = p.id",
            columns="f.valid_from, f.valid_until",
        )
    }
    CROSS JOIN LATERAL (
        SELECT coalesce(t.certified_from, was.valid_from) AS from_,
            CASE WHEN %(has_certified_until)s AND t.certified_from IS NOT NULL THEN t.certified_until
                ELSE was.valid_until END AS until
    ) cert""",
    land=(
        """
        INSERT INTO partners_partner
            (code, name, category, country, registration_no, commitment, contact_email, batch_id)
        SELECT partner_code, name, category, country, registration_no, commitment, contact_email, %(batch)s
        FROM feed_round WHERE outcome = 'new' ORDER BY line
        """,
        """
        UPDATE partners_partner p SET name = r.name, category = r.category,
            country = CASE WHEN %(has_country)s THEN r.country ELSE p.country END,
            registration_no = CASE WHEN %(has_registration_no)s THEN r.registration_no ELSE p.registration_no END,
            commitment = CASE WHEN %(has_commitment)s THEN r.commitment ELSE p.commitment END,
            contact_email = CASE WHEN %(has_contact_email)s THEN r.contact_email ELSE p.contact_email END
        FROM feed_round r WHERE p.id = r.partner_id AND r.outcome = 'updated'
        """,
        """
        INSERT INTO partners_certificationfact (partner_id, valid_from, valid_until, batch_id)
        SELECT p.id, r.from_, r.until, %(batch)s
        FROM feed_round r JOIN partners_partner p ON p.code = r.partner_code
        WHERE r.outcome IN ('new', 'updated') AND r.certifies ORDER BY r.line
        """,
    ),
    # The one in force is derived from the latest fact. The year 9999 means "without end" and has no day after it.
    after=(
        """
        DELETE FROM partners_certification c USING partners_certificationfact f
        WHERE f.batch_id = %(batch)s AND c.partner_id = f.partner_id
        """,
        f"""
        INSERT INTO partners_certification (partner_id, days)
        SELECT touched.partner_id, daterange(now_.valid_from, nullif(now_.valid_until, '9999-12-31'), '[]')
        FROM (SELECT DISTINCT partner_id FROM partners_certificationfact WHERE batch_id = %(batch)s) touched
        CROSS JOIN LATERAL (
            SELECT f.valid_from, f.valid_until {
            current(table="partners_certificationfact", on="f.partner_id = touched.partner_id")
        }
        ) now_
        """,
    ),
)
