"""Links and merchants of the tests of invite links: who may make one is certified, numbers have their check digits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from core.models import Program
from core.policy import Policy
from core.services import create_program
from merchants.entrants import Entrant
from merchants.services import create_link
from merchants.states import Consent
from partners.models import Certification, InviteLink, Partner
from partners.services import revoke_link, suspend_partner
from tests import people

# Invented: there are no such regions. Their last signs are the right ones.
NUMBERS = ("91000000MA0000002W", "91990000MA00000008")
ENTRANT = Entrant(
    merchant_name="虚构星辰科技有限公司",
    country="HK",
    registration_no="INV-0001",
    brand="Hoshi",
    market="DE",
    contact_name="Ms Example",
    phone="+86 138 0000 0000",
    consents=frozenset({Consent.PRIVACY, Consent.SHARE_CONTACT}),
)


def entrant(number: int = 1, **changes: Any) -> Entrant:
    return replace(ENTRANT, registration_no=f"INV-{number:04}", **changes)


def certified(code: str = "ALPHA") -> Partner:
    partner = people.partner(code)
    Certification.objects.get_or_create(partner=partner, defaults={"days": DateRange(date(2020, 1, 1), None)})
    return partner


def program(code: str = "POP-2026Q1") -> Program:
    return Program.objects.filter(code=code).first() or create_program(
        actor=people.actor("omar"),
        code=code,
        start=date(2026, 1, 1),
        end=date(2026, 3, 31),
        policy=Policy.parse(
            {"name": {"en": "Europe & Japan 2026 Q1", "zh-hans": "欧日 2026 Q1"}, "markets": ["DE", "FR"]}
        ),
        accept_example_tiers=True,
    )


def link(who: str = "alice", code: str = "ALPHA", **given: Any) -> InviteLink:
    """A link of the partner that this person belongs to: for thirty days, unless another end is given."""
    at = given.pop("at", None) or timezone.now()
    return create_link(
        actor=people.actor(who),
        partner=certified(code),
        expires_at=given.pop("expires_at", at + timedelta(days=30)),
        at=at,
        **given,
    )


def dead_codes() -> dict[str, str]:
    """A code of every kind that doesn't work."""
    now = timezone.now()
    old = link(at=now - timedelta(days=3), expires_at=now - timedelta(days=1))
    gone, used = link(), link(max_uses=1)
    revoke_link(actor=people.actor("alice"), link=gone, at=now)
    InviteLink.objects.filter(pk=used.pk).update(uses=1)
    off = link("charlie", "GAMMA")
    suspend_partner(actor=people.actor("rita"), partner=people.partner("GAMMA"), reason="Invented reasons.")
    later = link(at=datetime(2099, 1, 1, tzinfo=UTC))
    return {
        "unknown": "2" * 27,
        "expired": old.code,
        "revoked": gone.code,
        "used up": used.code,
        "suspended": off.code,
        "not started": later.code,
    }
