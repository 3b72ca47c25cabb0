"""How dates, amounts and countries read in a sentence, in the reader's language."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext, pgettext

from core.values import CENT


def is_chinese() -> bool:
    """Whether the present reader reads Chinese."""
    return (get_language() or "").startswith("zh")


def day(value: date) -> str:
    """A date without its year, as both languages write it: ``30 Apr``, ``4月30日``."""
    return date_format(value, "n月j日" if is_chinese() else "j M")


def amount(value: Decimal) -> str:
    """A CNY amount in a sentence: ``¥1,204.77`` in Chinese, ``1,204.77 CNY`` in English."""
    text = number_format(value.quantize(CENT), decimal_pos=2, use_l10n=False, force_grouping=False)
    whole, _, cents = text.partition(".")
    sign, digits = ("−", whole[1:]) if whole.startswith("-") else ("", whole)
    text = f"{sign}{int(digits):,}.{cents}"
    return f"¥{text}" if is_chinese() else f"{text} CNY"


def joined(parts: Iterable[str]) -> str:
    """A list in a sentence: ``DE, FR``, ``德、法``."""
    return ("、" if is_chinese() else ", ").join(parts)


def country(code: str) -> str:
    """A country's name where the programs know it, else its code."""
    names = {
        "DE": pgettext("country", "Germany"),
        "FR": pgettext("country", "France"),
        "IT": pgettext("country", "Italy"),
        "ES": pgettext("country", "Spain"),
        "IE": pgettext("country", "Ireland"),
        "JP": pgettext("country", "Japan"),
        "BR": pgettext("country", "Brazil"),
        "GB": pgettext("country", "the United Kingdom"),
    }
    return names.get(code, code)


def country_short(code: str) -> str:
    """The shortest name a reader knows: the code in English, one character in Chinese (``德``)."""
    short = {"DE": "德", "FR": "法", "IT": "意", "ES": "西", "IE": "爱", "JP": "日"}
    return short.get(code, code) if is_chinese() else code


def days_left(count: int) -> str:
    """``12 days left``; on the last day ``last day``."""
    if count <= 0:
        return gettext("last day")
    return gettext("1 day left") if count == 1 else gettext("%(count)d days left") % {"count": count}
