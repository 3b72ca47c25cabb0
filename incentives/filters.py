"""What lists of results and payouts are narrowed by: the same for pages and API.

The names are part of the house: pages, the overview and mails lead into these lists with them. `ResultFilter` says
what each means.
"""

from datetime import timedelta
from functools import cached_property
from typing import Any

import django_filters
from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from incentives.engine.conditions import CONDITION_KEYS, CONDITIONS
from incentives.models import PayoutPreview, Result, Run
from incentives.queries.deadlines import date_after, run_date, until_expression
from incentives.queries.programs import latest_runs
from incentives.queries.shop_search import searched
from incentives.queries.tallies import WINDOWS
from incentives.states import Outcome, PayoutState, Verdict
from merchants.finding import haystack, matches
from merchants.models import Registration

# Beside the verdicts themselves: the two halves of what is pending, and merchants whose shop isn't judged yet.
WINNABLE, WAITING, REGISTERED = "winnable", "waiting", "registered"
STAGES: tuple[tuple[str, str | Promise], ...] = (
    (REGISTERED, _("No shop yet")),
    (WINNABLE, _("Can be won")),
    (WAITING, pgettext_lazy("merchants", "Waiting")),
)
MISSING = (Outcome.PENDING, Outcome.UNKNOWN, Outcome.NOT_MET)

# By what a list can be sorted; with a minus before it the other way round.
SORTS: dict[str, str | Promise] = {
    "deadline": _("Deadline, nearest first"),
    "name": _("Merchant"),
    "-registered": _("Registered, latest first"),
    "-gmv": _("GMV, highest first"),
    "code": _("Shop"),
}
SORT_FIELDS = {
    "deadline": "until",
    "name": "shop__merchant_name",
    "registered": "facts__registered_at",
    "gmv": "facts__gmv",
    "code": "shop__code",
}


