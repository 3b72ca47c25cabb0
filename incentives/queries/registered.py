"""Registrations that the last run knows no shop of: what became of them, and until when they can still be won."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from core.models import Program
from core.policy import Policy
from core.values import local_date
from core.words import day, days_left
from incentives.models import Run
from merchants.models import Attribution, Registration, Shop

# That a registration's shop went to another partner's claim. Index on attribution.lost_by.
LOST = Attribution.objects.filter(shop=OuterRef("shop"), lost_by=OuterRef("link__partner"))


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """A merchant that came through a link and that no run has judged: why not, and until when it can still be.

    `stage`: `registered` (no shop yet), `recorded` (the next run judges its shop), `conflict` (the shop went to an
    earlier claim), `late` (no shop was certified in the period).
    """

    receipt: str
    partner_code: str
    link_code: str
    link_name: str
    merchant_name: str
    brand: str
    market: str
    registered_at: datetime
    shop_code: str
    stage: str
    stage_label: str
    look: str
    sentence: str
    until: date | None
    days_left: int | None


def not_judged(
    registered: QuerySet[Registration], *, program: Program, run: Run | None, rules: Policy
) -> QuerySet[Registration]:
    """Registrations into this program that aren't in the run: no shop yet, a newer one, or one that went elsewhere.

    A link that is made for no program brings merchants into every program whose markets they chose, until its end.
    """
    registered = registered.filter(
        Q(link__program=program) | Q(link__program=None),
        market__in=rules.markets,
        registered_at__lt=program.period.ends_at(rules.zone),
    )
    fate = Q(shop=None) | Q(Exists(LOST), shop__isnull=False)
    if run is not None and run.last_sequence is not None:
        mine = Shop.objects.with_attribution().filter(pk=OuterRef("shop"), partner_code=OuterRef("link__partner__code"))
        fate |= Q(Exists(mine), shop__batch__sequence__gt=run.last_sequence)
    return registered.filter(fate)


def with_fate(registered: QuerySet[Registration]) -> QuerySet[Registration]:
    """Fetch with each what `registration_view` reads."""
    return registered.select_related("link__partner", "shop").annotate(is_lost=Exists(LOST))


def registration_view(row: Any, *, last: date, today: date, rules: Policy) -> RegistrationView:
    """One of them in words; `last` is the period's last day. Fetch it as `with_fate` does."""
    shop = getattr(row, "shop", None)
    left = (last - today).days
    stage = "conflict" if row.is_lost else "recorded" if shop else "registered" if left >= 0 else "late"
    words = {
        "day": day(last),
        "left": days_left(left),
        "since": day(local_date(row.registered_at, rules.zone)),
        "shop": shop.code if shop else "",
    }
    label, look, sentence = {
        "registered": (
            _("No shop yet"),
            "submitted",
            _("Registered on %(since)s; its shop must be certified by %(day)s; %(left)s"),
        ),
        "recorded": (_("Not judged yet"), "submitted", _("Its shop %(shop)s is known; the next run judges it")),
        "late": (_("Not certified"), "not_met", _("No shop of this merchant was certified by %(day)s")),
        "conflict": (
            _("Conflict"),
            "not_met",
            _("Somebody else's earlier claim on this merchant was in force: the shop doesn't count as yours"),
        ),
    }[stage]
    return RegistrationView(
        receipt=row.receipt,
        partner_code=row.link.partner.code,
        link_code=row.link.code,
        link_name=row.link.label or row.link.code,
        merchant_name=row.merchant_name,
        brand=row.brand_name,
        market=row.market,
        registered_at=row.registered_at,
        shop_code=shop.code if shop and stage == "recorded" else "",
        stage=stage,
        stage_label=label,
        look=look,
        sentence=sentence % words,
        until=last if stage == "registered" else None,
        days_left=left if stage == "registered" else None,
    )
