"""What came in from outside the feeds' season and isn't sorted yet: leads of a fair, and a shop without its receipt.

A list keeper finds entries that look like others, and a shop of nobody whose merchant registered through a link.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from core.actors import Actor
from core.models import Program
from core.values import local_date
from incentives.demo.feeds import File, stamp
from incentives.demo.invites import ALONE
from incentives.demo.moments import DAY, HOUR, ZONE
from merchants.models import Registration, TargetEntry
from merchants.services import find_duplicates, load_feed
from merchants.states import Review

# What was typed behind the names of merchants that stand on the list already, in place of their 有限公司.
ENDINGS = ("（香港）有限公司", " 有限责任公司", "")
NEW = ("Loamwick Kitchenware Limited", "HK")


def leave_leads(*, now: datetime, program: str, keeper: Actor, folder: Path) -> None:
    """Load the leads into the running program's list, look for duplicates, and load the shop."""
    running = Program.objects.get(code=program)
    _load(_leads(running, now), "targets", "-fair", keeper, folder, now)
    _load((_shop(running),), "shops", "-without-receipt", keeper, folder, now)
    while find_duplicates(actor=keeper, program=running, at=now, most=2000)[0]:
        pass


def _load(rows: tuple[dict[str, str], ...], kind: str, label: str, keeper: Actor, folder: Path, now: datetime) -> None:
    path = File(kind, 0, now, rows, label=label).write(folder)
    load_feed(actor=keeper, kind=kind, path=path)
    path.unlink()


def _leads(program: Program, now: datetime) -> tuple[dict[str, str], ...]:
    """Merchants met at a fair, to be reviewed: some are known, with another number or none, and one is new."""
    known = TargetEntry.objects.filter(program=program, review=Review.APPROVED, brand=None, merchant__country="CN")
    names = [entry.merchant_name or "" for entry in known.select_related("merchant").order_by("code")[: len(ENDINGS)]]
    typed = [(ending, name.removesuffix("有限公司")) for ending, name in zip(ENDINGS, names, strict=False)]
    leads = [*((f"{stem}{ending}", "HK" if "香港" in ending else "CN") for ending, stem in typed), NEW]
    return tuple(
        {
            "program": program.code,
            "target_code": f"T-DEMO-01{number:02}",
            "merchant_name": name,
            "country": country,
            "registration_no": f"DEMO-01{number:02}" if country == "HK" else f"91990100MA90{number:05}X",
            "track": "target",
            "listed_on": f"{local_date(now, ZONE) - DAY}",
            "review": "pending",
        }
        for number, (name, country) in enumerate(leads, start=1)
    )


def _shop(program: Program) -> dict[str, str]:
    """The marketplace tells of a shop without saying how it came; its merchant's number is on a registration."""
    found = Registration.objects.get(link__program=program, registration_no=ALONE.registration_no)
    return {
        "shop_code": "S-DEMO-0002",
        "merchant_name": found.merchant_name,
        "country": found.country,
        "registration_no": found.registration_no,
        "market": found.market,
        "registered_at": stamp(found.registered_at + 3 * HOUR),
    }
