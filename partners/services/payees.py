"""The account that a partner is paid to: stated by an owner, and confirmed or refused by an operator (POLICY 6).

Whoever changes where money goes has given the password or a second factor once more just before; every owner is told;
and nothing is paid, to the earlier account neither, until an operator outside of the partner has decided.
"""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.models import Note
from partners import account_rules, payee_notices, policies
from partners.ciphers import AccountCipher
from partners.models import Partner, Payee
from partners.payees import obstacle_of
from partners.services.applications import Incomplete
from partners.services.desk import person
from partners.states import PayeeState


@dataclass(frozen=True, slots=True)
class PayeeDetails:
    """An account as it is stated. `country` is the bank's; the number shows in no trace of this object."""

    holder: str
    bank_name: str
    bank_code: str
    country: str
    currency: str
    account_number: str = field(repr=False)


@transaction.atomic
def change_payee(
    *,
    actor: Actor,
    partner: Partner,
    details: PayeeDetails,
    proved_at: datetime | None,
    at: datetime | None = None,
) -> Payee:
    """State the account that the partner is to be paid to from now on. It waits for an operator's confirmation.

    `proved_at` is when the person last gave the password or a second factor again, within PAYEE_PROOF_MINUTES. A change
    that waits already is withdrawn by the new one. Raises NotAllowed for anybody but an owner, and with the code
    `proof_needed` where the proof is missing or too old; Incomplete with what is wrong with the details; Conflict where
    they are those that are confirmed and nothing waits.
    """
    now = at or timezone.now()
    policies.ensure(policies.can_change_payee(actor, partner))
    ensure_proved(proved_at, at=now)
    details = check_payee_details(details=details)
    live = _lock_live(partner)
    waiting, confirmed = live.get(PayeeState.WAITING), live.get(PayeeState.CONFIRMED)
    if waiting is None and confirmed is not None and _says(confirmed, details):
        raise Conflict(_("This is the account that is confirmed already; nothing was changed."), code="same_payee")
    if waiting is not None:
        _move(waiting, PayeeState.WITHDRAWN, ended_at=now)
    number = (Payee.objects.filter(partner=partner).aggregate(last=Max("number"))["last"] or 0) + 1
    payee = Payee(
        partner=partner,
        number=number,
        holder=details.holder,
        bank_name=details.bank_name,
        bank_code=details.bank_code,
        country=details.country,
        currency=details.currency,
        account_end=account_rules.shown_end(details.account_number),
        stated_by_id=person(actor),
        stated_at=now,
    )
    payee.account_sealed = cipher().seal(details.account_number, owner=payee.sealed_for)
    payee.save(force_insert=True)
    payee_notices.stated(payee)
    audit.record(
        actor=actor,
        action="payee.stated",
        subject=partner,
        details={"payee": payee.pk, "number": number, "withdrawn": waiting.pk if waiting else None},
        at=now,
    )
    return payee


@transaction.atomic
def withdraw_payee(*, actor: Actor, payee: Payee, at: datetime | None = None) -> Payee:
    """Take a change back that waits: the account that was confirmed before goes on. Raises NotAllowed, Conflict."""
    now = at or timezone.now()
    policies.ensure(policies.can_change_payee(actor, payee.partner))
    found = _lock_waiting(payee, None)
    _move(found, PayeeState.WITHDRAWN, ended_at=now)
    payee_notices.withdrawn(found, at=now)
    audit.record(actor=actor, action="payee.withdrawn", subject=found.partner, details={"payee": found.pk}, at=now)
    return found


@transaction.atomic
def confirm_payee(*, actor: Actor, payee: Payee, version: int | None = None, at: datetime | None = None) -> Payee:
    """Confirm a stated account: payments go to it from now on, and the earlier one is replaced.

    With `version` (what the person saw), Conflict where it has changed since. Raises NotAllowed with the reason,
    Conflict where it doesn't wait any more.
    """
    now = at or timezone.now()
    policies.ensure(policies.can_confirm_payee(actor, payee))
    found = _lock_waiting(payee, version)
    before = Payee.objects.filter(partner=found.partner, state=PayeeState.CONFIRMED).first()
    if before is not None:
        _move(before, PayeeState.REPLACED, ended_at=now)
    _move(found, PayeeState.CONFIRMED, decided_by_id=actor.user_id, decided_at=now)
    payee_notices.confirmed(found, at=now)
    audit.record(
        actor=actor,
        action="payee.confirmed",
        subject=found.partner,
        details={"payee": found.pk, "replaced": before.pk if before else None},
        at=now,
    )
    return found


@transaction.atomic
def refuse_payee(
    *, actor: Actor, payee: Payee, reason: str, version: int | None = None, at: datetime | None = None
) -> Payee:
    """Refuse a stated account, with a reason that the owners read: an earlier confirmed one goes on.

    Raises NotAllowed, BadInput without a reason, Conflict as `confirm_payee`.
    """
    now, reason = at or timezone.now(), reason.strip()
    policies.ensure(policies.can_confirm_payee(actor, payee))
    if not reason:
        raise BadInput(_("Give a reason: the partner will read it."), code="reason_needed")
    found = _lock_waiting(payee, version)
    note = Note.objects.create(text=reason)
    _move(found, PayeeState.REFUSED, decided_by_id=actor.user_id, decided_at=now, ended_at=now, reason_id=note.pk)
    payee_notices.refused(found, at=now)
    audit.record(
        actor=actor,
        action="payee.refused",
        subject=found.partner,
        details={"payee": found.pk, "note": note.pk},
        at=now,
    )
    return found