class LatestByDefault(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """Rows of one run; where none is named, of each program's last published one."""

    program = django_filters.CharFilter("run__program__code", label=_("program"))
    run = django_filters.NumberFilter("run_id", label=_("run"))
    partner = django_filters.CharFilter("partner__code", label=_("partner"))

    @cached_property
    def runs(self) -> list[Run]:
        """Published runs only, whatever is asked for: a draft or a broken run shows nothing."""
        named = self.form.cleaned_data.get("run")
        if named is None:
            return latest_runs()
        return list(Run.objects.published().filter(pk=named).select_related("program", "policy"))

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the rows by what was asked for, and to the runs that are shown."""
        found: QuerySet[Any] = super().filter_queryset(queryset).filter(run__in=[run.pk for run in self.runs])
        return found


def _outcome() -> django_filters.MultipleChoiceFilter:
    return django_filters.MultipleChoiceFilter(choices=Outcome.choices)


class ResultFilter(LatestByDefault):
    """Results by program, run and partner, and:

    - `verdict` (repeatable): eligible, pending, needs_data, not_eligible; `winnable` and `waiting` are the two halves
      of what is pending: something can still be done, or only settlements or a review decide; `registered` are those
      that came through a link and whose shop no run has judged yet: in the portal's list alone, they are no results.
    - each condition by its key (repeatable), as in `stocked=pending`: its outcome.
    - `missing` (repeatable): a condition's key: it is not met, unknown or pending.
    - `stock_missing`: a country in which stock is still missing.
    - `market`, `link` (the code of one of the partner's own links).
    - `ends`: pending, and what for: certification, sales (within their window), stock, settlement.
    - `within`: can still be won, and ends within so many days, the run's own date being the first of them: `within=7`.
    - `search`: words in the merchant's name, the brand, the shop's code or the registration number.
    - `sort`: deadline, name, registered, gmv, code; with a minus before it the other way round.
    """

    # Whether the rows are every partner's: a search then finds partners, too.
    across_partners = False

    verdict = django_filters.MultipleChoiceFilter(
        choices=[*Verdict.choices, *STAGES], method="of_verdict", label=_("verdict")
    )
    listed = _outcome()
    first_entity = _outcome()
    partner_certified = _outcome()
    exclusive_link = _outcome()
    onboarded = _outcome()
    activated = _outcome()
    stocked = _outcome()
    shop_normal = _outcome()
    missing = django_filters.MultipleChoiceFilter(
        choices=[(condition.key, condition.title) for condition in CONDITIONS], method="that_misses", label=_("missing")
    )
    stock_missing = django_filters.CharFilter(method="without_stock", label=_("stock missing in"))
    market = django_filters.CharFilter("shop__market", lookup_expr="iexact", label=_("market"))
    link = django_filters.CharFilter(method="through", label=_("link"))
    ends = django_filters.ChoiceFilter(choices=[*WINDOWS.items()], method="waiting_for", label=_("pending for"))
    within = django_filters.NumberFilter(
        method="ending_within", min_value=1, max_value=366, label=_("ends within so many days")
    )
    search = django_filters.CharFilter(method="find", label=_("search"))
    sort = django_filters.ChoiceFilter(
        choices=[(sign + name, name) for name in SORT_FIELDS for sign in ("", "-")],
        method="in_order",
        label=_("sorted by"),
    )

    class Meta:
        model = Result
        fields = (
            "program",
            "run",
            "partner",
            "verdict",
            *CONDITION_KEYS,
            "missing",
            "stock_missing",
            "market",
            "link",
            "ends",
            "within",
            "search",
            "sort",
        )

    def of_verdict(self, queryset: QuerySet[Result], name: str, values: list[str]) -> QuerySet[Result]:
        """Any of the verdicts and stages asked for."""
        found = Q(verdict__in=[value for value in values if value in Verdict.values])
        if Verdict.PENDING not in values:
            for stage, over in ((WINNABLE, False), (WAITING, True)):
                if stage in values:
                    found |= Q(verdict=Verdict.PENDING, until__isnull=over)
        if not values:
            return queryset
        return self._with_until(queryset).filter(found)

    def that_misses(self, queryset: QuerySet[Result], name: str, values: list[str]) -> QuerySet[Result]:
        """Results in which one of these conditions isn't met (yet)."""
        found = Q()
        for key in values:
            found |= Q(**{f"{key}__in": MISSING})
        return queryset.filter(found)

    def without_stock(self, queryset: QuerySet[Result], name: str, value: str) -> QuerySet[Result]:
        """Results that miss stock in a country while they still need it."""
        return queryset.filter(stocked__in=MISSING).exclude(facts__stock_countries__contains=[value.strip().upper()])

    def through(self, queryset: QuerySet[Result], name: str, value: str) -> QuerySet[Result]:
        """Shops that registered through this link, where it is their partner's own."""
        return queryset.filter(shop__link__code=value.strip(), shop__link__partner=F("partner"))

    def waiting_for(self, queryset: QuerySet[Result], name: str, value: str) -> QuerySet[Result]:
        """What is pending for one thing, as the overview counts it (`queries.tallies`); maybe for others, too."""
        if value in ("certification", "stock"):
            key = "onboarded" if value == "certification" else "stocked"
            return queryset.filter(Q(**{key: Outcome.PENDING}), verdict=Verdict.PENDING)
        today = date_after(*self.runs, days=0)
        window = Q(facts__window_ends_on__gte=today) if value == "sales" else Q(facts__window_ends_on__lt=today)
        return queryset.filter(window, verdict=Verdict.PENDING, activated=Outcome.PENDING)

    def ending_within(self, queryset: QuerySet[Result], name: str, value: Any) -> QuerySet[Result]:
        """What can still be won and ends within so many days."""
        return self._with_until(queryset).filter(Q(until__lt=date_after(*self.runs, days=int(value))))

    def find(self, queryset: QuerySet[Result], name: str, value: str) -> QuerySet[Result]:
        """Shops in whose code, merchant or brand every word of what was typed stands, or with this number.

        Across partners, also in the legal entity's name and the partner's code and name.
        """
        return searched(queryset, value, runs=self.runs, across_partners=self.across_partners)

    def in_order(self, queryset: QuerySet[Result], name: str, value: str) -> QuerySet[Result]:
        """Sort by what was asked for; what has no such value comes last, and equals by shop."""
        field = F(SORT_FIELDS[value.removeprefix("-")])
        first = field.desc(nulls_last=True) if value.startswith("-") else field.asc(nulls_last=True)
        return self._with_until(queryset).order_by(first, "run_id", "shop__code")

    def _with_until(self, queryset: QuerySet[Result]) -> QuerySet[Result]:
        if "until" in queryset.query.annotations:
            return queryset
        return queryset.alias(until=until_expression(*self.runs))

    def registrations(self, queryset: QuerySet[Registration], *, run: Run | None) -> QuerySet[Registration]:
        """The same filters asked of registrations that no run has judged: none where a verdict or outcome is wanted.

        What they miss is the certification, by the end of the run's period.
        """
        asked = self.form.cleaned_data
        if asked["verdict"] and REGISTERED not in asked["verdict"]:
            return queryset.none()
        if any(asked[key] for key in CONDITION_KEYS) or asked["stock_missing"] or asked["ends"]:
            return queryset.none()
        if asked["missing"] and "onboarded" not in asked["missing"]:
            return queryset.none()
        if asked["within"]:
            last = run_date(run) + timedelta(days=int(asked["within"]) - 1) if run else None
            if run is None or last is None or not run_date(run) <= run.program.ends_on <= last:
                return queryset.none()
            queryset = queryset.filter(shop=None)
        if asked["market"]:
            queryset = queryset.filter(market__iexact=asked["market"])
        if asked["link"]:
            queryset = queryset.filter(link__code=asked["link"].strip())
        if asked["partner"]:
            queryset = queryset.filter(link__partner__code=asked["partner"])
        if asked["search"]:
            across = ("link__partner__code", "link__partner__name") if self.across_partners else ()
            queryset = queryset.alias(text=haystack("receipt", "merchant_name", "brand_name", *across))
            queryset = queryset.filter(matches(asked["search"], text="text", number="registration_key"))
        return queryset


class PayoutFilter(LatestByDefault):
    """Payout rows by program, run, partner and state."""

    state = django_filters.MultipleChoiceFilter(choices=PayoutState.choices, label=_("state"))

    class Meta:
        model = PayoutPreview
        fields = ("program", "run", "partner", "state")
