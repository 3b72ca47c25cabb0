"""Submitting a run's payouts for review: previews become payouts, eligible shops become lines (POLICY 6)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, locks
from core.actors import Actor
from core.errors import BadInput, Conflict
from core.models import Note
from incentives import notices, policies
from incentives.models import Bar, Decision, Payout, PayoutLine, PayoutPreview, Run
from incentives.services.accounts import open_accounts
from incentives.services.desk import ZERO, stop_what_is_held
from incentives.services.freezing import freeze_lines
from incentives.states import IN_LIFE, DecisionKind, LineState, PayoutState, RunKind, RunState
from partners.models import Partner


@dataclass(frozen=True, slots=True)
class Skipped:
    """A partner that got no payout out of a submission. `code`: in_life, barred, clawed_back, needs_reason, nothing."""

    partner_id: int
    partner_code: str
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """A shop whose line doesn't live, and why (`incentives.states.WithheldFor`)."""

    payout_id: int
    line_id: int
    shop_code: str
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class SubmissionReport:
    """What a submission did. `payable` is the sum over `payouts`, in `currency`; both tuples by partner code."""

    run_id: int
    payouts: tuple[Payout, ...]
    payable: Decimal
    currency: str
    skipped: tuple[Skipped, ...]
    withheld: tuple[Withheld, ...]


@transaction.atomic
def submit_run(
    *,
    actor: Actor,
    run: Run,
    reason: str | None = None,
    partners: Collection[Partner] | None = None,
    at: datetime | None = None,
) -> SubmissionReport:
    """Freeze the run's figures into payouts for review, of all its partners or of `partners`.

    Before the program closes for observation the whole submission needs a reason. A partner with pending or
    needs_data shops is submitted only with one; without it that partner is skipped, as are partners that have
    a payout in life, are barred, or have nothing to be paid. A partner whose payout was clawed back is
    submitted again only when it is named, with a reason. A shop whose merchant, brand or entry is paid
    elsewhere, or whose merchant is barred, gets a withheld line. A suspended partner's payout is held at once, as is
    one that somebody held before it was returned.

    Raises NotAllowed; BadInput for a missing reason; Conflict where the run isn't the latest published one.
    """
    at, reason = at or timezone.now(), (reason or "").strip()
    policies.ensure(policies.can_submit(actor))
    # Submissions and undone voids go one after the other: a second line is then seen, and seldom run into.
    locks.take(locks.Lock.PAYOUT_LINES)
    run = _submittable(run, reason=reason, at=at)
    previews = list(
        PayoutPreview.objects.filter(run=run, **({} if partners is None else {"partner__in": partners}))
        .select_related("partner")
        .order_by("partner__code")
    )
    skipped = _skipped(run, previews, reason=reason, named=partners is not None)
    chosen = [preview for preview in previews if preview.partner_id not in skipped]
    payouts = _create(actor, run, chosen, at=at)
    if not payouts:
        return SubmissionReport(run.pk, (), ZERO, run.rules.incentive.currency, tuple(skipped.values()), ())
    freeze_lines(run=run, payout_ids=[payout.pk for payout in payouts])
    note = Note.objects.create(text=reason) if reason else None
    Decision.objects.bulk_create(
        Decision(
            payout=payout,
            kind=DecisionKind.SUBMIT,
            actor_id=actor.user_id,
            at=at,
            reason=note,
            state_after=PayoutState.IN_REVIEW,
            details={"version": 1, "run": run.pk},
        )
        for payout in payouts
    )
    stop_what_is_held(payouts, at=at)
    report = _report(run, [payout.pk for payout in payouts], tuple(skipped.values()))
    notices.tell_of(DecisionKind.SUBMIT, report.payouts, at=at)
    audit.record(
        actor=actor,
        action="payouts.submitted",
        subject=run,
        details={
            "payouts": [payout.pk for payout in report.payouts],
            "payable": str(report.payable),
            "currency": report.currency,
            "withheld_lines": [line.line_id for line in report.withheld],
            "skipped_partners": {skip.partner_code: skip.code for skip in report.skipped},
            "note": note.pk if note else None,
        },
        at=at,
    )
    return report


