"""The weekly digest: which shops a partner can still win this week, and loses otherwise (UX, Overview)."""

import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from core.actors import Actor
from core.models import Notice, User
from core.notices.kinds import Kind, money, named, register
from core.notices.links import Link
from core.notices.telling import tell
from core.values import local_date
from incentives.models import PayoutPreview, Result, Run
from incentives.queries.programs import latest_runs
from incentives.queries.shops import ShopView, pending_shops, shop_views
from partners.models import Membership
from partners.people import actor_of

SYSTEM = Actor.system("digest")
DAYS = 7
NAMED = 10  # shops that the mail names


def _details(reader: User, params: Mapping[str, Any]) -> dict[str, Any]:
    """The most urgent shops with their names, as far as the reader may (still) see them."""
    results = (
        Result.objects.visible_to(actor_of(reader))
        .filter(run=params["run"], shop__code__in=params["most_urgent"])
        .select_related("shop", "partner", "run__program")
    )
    found = {view.code: view for view in shop_views(list(results))}
    shops = [found[code] for code in params["most_urgent"] if code in found]
    return {"shops": shops, "more": params["shops"] - len(params["most_urgent"])}


AT_RISK = Kind(
    "digest.at_risk",
    title=_("What is at risk this week"),
    sentence=ngettext_lazy(
        "%(program)s: %(shops)d shop can still be won this week, worth %(amount)s.",
        "%(program)s: %(shops)d shops can still be won this week, together %(amount)s.",
        "shops",
    ),
    subject=_("%(program)s: %(amount)s at risk this week"),
    shown={"program": named, "amount": money},
    template="emails/digest",
    details=_details,
)
register(AT_RISK)


def send_digests(*, now: datetime, seconds: float) -> int:
    """Tell the people of each partner what it can still win this week, once a week; return how many partners.

    A partner with nothing at risk is told nothing. Whom the time in `seconds` isn't enough for is told by the next call
    of the week; nobody is told twice, however often and by however many workers at a time this is called.
    """
    limit, told = time.monotonic() + seconds, 0
    year, number, _day = now.astimezone(ZoneInfo(settings.PLATFORM_TIME_ZONE)).isocalendar()
    week = f"{year}-W{number:02}"
    for run in latest_runs():
        prefix = f"digest:{week}:{run.program_id}:"
        # Three times a week, so that no index is kept for it.
        done = set(Notice.objects.filter(once_key__startswith=prefix).values_list("once_key", flat=True).distinct())
        previews = PayoutPreview.objects.filter(run=run, pending__gt=0).select_related("partner").order_by("partner")
        for preview in previews:
            if time.monotonic() >= limit:
                return told
            key = f"{prefix}{preview.partner_id}"
            if key not in done and _tell(run, preview, key, now=now):
                told += 1
    return told


def _tell(run: Run, preview: PayoutPreview, key: str, *, now: datetime) -> bool:
    shops = at_risk(run, partner_id=preview.partner_id, now=now)
    if not shops:
        return False
    each = run.rules.incentive
    with transaction.atomic():
        return bool(
            tell(
                kind=AT_RISK.key,
                people=Membership.objects.filter(partner=preview.partner_id).values_list("user", flat=True),
                params={
                    "program": dict(run.rules.name) or run.program.code,
                    "run": run.pk,
                    "shops": len(shops),
                    "amount": [str(Decimal(each.amount) * len(shops)), each.currency],
                    "most_urgent": [shop.code for shop in shops[:NAMED]],
                },
                link=Link("portal-overview", query={"partner": preview.partner.code}),
                once=key,
                at=now,
            )
        )


def at_risk(run: Run, *, partner_id: int, now: datetime) -> list[ShopView]:
    """The partner's shops that can still be won and whose nearest deadline is within seven days, that one first."""
    today = local_date(now, run.rules.zone)
    return [
        shop
        for shop in pending_shops(actor=SYSTEM, runs=[run], partner_id=partner_id)
        if shop.until is not None and 0 <= (shop.until - today).days < DAYS
    ]
