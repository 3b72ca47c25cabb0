"""What a shop sells: settled order lines in several currencies, and refunds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.values import end_of, local_date
from incentives.demo.feeds import stamp
from incentives.demo.moments import DAY, ZONE, at
from incentives.demo.rates import CLOSED_GAP, LOOK_BACK
from incentives.demo.scene import WINDOW_DAYS, Scene, Shop

CENT, YEN = Decimal("0.01"), Decimal(1)
# A buyer's currency, for shops in the euro's markets and in Japan.
CURRENCIES = {True: (("JPY", "USD"), (12, 1)), False: (("EUR", "GBP", "USD", "SEK"), (85, 6, 5, 4))}


@dataclass(frozen=True, slots=True)
class Sale:
    """A line that was told, as a later refund refers to it."""

    order_code: str
    ordered_at: datetime
    settled_at: datetime
    amount: Decimal
    currency: str


class Sales:
    """Tells the feeds what a program's shops sell."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._orders = 0

    def happen(self, shop: Shop) -> None:
        """Every line that a shop's story says."""
        if shop.certified_at is None:
            return
        start, random = shop.certified_at, self.scene.random
        window_ends = end_of(shop.window_ends_on, ZONE)
        match shop.story.sales:
            case "good":
                self._good(shop, start)
            case "short":
                self._amounting(shop, start, random.uniform(180, 975), random.randint(2, 8))
            case "tipped":
                self._amounting(shop, start, random.uniform(700, 960), random.randint(4, 9))
                self._line(shop, start, max(start, self.scene.overnight()), Decimal(random.randint(330, 520)))
            case "exact":
                for amount in ("400.00", "350.00", "250.00"):
                    ordered_at = self.scene.between(start, start + 9 * DAY)
                    self._line(shop, ordered_at, self.scene.after(ordered_at, 3, 9), Decimal(amount), "CNY")
            case "refunded":
                self._refunded(shop, start)
            case "late":
                for _ in range(random.randint(4, 9)):
                    settled_at = self.scene.after(end_of(shop.settles_by, ZONE), 0.1, 9)
                    ordered_at = self.scene.between(start + 8 * DAY, window_ends)
                    self._line(shop, ordered_at, settled_at, Decimal(random.randint(150, 400)))
            case "after_window":
                for _ in range(random.randint(6, 14)):
                    ordered_at = self.scene.after(window_ends, 0.1, 19)
                    self._line(shop, ordered_at, self.scene.after(ordered_at, 3, 14), Decimal(random.randint(150, 400)))
            case "unrated" | "rated_overnight":
                self._amounting(shop, start, random.uniform(700, 960), random.randint(4, 9))
                self._in_krona(shop, start)

    def _good(self, shop: Shop, start: datetime) -> None:
        """A shop that sells; most of it early, some of it after the window, some of it sent back."""
        random = self.scene.random
        currencies, weights = CURRENCIES[shop.market == "JP"]
        for _ in range(random.randint(14, 58)):
            days = WINDOW_DAYS * random.random() ** 1.4 * (1.0 if random.random() < 0.93 else 1.5)
            ordered_at = start + timedelta(seconds=int(days * 86400))
            settled_at = self.scene.after(ordered_at, 4, 15)
            value = Decimal(random.triangular(50, 460, 110))
            sale = self._line(shop, ordered_at, settled_at, value, random.choices(currencies, weights)[0])
            if random.random() < 0.05:
                self._refund(shop, sale, self.scene.after(settled_at, 3, 12))

    def _amounting(self, shop: Shop, start: datetime, total: float, count: int) -> None:
        """Lines that come to about so much in CNY, all settled by now."""
        latest = min(start + 24 * DAY, self.scene.before_today(start))
        parts = [self.scene.random.uniform(0.5, 1.5) for _ in range(count)]
        for part in parts:
            ordered_at = self.scene.between(start, latest)
            self._line(shop, ordered_at, self.scene.settled(ordered_at), Decimal(total * part / sum(parts)))

    def _refunded(self, shop: Shop, start: datetime) -> None:
        """A shop that passed the threshold and fell below it again."""
        left = Decimal(0)
        for _ in range(self.scene.random.randint(5, 9)):
            ordered_at = self.scene.between(start, start + 14 * DAY)
            value = Decimal(self.scene.random.randint(170, 290))
            sale = self._line(shop, ordered_at, self.scene.after(ordered_at, 3, 8), value)
            left += value
            if left > 900:
                self._refund(shop, sale, self.scene.after(sale.settled_at, 2, 9))
                left -= value

    def _in_krona(self, shop: Shop, start: datetime) -> None:
        """Two lines in krona, settled on days that have no rate: in the gap that the story means."""
        scene = self.scene
        if scene.running:
            back = (5, 4) if shop.story.sales == "rated_overnight" else (3, 1)
            first, last = at(scene.moments.today - back[0] * DAY), end_of(scene.moments.today - back[1] * DAY, ZONE)
        else:
            first, last = at(CLOSED_GAP[0] + LOOK_BACK * DAY), end_of(CLOSED_GAP[1], ZONE)
        first, last = max(first, start), min(last - timedelta(seconds=1), scene.now)
        for _ in range(2):
            settled_at = scene.between(first, last)
            ordered_at = scene.between(max(start, settled_at - 12 * DAY), settled_at)
            self._told(shop, ordered_at, settled_at, Decimal(scene.random.randint(280, 700)), "SEK")

    def _line(
        self, shop: Shop, ordered_at: datetime, settled_at: datetime, value: Decimal, currency: str | None = None
    ) -> Sale:
        """A sale worth `value` CNY, in the shop's currency or another; one that has a rate on its day."""
        usual = "JPY" if shop.market == "JP" else "EUR"
        currency = currency or usual
        day = min(local_date(settled_at, ZONE), self.scene.moments.today)
        if currency == "SEK" and not self._krona_is_safe(day):
            currency = usual
        rate = self.scene.rates.on(day, currency)
        assert rate is not None  # noqa: S101 - all other currencies are published each working day
        amount = (value / rate).quantize(YEN if currency == "JPY" else CENT)
        return self._told(shop, ordered_at, settled_at, amount, currency)

    def _krona_is_safe(self, day: date) -> bool:
        recent = self.scene.moments.today - 8 * DAY
        return day < recent and self.scene.rates.on(day, "SEK") is not None

    def _told(self, shop: Shop, ordered_at: datetime, settled_at: datetime, amount: Decimal, currency: str) -> Sale:
        self._orders += 1
        sale = Sale(f"{self.scene.mark}-{self._orders:06d}", ordered_at, settled_at, amount, currency)
        self._tell(shop, sale, "1", "sale", settled_at, amount)
        return sale

    def _refund(self, shop: Shop, sale: Sale, settled_at: datetime) -> None:
        self._tell(shop, sale, "R", "refund", settled_at, -sale.amount)

    def _tell(self, shop: Shop, sale: Sale, line: str, kind: str, settled_at: datetime, amount: Decimal) -> None:
        row = {
            "line_code": f"L{sale.order_code}-{line}",
            "shop_code": shop.code,
            "order_code": f"O{sale.order_code}",
            "kind": kind,
            "ordered_at": stamp(sale.ordered_at),
            "settled_at": stamp(settled_at),
            "amount": f"{amount:f}",
            "currency": sale.currency,
        }
        self.scene.feed.tell("settlements", settled_at, row["line_code"], row)
