"""The same verdicts by a plain loop over the shops through the ORM: what the obvious program takes for them.

Run as a program, in the benchmark's house: prints the seconds and the eligible shops among the first so many.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from decimal import Decimal

import django


def main(program_code: str, shops: int) -> None:
    """Judge the first `shops` evaluated shops one by one, and compare with what the last run found of them."""
    from core.models import Program
    from core.values import local_date
    from incentives.models import Result, Run
    from merchants.models import Rate, Settlement, Shop, ShopStatus, StockObservation, TargetEntry

    program = Program.objects.get(code=program_code)
    rules, run = program.current_policy.rules, Run.objects.published().filter(program=program).latest("pk")
    chosen = list(Result.objects.filter(run=run).order_by("shop_id").values_list("shop_id", "verdict")[:shops])
    started, eligible = time.monotonic(), 0
    for shop_id, _verdict in chosen:
        shop = Shop.objects.select_related("merchant", "brand").get(pk=shop_id)
        if shop.certified_at is None:
            continue
        day = local_date(shop.certified_at, rules.zone)
        entry = TargetEntry.objects.filter(program=program, merchant=shop.merchant, review="approved").first()
        rivals = Shop.objects.exclude(pk=shop.pk).filter(certified_at__isnull=False)
        earlier = [
            rival
            for rival in [*rivals.filter(merchant=shop.merchant), *rivals.filter(brand=shop.brand)]
            if rival.certified_at and (rival.certified_at, rival.code) < (shop.certified_at, shop.code)
        ]
        gmv = Decimal(0)
        for line in Settlement.objects.filter(shop=shop, ordered_at__gte=shop.certified_at):
            settled_on = local_date(line.settled_at, rules.zone)
            if local_date(line.ordered_at, rules.zone) > rules.window_ends_on(day) or settled_on > rules.settles_by(
                day
            ):
                continue
            rate = Decimal(1)
            if line.currency != "CNY":
                earliest = settled_on - timedelta(days=7)
                rates = Rate.objects.filter(currency=line.currency, rate_date__range=(earliest, settled_on))
                rate = rates.latest("rate_date").rate
            gmv += line.amount * rate
        stock = StockObservation.objects.filter(shop__merchant=shop.merchant, sellable__gte=1)
        seen = set(stock.values_list("country", flat=True)) & set(rules.stock.countries)
        status = ShopStatus.objects.filter(shop=shop).latest("at").status
        eligible += (
            entry is not None
            and not earlier
            and gmv > rules.activation.gmv_above
            and len(seen) >= rules.stock.minimum
            and status == "open"
        )
    seconds = time.monotonic() - started
    expected = sum(verdict == "eligible" for _shop, verdict in chosen)
    if eligible != expected:
        raise SystemExit(f"the loop found {eligible} eligible shops, the run {expected}")
    sys.stdout.write(f"{seconds} {len(chosen)}\n")


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1], int(sys.argv[2]))
