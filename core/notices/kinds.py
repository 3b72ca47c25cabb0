"""What people can be told of. A floor declares its kinds in its `notices.py`, which its `AppConfig.ready` imports."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from operator import mod
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import get_language

from core import words

if TYPE_CHECKING:
    from core.models import User

Shown = Callable[[Any], str]
Audience = Literal["partners", "operators", "everyone", "strangers"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice.

    `title` is the kind's name on the preferences page; `sentence` what has happened, with places such as
    ``%(program)s`` for the values that `tell` is given; both lazy, so that each reader gets their own language. A mail
    has `subject` (the sentence's values fit in; the title stands in where there is none) and the text of `template`
    (``emails/notice`` stands for its .txt and .html). `shown` says how a value is written out, by its name: see
    `money`, `day` and `named` below; others are written as they are. `details(reader, params)` looks up what a template
    says besides when the mail is made, scoped to its reader: so names need not be kept in a notice.

    `audience` is whose settings page shows it: that of ``strangers``, who have no account, is nobody's.

    `inbox` and `mail` are how people are told who haven't chosen. Where `mail_fixed` is true the mail can't be switched
    off: what protects an account or somebody's money.
    """

    key: str
    title: Promise
    sentence: Promise
    subject: Promise | None = None
    shown: Mapping[str, Shown] = field(default_factory=dict)
    inbox: bool = True
    mail: bool = True
    mail_fixed: bool = False
    audience: Audience = "partners"
    template: str = "emails/notice"
    details: "Callable[[User, Mapping[str, Any]], dict[str, Any]] | None" = None

    def told(self, params: Mapping[str, Any]) -> str:
        """The sentence with its values, in the present language. Raises KeyError for a value that is missing."""
        return _filled(self.sentence, self._written(params))

    def headed(self, params: Mapping[str, Any]) -> str:
        """The mail's subject, in the present language, in one line."""
        text = str(self.title) if self.subject is None else _filled(self.subject, self._written(params))
        return " ".join(text.split())

    def _written(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.shown[name](value) if name in self.shown else value for name, value in params.items()}


def _filled(text: Promise, values: Mapping[str, Any]) -> str:
    # The lazy text itself is filled and not its string: one with a plural looks for its number among the values.
    return str(mod(text, values))


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Declare kinds. Raises RuntimeError for a key that another kind has."""
    for kind in kinds:
        if _kinds.setdefault(kind.key, kind) is not kind:
            raise RuntimeError(f"there is a kind of notice {kind.key!r} already")


def kind_of(key: str) -> Kind | None:
    """The kind of this key; None for one that isn't declared any more, of which old rows may tell."""
    return _kinds.get(key)


def all_kinds() -> list[Kind]:
    """Every kind, in the order in which the floors declared them."""
    return list(_kinds.values())


# --- How values are written out -----------------------------------------------------------------------------


def money(value: Sequence[str]) -> str:
    """An amount, given as a decimal and a currency, both text: ``¥1,204.77``, ``1,204.77 CNY``."""
    amount, currency = Decimal(value[0]), value[1]
    return words.amount(amount) if currency == "CNY" else f"{amount:,.2f} {currency}"


def day(value: str) -> str:
    """An ISO date, or an instant's on the platform's clock, without its year: ``30 Apr``, ``4月30日``."""
    if "T" not in value:
        return words.day(date.fromisoformat(value))
    return words.day(datetime.fromisoformat(value).astimezone(ZoneInfo(settings.PLATFORM_TIME_ZONE)).date())


def named(value: Mapping[str, str] | str) -> str:
    """A name that is given in several languages (a program's, from its policy), in the reader's."""
    if isinstance(value, str):
        return value
    language = get_language() or "en"
    return value.get(language) or value.get(language.split("-")[0]) or value.get("en") or next(iter(value.values()), "")
