"""What a later run would pay in place of an approved payout, line by line (POLICY 6). The payout is never touched."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from core.values import round_money
from incentives.models import Adjustment, Bar, FrozenShop, Payout, PayoutLine, PayoutPreview, Result, Run
from incentives.states import (
    COUNTED,
    PLACED,
    AdjustmentKind,
    AdjustmentState,
    LineState,
    PayoutState,
    Verdict,
    WithheldFor,
)

ZERO = Decimal(0)
# Owed or paid: its difference to a later run is a matter of its own.
SETTLED = (PayoutState.APPROVED, PayoutState.IN_PAYMENT, PayoutState.PAID, PayoutState.CLOSED)


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """One shop whose amount differs, or that the run calls eligible and that isn't paid all the same (`note`)."""

    shop_id: int
    shop_code: str
    merchant_name: str
    before: Decimal
    after: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A payout against a later run of its program.

    `settled` is what the payout stands for with the adjustments made of it, after the discount; `should` what the run
    comes to; `amount` what is still to be settled: above zero the partner is owed, below zero it owes.
    """

    payout_id: int
    run_id: int
    currency: str
    settled: Decimal
    should: Decimal
    factor_before: Decimal
    factor_after: Decimal
    lines: tuple[DifferenceLine, ...]

    @property
    def amount(self) -> Decimal:
        """What is still to be settled."""
        return self.should - self.settled

    @property
    def gained(self) -> tuple[DifferenceLine, ...]:
        """Shops that the run pays and the payout doesn't."""
        return tuple(line for line in self.lines if line.after and not line.before)

    @property
    def lost(self) -> tuple[DifferenceLine, ...]:
        """Shops that the payout pays and the run doesn't."""
        return tuple(line for line in self.lines if line.before and not line.after)


def difference_of(*, payout: Payout, run: Run) -> Difference:
    """The difference of a payout to a run of its program; the payout is approved, in payment, paid or closed.

    Seven queries however many shops. A shop whose merchant was voided, whose line was clawed back, or that has a
    place elsewhere isn't paid by the run either, and its line says why.
    """
    preview = PayoutPreview.objects.filter(run=run, partner=payout.partner_id).first()
    factor = preview.factor if preview is not None else payout.factor
    lines = {line.shop_id: line for line in payout.lines.select_related("shop")}
    before = {shop: line.amount for shop, line in lines.items() if line.state in PLACED}
    eligible = {
        result.shop_id: result
        for result in Result.objects.filter(
            run=run, partner=payout.partner_id, verdict=Verdict.ELIGIBLE
        ).select_related("shop")
    }
    refused = _refused(payout, run, lines, [shop for shop in eligible if shop not in before])
    after = {shop: result.amount for shop, result in eligible.items() if shop not in refused}
    shown = [shop for shop in {*before, *after, *refused} if shop in refused or before.get(shop) != after.get(shop)]
    shops = {shop: (eligible.get(shop) or lines[shop]).shop for shop in shown}
    return Difference(
        payout_id=payout.pk,
        run_id=run.pk,
        currency=payout.currency,
        settled=_settled(payout),
        should=round_money(sum(after.values(), ZERO) * factor),
        factor_before=payout.factor,
        factor_after=factor,
        lines=tuple(
            DifferenceLine(
                shop_id=shop,
                shop_code=shops[shop].code,
                merchant_name=shops[shop].merchant_name,
                before=before.get(shop, ZERO),
                after=after.get(shop, ZERO),
                note=refused.get(shop, ""),
            )
            for shop in sorted(shown, key=lambda shop: shops[shop].code.encode())
        ),
    )


def _settled(payout: Payout) -> Decimal:
    base = payout.lines.filter(state__in=COUNTED).aggregate(total=Sum("amount"))["total"] or ZERO
    adjusted = Adjustment.objects.filter(
        payout=payout, kind=AdjustmentKind.DIFFERENCE, state=AdjustmentState.CONFIRMED
    ).aggregate(total=Sum("amount"))["total"]
    return round_money(base * payout.factor) + (adjusted or ZERO)


def _refused(payout: Payout, run: Run, lines: dict[int, PayoutLine], shops: Iterable[int]) -> dict[int, str]:
    """Which of the eligible shops without a place get none, and why. The earlier certified one comes first."""
    frozen = FrozenShop.objects.filter(run=run, shop__in=list(shops)).select_related("shop")
    bars = Bar.objects.filter(program=payout.program_id, lifted_by=None)
    barred = set(bars.exclude(merchant=None).values_list("merchant", flat=True))
    found: dict[int, str] = {}
    candidates = sorted(frozen, key=lambda each: (each.certified_at, each.shop.code.encode()))
    taken = _taken(payout, run, candidates)
    for each in candidates:
        line = lines.get(each.shop_id)
        names = [("merchant", each.merchant_id), ("brand", each.brand_id), ("entry", each.entry_id)]
        clash = next((name for name, key in names if key is not None and (name, key) in taken), None)
        if each.merchant_id in barred:
            found[each.shop_id] = str(WithheldFor.MERCHANT_BARRED.label)
        elif line is not None and line.state == LineState.CLAWED_BACK:
            found[each.shop_id] = _("It was clawed back; only a manual adjustment pays it again.")
        elif clash is not None:
            found[each.shop_id] = str(WithheldFor(f"same_{clash}").label)
        else:
            taken |= {(name, key) for name, key in names if key is not None}
    return found


def _taken(payout: Payout, run: Run, candidates: Iterable[FrozenShop]) -> set[tuple[str, int]]:
    """The merchants, brands and entries among the candidates' that have a place already, within the policy's scope."""
    placed = PayoutLine.objects.filter(state__in=PLACED, component="incentive").filter(
        Q(merchant__in=[each.merchant_id for each in candidates])
        | Q(brand__in=[each.brand_id for each in candidates if each.brand_id])
        | Q(entry__in=[each.entry_id for each in candidates if each.entry_id])
    )
    if run.rules.first_entity.period == "program":
        placed = placed.filter(scope__contains=payout.program_id)
    found: set[tuple[str, int]] = set()
    for merchant, brand, entry in placed.values_list("merchant", "brand", "entry"):
        found |= {(name, key) for name, key in (("merchant", merchant), ("brand", brand), ("entry", entry)) if key}
    return found
