"""What somebody is told who decides on a payout that has changed since they opened it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from core.errors import Conflict
from incentives.models import Decision, Payout


@dataclass(frozen=True, slots=True)
class Change:
    """One decision that came in between. `payable` is what the payout came to after it, where that was kept."""

    kind: str
    label: str
    at: datetime
    who: str
    shop_code: str
    reason: str
    payable: Decimal | None


class Stale(Conflict):
    """The payout isn't what the person saw: who changed it, when, and all that changed, oldest first."""

    def __init__(self, message: str, *, payout: Payout, changes: tuple[Change, ...]) -> None:
        super().__init__(message, code="stale")
        self.payout = payout
        self.changes = changes


def stale(payout: Payout, seen: int) -> Stale:
    """The refusal of a decision on version `seen` of a payout that is at another one by now."""
    decisions = Decision.objects.filter(payout=payout, details__version__gt=seen)
    changes = tuple(
        _change(decision) for decision in decisions.select_related("actor", "line__shop", "reason").order_by("pk")
    )
    if not changes:
        message = _("This payout has changed since you opened it. Look at it again.")
        return Stale(message, payout=payout, changes=())
    last = changes[-1]
    message = _("%(who)s changed this payout at %(when)s (%(what)s). Look at it again before you decide.") % {
        "who": last.who,
        "when": f"{localtime(last.at, payout.program.zone):%Y-%m-%d %H:%M}",
        "what": last.label,
    }
    return Stale(message, payout=payout, changes=changes)


def _change(decision: Decision) -> Change:
    amount = decision.details.get("payable")
    return Change(
        kind=decision.kind,
        label=decision.get_kind_display(),
        at=decision.at,
        who=decision.actor.get_full_name() if decision.actor else _("The system"),
        shop_code=decision.line.shop.code if decision.line else "",
        reason=(decision.reason.text or "") if decision.reason else "",
        payable=Decimal(amount) if amount is not None else None,
    )
