"""Which of a run's eligible shops a submission would withhold: what `freezing` will decide, before it does.

Nothing is locked here and the last word is the database's: a submission that turns out otherwise than shown is refused.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from incentives.models import Run
from incentives.services.freezing import scope_of
from incentives.states import WithheldFor

# The shops of a run that could meet something: a bar, a line that lives, or another shop of the run. All others live.
_CONTESTED = """
WITH eligible AS (
    SELECT r.shop_id, s.code, r.partner_id, r.amount, f.certified_at, f.merchant_id, f.brand_id, f.entry_id,
           count(*) OVER (PARTITION BY f.merchant_id) > 1
           OR f.brand_id IS NOT NULL AND count(*) OVER (PARTITION BY f.brand_id) > 1
           OR f.entry_id IS NOT NULL AND count(*) OVER (PARTITION BY f.entry_id) > 1 AS shared
    FROM incentives_result r
    JOIN incentives_frozenshop f ON f.run_id = r.run_id AND f.shop_id = r.shop_id
    JOIN merchants_shop s ON s.id = r.shop_id
    WHERE r.run_id = %(run)s AND r.partner_id = ANY(%(partners)s) AND r.verdict = 'eligible' AND r.amount > 0),
placed AS (
    SELECT merchant_id, brand_id, entry_id FROM incentives_payoutline
    WHERE state IN ('live', 'added') AND component = 'incentive'
      AND scope && int8range(%(low)s::bigint, %(high)s::bigint)),
met AS (
    SELECT e.*,
           e.merchant_id IN (SELECT merchant_id FROM incentives_bar
                             WHERE program_id = %(program)s AND lifted_by_id IS NULL
                               AND merchant_id IS NOT NULL) AS barred,
           e.merchant_id IN (SELECT merchant_id FROM placed) AS merchant_placed,
           e.brand_id IS NOT NULL
           AND e.brand_id IN (SELECT brand_id FROM placed WHERE brand_id IS NOT NULL) AS brand_placed,
           e.entry_id IS NOT NULL
           AND e.entry_id IN (SELECT entry_id FROM placed WHERE entry_id IS NOT NULL) AS entry_placed
    FROM eligible e)
SELECT shop_id, code, partner_id, amount, merchant_id, brand_id, entry_id,
       barred, merchant_placed, brand_placed, entry_placed
FROM met WHERE shared OR barred OR merchant_placed OR brand_placed OR entry_placed
ORDER BY certified_at, code
"""


@dataclass(frozen=True, slots=True)
class Contested:
    """An eligible shop that might not live. `placed` says which of merchant, brand and entry a line has already."""

    shop_id: int
    shop_code: str
    partner_id: int
    amount: Decimal
    keys: tuple[int | None, int | None, int | None]
    barred: bool
    placed: tuple[bool, bool, bool]


_WHY = (WithheldFor.SAME_MERCHANT, WithheldFor.SAME_BRAND, WithheldFor.SAME_ENTRY)


def contested_shops(*, run: Run, partner_ids: Collection[int]) -> list[Contested]:
    """The shops of these partners that `freeze_lines` might withhold, in the order in which it goes. One query."""
    scope = scope_of(run)
    values = {
        "run": run.pk,
        "program": run.program_id,
        "partners": list(partner_ids),
        "low": scope.lower,
        "high": scope.upper,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CONTESTED, values)
        return [
            Contested(shop, code, partner, amount, tuple(rest[:3]), rest[3], tuple(rest[4:]))
            for shop, code, partner, amount, *rest in cursor.fetchall()
        ]


def foresee_withheld(
    contested: Iterable[Contested], *, partner_ids: Collection[int]
) -> Iterator[tuple[Contested, WithheldFor]]:
    """Which of these shops `freeze_lines` would withhold if these partners were submitted now, and why."""
    own = [shop for shop in contested if shop.partner_id in partner_ids]
    taken: tuple[set[int], set[int], set[int]] = (set(), set(), set())
    lives = set()
    for shop in own:
        meets = any(key in place for key, place in zip(shop.keys, taken, strict=True))
        if shop.barred or any(shop.placed) or meets:
            continue
        lives.add(shop.shop_id)
        for key, place in zip(shop.keys, taken, strict=True):
            if key is not None:
                place.add(key)
    for shop in own:
        if shop.barred:
            yield shop, WithheldFor.MERCHANT_BARRED
        elif shop.shop_id not in lives:
            met = zip(_WHY, shop.keys, taken, shop.placed, strict=True)
            yield shop, next(why for why, key, place, placed in met if placed or key in place)
