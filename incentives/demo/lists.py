"""How a program's merchants are listed, and by what a shop came in: entries, invite links, claims."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.values import local_date
from incentives.demo.cast import Cast
from incentives.demo.feeds import stamp
from incentives.demo.moments import DAY, HOUR, LEAD_DAYS, ZONE, at
from incentives.demo.scene import Merchant, Scene, Shop

CLAIM_DAYS = 30


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the program's list, as it was first told."""

    code: str
    listed_on: date
    row: dict[str, str]


class Lists:
    """Tells the feeds of entries, links and claims of one program."""

    def __init__(self, scene: Scene, cast: Cast) -> None:
        self.scene = scene
        self.general: dict[str, str] = {}
        self._entries = 0
        for partner in cast.present(running=scene.running):
            starts_at = at(scene.period.first - (LEAD_DAYS - 1) * DAY, 10)
            expires_at = at(scene.period.last + 15 * DAY)
            self.general[partner] = self._link(partner, starts_at, expires_at)

    # --- Entries

    def list_shop(self, shop: Shop, rivals: list[str], *, listed: bool = False) -> None:
        """The entry that a shop's story asks for unless it is `listed` already, and the way by which it came in."""
        story = shop.story
        directed = story.way.startswith("directed")
        assigned = shop.partner if directed else ""
        if story.way == "directed_rival":
            assigned = self.scene.random.choice(rivals)
        entry = None if story.listing == "none" or listed else self._entry_for(shop, assigned)
        self._bring_in(shop, entry, rivals)

    def _entry_for(self, shop: Shop, assigned: str) -> Entry:
        scene, listing = self.scene, shop.story.listing
        certified_on = local_date(shop.certified_at or shop.registered_at + 20 * DAY, ZONE)
        listed_on = None
        if listing == "late":
            listed_on = certified_on + scene.random.randint(2, 8) * DAY
        elif shop.story.way in {"any", "record"} and scene.chance(0.2):
            # Added in the course of the quarter, before the merchant came.
            listed_on = local_date(shop.registered_at, ZONE) - scene.random.randint(1, 6) * DAY
        review = {"rejected": "pending", "approved_overnight": "pending"}.get(listing, listing)
        entry = self.add(
            shop.merchant if listing != "brand_only" else None,
            shop.brand if listing == "brand_only" or scene.chance(0.4) else "",
            assigned,
            review=review if review == "pending" else "approved",
            listed_on=listed_on,
        )
        if listing == "rejected":
            self._change(entry, at(entry.listed_on + 12 * DAY, 15), review="rejected")
        elif listing == "approved_overnight":
            self._change(entry, scene.overnight(), review="approved")
        elif listing in {"delisted", "delisted_later"}:
            days = -scene.random.randint(1, 3) if listing == "delisted" else scene.random.randint(2, 12)
            delisted_on = max(certified_on + days * DAY, entry.listed_on + DAY)
            self._change(entry, at(delisted_on, 9), delisted_on=delisted_on.isoformat())
        return entry

    def add(
        self,
        merchant: Merchant | None,
        brand: str,
        assigned: str = "",
        *,
        review: str = "approved",
        listed_on: date | None = None,
    ) -> Entry:
        """Put a merchant, or with None a brand alone, on the list; `assigned`: directed to that partner."""
        self._entries += 1
        listed_on = listed_on or self.scene.period.first - (LEAD_DAYS + self.scene.random.randint(0, 2)) * DAY
        row = {
            "program": self.scene.program,
            "target_code": f"T{self.scene.mark}-{self._entries:04d}",
            "merchant_name": merchant.name if merchant else "",
            "country": merchant.country if merchant else "",
            "registration_no": merchant.registration_no if merchant else "",
            "brand": brand,
            "track": "directed" if assigned else "target",
            "partner_code": assigned,
            "listed_on": listed_on.isoformat(),
            "delisted_on": "",
            "review": review,
        }
        entry = Entry(row["target_code"], listed_on, row)
        self.scene.feed.tell("targets", at(listed_on, 9), (self.scene.program, entry.code), dict(row))
        return entry

    def _change(self, entry: Entry, moment: datetime, **cells: str) -> None:
        entry.row.update(cells)
        self.scene.feed.tell("targets", moment, (self.scene.program, entry.code), dict(entry.row))

    # --- Ways in

    def _bring_in(self, shop: Shop, entry: Entry | None, rivals: list[str]) -> None:
        scene, partner, registered_at = self.scene, shop.partner, shop.registered_at
        way = shop.story.way
        if way == "any":
            early = entry is not None and at(entry.listed_on) < registered_at - 20 * DAY
            ways = ("record", "link", "claim" if early else "link")
            way = scene.random.choices(ways, (5, 4, 1))[0]
        match way:
            case "record" | "directed_record":
                shop.record_partner = partner
            case "link" | "directed_rival" | "directed_general":
                shop.invite_code = self.general[partner]
            case "claim" if entry:
                self.claim(entry, partner, scene.after(registered_at, -18, -2))
            case "claim_beats_link" if entry:
                self.claim(entry, partner, scene.after(registered_at, -18, -2))
                shop.invite_code = self.general[scene.random.choice(rivals)]
            case "directed" if entry:
                starts_at = scene.after(registered_at, -18, -1)
                shop.invite_code = self._link(partner, starts_at, registered_at + 20 * DAY, entry)
            case "directed_expired" if entry:
                starts_at = scene.after(registered_at, -18, -4)
                shop.invite_code = self._link(partner, starts_at, registered_at - 2 * DAY, entry)
                shop.record_partner = partner
            case "directed_revoked" if entry:
                starts_at, revoked_at = scene.after(registered_at, -18, -4), registered_at - DAY
                shop.invite_code = self._link(partner, starts_at, registered_at + 20 * DAY, entry, revoked_at)
                shop.record_partner = partner

    def _link(
        self,
        partner: str,
        starts_at: datetime,
        expires_at: datetime,
        entry: Entry | None = None,
        revoked_at: datetime | None = None,
    ) -> str:
        code = self.scene.names.token()
        row = {
            "invite_code": code,
            "partner_code": partner,
            "target_code": entry.code if entry else "",
            "program": self.scene.program,
            "starts_at": stamp(starts_at),
            "expires_at": stamp(expires_at),
            "revoked_at": "",
        }
        self.scene.feed.tell("invites", starts_at, code, row)
        if revoked_at is not None:
            self.scene.feed.tell("invites", revoked_at, code, {**row, "revoked_at": stamp(revoked_at)})
        return code

    def invite(self, entry: Entry, partner: str, starts_at: datetime) -> str:
        """A link for one entry that nobody has used yet."""
        return self._link(partner, starts_at, starts_at + 45 * DAY, entry)

    def claim(self, entry: Entry, partner: str, claimed_at: datetime, *, status: str = "approved") -> None:
        """A partner's claim, and some hours later what was decided on it."""
        row = {
            "program": self.scene.program,
            "target_code": entry.code,
            "partner_code": partner,
            "claimed_at": stamp(claimed_at),
            "expires_at": stamp(claimed_at + timedelta(days=CLAIM_DAYS)),
            "status": "pending",
        }
        key = (entry.code, partner, claimed_at)
        self.scene.feed.tell("claims", claimed_at, key, row)
        if status != "pending":
            self.scene.feed.tell("claims", claimed_at + 5 * HOUR, key, {**row, "status": status})
