"""Where the demo's partners are paid, and the invoices that some of them have handed in. Every account is invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile

from core.actors import Actor, Role
from core.models import User
from incentives.demo.cast import ALICE, CHARLIE, TIER_50
from incentives.demo.papers import paper
from incentives.models import Payout
from incentives.services import accept_invoice, hand_in_invoice
from incentives.states import PayoutState
from partners.models import Membership, Partner, Payee
from partners.people import actor_of
from partners.services import PayeeDetails, change_payee, confirm_payee, refuse_payee
from partners.states import PayeeState

BANK = {
    "CN": ("示例银行 Example Bank", "10200000{number:03d}0", "CNY", "62000000{number:04d}00{number:03d}"),
    "HK": ("Example Bank (Hong Kong)", "EXAMHKHH", "HKD", "0{number:05d}000{number:03d}"),
    "JP": ("Example Bank Tokyo", "EXAMJPJT", "JPY", "{number:04d}000{number:03d}"),
}


@dataclass(frozen=True, slots=True)
class Accounts:
    """The people who confirm, and the moment at which accounts were stated."""

    people: Mapping[str, Actor]
    at: datetime

    def ensure_confirmed(self, partner: Partner) -> None:
        """The partner has a confirmed account; stated and confirmed a day before the payouts were decided on."""
        if Payee.objects.filter(partner=partner, state=PayeeState.CONFIRMED).exists():
            return
        if partner.code == ALICE:
            wrong = self.state(partner, replace(account(partner), holder="林知夏"), at=self.at - timedelta(days=2))
            reason = "户名须与签约主体一致。The holder has to be the organisation, not a person."
            refuse_payee(actor=self.people["fiona"], payee=wrong, reason=reason, at=self.at - timedelta(days=1.5))
        stated = self.state(partner, account(partner), at=self.at - timedelta(days=1))
        confirm_payee(actor=self.people["fiona"], payee=stated, at=self.at)

    def state(self, partner: Partner, details: PayeeDetails, *, at: datetime) -> Payee:
        """An account, stated by an owner."""
        return change_payee(actor=owner_of(partner), partner=partner, details=details, proved_at=at, at=at)


def account(partner: Partner, *, number: int | None = None) -> PayeeDetails:
    """An account of the partner, at an invented bank of its country."""
    known = partner.country if partner.country in BANK else "CN"
    name, code, currency, pattern = BANK[known or "CN"]
    figure = number or int(partner.code[-4:])
    return PayeeDetails(
        holder=partner.name,
        bank_name=name,
        bank_code=code.format(number=figure % 1000),
        country=known or "CN",
        currency=currency,
        account_number=pattern.format(number=figure),
    )


def owner_of(partner: Partner) -> Actor:
    """Somebody who answers for the partner: one of the demo's people, or an account that nobody signs in with."""
    found = Membership.objects.filter(partner=partner, role=Role.OWNER).select_related("user").first()
    if found is not None:
        return actor_of(found.user)
    user = User(email=f"owner@{partner.code.lower()}.example.com", name=f"Owner of {partner.code}", language="zh-hans")
    user.set_unusable_password()
    user.save()
    Membership.objects.create(partner=partner, user=user, role=Role.OWNER.value)
    return actor_of(user)


def leave_some_waiting(*, accounts: Accounts, now: datetime) -> None:
    """An account that was never confirmed, and a change that holds an approved payout."""
    for code, number in ((CHARLIE, None), (TIER_50, 911)):
        partner = Partner.objects.get(code=code)
        if code == TIER_50:
            accounts.ensure_confirmed(partner)
        accounts.state(partner, account(partner, number=number), at=now - timedelta(hours=5))


def hand_in_invoices(*, people: Mapping[str, Actor], now: datetime) -> None:
    """Alice's invoice was accepted; another partner's says less than the net."""
    for code, less in ((ALICE, Decimal(0)), (TIER_50, Decimal("100.00"))):
        states = [PayoutState.PAID, PayoutState.APPROVED]
        payout = Payout.objects.filter(partner__code=code, state__in=states).select_related("partner").first()
        if payout is None or payout.approved_at is None:
            continue
        at, amount = min(payout.approved_at + timedelta(days=1), now), payout.net_amount - less
        invoice = hand_in_invoice(
            actor=owner_of(payout.partner),
            payout=payout,
            number=f"2644{payout.pk:016d}",
            amount=amount,
            issued_on=payout.approved_at.date(),
            file=SimpleUploadedFile(f"invoice-{code}.pdf", paper(f"Sample invoice  {code}  {amount} CNY")),
            at=at,
        )
        if not less:
            accept_invoice(actor=people["fiona"], invoice=invoice, at=at)
