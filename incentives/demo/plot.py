"""Tells one program: deals its stories to partners and merchants, one shop after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime

from core.values import local_date
from incentives.demo.cast import Cast
from incentives.demo.dates import certification, registration
from incentives.demo.feeds import stamp
from incentives.demo.happenings import Happenings
from incentives.demo.lists import Lists
from incentives.demo.moments import DAY, ZONE
from incentives.demo.sales import Sales
from incentives.demo.scene import MARKETS, OTHER_MARKETS, Merchant, Scene, Shop
from incentives.demo.stories import Story, sure_tellings

COUNTRIES = (("CN", "HK", "JP", "DE", "FR", "IT", "ES"), (66, 10, 11, 4, 3, 3, 3))
MARKET_WEIGHTS = (26, 19, 16, 14, 7, 18)


class Plot:
    """One program's shops, and the merchants on its list that have none."""

    def __init__(
        self, scene: Scene, cast: Cast, stories: Sequence[Story], apart: Collection[str], *, idle: int
    ) -> None:
        self.scene, self.stories, self.idle = scene, stories, idle
        self.lists = Lists(scene, cast)
        self.happenings, self.sales = Happenings(scene), Sales(scene)
        self.deck = cast.deck(scene.random, running=scene.running, but=frozenset(apart))
        self.partners = sorted(set(self.deck))
        self.told: Counter[str] = Counter()
        self.shops: list[Shop] = []

    @property
    def certified_shops(self) -> list[Shop]:
        """The shops that are certified by now."""
        return [shop for shop in self.shops if shop.certified_at is not None]

    @property
    def first_shops(self) -> list[Shop]:
        """Shops that a second one of their merchant or brand can come after."""
        return [shop for shop in self.certified_shops if shop.story.key == "clean" and shop.brand]

    def tell(self, earlier: Sequence[Shop] = ()) -> None:
        """Tell everything. `earlier`: shops of another quarter, whose merchants may come again."""
        tellings = self._deal()
        for story, partner in tellings:
            if not story.twin:
                self._shop(story, partner)
        for story, partner in tellings:
            if story.twin:
                self._twin(story, partner, earlier)
        for number in range(self.idle):
            self._idle_entry(number)

    def _deal(self) -> list[tuple[Story, str]]:
        """Every telling and its partner: first the sure ones, then what the weights make of the rest of the deck."""
        rest, dealt = Counter(self.deck), []
        sure = sure_tellings(self.stories)
        for story, partner in sorted(sure, key=lambda telling: telling[1] is None):
            code = partner or next(code for code in self.deck if rest[code] > 0)
            rest[code] -= 1
            dealt.append((story, code))
        left = sorted(rest.elements())
        self.scene.random.shuffle(left)
        weights = [story.weight for story in self.stories]
        return dealt + list(zip(self.scene.random.choices(self.stories, weights, k=len(left)), left, strict=True))

    def _shop(self, story: Story, partner: str) -> None:
        scene = self.scene
        country = scene.random.choices(*COUNTRIES)[0]
        merchant = Merchant(country, scene.names.merchant(country), scene.names.registration(country))
        brand = scene.names.brand(country) if story.listing == "brand_only" or not scene.chance(0.06) else ""
        market = scene.random.choices(MARKETS, MARKET_WEIGHTS)[0]
        if story.listing == "other_market":
            market = scene.random.choice(OTHER_MARKETS)
        self._open(story, partner, merchant, brand, market, certification(scene, story))

    def _twin(self, story: Story, partner: str, earlier: Sequence[Shop]) -> None:
        """A second shop of a merchant or a brand, certified after the first."""
        scene = self.scene
        latest = scene.period.last - 6 * DAY
        own = [shop for shop in self.first_shops if shop.certified_on < min(latest, scene.moments.today - DAY)]
        firsts = list(earlier) if earlier and (not own or scene.chance(0.4)) else own
        first = scene.random.choice(firsts)
        earliest = max(first.certified_on + DAY, scene.period.first)
        days = (min(earliest + 30 * DAY, scene.period.last) - earliest).days
        certified_at = scene.office_hours(earliest + scene.random.randint(0, days) * DAY)
        market = scene.random.choice([market for market in MARKETS if market != first.market])
        if story.twin == "merchant":
            brand = scene.names.brand(first.merchant.country)
            self._open(story, partner, first.merchant, brand, market, certified_at, listed=first in own)
            return
        merchant = Merchant("CN", scene.names.merchant("CN"), scene.names.registration("CN"))
        # Another spelling of the same brand.
        spelling = scene.random.choice((first.brand.upper(), first.brand.lower(), first.brand))
        self._open(story, partner, merchant, spelling, market, certified_at)

    def _open(
        self,
        story: Story,
        partner: str,
        merchant: Merchant,
        brand: str,
        market: str,
        certified_at: datetime | None,
        *,
        listed: bool = False,
    ) -> None:
        """Let a shop come: on the list, in, and, when the time has come, certified with all that follows."""
        scene = self.scene
        code = f"S{scene.mark}-{len(self.shops) + 1:04d}"
        registered_at = registration(scene, story, certified_at)
        shop = Shop(code, story, partner, merchant, brand, market, registered_at, certified_at)
        rivals = [code for code in self.partners if code != partner]
        self.lists.list_shop(shop, rivals, listed=listed)
        if certified_at is not None and certified_at > scene.now:
            shop.certified_at = None
        self._tell_shop(shop)
        self.happenings.happen(shop)
        self.sales.happen(shop)
        self.shops.append(shop)
        self.told[story.key] += 1

    def _tell_shop(self, shop: Shop) -> None:
        row = {
            "shop_code": shop.code,
            "merchant_name": shop.merchant.name,
            "country": shop.merchant.country,
            "registration_no": shop.merchant.registration_no,
            "brand": shop.brand,
            "market": shop.market,
            "registered_at": stamp(shop.registered_at),
            "invite_code": shop.invite_code,
            "partner_code": shop.record_partner,
            "certified_at": "",
        }
        self.scene.feed.tell("shops", shop.registered_at, shop.code, row)
        if shop.certified_at is not None:
            certified = {**row, "certified_at": stamp(shop.certified_at)}
            self.scene.feed.tell("shops", shop.certified_at, shop.code, certified)

    def _idle_entry(self, number: int) -> None:
        """A merchant on the list that nobody has brought in yet; some are claimed, some directed, some under review."""
        scene = self.scene
        country = scene.random.choices(*COUNTRIES)[0]
        merchant = Merchant(country, scene.names.merchant(country), scene.names.registration(country))
        brand = scene.names.brand(country)
        partner = scene.random.choice(self.partners[:12])
        fate = number % 10
        review = {7: "pending", 8: "rejected"}.get(fate, "approved")
        entry = self.lists.add(merchant if fate != 9 else None, brand, partner if fate in {0, 1} else "", review=review)
        recently = scene.after(self._lately(), -14, -1)
        if fate in {0, 1}:
            self.lists.invite(entry, partner, recently)
        elif fate in {2, 3}:
            self.lists.claim(entry, partner, recently)
        elif fate == 4:
            self.lists.claim(entry, partner, recently, status="pending" if scene.running else "rejected")
        elif fate == 5:
            # It had a claim that ran out; another partner has taken it over since.
            self.lists.claim(entry, partner, recently - 33 * DAY)
            self.lists.claim(entry, scene.random.choice(self.partners[12:]), recently, status="rejected")

    def _lately(self) -> datetime:
        last: date = min(self.scene.period.last, local_date(self.scene.now, ZONE))
        return self.scene.now if self.scene.running else self.scene.between(*_day(last))


def _day(day: date) -> tuple[datetime, datetime]:
    start = datetime(day.year, day.month, day.day, 9, tzinfo=ZONE)
    return start, start + 0.3 * DAY
