"""A program's merchants in one list: shops that the last run judged, and registrations that are no shop in it yet.

Two tables and one order: the database lays the filtered rows of both together, sorts and counts them, and gives back
which ones stand on the page. Only those are then put into words. The number of queries doesn't depend on the rows.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    Case,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    F,
    IntegerField,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast, Lower
from django.http import QueryDict

from core.actors import Actor, Capability
from core.models import Program
from core.policy import Policy
from core.values import local_date
from incentives.filters import REGISTERED, STAGES, WAITING, WINNABLE, ResultFilter
from incentives.models import Result, Run
from incentives.queries.deadlines import run_date, until_expression
from incentives.queries.registered import RegistrationView, not_judged, registration_view, with_fate
from incentives.queries.rows import result_rows
from incentives.queries.shops import ShopView, shop_views
from incentives.querysets import ResultQuerySet
from incentives.states import Verdict
from merchants.models import Registration

PER_PAGE = 25
SHOP, REGISTRATION = 0, 1

Key = tuple[int, int]  # what a row is, and its id
Row = ShopView | RegistrationView

# What is sorted by, over results and over registrations, and what it is in the database.
SORT_KEYS: dict[str, tuple[Any, Any, Any]] = {
    "deadline": (F("until"), Value(None), DateField()),
    "name": (Lower("shop__merchant_name"), Lower("merchant_name"), CharField()),
    "registered": (F("shop__registered_at"), F("registered_at"), DateTimeField()),
    "gmv": (F("facts__gmv"), Value(None), DecimalField(max_digits=40, decimal_places=16)),
    "code": (F("shop__code"), F("receipt"), CharField()),
}
DEFAULT_SORT = "deadline"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its rows, and which of how many they are."""

    rows: list[Row]
    number: int
    total: int
    per_page: int = PER_PAGE

    @property
    def pages(self) -> int:
        """How many pages there are; one even of nothing."""
        return max(1, -(-self.total // self.per_page))

    @property
    def start(self) -> int:
        """The place of its first row, counted from one."""
        return (self.number - 1) * self.per_page + 1

    @property
    def end(self) -> int:
        """The place of its last row."""
        return self.start + len(self.rows) - 1

    @property
    def before(self) -> int | None:
        """The page before it."""
        return self.number - 1 if self.number > 1 else None

    @property
    def after(self) -> int | None:
        """The page after it."""
        return self.number + 1 if self.number < self.pages else None


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the groups that a list falls into, and how many are in it."""

    key: str
    label: str
    count: int
    chosen: bool


class MerchantList:
    """The merchants of one program that an actor may see, of one partner or of all, in a reader's order.

    `asked` is what the address says (`ResultFilter`); what it says wrongly finds nothing. `program` and `run` are the
    page's own and can't be asked for otherwise. Without a run there are registrations alone, counted from `now`.
    """

    def __init__(
        self,
        *,
        actor: Actor,
        program: Program,
        run: Run | None,
        partner_id: int | None,
        asked: QueryDict,
        now: datetime,
    ) -> None:
        self.actor, self.program, self.run = actor, program, run
        self.rules: Policy = run.rules if run else program.current_policy.rules
        self.today = run_date(run) if run else local_date(now, self.rules.zone)
        results: ResultQuerySet = Result.objects.visible_to(actor)
        results = results.filter(run=run) if run else results.none()
        registered = Registration.objects.visible_to(actor)
        if partner_id is not None:
            results, registered = results.filter(partner=partner_id), registered.filter(link__partner=partner_id)
        self.all_results = results
        self.all_registrations = not_judged(registered, program=program, run=run, rules=self.rules)
        self.filters = ResultFilter(_said(asked, but=("run", "program")), queryset=results)
        self.filters.runs = [run] if run else []  # found already
        self.filters.across_partners = partner_id is None and actor.can(Capability.VIEW_EVERYTHING)
        self.valid = self.filters.is_valid()
        self.asked = self.filters.form.cleaned_data if self.valid else {}

    # What is in it ------------------------------------------------------------------------------------------------

    def look(self, number: object) -> tuple[Page, tuple[Stage, ...]]:
        """The page of this number, and how many there are of each stage whatever the filter. At most four queries.

        The first page for what is no number, the last for one too high.
        """
        text = str(number)
        wanted = max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 9 else 1
        if wanted == 1 and self.is_plain:
            found, counts = self._first_and_counts()
            total = sum(counts.values())
        else:
            counts = dict(_run(_COUNTS, self._parts(self.all_results, self.all_registrations, sort=DEFAULT_SORT)))
            found, total = self._slice((wanted - 1) * PER_PAGE, PER_PAGE)
            if not found and wanted > 1:
                total = self._slice(0, 1)[1]
                wanted = max(1, -(-total // PER_PAGE))
                found, total = self._slice((wanted - 1) * PER_PAGE, PER_PAGE)
        rows, _results = self._in_words(found)
        return Page([rows[key] for key in found if key in rows], wanted, total), self._stages(counts)

    def every(self, *, at_a_time: int = 500, most: int | None = None) -> Iterator[tuple[Row, dict[str, Any] | None]]:
        """All rows in their order, or the first `most`; with each shop the export's cells (`result_rows`)."""
        found, _total = self._slice(0, most)
        for start in range(0, len(found), at_a_time):
            part = found[start : start + at_a_time]
            rows, results = self._in_words(part)
            cells = {SHOP: dict(zip((result.shop_id for result in results), result_rows(results), strict=True))}
            for key in part:
                if key in rows:
                    yield rows[key], cells.get(key[0], {}).get(key[1])

    @property
    def is_plain(self) -> bool:
        """Whether everything is shown, in the list's own order."""
        return self.valid and not any(value for value in self.asked.values())

    # How ------------------------------------------------------------------------------------------------------------

    @property
    def sort(self) -> str:
        """What it is sorted by."""
        return self.asked.get("sort") or DEFAULT_SORT

    def _slice(self, start: int, length: int | None) -> tuple[list[Key], int]:
        """So many rows from one on, as (what it is, its id), and how many there are in all. One query."""
        if not self.valid:
            return [], 0
        results = self.filters.qs.order_by()
        registrations = self.filters.registrations(self.all_registrations, run=self.run)
        rows = _run(
            _DOWN if self.sort.startswith("-") else _UP,
            self._parts(results, registrations, sort=self.sort.removeprefix("-")),
            length,
            start,
        )
        return [(kind, pk) for kind, pk, _total in rows], rows[0][2] if rows else 0

    def _first_and_counts(self) -> tuple[list[Key], dict[str, int]]:
        """The first page of everything, and the counts of the stages: the rows are looked at once for both."""
        parts = self._parts(self.all_results, self.all_registrations, sort=DEFAULT_SORT)
        answered = _run(_FIRST_AND_COUNTS, parts, PER_PAGE)
        counts = {stage: count for _kind, _pk, _key, _place, stage, count in answered if stage is not None}
        first = [row for row in answered if row[4] is None]
        first.sort(key=lambda row: (row[2] is None, row[2] or self.today, row[3], row[0], row[1]))
        return [(row[0], row[1]) for row in first], counts

    def _stages(self, counts: dict[str, int]) -> tuple[Stage, ...]:
        chosen = set(self.asked.get("verdict") or ())
        if Verdict.PENDING in chosen:
            chosen |= {WINNABLE, WAITING}
        labels = dict([*STAGES, *Verdict.choices])
        order = (WINNABLE, WAITING, REGISTERED, Verdict.NEEDS_DATA, Verdict.ELIGIBLE, Verdict.NOT_ELIGIBLE)
        return tuple(Stage(key, str(labels[key]), counts.get(key, 0), key in chosen) for key in map(str, order))

    def _parts(self, results: QuerySet[Any], registrations: QuerySet[Any], *, sort: str) -> list[QuerySet[Any]]:
        """The rows of both tables with the same columns: what they are, their id, the sort key, their place, stage.

        Only pending results have a deadline: the others' facts needn't be looked up for it.
        """
        of_results, of_registrations, field = SORT_KEYS[sort]
        if sort == "deadline" and self.today <= self.program.ends_on:
            of_registrations = Case(When(shop=None, then=Value(self.program.ends_on)))
        if sort == "deadline":
            pending = results.filter(verdict=Verdict.PENDING)
            if "until" not in pending.query.annotations and self.run:
                pending = pending.alias(until=until_expression(self.run))
            others = results.exclude(verdict=Verdict.PENDING)
            parts = [_columns(pending, of_results, field), _columns(others, Value(None), field)]
        else:
            parts = [_columns(results, of_results, field)]
        parts.append(
            registrations.annotate(
                kind=Value(REGISTRATION),
                key=Cast(of_registrations, field),
                place=Value(_PLACES[REGISTERED]),
                stage=Value(REGISTERED),
            ).values_list(*_COLUMNS)
        )
        return parts

    def _in_words(self, found: Sequence[Key]) -> tuple[dict[Key, Row], list[Result]]:
        """The rows in words, and the results behind them. Two queries: results with their facts, registrations."""
        results = list(
            self.all_results.filter(shop__in=[pk for kind, pk in found if kind == SHOP])
            .select_related("shop", "partner", "facts__entry")
            .order_by()
        )
        if self.run is not None:
            for result in results:
                result.run = self.run  # with each of them would come the whole policy
        registrations = self.all_registrations.filter(pk__in=[pk for kind, pk in found if kind == REGISTRATION])
        rows: dict[Key, Row] = {}
        for result, view in zip(results, shop_views(results, whole=False), strict=True):
            rows[SHOP, result.shop_id] = view
        for row in with_fate(registrations).order_by():
            rows[REGISTRATION, row.pk] = registration_view(
                row, last=self.program.ends_on, today=self.today, rules=self.rules
            )
        return rows, results


# One page and how many there are: all rows are looked at once.
_UP, _DOWN = (
    "SELECT kind, id, count(*) OVER () FROM ({}) rows ORDER BY key ASC NULLS LAST, place, kind, id LIMIT %s OFFSET %s",
    "SELECT kind, id, count(*) OVER () FROM ({}) rows ORDER BY key DESC NULLS LAST, place, kind, id LIMIT %s OFFSET %s",
)

# Of what is pending the stage depends on the deadline, which is the key there; of anything else on the verdict alone.
_COUNTS = (
    "SELECT stage, count(*) FROM (SELECT CASE WHEN stage <> 'pending' THEN stage"
    " WHEN key IS NULL THEN 'waiting' ELSE 'winnable' END AS stage FROM ({}) rows) s GROUP BY stage"
)
_FIRST_AND_COUNTS = (
    "WITH rows AS MATERIALIZED ({}) "
    "(SELECT kind, id, key, place, NULL AS stage, 0 FROM rows ORDER BY key, place, kind, id LIMIT %s) UNION ALL "
    "SELECT 0, 0, NULL, 0, stage, count(*) FROM (SELECT CASE WHEN stage <> 'pending' THEN stage"
    " WHEN key IS NULL THEN 'waiting' ELSE 'winnable' END AS stage FROM rows) s GROUP BY stage"
)

# Among equals: what can be won, what is to come, what is through, what is lost.
_PLACES: dict[str, int] = {
    Verdict.PENDING: 1,
    REGISTERED: 2,
    Verdict.NEEDS_DATA: 3,
    Verdict.ELIGIBLE: 4,
    Verdict.NOT_ELIGIBLE: 5,
}
_COLUMNS = ("kind", "pk", "key", "place", "stage")


def _columns(results: QuerySet[Any], key: Any, field: Any) -> QuerySet[Any]:
    """Results as rows of the list."""
    place = Case(*(When(verdict=verdict, then=_PLACES[verdict]) for verdict in Verdict), output_field=IntegerField())
    rows = results.annotate(kind=Value(SHOP), key=Cast(key, field), place=place, stage=F("verdict"))
    listed: QuerySet[Any] = rows.values_list("kind", "shop_id", "key", "place", "stage")
    return listed


def _run(sql: str, parts: Sequence[QuerySet[Any]], *params: Any) -> list[tuple[Any, ...]]:
    """Run a statement over these querysets laid together: `{}` stands for them."""
    texts, values = [], []
    for part in parts:
        try:
            text, given = part.query.sql_with_params()
        except EmptyResultSet:
            continue
        texts.append(f"({text})")
        values += list(given)
    if not texts:
        return []
    rows = f"SELECT * FROM ({' UNION ALL '.join(texts)}) r (kind, id, key, place, stage)"  # noqa: S608 (Django's own SQL)
    with connection.cursor() as cursor:
        cursor.execute(sql.format(rows), [*values, *params])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _said(asked: QueryDict, *, but: Collection[str]) -> QueryDict:
    """What the address asks for, without what the page itself says and what a form left empty."""
    said = QueryDict(mutable=True)
    for name, values in asked.lists():
        if name not in but and any(values):
            said.setlist(name, [value for value in values if value])
    return said
