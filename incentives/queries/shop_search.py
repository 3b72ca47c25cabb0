"""Results by what people type of their shop: in the portal among a partner's own, on operators' pages among all.

Every part finds shops through an index of its own, and a union brings them together: one condition about shops, legal
entities and partners at once would have to read each shop with all of its names.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet

from incentives.models import Result, Run
from merchants.finding import haystack, words_of
from merchants.models import Shop
from partners.models import Partner


def searched(
    results: QuerySet[Result], typed: str, *, runs: Iterable[Run], across_partners: bool = False
) -> QuerySet[Result]:
    """Those in whose shop's code, merchant or brand every word of what was typed stands, or with this number.

    `across_partners`, also in its legal entity's name and its partner's code and name: the words may be spread over all
    of them. That takes a query for the partners. `runs` are those that the results are of.
    """
    words = words_of(typed)
    shops = Shop.objects.all()
    parts = [shops.with_words(words, entities=across_partners), shops.numbered(typed)]
    if across_partners:
        of_runs = Result.objects.filter(run__in=[run.pk for run in runs]).order_by()
        for rest, partners in _named(words):
            # Whom some words name, of theirs the shops with the other words.
            named = of_runs.filter(partner__in=partners)
            if rest:
                named = named.filter(shop__in=shops.with_words(rest, entities=True))
            parts.append(named.values("shop"))
    return results.filter(shop__in=parts[0].union(*parts[1:]))


def _named(words: Sequence[str]) -> list[tuple[tuple[str, ...], list[int]]]:
    """Partners in whose code or name some of the words stand: which words are left, and whose they are."""
    some = Q()
    for word in words:
        some |= Q(text__contains=word)
    left: dict[tuple[str, ...], list[int]] = defaultdict(list)
    if words:
        texts = Partner.objects.annotate(text=haystack("code", "name")).filter(some).order_by("pk")
        for pk, text in texts.values_list("pk", "text"):
            left[tuple(word for word in words if word not in text)].append(pk)
    return list(left.items())
