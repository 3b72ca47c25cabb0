"""One file that a colleague typed by hand: some rows are good, the others go into quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from incentives.demo.feeds import File, Row, stamp
from incentives.demo.moments import DAY, Moments
from incentives.demo.scene import Shop


def mistaken_file(shops: Sequence[Shop], moments: Moments, *, wave: int) -> File:
    """Settlements that were reported late, half of them wrong: an unknown shop, a sign, a currency, a date ahead."""
    ordered_at, settled_at = moments.now - 3 * DAY, moments.now - timedelta(hours=2)
    sound: list[Row] = [
        {
            "line_code": f"LHAND-{number:02d}",
            "shop_code": shop.code,
            "order_code": f"OHAND-{number:02d}",
            "kind": "sale",
            "ordered_at": stamp(ordered_at),
            "settled_at": stamp(settled_at),
            "amount": "12.50",
            "currency": "EUR",
        }
        for number, shop in enumerate(shops[:10], start=1)
    ]
    wrong: tuple[dict[str, str], ...] = (
        {"shop_code": "S-UNKNOWN-1"},
        {"amount": "-12.50"},
        {"amount": "12,50"},
        {"currency": "EURO"},
        {"settled_at": stamp(moments.now + 400 * DAY)},
        {"settled_at": stamp(ordered_at - DAY)},
    )
    rows = [{**row, **cells} for row, cells in zip(sound, (*wrong, {}, {}, {}, {}), strict=False)]
    bad = min(len(wrong), len(rows))
    return File("settlements", wave, moments.now, tuple(rows), label="-by-hand", bad_rows=bad)
