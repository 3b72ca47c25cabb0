"""Accounts for tests: invented, with check digits that fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from core.actors import Actor
from partners.models import Partner, Payee
from partners.services import PayeeDetails, change_payee, confirm_payee
from tests.people import actor

NUMBER = "6228480402564890018"
OTHER_NUMBER = "6228480402564891107"
DETAILS = PayeeDetails(
    holder="Alpha Services Ltd",
    bank_name="Example Bank, Qianhai branch",
    bank_code="102584004017",
    country="CN",
    currency="CNY",
    account_number=NUMBER,
)


def details(**changes: str) -> PayeeDetails:
    """The account, with something else in it."""
    return replace(DETAILS, **changes)


def state(by: Actor, partner: Partner, *, at: datetime | None = None, **changes: Any) -> Payee:
    """State an account, proved just now."""
    now = at or timezone.now()
    return change_payee(actor=by, partner=partner, details=details(**changes), proved_at=now, at=now)


def confirmed(by: Actor, partner: Partner, *, confirmer: Actor | None = None, **changes: Any) -> Payee:
    """State an account and have it confirmed."""
    return confirm_payee(actor=confirmer or actor("rita"), payee=state(by, partner, **changes))
