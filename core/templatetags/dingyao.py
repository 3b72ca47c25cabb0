"""What templates say over and over: amounts, moments in a program's zone, marks of states."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django import template
from django.utils.translation import gettext

from core import words
from core.values import plain

register = template.Library()

MARKS = {
    "met": "✓",
    "eligible": "✓",
    "not_met": "✕",
    "not_eligible": "✕",
    "pending": "◔",
    "unknown": "?",
    "needs_data": "?",
    "not_applicable": "–",
    "approved": "✓",
    "paid": "✓",
    "live": "✓",
    "void": "✕",
    "clawed_back": "↩",
    "in_review": "◔",
    "in_payment": "→",
    "returned": "↩",
    "withheld": "◔",
    "held": "‖",
    "computed": "≈",
    "closed": "–",
    "certified": "✓",
    "submitted": "→",
    "more_information": "!",
    "rejected": "✕",
    "suspended": "✕",
    "terminated": "✕",
    "lapsed": "✕",
    "withdrawn": "–",
    "draft": "…",
    "upcoming": "◔",
    "waiting": "◔",
    "locked": "→",
    "exported": "→",
    "proposed": "◔",
    "declined": "✕",
    "confirmed": "✓",
    "handed_in": "→",
    "accepted": "✓",
    "refused": "✕",
    "landed": "✓",
    "loaded": "✓",
    "loading": "→",
    "kept": "◔",
    "dropped": "–",
    "replaced": "–",
}


@register.filter
def mark(state: str) -> str:
    """The shape that goes with a state: colour never speaks alone."""
    return MARKS.get(state, "·")


@register.filter
def money(amount: Decimal | None) -> str:
    """An amount with its thousands: ``4,000.00``; nothing for None."""
    return "" if amount is None else f"{amount:,.2f}".replace("-", "−")


@register.filter
def with_currency(amount: Decimal | None, currency: str = "CNY") -> str:
    """An amount in running text: ``¥4,000.00`` in Chinese, ``4,000.00 CNY`` in English."""
    if amount is None:
        return ""
    if currency == "CNY":
        return words.amount(amount)
    return f"{money(amount)} {currency}"


@register.filter
def percent(factor: Decimal | None) -> str:
    """A factor or share as per cent: ``90 %``."""
    return "" if factor is None else f"{plain(factor * 100, 0)}%"


@register.filter
def share(part: Decimal | float | None) -> str:
    """A measured share in whole per cent: ``58%``; what is there at all is not called 0."""
    if part is None:
        return ""
    return "<1%" if 0 < part < 0.01 else f"{round(part * 100)}%"


@register.filter
def day(value: date | None) -> str:
    """A date without its year: ``30 Apr``, ``4月30日``."""
    return words.day(value) if value else ""


@register.filter
def long_day(value: date | None) -> str:
    """A date with its year."""
    return words.long_day(value) if value else ""


@register.filter
def moment(value: datetime | None, zone: str = "Asia/Shanghai") -> str:
    """An instant on the program's clock: ``23 Nov 2026, 08:12``."""
    return words.moment(value.astimezone(ZoneInfo(zone))) if value else ""


@register.filter
def zone_name(zone: str) -> str:
    """How a reader calls the zone: Beijing time for the platform's own."""
    return gettext("Beijing time") if zone == "Asia/Shanghai" else zone


@register.filter
def bracketed(text: str) -> str:
    """An aside in the language's own brackets, with the space before them where it has one."""
    return f"（{text}）" if words.is_chinese() else f" ({text})"


@register.filter
def days_until(value: date | None, today: date) -> int | None:
    """How many days lie between `today` and a deadline."""
    return None if value is None else (value - today).days


@register.filter
def left(days: int | None) -> str:
    """How many days are left, in words."""
    return "" if days is None else words.days_left(days)


@register.filter
def country(code: str) -> str:
    """A country's name where the programs know it, as it stands by itself: with a capital."""
    name = words.country(code)
    return name[:1].upper() + name[1:]


@register.filter
def countries(codes: Iterable[str]) -> str:
    """Countries in a row, as the language separates them."""
    return words.joined(words.country(code) for code in codes)


@register.filter
def listed(parts: Iterable[str]) -> str:
    """Words in a row, as the language separates them."""
    return words.joined(str(part) for part in parts)


@register.filter
def heat(days: int | None) -> str:
    """How a deadline looks: hot within three days, warm within a week."""
    if days is None:
        return ""
    return "hot" if days <= 2 else "warm" if days < 7 else ""


@register.filter
def signed(number: int) -> str:
    """A difference with its sign: ``+12``, ``−3``, ``±0``."""
    return f"+{number:,}" if number > 0 else f"−{-number:,}" if number < 0 else "±0"
