"""A partner's overview of one program: what is won, what can still be won, until when, and what it would be paid.

Everything comes from the last published run, which is what all the other pages show, too. A constant number of queries,
however many shops, links and programs there are; tests/web/test_overview.py counts them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from core.actors import Actor
from core.models import PolicyVersion, Program
from core.policy import Policy
from core.values import local_date
from incentives.models import Payout, PayoutPreview, Run
from incentives.queries.deadlines import run_date
from incentives.queries.discounts import DiscountView, discount_view
from incentives.queries.funnels import Funnel, funnel_of, link_counts
from incentives.queries.paces import Pace, pace_of
from incentives.queries.programs import latest_runs
from incentives.queries.shops import ShopView, urgent_shops
from incentives.queries.statements import standing_payouts
from incentives.queries.tallies import Tally, tally
from incentives.states import IN_LIFE, PROVISIONAL, PayoutState
from partners.models import Joining, Partner

URGENT = 5
UPCOMING, RUNNING, OBSERVED, CLOSED = "upcoming", "running", "observed", "closed"


@dataclass(frozen=True, slots=True)
class PayoutGlance:
    """What the partner is, or would be paid. `computed`, and provisional, while nothing was submitted."""

    state: str
    label: str
    amount: Decimal
    provisional: bool
    held: bool


@dataclass(frozen=True, slots=True)
class ProgramGlance:
    """One program in a line. `phase`: upcoming, running, observed (the period is over, settlements count) or closed.

    `shops` and `payout` are None before the partner has any; `joined`: it has accepted a version of the policy.
    """

    id: int
    code: str
    title: str
    first: date
    last: date
    zone: str
    today: date
    phase: str
    closes_on: date
    joined: bool
    shops: int | None
    pending: int
    payout: PayoutGlance | None

    @property
    def mine(self) -> bool:
        """Whether the partner has something to do with it."""
        return self.joined or self.shops is not None or self.payout is not None

    @property
    def days_left(self) -> int:
        """Days until the period's last; 0 from then on."""
        return max(0, (self.last - self.today).days)

    @property
    def starts_in(self) -> int:
        """Days until the period's first; 0 from then on."""
        return max(0, (self.first - self.today).days)


@dataclass(frozen=True, slots=True)
class Overview:
    """One program as one partner sees it. Without a published run (`run_id` None) the tally is empty.

    `each` is what one shop is worth. `won`, the eligible shops' amounts, and the amounts still to win are before the
    discount. `urgent`: the shops to see to first.
    """

    program: ProgramGlance
    run_id: int | None
    as_of: datetime | None
    policy_number: int
    currency: str
    each: Decimal
    tally: Tally
    won: Decimal
    payout: PayoutGlance | None
    discount: DiscountView | None
    urgent: tuple[ShopView, ...]
    funnel: Funnel
    pace: Pace
    today: date

    @property
    def winnable_amount(self) -> Decimal:
        """What the winnable shops are worth."""
        return self.each * self.tally.winnable

    @property
    def waiting_amount(self) -> Decimal:
        """What the waiting shops are worth."""
        return self.each * self.tally.waiting

    @property
    def week_amount(self) -> Decimal:
        """What can still be won within the week."""
        return self.each * self.tally.week

    @property
    def nearest_days(self) -> int | None:
        """Days until the nearest deadline of a winnable shop."""
        return (self.tally.nearest - self.today).days if self.tally.nearest else None


@dataclass(frozen=True, slots=True)
class _Known:
    """What is read of all programs at once."""

    policies: Mapping[str, PolicyVersion]
    runs: Mapping[int, Run]
    previews: Mapping[int, PayoutPreview]
    payouts: Mapping[int, Payout]


def partner_overview(
    *, actor: Actor, partner: Partner, program: str | None = None, now: datetime | None = None
) -> tuple[Overview | None, list[ProgramGlance]]:
    """The program of this code (or the one to look at first) for the partner, and all programs, that one's included.

    None where no program has this code; with no code, where the partner has nothing to do with any. Fetch the partner
    through `visible_to(actor)`.
    """
    now = now or timezone.now()
    known = _known(actor, partner)
    glances = [_glance(policy, known, now) for policy in known.policies.values()]
    glances.sort(key=lambda glance: (-glance.last.toordinal(), glance.code))
    if program is not None:
        chosen = next((glance for glance in glances if glance.code == program), None)
    else:
        chosen = min((glance for glance in glances if glance.mine), key=_urgency, default=None)
    if chosen is None:
        return None, glances
    return _overview(actor, partner, chosen, known), glances


def _urgency(glance: ProgramGlance) -> int:
    """Which program to look at first: where there is most to do."""
    if glance.phase == RUNNING:
        return 0 if glance.shops else 2
    if glance.phase == OBSERVED:
        return 1 if glance.pending else 4
    return 3 if glance.phase == UPCOMING else 5


