"""What submitting a run's payouts would do, before anybody does it (POLICY 6): which partners, how much, why not."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core.actors import Actor
from core.errors import Conflict
from core.values import round_money
from incentives import policies
from incentives.models import Hold, PayoutPreview, Run
from incentives.services.accounts import open_accounts
from incentives.services.desk import ZERO
from incentives.services.foresight import Contested, contested_shops, foresee_withheld
from incentives.services.submittable import OPENED_BY_A_REASON, Skipped, ensure_submittable, latest_published, left_out
from incentives.states import WithheldFor
from partners.models import Suspension


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line that would be withheld: whose, how much it would have been, and why (`incentives.states.WithheldFor`)."""

    partner_code: str
    partner_name: str
    shop_code: str
    amount: Decimal
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class PlannedPayout:
    """A payout that a partner can be given, and what it would come to.

    `needs`: empty, or why it takes a reason (`needs_reason`, `clawed_back`). `chosen`: whether it counts in the sum.
    `lines` live and make up `base`, `withheld` don't. `payable` is the net and what the partner's account carries in.
    `held_for`: why it will be held at once, where it will.
    """

    partner_code: str
    partner_name: str
    chosen: bool
    needs: str
    pending: int
    needs_data: int
    lines: int
    withheld: int
    introduced: int
    high_risk: int
    base: Decimal
    factor: Decimal
    net: Decimal
    carried: Decimal
    payable: Decimal
    held_for: str


@dataclass(frozen=True, slots=True)
class SubmissionPlan:
    """What a submission of the chosen partners would do now. All tuples by partner code.

    `refused` says why the run can't be submitted at all, `instead` which one can; `early`: the program is open for
    observation until `closes_at`, and the whole submission needs a reason. `left_out` are partners that get no payout
    whatever is said; those of whom no shop is eligible are only counted, in `nothing`.
    """

    run: int
    program: str
    currency: str
    closes_at: datetime
    early: bool
    refused: str
    instead: int | None
    payouts: tuple[PlannedPayout, ...]
    withheld: tuple[PlannedLine, ...]
    left_out: tuple[Skipped, ...]
    nothing: int
    payable: Decimal

    @property
    def chosen(self) -> tuple[PlannedPayout, ...]:
        """The payouts that would be submitted."""
        return tuple(payout for payout in self.payouts if payout.chosen)

    @property
    def needs_reason(self) -> bool:
        """Whether the choice is refused without a reason."""
        return self.early or any(payout.needs for payout in self.chosen)


def plan_submission(
    *, actor: Actor, run: Run, partners: Collection[str] | None = None, at: datetime | None = None
) -> SubmissionPlan:
    """Foresee the submission of the partners with these codes; by default of all that need no reason of their own.

    It changes nothing. As many queries however many partners. Raises NotAllowed for who may not submit.
    """
    policies.ensure(policies.can_submit(actor))
    at, refused, instead = at or timezone.now(), "", None
    try:
        ensure_submittable(run)
    except Conflict as refusal:
        refused, instead = refusal.message, latest_published(run) if refusal.code == "superseded_run" else None
    closes_at = run.rules.closes_at(run.program.period)
    previews = [] if refused else list(_previews(run))
    skipped = left_out(run, previews)
    able = [each for each in previews if each.partner_id not in skipped or _opens(skipped[each.partner_id])]
    wanted = {
        each.partner_id
        for each in able
        if (each.partner_id not in skipped if partners is None else each.partner.code in partners)
    }
    payouts, withheld = _planned(run, able, skipped, wanted)
    rest = [skip for skip in skipped.values() if not _opens(skip)]
    return SubmissionPlan(
        run=run.pk,
        program=run.program.code,
        currency=run.rules.incentive.currency,
        closes_at=closes_at,
        early=at < closes_at,
        refused=refused,
        instead=instead,
        payouts=tuple(payouts),
        withheld=tuple(withheld),
        left_out=tuple(skip for skip in rest if skip.code != "nothing"),
        nothing=sum(skip.code == "nothing" for skip in rest),
        payable=sum((payout.payable for payout in payouts if payout.chosen), ZERO),
    )


def _previews(run: Run) -> Iterable[PayoutPreview]:
    return PayoutPreview.objects.filter(run=run).select_related("partner").order_by("partner__code")


def _opens(skip: Skipped) -> bool:
    return skip.code in OPENED_BY_A_REASON


def _planned(
    run: Run, able: Sequence[PayoutPreview], skipped: dict[int, Skipped], wanted: Collection[int]
) -> tuple[list[PlannedPayout], list[PlannedLine]]:
    partner_ids = [each.partner_id for each in able]
    contested = contested_shops(run=run, partner_ids=partner_ids)
    fall = _falls(contested, wanted)
    # What isn't chosen is shown as if all of it were: its lines meet those that are.
    fall |= {key: value for key, value in _falls(contested, partner_ids).items() if key not in wanted}
    holds = _holds(run, partner_ids, {shop.shop_id for lines in fall.values() for shop, _why in lines})
    accounts = open_accounts(partner_ids, currency=run.rules.incentive.currency)
    payouts, withheld = [], []
    for each in able:
        lines, skip = fall.get(each.partner_id, []), skipped.get(each.partner_id)
        base = each.base_amount - sum((shop.amount for shop, _why in lines), ZERO)
        net, carried = round_money(base * each.factor), accounts.get(each.partner_id, ZERO)
        payouts.append(
            PlannedPayout(
                partner_code=each.partner.code,
                partner_name=each.partner.name,
                chosen=each.partner_id in wanted,
                needs=skip.code if skip else "",
                pending=each.pending,
                needs_data=each.needs_data,
                lines=each.eligible - len(lines),
                withheld=len(lines),
                introduced=each.introduced,
                high_risk=each.high_risk,
                base=base,
                factor=each.factor,
                net=net,
                carried=carried,
                payable=net + carried,
                held_for=holds.get(each.partner_id, ""),
            )
        )
        withheld += [
            PlannedLine(each.partner.code, each.partner.name, shop.shop_code, shop.amount, why.value, str(why.label))
            for shop, why in lines
        ]
    return payouts, withheld


def _falls(
    contested: Sequence[Contested], partner_ids: Collection[int]
) -> dict[int, list[tuple[Contested, WithheldFor]]]:
    found = defaultdict(list)
    for shop, why in foresee_withheld(contested, partner_ids=set(partner_ids)):
        found[shop.partner_id].append((shop, why))
    return dict(found)


def _holds(run: Run, partner_ids: Collection[int], withheld: Collection[int]) -> dict[int, str]:
    """Why which payout would be held at once: the same standing holds and suspensions that stop a submitted one."""
    suspended = Suspension.objects.filter(partner__in=partner_ids, during__upper_inf=True)
    found = dict.fromkeys(suspended.values_list("partner", flat=True), _("The partner is suspended."))
    standing = (
        Hold.objects.standing()
        .filter(
            Q(program=None) | Q(program=run.program_id),
            Q(shop=None) | Q(shop__in=run.results.filter(verdict="eligible", partner__in=partner_ids).values("shop")),
            partner__in=partner_ids,
        )
        .exclude(shop__in=withheld)
        .select_related("reason")
        .order_by("shop", "pk")
    )
    for hold in reversed(standing):
        found[hold.partner_id] = hold.reason.text or _("held")
    return found
