"""A kind of notice that only these tests know, and people to tell."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

from core.notices.kinds import Kind, day, kind_of, money, named, register
from core.notices.links import Link
from core.notices.telling import tell

# Texts that the product has in both languages already; what the tests look at is what becomes of them.
TRIED = Kind(
    "tests.tried",
    title=_("Statement"),
    sentence=lazystr("%(program)s: %(amount)s, %(day)s"),
    subject=lazystr("%(program)s"),
    shown={"program": named, "amount": money, "day": day},
)
FIXED = Kind("tests.fixed", title=_("Payable"), sentence=_("Payable"), mail_fixed=True, inbox=False)
QUIET = Kind("tests.quiet", title=_("Base"), sentence=_("Base"), mail=False)
PARAMS = {"program": {"en": "Spring", "zh-hans": "春季"}, "amount": ["1204.765", "CNY"], "day": "2026-04-30"}

for kind in (TRIED, FIXED, QUIET):
    if kind_of(kind.key) is None:
        register(kind)


def tell_all(*people: Any, kind: str = "tests.tried", link: Link | None = None, **more: Any) -> int:
    """Tell people in a transaction of its own."""
    with transaction.atomic():
        return tell(kind=kind, people=people, params=PARAMS, link=link or Link("portal-overview"), **more)
