"""Two quarters' facts as the marketplace's files have them, for whoever hands files in through the pages.

Both programs have closed for observation. Alpha and Gamma bring in shops in the first; Alpha goes on in the second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tests.console.feeds import as_csv

FIRST, SECOND = "close-2025q1", "close-2025q2"
PERIODS = {FIRST: (date(2025, 1, 1), date(2025, 3, 31)), SECOND: (date(2025, 4, 1), date(2025, 6, 30))}
POLICY = {
    "markets": ["DE"],
    "stock": {"countries": ["DE"], "minimum": 1},
    "discount": {"tiers": [{"from": "0", "pay": "0.90"}, {"from": "0.50", "pay": "0"}]},
}
# A comma in a number is what a spreadsheet makes of it.
BAD_AMOUNT, AMOUNT = "1,204.77", "1204.77"


@dataclass(frozen=True, slots=True)
class Sold:
    """A shop that meets every condition of its quarter; the months of its certification and of its settlement."""

    code: str
    partner: str
    program: str
    certified: str = "2025-01"
    settled: str = "2025-02"

    @property
    def merchant(self) -> dict[str, str]:
        return {"merchant_name": f"虚构{self.code}有限公司", "country": "HK", "registration_no": f"INV-{self.code}"}


SHOPS = (
    Sold("A-1", "ALPHA", FIRST),
    Sold("A-2", "ALPHA", FIRST),
    Sold("A-3", "ALPHA", FIRST),
    Sold("G-1", "GAMMA", FIRST),
    Sold("A-4", "ALPHA", SECOND, "2025-04", "2025-05"),
    Sold("A-5", "ALPHA", SECOND, "2025-04", "2025-05"),
)
# Its settlement is the one with the bad cell.
MENDED = "A-2"
# It is closed for counterfeits in the quarter, and the marketplace says so when the quarter is paid.
LATE = "A-3"


def facts() -> Iterable[tuple[str, str]]:
    """Each feed with its file, in the order in which they are loaded; one row of the settlements is bad."""
    yield "partners", as_csv([partner("ALPHA"), partner("GAMMA")])
    yield "targets", as_csv([target(shop) for shop in SHOPS])
    yield "shops", as_csv([shop_row(shop) for shop in SHOPS])
    yield (
        "shop_statuses",
        as_csv([{"shop_code": shop.code, "status": "open", "at": f"{shop.certified}-10T11:00:00"} for shop in SHOPS]),
    )
    yield "stock", as_csv([stock(shop) for shop in SHOPS])
    yield "settlements", as_csv([settlement(shop) for shop in SHOPS])


def late_facts() -> Iterable[tuple[str, str]]:
    """What comes when the quarter is paid: a closure that happened in it."""
    row = {"violation_code": "V-1", "shop_code": LATE, "category": "counterfeit", "enforced_closure": "true"}
    yield "violations", as_csv([{**row, "penalised_at": "2025-03-20T10:00:00"}])
    yield "shop_statuses", as_csv([{"shop_code": LATE, "status": "closed", "at": "2025-03-20T10:00:00"}])


def partner(code: str) -> dict[str, str]:
    name = f"{code.title()} Services"
    return {"partner_code": code, "name": name, "category": "logistics", "certified_from": "2024-12-01"}


def target(shop: Sold) -> dict[str, str]:
    entry = {"program": shop.program, "target_code": f"T-{shop.code}", "track": "target"}
    return {**entry, **shop.merchant, "listed_on": "2024-12-15", "review": "approved"}


def shop_row(shop: Sold) -> dict[str, str]:
    row = {"shop_code": shop.code, **shop.merchant, "market": "DE", "partner_code": shop.partner}
    return {**row, "registered_at": f"{shop.certified}-05T10:00:00", "certified_at": f"{shop.certified}-10T10:00:00"}


def stock(shop: Sold) -> dict[str, str]:
    return {"shop_code": shop.code, "country": "DE", "sellable": "7", "observed_at": f"{shop.certified}-20T10:00:00"}


def settlement(shop: Sold) -> dict[str, str]:
    line = {"line_code": f"L-{shop.code}", "shop_code": shop.code, "order_code": f"O-{shop.code}", "kind": "sale"}
    line |= {"ordered_at": f"{shop.certified}-15T10:00:00", "settled_at": f"{shop.settled}-10T10:00:00"}
    return {**line, "amount": BAD_AMOUNT if shop.code == MENDED else AMOUNT, "currency": "CNY"}
