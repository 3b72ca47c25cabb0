"""A partner's payee, read: what is shown of it, and whether the partner may be paid.

**May this partner be paid, and if not why?** `payment_obstacle` for one, `payment_obstacles` for many in one query;
inside the transaction that sends money `partners.services.lock_payee_for_payment`, which answers the same under a lock
and gives the account.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from core.actors import Actor
from partners.models import Partner, Payee
from partners.states import PayeeState


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a partner can't be paid now. `code`: `no_payee` or `payee_waiting`; `reason`: for people, either side."""

    code: str
    reason: str


def payment_obstacles(partner_ids: Collection[int]) -> dict[int, Obstacle]:
    """Why which of these partners can't be paid now; who isn't in the answer may be. One query.

    A partner needs a confirmed account, and nothing is paid while a change of it waits for confirmation, to the earlier
    account neither. With PAYMENT_NEEDS_PAYEE off nobody is in the answer. Says nothing of holds and suspensions: those
    stand on each payout.
    """
    if not settings.PAYMENT_NEEDS_PAYEE:
        return {}
    live = Payee.objects.filter(partner__in=partner_ids, state__in=[PayeeState.WAITING, PayeeState.CONFIRMED])
    states: dict[int, set[str]] = {}
    for partner, state in live.values_list("partner", "state"):
        states.setdefault(partner, set()).add(state)
    found = {partner: obstacle_of(states.get(partner, ())) for partner in set(partner_ids)}
    return {partner: obstacle for partner, obstacle in found.items() if obstacle is not None}


def payment_obstacle(partner: Partner | int) -> Obstacle | None:
    """Why the partner can't be paid now; None where it may be. One query."""
    ident = partner.pk if isinstance(partner, Partner) else partner
    return payment_obstacles([ident]).get(ident)


def obstacle_of(states: Iterable[str]) -> Obstacle | None:
    """What the states of a partner's payees come to."""
    held = set(states)
    if PayeeState.WAITING in held:
        return Obstacle(
            "payee_waiting",
            _("This partner has stated a new account, and it isn't confirmed yet: nothing is paid until then."),
        )
    if PayeeState.CONFIRMED not in held:
        return Obstacle("no_payee", _("This partner has no confirmed account to be paid to."))
    return None


@dataclass(frozen=True, slots=True)
class PayeeView:
    """One stated account as people see it: never its whole number. `reason`: why it was refused."""

    id: int
    number: int
    version: int
    state: str
    state_label: str
    holder: str
    bank_name: str
    bank_code: str
    country: str
    currency: str
    account: str
    account_end: str
    stated_by: str
    stated_at: datetime
    decided_at: datetime | None
    ended_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class PayeesView:
    """A partner's payee: what is paid to, the change that waits, and the versions that are over, newest first."""

    confirmed: PayeeView | None
    waiting: PayeeView | None
    earlier: tuple[PayeeView, ...]

    @property
    def refused(self) -> PayeeView | None:
        """The last version, where it was refused and nothing was stated since."""
        last = max((each for each in (self.confirmed, self.waiting, *self.earlier) if each), key=_number, default=None)
        return last if last is not None and last.state == PayeeState.REFUSED else None


def payees_view(*, actor: Actor, partner: Partner) -> PayeesView:
    """What this actor may see of the partner's payee. One query."""
    rows = (
        Payee.objects.visible_to(actor)
        .filter(partner=partner)
        .select_related("stated_by", "reason")
        .order_by("-number")
    )
    views = [payee_view(row) for row in rows]
    live = {view.state: view for view in views}
    return PayeesView(
        confirmed=live.get(PayeeState.CONFIRMED),
        waiting=live.get(PayeeState.WAITING),
        earlier=tuple(view for view in views if view.state not in (PayeeState.CONFIRMED, PayeeState.WAITING)),
    )


def payee_view(row: Payee) -> PayeeView:
    """One row, masked."""
    return PayeeView(
        id=row.pk,
        number=row.number,
        version=row.version,
        state=row.state,
        state_label=row.get_state_display(),
        holder=row.holder,
        bank_name=row.bank_name,
        bank_code=row.bank_code,
        country=row.country,
        currency=row.currency,
        account=row.masked,
        account_end=row.account_end,
        stated_by=row.stated_by.get_full_name(),
        stated_at=row.stated_at,
        decided_at=row.decided_at,
        ended_at=row.ended_at,
        reason=(row.reason.text or "") if row.reason else "",
    )


def _number(view: PayeeView) -> int:
    return view.number