def _submittable(run: Run, *, reason: str, at: datetime) -> Run:
    """Read the run again, and refuse it unless its figures are the ones that people are shown."""
    run = Run.objects.select_related("program", "policy").get(pk=run.pk)
    if run.kind != RunKind.OFFICIAL:
        raise Conflict(_("A draft run tries a policy; it is never paid."), code="draft_run")
    if run.state != RunState.FINISHED:
        raise Conflict(
            _("The run is %(state)s; only a finished one can be submitted.") % {"state": run.get_state_display()},
            code="unfinished_run",
        )
    latest = Run.objects.published().filter(program=run.program).order_by("-pk").values_list("pk", flat=True)[0]
    if latest != run.pk:
        raise Conflict(
            _("Run %(later)s has replaced the figures of run %(run)s; submit that one.")
            % {"later": latest, "run": run.pk},
            code="superseded_run",
        )
    closes_at = run.rules.closes_at(run.program.period)
    if at < closes_at and not reason:
        raise BadInput(
            _("The program is open for observation until %(moment)s: refunds may come. Give a reason to submit now.")
            % {"moment": f"{closes_at.astimezone(run.rules.zone):%Y-%m-%d %H:%M}"},
            code="reason_needed",
        )
    return run


def _skipped(run: Run, previews: Iterable[PayoutPreview], *, reason: str, named: bool) -> dict[int, Skipped]:
    """Why which partner gets no payout now, by partner id."""
    mine = Payout.objects.filter(program=run.program)
    in_life = set(mine.filter(state__in=IN_LIFE).values_list("partner", flat=True))
    clawed_back = set(mine.filter(state=PayoutState.CLAWED_BACK).values_list("partner", flat=True))
    barred = set(
        Bar.objects.filter(program=run.program, merchant=None, lifted_by=None).values_list("partner", flat=True)
    )
    found: dict[int, Skipped] = {}

    def skip(preview: PayoutPreview, code: str, why: str) -> None:
        found[preview.partner_id] = Skipped(preview.partner_id, preview.partner.code, code, why)

    for preview in previews:
        if preview.partner_id in in_life:
            skip(preview, "in_life", _("It has a payout in this program already."))
        elif preview.partner_id in barred:
            skip(preview, "barred", _("Its payout was voided; undo that first."))
        elif not preview.eligible:
            skip(preview, "nothing", _("None of its shops is eligible."))
        elif preview.partner_id in clawed_back and not (named and reason):
            skip(preview, "clawed_back", _("Its payout was clawed back; name it, with a reason, to pay it again."))
        elif (preview.pending or preview.needs_data) and not reason:
            skip(preview, "needs_reason", _("It has shops that are pending or need data; give a reason to submit it."))
    return found


def _create(actor: Actor, run: Run, previews: Collection[PayoutPreview], *, at: datetime) -> list[Payout]:
    if actor.user_id is None:
        raise RuntimeError("a person submits")
    carried = open_accounts([preview.partner_id for preview in previews], currency=run.rules.incentive.currency)
    return Payout.objects.bulk_create(
        Payout(
            program=run.program,
            partner_id=preview.partner_id,
            run=run,
            policy=run.policy,
            state=PayoutState.IN_REVIEW,
            introduced=preview.introduced,
            high_risk=preview.high_risk,
            currency=preview.currency,
            base_amount=preview.base_amount,
            factor=preview.factor,
            net_amount=preview.net_amount,
            adjustments=carried.get(preview.partner_id, ZERO),
            payable=preview.net_amount + carried.get(preview.partner_id, ZERO),
            submitted_by_id=actor.user_id,
            submitted_at=at,
        )
        for preview in previews
    )


def _report(run: Run, ids: list[int], skipped: tuple[Skipped, ...]) -> SubmissionReport:
    payouts = tuple(
        Payout.objects.filter(pk__in=ids).select_related("partner", "program").order_by("partner__code", "pk")
    )
    withheld = (
        PayoutLine.objects.filter(payout__in=ids, state=LineState.WITHHELD)
        .select_related("shop")
        .order_by("payout__partner__code", "shop__code")
    )
    return SubmissionReport(
        run.pk,
        payouts,
        sum((payout.payable for payout in payouts), ZERO),
        payouts[0].currency,
        skipped,
        tuple(
            Withheld(line.payout_id, line.pk, line.shop.code, line.withheld_for, line.get_withheld_for_display())
            for line in withheld
        ),
    )
