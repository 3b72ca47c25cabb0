"""How dates, amounts and countries read in a sentence, in the reader's language."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, pgettext

from core.values import round_money


def is_chinese() -> bool:
    """Whether the present reader reads Chinese."""
    return (get_language() or "").startswith("zh")


def day(value: date) -> str:
    """A date without its year, as both languages write it: ``30 Apr``, ``4月30日``."""
    return date_format(value, "n月j日" if is_chinese() else "j M")


def long_day(value: date) -> str:
    """A date with its year: ``30 Apr 2026``, ``2026年4月30日``."""
    return date_format(value, "Y年n月j日" if is_chinese() else "j M Y")


def moment(local: datetime) -> str:
    """An instant on the clock that it is given in: ``23 Nov 2026, 08:12``."""
    return date_format(local, "Y年n月j日 H:i" if is_chinese() else "j M Y, H:i")


def amount(value: Decimal, *, exact: bool = False) -> str:
    """A CNY amount in a sentence: ``¥1,204.77`` in Chinese, ``1,204.77 CNY`` in English.

    Rounded half up to the cent, unless `exact`: then with every decimal that it has.
    """
    shown = value.normalize() if exact else round_money(value)
    places = max(2, -int(shown.as_tuple().exponent))
    text = f"{abs(shown):,.{places}f}"
    sign = "−" if shown < 0 else ""
    return f"{sign}¥{text}" if is_chinese() else f"{sign}{text} CNY"


def joined(parts: Iterable[str]) -> str:
    """A list in a sentence: ``DE, FR``, ``德、法``."""
    return ("、" if is_chinese() else ", ").join(parts)


def country(code: str) -> str:
    """A country's or region's name: for those of the programs ours, for all others the one that Unicode's CLDR has."""
    names = {
        "DE": pgettext("country", "Germany"),
        "FR": pgettext("country", "France"),
        "IT": pgettext("country", "Italy"),
        "ES": pgettext("country", "Spain"),
        "IE": pgettext("country", "Ireland"),
        "JP": pgettext("country", "Japan"),
        "BR": pgettext("country", "Brazil"),
        "GB": pgettext("country", "the United Kingdom"),
        "CN": pgettext("country", "mainland China"),
        "HK": pgettext("country", "Hong Kong, China"),
        "SG": pgettext("country", "Singapore"),
        "KR": pgettext("country", "South Korea"),
        "US": pgettext("country", "the United States"),
        "NL": pgettext("country", "the Netherlands"),
        "PL": pgettext("country", "Poland"),
    }
    return names.get(code) or _territories("zh_Hans" if is_chinese() else "en").get(code, code)


@cache
def _territories(locale: str) -> dict[str, str]:
    from babel import Locale  # a fifth of a second, and rarely needed

    return dict(Locale.parse(locale).territories)


def country_short(code: str) -> str:
    """The shortest name a reader knows: the code in English, one character in Chinese (``德``)."""
    short = {"DE": "德", "FR": "法", "IT": "意", "ES": "西", "IE": "爱", "JP": "日"}
    return short.get(code, code) if is_chinese() else code


def days_left(count: int) -> str:
    """``12 days left``; on the last day ``last day``."""
    if count <= 0:
        return gettext("last day")
    return gettext("1 day left") if count == 1 else gettext("%(count)d days left") % {"count": count}