def _known(actor: Actor, partner: Partner) -> _Known:
    """Four queries."""
    # The commitment of the version accepted last, as `partners.programs.commitment_of` has it for one program.
    joined = Joining.objects.visible_to(actor).filter(partner=partner, program=OuterRef("program"))
    stated = Subquery(joined.order_by("-policy__number").values("commitment")[:1])
    latest = PolicyVersion.objects.order_by("program", "-number").distinct("program").select_related("program")
    runs = {run.program_id: run for run in latest_runs()}
    previews = PayoutPreview.objects.visible_to(actor).filter(run__in=list(runs.values()), partner=partner)
    return _Known(
        policies={policy.program.code: policy for policy in latest.annotate(stated=stated)},
        runs=runs,
        previews={preview.run_id: preview for preview in previews},
        payouts=standing_payouts(actor=actor, partner_id=partner.pk),
    )


def _glance(policy: PolicyVersion, known: _Known, now: datetime) -> ProgramGlance:
    program, rules = policy.program, policy.rules
    today, closes_at = local_date(now, rules.zone), rules.closes_at(program.period)
    run = known.runs.get(program.pk)
    preview = known.previews.get(run.pk) if run else None
    if today < program.starts_on:
        phase = UPCOMING
    elif today <= program.ends_on:
        phase = RUNNING
    else:
        phase = OBSERVED if now < closes_at else CLOSED
    return ProgramGlance(
        id=program.pk,
        code=program.code,
        title=policy.title,
        first=program.starts_on,
        last=program.ends_on,
        zone=rules.timezone,
        today=today,
        phase=phase,
        closes_on=rules.settles_by(program.ends_on),
        joined=policy.stated is not None,  # type: ignore[attr-defined]  # annotated by _known
        shops=preview.eligible + preview.pending + preview.needs_data + preview.not_eligible if preview else None,
        pending=preview.pending if preview else 0,
        payout=_payout(known.payouts.get(program.pk), preview),
    )


def _payout(payout: Payout | None, preview: PayoutPreview | None) -> PayoutGlance | None:
    state = PayoutState(payout.state) if payout else PayoutState.COMPUTED
    # What was returned or voided is no longer what would be paid; the run's figure is.
    if payout is not None and (state in IN_LIFE or state in (PayoutState.CLAWED_BACK, PayoutState.VOID)):
        return PayoutGlance(state.value, str(state.label), payout.payable, state in PROVISIONAL, payout.held)
    if preview is None:
        return None
    return PayoutGlance(state.value, str(state.label), preview.net_amount, True, held=False)


def _overview(actor: Actor, partner: Partner, glance: ProgramGlance, known: _Known) -> Overview:
    """Four queries, three of them only where there is a run with shops of theirs."""
    policy = known.policies[glance.code]
    program = policy.program
    run, preview = known.runs.get(program.pk), None
    if run is not None:
        preview = known.previews.get(run.pk)
    # The figures explain themselves by the version that the run judged by.
    rules: Policy = run.rules if run else policy.rules
    counted = tally(actor=actor, run=run, partner_id=partner.pk) if run and preview else Tally()
    by = counted.deadline_of(URGENT)
    today = run_date(run) if run else glance.today
    return Overview(
        program=glance,
        run_id=run.pk if run else None,
        as_of=run.as_of if run else None,
        policy_number=run.policy.number if run and run.policy else policy.number,
        currency=rules.incentive.currency,
        each=rules.incentive.amount,
        tally=counted,
        won=preview.base_amount if preview else Decimal(0),
        payout=glance.payout,
        discount=_discount(rules, preview, known.payouts.get(program.pk)),
        urgent=tuple(urgent_shops(actor=actor, run=run, partner_id=partner.pk, by=by, most=URGENT))
        if run and by
        else (),
        funnel=_funnel(actor, partner, program, run, rules, counted),
        pace=pace_of(
            period=program.period,
            today=today,
            commitment=partner.commitment if policy.stated is None else policy.stated,  # type: ignore[attr-defined]
            certified_on=counted.certified_on,
        ),
        today=today,
    )


def _discount(rules: Policy, preview: PayoutPreview | None, payout: Payout | None) -> DiscountView | None:
    """By the payout once there is one: what was submitted no longer changes with the runs."""
    if payout is not None and payout.state in IN_LIFE:
        return discount_view(
            payout.run.rules, introduced=payout.introduced, high_risk=payout.high_risk, base=payout.base_amount
        )
    if preview is None:
        return None
    return discount_view(rules, introduced=preview.introduced, high_risk=preview.high_risk, base=preview.base_amount)


def _funnel(actor: Actor, partner: Partner, program: Program, run: Run | None, rules: Policy, counted: Tally) -> Funnel:
    visits, waiting = link_counts(actor=actor, partner_id=partner.pk, program=program, run=run, rules=rules)
    return funnel_of(counted, visits=visits, waiting=waiting)
