"""What happened to one shop, and who recorded it when: facts from the feeds, decisions of people, verdicts of runs.

Only what the reader may know: claims and links of other partners, and what was decided about a shop while it was
somebody else's, are left out. The number of queries doesn't depend on how much happened.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.models import FactBatch
from core.words import country, day, joined
from incentives.models import Decision, FrozenShop, Judgement, Result, Run
from incentives.queries.stock_seen import Stock
from incentives.states import DecisionKind, Verdict
from merchants.models import (
    Attribution,
    Settlement,
    ShopFact,
    ShopStatus,
    TargetFact,
    Violation,
)
from merchants.states import Cause, FeedKind, LineKind

MOST_SETTLEMENTS = 30
TOLD = (
    DecisionKind.RETURN,
    DecisionKind.HOLD,
    DecisionKind.VOID,
    DecisionKind.VOID_LINE,
    DecisionKind.REFUSE,
    DecisionKind.CLAW_BACK,
    DecisionKind.UNDO_VOID,
)


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. `condition`: which one it speaks to; `look`: how its mark looks, plain if empty.

    `source` says who recorded it, `recorded_at` when; `is_newer`: too late for the run that the page shows.
    """

    at: datetime
    text: str
    condition: str = ""
    look: str = ""
    batch_id: int | None = None
    source: str = ""
    recorded_at: datetime | None = None
    is_newer: bool = False
    reason: str = ""


def timeline(*, result: Result, frozen: FrozenShop, run: Run, stock: Iterable[Stock]) -> tuple[Happening, ...]:
    """Everything about the shop, the latest first. Ten queries."""
    found = [
        *_registered(result),
        *_attributions(result),
        *_listings(frozen),
        *_certifications(result),
        *_statuses(result),
        *_violations(result),
        *_settlements(result),
        *_stock(stock),
        *_verdicts(result, run),
        *_decisions(result),
    ]
    return tuple(sorted(_with_sources(found, run), key=lambda happening: happening.at, reverse=True))


def _registered(result: Result) -> Iterator[Happening]:
    shop = result.shop
    own = shop.link is not None and shop.link.partner_id == result.partner_id
    if own and shop.link is not None:
        text = _("Registered through your link “%(link)s”") % {"link": shop.link.label or shop.link.code}
        if not shop.link_valid:
            text = _("Registered through your link “%(link)s”, which was not valid then") % {
                "link": shop.link.label or shop.link.code
            }
        yield Happening(shop.registered_at, text, "exclusive_link", batch_id=shop.batch_id)
    else:
        yield Happening(shop.registered_at, _("The merchant registered"), batch_id=shop.batch_id)


def _attributions(result: Result) -> Iterator[Happening]:
    words = {
        Cause.CLAIM: _("Yours by your claim"),
        Cause.LINK: _("Yours by your link"),
        Cause.RECORD: _("Yours by the marketplace's record"),
        Cause.ASSIGNMENT: _("Assigned to you by an operator"),
    }
    rows = Attribution.objects.filter(shop=result.shop_id, partner=result.partner_id).select_related("batch")
    for row in rows.order_by("pk"):
        if row.batch.recorded_at is None:
            continue
        text = str(words[Cause(row.cause)])
        if row.lost_by_id is not None:
            text = _("%(text)s. Conflict: it came through another partner's link, but your claim was earlier") % {
                "text": text
            }
        yield Happening(row.batch.recorded_at, text, batch_id=row.batch_id)


def _listings(frozen: FrozenShop) -> Iterator[Happening]:
    if frozen.entry is None:
        return
    reviews = {
        "approved": _("Entry %(entry)s of the target list: approved, listed from %(day)s"),
        "pending": _("Entry %(entry)s of the target list: in review, listed from %(day)s"),
        "rejected": _("Entry %(entry)s of the target list: rejected, listed from %(day)s"),
    }
    for fact in TargetFact.objects.filter(entry=frozen.entry.pk).select_related("batch").order_by("pk"):
        if fact.batch.recorded_at is None:
            continue
        text = reviews[fact.review] % {"entry": frozen.entry.code, "day": day(fact.listed_on)}
        if fact.delisted_on is not None:
            text = _("%(text)s; off the list from %(day)s") % {"text": text, "day": day(fact.delisted_on)}
        yield Happening(fact.batch.recorded_at, text, "listed", batch_id=fact.batch_id)


def _certifications(result: Result) -> Iterator[Happening]:
    before = None
    facts = ShopFact.objects.filter(shop=result.shop_id, batch__recorded_at__isnull=False)
    for fact in facts.order_by("batch__recorded_at", "pk"):
        if fact.certified_at is not None and fact.certified_at != before:
            text = _("The shop was certified") if before is None else _("The certification was dated anew")
            yield Happening(fact.certified_at, text, "onboarded", "met", fact.batch_id)
            before = fact.certified_at


def _statuses(result: Result) -> Iterator[Happening]:
    words = {
        "open": (_("The shop is open"), "met"),
        "restricted": (_("The shop is restricted"), "pending"),
        "closing": (_("The shop is closing"), "not_met"),
        "closed": (_("The shop is closed"), "not_met"),
    }
    rows = ShopStatus.objects.filter(shop=result.shop_id, batch__recorded_at__isnull=False)
    for row in rows.order_by("at", "pk"):
        text, look = words[row.status]
        yield Happening(row.at, text, "shop_normal", look, row.batch_id)


