"""Feeds of any size for the benchmarks: invented, the same for the same sizes, written straight to files.

A shop in ten sells next to nothing, one in a hundred sells a lot; two thirds of the lines fall into their shop's
window, a tenth are refunds, a third are in CNY. The proportions matter to the plans, the names to nobody.
"""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

PROGRAM = "bench-2026q1"
START, END = date(2026, 1, 1), date(2026, 3, 31)
CURRENCIES = ("EUR", "CNY", "JPY", "GBP", "EUR", "CNY")
MARKETS = ("DE", "FR", "IT", "ES", "IE", "JP")
PARTNERS = 200
ZERO = datetime(2025, 12, 1, tzinfo=UTC)


def write_feeds(
    folder: Path, *, shops: int, lines: int, seed: int = 1, half: bool = False, partners: int = PARTNERS
) -> None:
    """Write all feeds for `shops` shops with `lines` settlement lines in total into `folder`.

    The partners have as many shops each; with `half`, every second shop is the first partner's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_partners(folder / "partners.csv", partners)
    _write_rates(folder / "fx.csv")
    certified = _write_shops(folder, shops, Random(seed), half=half, partners=partners)
    write_settlements(folder / "settlements.csv", certified, lines, Random(seed + 1))


def write_settlements(
    path: Path, certified: list[datetime | None], lines: int, random: Random, *, prefix: str = "L", only: int = 1
) -> None:
    """Write `lines` lines, spread over every `only`-th shop; codes start with `prefix`."""
    chosen = list(range(0, len(certified), only))
    stamps = [(ZERO + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ") for hour in range(24 * 190)]
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write("line_code,shop_code,order_code,kind,ordered_at,settled_at,amount,currency\n")
        block: list[str] = []
        for number in range(lines):
            shop = chosen[int(random.random() ** 1.5 * len(chosen))]
            start = certified[shop] or ZERO
            hour = int((start - ZERO).total_seconds()) // 3600 + 1
            ordered = hour + random.randrange(24 * 45)
            settled = min(ordered + random.randrange(24 * 20), len(stamps) - 1)
            ordered = min(ordered, settled)
            refund = random.random() < 0.1
            cents = -random.randrange(100, 3000) if refund else random.randrange(100, 9000)
            amount = f"{cents / 100:.2f}"
            block.append(
                f"{prefix}{number:09},S{shop:07},O{number:09},{'refund' if refund else 'sale'},{stamps[ordered]},"
                f"{stamps[settled]},{amount},{CURRENCIES[number % len(CURRENCIES)]}\n"
            )
            if len(block) == 20_000:
                out.writelines(block)
                block.clear()
        out.writelines(block)


def read_certified(folder: Path) -> list[datetime | None]:
    """The shops' certification times, as `write_feeds` wrote them."""
    with (folder / "shops.csv").open(encoding="utf-8") as file:
        next(file)
        cells = (line.rstrip("\n").rpartition(",")[2] for line in file)
        return [datetime.fromisoformat(cell) if cell else None for cell in cells]


def _write_partners(path: Path, partners: int) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write("partner_code,name,category,certified_from\n")
        out.writelines(f"P{number:04},Partner {number},erp,2025-06-01\n" for number in range(partners))


def _write_rates(path: Path) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write("rate_date,currency,rate\n")
        for offset in range(200):
            day = ZERO.date() + timedelta(days=offset)
            for currency, rate in (("EUR", 8.1), ("JPY", 0.05), ("GBP", 9.3)):
                out.write(f"{day},{currency},{rate + offset / 10_000:.6f}\n")


def _write_shops(folder: Path, shops: int, random: Random, *, half: bool, partners: int) -> list[datetime | None]:
    certified: list[datetime | None] = []
    with (
        (folder / "shops.csv").open("w", encoding="utf-8") as out,
        (folder / "targets.csv").open("w", encoding="utf-8") as targets,
        (folder / "shop_statuses.csv").open("w", encoding="utf-8") as statuses,
        (folder / "stock.csv").open("w", encoding="utf-8") as stock,
    ):
        out.write(
            "shop_code,merchant_name,country,registration_no,brand,market,registered_at,partner_code,certified_at\n"
        )
        targets.write("program,target_code,country,registration_no,track,listed_on,review\n")
        statuses.write("shop_code,status,at\n")
        stock.write("shop_code,country,sellable,observed_at\n")
        for number in range(shops):
            merchant = number - number % 20 if number % 20 == 1 else number  # one in twenty is a second shop
            registered = datetime(2025, 12, 20, tzinfo=UTC) + timedelta(minutes=random.randrange(60 * 24 * 90))
            at = registered + timedelta(hours=random.randrange(24 * 10)) if random.random() < 0.95 else None
            if at is not None and at.date() > END:
                at = None
            certified.append(at)
            stamp = at.isoformat() if at else ""
            partner = 0 if half and number % 2 == 0 else number % partners
            out.write(
                f"S{number:07},Merchant {merchant},CN,R{merchant:08},Brand {merchant},{MARKETS[number % 6]},"
                f"{registered.isoformat()},P{partner:04},{stamp}\n"
            )
            if merchant == number:
                targets.write(f"{PROGRAM},T{number:07},CN,R{merchant:08},target,2025-12-01,approved\n")
            if at is not None:
                statuses.write(f"S{number:07},open,{stamp}\n")
            for country in ("DE", "FR", "IT", "ES")[: 4 if random.random() < 0.8 else 2]:
                stock.write(f"S{number:07},{country},5,2026-02-{1 + number % 28:02}T08:00:00Z\n")
    return certified


def main() -> None:
    """Write feeds from the command line: `python -m benchmarks.feeds FOLDER --shops N --lines N`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shops", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=5_000_000)
    given = parser.parse_args()
    write_feeds(given.folder, shops=given.shops, lines=given.lines)


if __name__ == "__main__":
    main()
