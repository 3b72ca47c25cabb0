"""The same figures by DuckDB, straight from the CSV files: what a fast engine without a past takes for them.

It knows what the benchmark's feeds hold and no more: no links, no claims, no corrections, no violations, every entry
named by merchant and approved. Its eligible shops and its money must be the run's.
"""

from __future__ import annotations

import time
from pathlib import Path

import duckdb

SQL = """
WITH shop AS (
    SELECT shop_code, registration_no, brand, market, partner_code,
           registered_at::TIMESTAMPTZ AS registered_at, nullif(certified_at, '')::TIMESTAMPTZ AS certified_at
    FROM read_csv('{folder}/shops.csv', all_varchar = true)
),
certified AS (
    SELECT *, (certified_at AT TIME ZONE 'Asia/Shanghai')::DATE AS certified_on FROM shop WHERE certified_at IS NOT NULL
),
rate AS (
    SELECT currency, rate_date, rate::DECIMAL(18, 6) AS rate
    FROM read_csv('{folder}/fx.csv', types = {{'rate': 'VARCHAR', 'rate_date': 'DATE'}})
),
line AS (
    SELECT shop_code, amount::DECIMAL(15, 4) AS amount, currency, ordered_at::TIMESTAMPTZ AS ordered_at,
           settled_at::TIMESTAMPTZ AS settled_at
    FROM read_csv('{folder}/settlements.csv', all_varchar = true)
),
gmv AS (
    SELECT l.shop_code,
           sum(CASE l.currency WHEN 'CNY' THEN l.amount::DECIMAL(38, 10) ELSE l.amount * r.rate END) AS gmv
    FROM line l
    JOIN certified s USING (shop_code)
    LEFT JOIN rate r
      ON r.currency = l.currency AND r.rate_date = (l.settled_at AT TIME ZONE 'Asia/Shanghai')::DATE
    WHERE l.ordered_at >= s.certified_at
      AND (l.ordered_at AT TIME ZONE 'Asia/Shanghai')::DATE <= s.certified_on + 30
      AND (l.settled_at AT TIME ZONE 'Asia/Shanghai')::DATE <= s.certified_on + 61
    GROUP BY l.shop_code
),
stock AS (
    SELECT s.registration_no, count(DISTINCT t.country) AS countries
    FROM read_csv('{folder}/stock.csv', all_varchar = true) t JOIN shop s USING (shop_code)
    WHERE t.sellable::INT >= 1 AND t.country IN ('DE', 'FR', 'IT', 'ES')
    GROUP BY s.registration_no
),
opened AS (
    SELECT shop_code, arg_max(status, "at"::TIMESTAMPTZ) AS status
    FROM read_csv('{folder}/shop_statuses.csv', all_varchar = true) GROUP BY shop_code
),
listed AS (SELECT DISTINCT registration_no FROM read_csv('{folder}/targets.csv', all_varchar = true)),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY registration_no ORDER BY certified_at, shop_code) AS of_merchant,
           row_number() OVER (PARTITION BY brand ORDER BY certified_at, shop_code) AS of_brand
    FROM certified
),
eligible AS (
    SELECT p.partner_code FROM placed p
    JOIN listed USING (registration_no)
    JOIN gmv USING (shop_code)
    JOIN stock USING (registration_no)
    JOIN opened USING (shop_code)
    WHERE of_merchant = 1 AND of_brand = 1 AND gmv.gmv > 1000 AND stock.countries >= 4 AND opened.status = 'open'
      AND certified_on BETWEEN DATE '2026-01-01' AND DATE '2026-03-31'
)
SELECT count(*) AS eligible, 2000 * count(*) AS base FROM eligible
"""


def measure(folder: Path, *, threads: int) -> tuple[float, int]:
    """Return the seconds that DuckDB takes, and the eligible shops that it finds."""
    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {threads}")
        connection.execute("SET TimeZone = 'UTC'")
        started = time.monotonic()
        found = connection.execute(SQL.format(folder=folder)).fetchone()
        seconds = time.monotonic() - started
    if found is None:
        raise RuntimeError("DuckDB found nothing")
    return seconds, int(found[0])