def _violations(result: Result) -> Iterator[Happening]:
    """The latest recorded of each; a correction may have moved it to another shop, and then it isn't this one's."""
    codes = Violation.objects.filter(shop=result.shop_id).values("code")
    rows = Violation.objects.filter(code__in=codes, batch__recorded_at__isnull=False)
    latest = {row.code: row for row in rows.order_by("batch__recorded_at", "pk")}
    for row in latest.values():
        if row.shop_id != result.shop_id:
            continue
        words = {"code": row.code, "category": row.category}
        text = _("Violation %(code)s (%(category)s)") % words
        if row.enforced_closure:
            text = _("Violation %(code)s (%(category)s), closed by the platform for it") % words
        yield Happening(row.penalised_at, text, "", "not_met", row.batch_id)
        if row.appealed_at is not None:
            yield Happening(row.appealed_at, _("Appeal against %(code)s") % words, "", "", row.batch_id)
        if row.overturned_at is not None:
            yield Happening(row.overturned_at, _("Violation %(code)s was overturned") % words, "", "met", row.batch_id)


def _settlements(result: Result) -> Iterator[Happening]:
    """What each import brought, the latest thirty."""
    rows = (
        Settlement.objects.filter(shop=result.shop_id)
        .values("batch", "currency")
        .annotate(
            latest=Max("settled_at"),
            sales=Count("pk", filter=Q(kind=LineKind.SALE)),
            refunds=Count("pk", filter=Q(kind=LineKind.REFUND)),
            amount=Sum("amount"),
        )
        .order_by("-latest", "currency")[:MOST_SETTLEMENTS]
    )
    for row in rows:
        parts = []
        if row["sales"]:
            parts.append(ngettext("%(count)d sale", "%(count)d sales", row["sales"]) % {"count": row["sales"]})
        if row["refunds"]:
            parts.append(ngettext("%(count)d refund", "%(count)d refunds", row["refunds"]) % {"count": row["refunds"]})
        text = _("Settled: %(lines)s, together %(amount)s %(currency)s") % {
            "lines": joined(parts),
            "amount": _money(row["amount"]),
            "currency": row["currency"],
        }
        yield Happening(row["latest"], text, "activated", "", row["batch"])


def _stock(stock: Iterable[Stock]) -> Iterator[Happening]:
    source = _("feed: %(kind)s") % {"kind": FeedKind.STOCK.label}
    for place in stock:
        if place.first_seen is None:
            continue
        text = _("Stock first seen: %(country)s") % {"country": country(place.country)}
        if place.other_shop:
            text = _("Stock first seen: %(country)s, in shop %(shop)s") % {
                "country": country(place.country),
                "shop": place.other_shop,
            }
        yield Happening(place.first_seen, text, "stocked", "met", None, source, place.recorded_at)


def _verdicts(result: Result, run: Run) -> Iterator[Happening]:
    """When the verdict became another, by the runs that found so."""
    published = Run.objects.published().filter(program=run.program_id, pk__lte=run.pk)
    runs = {found.pk: found for found in published}
    chains = {found.chain_id for found in runs.values()}
    rows = Judgement.objects.filter(chain_id__in=chains, shop=result.shop_id, partner=result.partner_id)
    before = ""
    for row in rows.order_by("since_id"):
        since = runs.get(row.since_id)
        if since is None or since.as_of is None or row.verdict == before:
            continue
        before = row.verdict
        text = _("Run %(run)s: %(verdict)s") % {"run": since.pk, "verdict": Verdict(row.verdict).label}
        yield Happening(since.as_of, text, "", row.verdict, None, _("evaluation"), since.finished_at)


def _decisions(result: Result) -> Iterator[Happening]:
    """What was decided about the shop's line of a payout of this partner, and about the payout."""
    of_line = Q(line=None) | Q(line__shop=result.shop_id)
    rows = (
        Decision.objects.filter(
            of_line,
            payout__lines__shop=result.shop_id,
            payout__partner=result.partner_id,
            payout__program=result.run.program_id,
        )
        .select_related("reason")
        .distinct()
    )
    for row in rows.order_by("pk"):
        text = _("Payout: %(decision)s") % {"decision": row.get_kind_display()}
        reason = (row.reason.text or "") if row.reason and row.kind in TOLD else ""
        yield Happening(row.at, text, "", row.state_after, None, _("operator"), row.at, reason=reason)


def _with_sources(found: Iterable[Happening], run: Run) -> Iterator[Happening]:
    """Say of each who recorded it and when. One query."""
    known = list(found)
    ids = {happening.batch_id for happening in known if happening.batch_id is not None}
    batches = {batch.pk: batch for batch in FactBatch.objects.filter(pk__in=ids).select_related("import_of")}
    for happening in known:
        batch = batches.get(happening.batch_id or 0)
        if batch is None:
            yield happening
            continue
        newer = bool(batch.recorded_at and run.as_of and batch.recorded_at > run.as_of)
        yield replace(happening, source=_source(batch), recorded_at=batch.recorded_at, is_newer=newer)


def _source(batch: FactBatch) -> str:
    loaded: Any = getattr(batch, "import_of", None)
    if loaded is not None:
        return _("feed: %(kind)s") % {"kind": FeedKind(loaded.kind).label}
    return {
        "merchant": _("the merchant's form"),
        "partner": _("the partner"),
        "operator": _("operator"),
    }.get(batch.source, _("feed"))


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace("-", "−")
