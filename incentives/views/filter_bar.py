"""The controls above a list of merchants: what can be chosen, what is chosen, and the list's own address."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.words import country
from incentives.engine.conditions import CONDITION_KEYS, CONDITIONS
from incentives.filters import SORTS
from incentives.queries.merchants import MerchantList, Stage
from incentives.queries.tallies import WINDOWS
from incentives.states import Outcome

WITHIN = (1, 3, 7, 14, 30)


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be chosen."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Select:
    """One of the controls: its parameter, what it is called, and its choices, the first being no choice."""

    name: str
    label: str
    choices: tuple[Choice, ...]

    @property
    def is_set(self) -> bool:
        """Whether something is chosen."""
        return any(choice.chosen for choice in self.choices[1:])


@dataclass(frozen=True, slots=True)
class Tag:
    """A filter that came with the address and has no control: what it asks, how the form keeps it, how to lose it."""

    name: str
    value: str
    label: str
    without: str


@dataclass(frozen=True, slots=True)
class FilterBar:
    """Everything above the list. `query` is the list's address without its page, ready to be followed by one."""

    search: str
    stages: tuple[Stage, ...]
    selects: tuple[Select, ...]
    sort: Select
    tags: tuple[Tag, ...]
    query: str

    @property
    def narrowed(self) -> bool:
        """Whether anything is filtered, as opposed to sorted."""
        chosen = any(stage.chosen for stage in self.stages) or any(select.is_set for select in self.selects)
        return bool(self.search or self.tags or chosen)

    @property
    def chosen_selects(self) -> int:
        """How many of the selects are in use."""
        return sum(select.is_set for select in self.selects)


def filter_bar(
    merchants: MerchantList, asked: QueryDict, *, stages: tuple[Stage, ...], links: Iterable[tuple[str, str]]
) -> FilterBar:
    """The controls for this list at this address; `links` are codes and names, none where links can't be chosen."""
    rules = merchants.rules
    selects = [
        _select(
            asked, "missing", _("Anything missing"), ((condition.key, condition.title) for condition in CONDITIONS)
        ),
        _select(
            asked,
            "stock_missing",
            _("Stock anywhere"),
            ((code, _("Stock missing: %(country)s") % {"country": country(code)}) for code in rules.stock.countries),
        ),
        _select(asked, "within", _("Any deadline"), ((str(days), _days(days)) for days in WITHIN)),
        _select(asked, "market", _("All markets"), ((code, country(code)) for code in sorted(rules.markets))),
    ]
    names = dict(links)
    if names:
        chosen = asked.get("link", "")
        if chosen and chosen not in names:
            names[chosen] = chosen
        selects.append(_select(asked, "link", _("All links"), names.items()))
    return FilterBar(
        search=asked.get("search", ""),
        stages=stages,
        selects=tuple(selects),
        sort=Select(
            "sort",
            _("Sorted by"),
            tuple(Choice(value, str(label), value == merchants.sort) for value, label in SORTS.items()),
        ),
        tags=tuple(_tags(asked)),
        query=clean(asked).urlencode(),
    )


def clean(asked: QueryDict) -> QueryDict:
    """The address without its page and without what was left empty."""
    kept = QueryDict(mutable=True)
    for name, values in asked.lists():
        if name not in ("page", "partner") and any(values):
            kept.setlist(name, [value for value in values if value])
    return kept


def _select(asked: QueryDict, name: str, every: str, choices: Iterable[tuple[str, object]]) -> Select:
    chosen = asked.getlist(name)
    options = [Choice(value, str(label), value in chosen) for value, label in choices]
    return Select(name, every, (Choice("", every, not any(option.chosen for option in options)), *options))


def _days(days: int) -> str:
    if days == 1:
        return _("Ends today")
    return ngettext("Ends within %(count)d day", "Ends within %(count)d days", days) % {"count": days}


def _tags(asked: QueryDict) -> Iterable[Tag]:
    ends = str(asked.get("ends", ""))
    if ends in WINDOWS:
        left = clean(asked)
        left.pop("ends")
        yield Tag("ends", ends, _("Pending: %(what)s") % {"what": WINDOWS[ends]}, left.urlencode())
    titles = {condition.key: str(condition.title) for condition in CONDITIONS}
    labels = {outcome.value: str(outcome.label) for outcome in Outcome}
    for key in CONDITION_KEYS:
        for value in asked.getlist(key):
            if value in labels:
                left = clean(asked)
                left.setlist(key, [other for other in left.getlist(key) if other != value])
                label = f"{titles[key]} · {labels[value]}"
                yield Tag(key, value, label, left.urlencode())