@transaction.atomic
def read_account_number(*, actor: Actor, payee: Payee, at: datetime | None = None) -> str:
    """Return the account number in clear, for the bank alone; the trail keeps who read it.

    Only the confirmed one can be read. To be written into the file that goes to the bank and nowhere else: no page, no
    API and no log shows it. Raises NotAllowed, Conflict where the payee isn't confirmed or was erased.
    """
    policies.ensure(policies.can_read_account(actor, payee))
    found: Payee = Payee.objects.select_related("partner").get(pk=payee.pk)
    if found.state != PayeeState.CONFIRMED or not found.account_sealed:
        raise Conflict(_("This account isn't the one that the partner is paid to."), code="not_confirmed")
    account = cipher().open(found.account_sealed, owner=found.sealed_for)
    audit.record(actor=actor, action="payee.account_read", subject=found.partner, details={"payee": found.pk}, at=at)
    return account


def lock_payee_for_payment(*, partner_id: int) -> Payee | None:
    """The confirmed account that the partner may be paid to now, locked until the end of the transaction.

    A change that is stated meanwhile waits for the payment, and a payment for the change. None where no account is
    asked for (PAYMENT_NEEDS_PAYEE is off) and there is none. Raises Conflict with the code of an obstacle.
    """
    confirmed: Payee | None = (
        Payee.objects.select_for_update(no_key=True).filter(partner=partner_id, state=PayeeState.CONFIRMED).first()
    )
    if settings.PAYMENT_NEEDS_PAYEE:
        # Asked after the lock was had: a change that held it is seen now.
        live = Payee.objects.filter(partner=partner_id, state__in=[PayeeState.WAITING, PayeeState.CONFIRMED])
        obstacle = obstacle_of(live.values_list("state", flat=True))
        if obstacle is not None:
            raise Conflict(obstacle.reason, code=obstacle.code)
    return confirmed


def ensure_proved(proved_at: datetime | None, *, at: datetime) -> None:
    """Raise NotAllowed (`proof_needed`) unless the person gave the password or a second factor again just before."""
    if proved_at is None or not timedelta(0) <= at - proved_at <= timedelta(minutes=settings.PAYEE_PROOF_MINUTES):
        raise NotAllowed(
            _("Give your password or second factor once more before you change where money goes."),
            code="proof_needed",
        )


def cipher() -> AccountCipher:
    """The cipher of the house's keys."""
    return AccountCipher(settings.PAYEE_KEYS)


def _lock_live(partner: Partner) -> dict[str, Payee]:
    """Lock the partner and the payees that count, by state. Payments lock the confirmed one alone."""
    Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
    live = Payee.objects.select_for_update(no_key=True).filter(
        partner=partner, state__in=[PayeeState.WAITING, PayeeState.CONFIRMED]
    )
    return {payee.state: payee for payee in live.order_by("pk")}


def _lock_waiting(payee: Payee, version: int | None) -> Payee:
    found = _lock_live(payee.partner).get(PayeeState.WAITING)
    if found is None or found.pk != payee.pk or (version is not None and found.version != version):
        now = Payee.objects.filter(pk=payee.pk).first()
        if now is None:
            raise NotFound(_("There is no such payee."))
        raise Conflict(
            _("This account is: %(state)s. It has changed since you opened it; look at it again.")
            % {"state": now.get_state_display()},
            code="stale",
        )
    return found


def _move(payee: Payee, new: PayeeState, **values: object) -> None:
    for name, value in {"state": new, **values}.items():
        setattr(payee, name, value)
    payee.version += 1
    payee.save(update_fields=["state", "version", *values])


def _says(payee: Payee, details: PayeeDetails) -> bool:
    """Whether a row has the very same details."""
    if not payee.account_sealed:
        return False
    known = replace(
        details,
        holder=payee.holder,
        bank_name=payee.bank_name,
        bank_code=payee.bank_code,
        country=payee.country,
        currency=payee.currency,
        account_number=cipher().open(payee.account_sealed, owner=payee.sealed_for),
    )
    return known == details


def check_payee_details(*, details: PayeeDetails) -> PayeeDetails:
    """The details as they are kept. Raises Incomplete, whose words never repeat an account number."""
    given = PayeeDetails(
        holder=_text(details.holder),
        bank_name=_text(details.bank_name),
        bank_code=account_rules.written_together(details.bank_code),
        country=details.country.strip().upper(),
        currency=details.currency.strip().upper(),
        account_number=account_rules.written_together(details.account_number),
    )
    wrong: dict[str, str | None] = {
        "holder": _fault_in_name(given.holder, _("Say whose account it is, as the bank knows them.")),
        "bank_name": _fault_in_name(given.bank_name, _("Say which bank, and which branch where it has a number.")),
        "country": None if given.country in account_rules.COUNTRIES else _("Choose the bank's country."),
        "currency": None if given.currency in account_rules.CURRENCIES else _("Choose the account's currency."),
    }
    if wrong["country"] is None:
        wrong["bank_code"] = account_rules.fault_in_code(given.bank_code, given.country)
        wrong["account_number"] = account_rules.fault_in_account(given.account_number, given.country)
    found = {name: text for name, text in wrong.items() if text}
    if found:
        raise Incomplete(found)
    return given


def _text(text: str) -> str:
    """White space made one, and what can't be seen dropped."""
    plain = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text)
    return re.sub(r"\s+", " ", plain).strip()


def _fault_in_name(text: str, asked: str) -> str | None:
    if not text:
        return asked
    return _("At most %(count)d characters.") % {"count": 120} if len(text) > 120 else None
