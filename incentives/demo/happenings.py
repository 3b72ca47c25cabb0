"""What a certified shop keeps in stock, how it fares, and what it is penalised for."""

from __future__ import annotations

from datetime import datetime

from core.values import end_of
from incentives.demo.feeds import stamp
from incentives.demo.moments import DAY, HOUR, ZONE, at
from incentives.demo.scene import STOCK_COUNTRIES, Scene, Shop

SEVERE = ("prohibited_goods", "counterfeit", "risk_control", "fake_fulfilment")
MINOR = ("late_dispatch", "listing_quality", "misleading_images")
REASONS = {
    "restricted": "Order defect rate above the limit",
    "closing": "商家申请关店",
    "closed": "商家主动关店",
}


class Happenings:
    """Tells the feeds what happens to a program's shops, but for what they sell."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._violations = 0

    def happen(self, shop: Shop) -> None:
        """Everything that a shop's story says."""
        if shop.certified_at is None:
            return
        self._stock(shop)
        if shop.story.status != "none":
            self._status(shop, "open", shop.certified_at)
            self._trouble(shop, shop.certified_at)
        if shop.story.violation:
            self._violation(shop, shop.certified_at)

    def _stock(self, shop: Shop) -> None:
        scene, story = self.scene, shop.story
        missing = scene.random.choice(STOCK_COUNTRIES)
        if story.stock == "no_feed":
            return
        for country in STOCK_COUNTRIES:
            if country == missing and story.stock == "last_overnight":
                self._observe(shop, country, scene.overnight(), 30)
            elif country == missing and story.stock == "empty":
                self._observe(shop, country, self._seen_at(shop), 0)
            elif country != missing or story.stock == "all":
                self._observe(shop, country, self._seen_at(shop), scene.random.randint(2, 400))
                if scene.chance(0.25):
                    self._observe(shop, country, self._seen_at(shop), scene.random.randint(0, 60))

    def _seen_at(self, shop: Shop) -> datetime:
        """A moment around the certification, inside the period: only then does stock count."""
        scene, certified_at = self.scene, shop.certified_at
        assert certified_at is not None  # noqa: S101 - asked only of certified shops
        first, last = at(scene.period.first, 0, 5), end_of(scene.period.last, ZONE) - HOUR
        latest = min(certified_at + 11 * DAY, last)
        if scene.running and shop.story.certified != "any":
            latest = min(latest, scene.now)  # a story of this week, whose stock has been seen by now
        return max(first, scene.between(max(shop.registered_at, certified_at - 3 * DAY), latest))

    def _observe(self, shop: Shop, country: str, observed_at: datetime, sellable: int) -> None:
        row = {"shop_code": shop.code, "country": country, "sellable": str(sellable), "observed_at": stamp(observed_at)}
        self.scene.feed.tell("stock", observed_at, (shop.code, country, observed_at), row)

    def _status(self, shop: Shop, status: str, moment: datetime) -> None:
        reason = REASONS.get(status, "")
        row = {"shop_code": shop.code, "status": status, "at": stamp(moment), "reason": reason}
        self.scene.feed.tell("shop_statuses", moment, (shop.code, moment), row)

    def _trouble(self, shop: Shop, certified_at: datetime) -> None:
        scene = self.scene
        later = scene.after(certified_at, 6, 40)
        match shop.story.status:
            case "restricted" | "closing":
                self._status(shop, shop.story.status, later)
            case "closed":
                self._status(shop, "closing", later)
                self._status(shop, "closed", later + 7 * DAY)
            case "reopened":
                self._status(shop, "restricted", later)
                self._status(shop, "open", scene.after(later, 2, 9))
            case "closed_later":
                self._status(shop, "closed", scene.after(scene.closes_at, 2, 9))
            case "closing_overnight":
                self._status(shop, "closing", scene.overnight())

    def _violation(self, shop: Shop, certified_at: datetime) -> None:
        scene = self.scene
        penalised_at = scene.after(certified_at, 5, 35)
        severe = scene.random.choice(SEVERE)
        match shop.story.violation:
            case "minor":
                self._penalise(shop, scene.random.choice(MINOR), penalised_at, closure=False)
            case "severe_kept_open":
                self._penalise(shop, severe, penalised_at, closure=False)
            case "other_closure":
                self._penalise(shop, "expired_licence", penalised_at, closure=True)
            case "severe":
                self._penalise(shop, severe, penalised_at, closure=True)
            case "severe_overnight":
                self._penalise(shop, severe, scene.overnight(), closure=True)
            case "overturned":
                overturned_at = scene.after(penalised_at, 6, 14)
                self._penalise(shop, severe, penalised_at, closure=True, overturned_at=overturned_at)
            case "overturned_overnight":
                overturned_at = max(scene.overnight(), penalised_at + 4 * DAY)
                self._penalise(shop, severe, penalised_at, closure=True, overturned_at=overturned_at)

    def _penalise(
        self, shop: Shop, category: str, penalised_at: datetime, *, closure: bool, overturned_at: datetime | None = None
    ) -> None:
        """The violation, the closure that goes with it, and what an appeal makes of both."""
        tell = self.scene.feed.tell
        self._violations += 1
        row = {
            "violation_code": f"V{self.scene.mark}-{self._violations:04d}",
            "shop_code": shop.code,
            "category": category,
            "penalised_at": stamp(penalised_at),
            "enforced_closure": "true" if closure else "false",
        }
        tell("violations", penalised_at, row["violation_code"], row)
        if closure:
            self._status(shop, "closed", penalised_at)
        if overturned_at is not None:
            appealed_at = penalised_at + 2 * DAY
            appealed = {**row, "appealed_at": stamp(appealed_at)}
            tell("violations", appealed_at, row["violation_code"], appealed)
            overturned = {**appealed, "overturned_at": stamp(overturned_at)}
            tell("violations", overturned_at, row["violation_code"], overturned)
            self._status(shop, "open", overturned_at + HOUR)
