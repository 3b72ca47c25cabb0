"""Links that the demo's people made on their own pages, how often they were opened, and who registered on the form.

A season's links come with its feeds. These stand beside them, so that every page of links, and a merchant's own, has
something to see: a link for a fair, one for a single merchant, one that was revoked; a merchant who got as far as a
certified shop, and one whom two partners invited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from core.actors import Actor
from core.models import Program, User
from core.values import end_of, local_date
from incentives.demo.feeds import File, stamp
from incentives.demo.moments import DAY, HOUR, ZONE
from incentives.demo.names import dice
from incentives.demo.signins import ALICE_PARTNER, CHARLIE_PARTNER
from merchants.entrants import Entrant
from merchants.models import Registration, Shop
from merchants.services import create_link, load_feed, register_merchant
from merchants.states import Consent
from partners.models import InviteLink, LinkVisits, Partner
from partners.people import actor_of
from partners.services import revoke_link

# How long before the present it began.
SINCE = timedelta(days=12)
OPEN = frozenset({Consent.PRIVACY, Consent.SHARE_CONTACT})


def _entrant(number: int, name: str, market: str, **more: str) -> Entrant:
    # Registered in Hong Kong, where a number has no check digit; no register gives such a one out.
    return Entrant(
        merchant_name=name,
        country="HK",
        registration_no=f"DEMO-{number:04}",
        market=market,
        consents=OPEN,
        **more,
    )


CERTIFIED = _entrant(1, "晨屿生活用品有限公司", "DE", brand="晨屿", phone="+86 138 0000 0011", contact_name="许晨")
AT_THE_FAIR = (
    CERTIFIED,
    _entrant(2, "Bluefinch Outdoor Limited", "FR", brand="Bluefinch", wechat="bluefinch_demo"),
    # May be called by nobody but the marketplace.
    replace(
        _entrant(3, "云杉户外装备有限公司", "IT", brand="云杉", phone="+86 138 0000 0013"),
        consents=frozenset({Consent.PRIVACY}),
    ),
)
ALONE = _entrant(4, "Kumoya Trading Limited", "JP", phone="+852 5500 0014", wechat="kumoya-demo")


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes links of one partner, as one of its people does."""

    actor: Actor
    partner: Partner
    program: Program
    begun: datetime
    expires_at: datetime

    def link(self, label: str, max_uses: int | None = None) -> InviteLink:
        """A link for any merchant, into the running program."""
        return create_link(
            actor=self.actor,
            partner=self.partner,
            program=self.program,
            at=self.begun,
            expires_at=self.expires_at,
            label=label,
            max_uses=max_uses,
        )


def make_invites(*, now: datetime, program: str, keeper: Actor, folder: Path) -> None:
    """Make the links and whatever came of them, as of `now`; `keeper` loads what the marketplace says of one."""
    running = Program.objects.get(code=program)
    begun = now - SINCE
    expires_at = end_of(max(running.ends_on, local_date(now, ZONE) + 7 * DAY), ZONE)

    def maker(address: str, partner: str) -> Maker:
        actor = actor_of(User.objects.get(email=address))
        return Maker(actor, Partner.objects.get(code=partner), running, begun, expires_at)

    alice, charlie = maker("alice@example.com", ALICE_PARTNER), maker("charlie@example.com", CHARLIE_PARTNER)
    fair = alice.link("广交会 3 号馆 · Trade fair, hall 3")
    single = alice.link("微信 · One merchant", max_uses=1)
    gone = alice.link("旧海报 · Old poster")
    rivals = charlie.link("Newsletter")
    for number, comer in enumerate(AT_THE_FAIR):
        register_merchant(code=fair.code, entrant=comer, at=begun + (2 * number + 1) * DAY + number * HOUR)
    register_merchant(code=single.code, entrant=ALONE, at=begun + 7 * DAY)
    # Somebody else's number and another contact: both get a receipt, and operators see the two.
    twice = replace(AT_THE_FAIR[1], phone="+33 1 99 00 12 34", wechat="")
    register_merchant(code=rivals.code, entrant=twice, at=begun + 6 * DAY)
    revoke_link(actor=alice.actor, link=gone, at=now - 3 * DAY)
    _take_up(Registration.objects.get(link=fair, registration_no=CERTIFIED.registration_no), now, keeper, folder)
    _count_visits(
        {fair: (31, 44, 12, 9, 6, 8, 3, 5, 2), single: (2, 1, 0, 0, 0, 1, 2), gone: (7, 3), rivals: (9, 4)}, begun
    )


def a_receipt() -> str | None:
    """The address of a merchant's receipt, for whoever wants to see what a merchant sees; None without the demo."""
    found = Registration.objects.filter(registration_no=CERTIFIED.registration_no, shop__isnull=False)
    number = found.values_list("receipt", flat=True).first()
    return f"/r/{number}" if number else None


def _take_up(registration: Registration, now: datetime, keeper: Actor, folder: Path) -> None:
    """What the marketplace says of a registration: listed long ago, and its shop certified two days back."""
    certified_at = now - 2 * DAY
    entity = {"merchant_name": registration.merchant_name, "country": "HK", "brand": registration.brand_name}
    entity["registration_no"] = registration.registration_no
    program = registration.link.program
    assert program is not None  # noqa: S101 - `link` made it so
    shop = {
        **entity,
        "shop_code": "S-DEMO-0001",
        "market": registration.market,
        "registered_at": stamp(registration.registered_at),
        "certified_at": stamp(certified_at),
        "receipt": registration.receipt,
    }
    target = {
        **entity,
        "program": program.code,
        "target_code": "T-DEMO-0001",
        "track": "target",
        "listed_on": f"{program.starts_on - 20 * DAY}",
        "review": "approved",
    }
    status = {"shop_code": "S-DEMO-0001", "status": "open", "at": stamp(certified_at)}
    for kind, row in (("targets", target), ("shops", shop), ("shop_statuses", status)):
        path = File(kind, 0, now, (row,), label="-receipt").write(folder)
        load_feed(actor=keeper, kind=kind, path=path)
        path.unlink()


def _count_visits(own: dict[InviteLink, tuple[int, ...]], begun: datetime) -> None:
    """Visits of these links from the day on which they began; and of the feeds' links, around each that registered."""
    counts: Counter[tuple[int, date]] = Counter()
    first = local_date(begun, ZONE)
    for link, visits in own.items():
        counts.update({(link.pk, first + passed * DAY): count for passed, count in enumerate(visits)})
    for link_id, day, count in _looked_at():
        counts[link_id, day] += count
    LinkVisits.objects.bulk_create(
        LinkVisits(link_id=link_id, day=day, visits=count) for (link_id, day), count in counts.items() if count
    )


def _looked_at() -> Iterator[tuple[int, date, int]]:
    """Whoever registers has looked before, and others have looked and gone."""
    shops = Shop.objects.filter(link__partner__code__in=[ALICE_PARTNER, CHARLIE_PARTNER], registration=None)
    for code, link_id, registered_at in shops.order_by("code").values_list("code", "link_id", "registered_at"):
        random = dice("visits", code)
        day = local_date(registered_at, ZONE)
        yield link_id, day, random.randint(1, 4)
        yield link_id, day - DAY, random.randint(0, 5)
