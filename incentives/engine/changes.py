"""What changed between two runs of a program, and which facts changed it (POLICY 8.2)."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, transaction

from incentives.engine.conditions import CONDITION_KEYS
from incentives.exports import Table
from incentives.models import Payout, Run
from incentives.states import PayoutState

CHANGE_COLUMNS = (
    "shop_code",
    "partner_code",
    "verdict_before",
    "verdict_after",
    "amount_before",
    "amount_after",
    "conditions_changed",
    "cause",
)

# What the frozen facts of the two runs must differ in for a cause to have moved a condition. A condition that moved
# with none of its facts different moved by time alone, or by the policy.
CAUSES: dict[str, str] = {
    "listing": "(a.entry_id, a.entry_in_force, a.entry_review, a.track, a.assigned_to_id)"
    " IS DISTINCT FROM (b.entry_id, b.entry_in_force, b.entry_review, b.track, b.assigned_to_id)",
    "certification": "(a.certified_at, a.rival_id) IS DISTINCT FROM (b.certified_at, b.rival_id)",
    "partner": "a.partner_certified IS DISTINCT FROM b.partner_certified",
    "link": "(a.link_id, a.link_valid, a.link_entry_id) IS DISTINCT FROM (b.link_id, b.link_valid, b.link_entry_id)",
    "attribution": "a.partner_id IS DISTINCT FROM b.partner_id",
    "settlement": "a.lines IS DISTINCT FROM b.lines",
    "rate": "a.lines = b.lines AND (a.gmv, a.unrated_lines) IS DISTINCT FROM (b.gmv, b.unrated_lines)",
    "stock": "(a.stock_countries, a.stock_seen) IS DISTINCT FROM (b.stock_countries, b.stock_seen)",
    "status": "(a.status, a.status_at) IS DISTINCT FROM (b.status, b.status_at)",
    "violation": "a.high_risk IS DISTINCT FROM b.high_risk",
}

# Which causes can move which condition.
REACHES: dict[str, tuple[str, ...]] = {
    "listed": ("listing", "certification"),
    "first_entity": ("certification", "listing"),
    "partner_certified": ("certification", "partner", "attribution"),
    "exclusive_link": ("listing", "link", "attribution"),
    "onboarded": ("certification",),
    "activated": ("certification", "settlement", "rate"),
    "stocked": ("stock",),
    "shop_normal": ("status", "certification"),
}

CHANGES = f"""
SELECT s.code, coalesce(pa.code, pb.code), rb.verdict, ra.verdict, rb.amount, ra.amount,
       {", ".join(f"coalesce(ra.{key}, '') IS DISTINCT FROM coalesce(rb.{key}, '')" for key in CONDITION_KEYS)},
       {", ".join(f"coalesce({sql}, false)" for sql in CAUSES.values())},
       a.shop_id IS NULL OR b.shop_id IS NULL, a.partner_id IS DISTINCT FROM b.partner_id,
       EXISTS (SELECT 1 FROM merchants_attribution t JOIN core_factbatch u ON u.id = t.batch_id
               WHERE t.shop_id = s.id AND u.recorded_at <= %(before_as_of)s)
FROM (SELECT * FROM incentives_result WHERE run_id = %(after)s) ra
FULL JOIN (SELECT * FROM incentives_result WHERE run_id = %(before)s) rb ON rb.shop_id = ra.shop_id
JOIN merchants_shop s ON s.id = coalesce(ra.shop_id, rb.shop_id)
LEFT JOIN incentives_frozenshop a ON a.run_id = %(after)s AND a.shop_id = s.id
LEFT JOIN incentives_frozenshop b ON b.run_id = %(before)s AND b.shop_id = s.id
LEFT JOIN partners_partner pa ON pa.id = ra.partner_id
LEFT JOIN partners_partner pb ON pb.id = rb.partner_id
WHERE (ra.verdict, ra.amount, ra.partner_id, {", ".join(f"ra.{key}" for key in CONDITION_KEYS)})
      IS DISTINCT FROM (rb.verdict, rb.amount, rb.partner_id, {", ".join(f"rb.{key}" for key in CONDITION_KEYS)})
ORDER BY s.code
"""  # noqa: S608 (names of columns and the causes above)


def default_against(run: Run) -> Run | None:
    """The run to compare with when none is named: the approved payouts' run, or else the one before."""
    earlier = Run.objects.published().filter(program=run.program_id, pk__lt=run.pk).order_by("-pk")
    approved = Payout.objects.filter(
        program=run.program_id,
        run__lt=run.pk,
        state__in=[PayoutState.APPROVED, PayoutState.IN_PAYMENT, PayoutState.PAID, PayoutState.CLOSED],
    ).values("run")
    return earlier.filter(pk__in=approved).first() or earlier.first()


def changes(run: Run, against: Run) -> Table:
    """Shops whose verdict, amount, partner or any condition differs: before is `against`, after is `run`.

    Sorted by shop code; conditions and causes are joined with `|`.
    """
    return Table(CHANGE_COLUMNS, _rows(run, against))


def _rows(run: Run, against: Run) -> Iterator[Sequence[Any]]:
    new_policy = run.document != against.document
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(CHANGES, {"after": run.pk, "before": against.pk, "before_as_of": against.as_of})
        for code, partner, before, after, old_amount, new_amount, *flags in cursor:
            moved = [key for key, flag in zip(CONDITION_KEYS, flags, strict=False) if flag]
            differs = dict(zip(CAUSES, flags[len(CONDITION_KEYS) :], strict=False))
            came_or_went, reassigned, was_attributed = flags[-3:]
            if came_or_went:
                # A row comes with the shop's first attribution; else a certification moved it between quarters.
                causes = [] if new_policy else ["certification" if was_attributed else "attribution"]
                moved = []
            else:
                reach = {cause for key in moved for cause in REACHES[key]}
                causes = [cause for cause in CAUSES if differs[cause] and cause in reach]
                if reassigned and "attribution" not in causes:
                    causes.append("attribution")
            if new_policy and "policy" not in causes:
                causes.append("policy")
            yield (
                code,
                partner,
                before,
                after,
                old_amount,
                new_amount,
                "|".join(moved),
                "|".join(causes or ["time"]),
            )
