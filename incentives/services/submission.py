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
from core.errors import Conflict
from core.models import Note
from incentives import notices, policies
from incentives.models import Decision, Payout, PayoutLine, PayoutPreview, Run
from incentives.services.accounts import open_accounts
from incentives.services.desk import ZERO, stop_what_is_held
from incentives.services.freezing import freeze_lines
from incentives.services.submittable import OPENED_BY_A_REASON, Skipped, ensure_reason, ensure_submittable, left_out
from incentives.states import DecisionKind, LineState, PayoutState
from partners.models import Partner

# A refusal names at most so many partners.
TOLD = 20


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
    shown: Decimal | None = None,
    at: datetime | None = None,
) -> SubmissionReport:
    """Freeze the run's figures into payouts for review, of all its partners or of `partners`.

    Before the program closes for observation the whole submission needs a reason. A partner with pending or
    needs_data shops is submitted only with one; without it that partner is skipped, as are partners that have
    a payout in life, are barred, or have nothing to be paid. A partner whose payout was clawed back is
    submitted again only when it is named, with a reason. A shop whose merchant, brand or entry is paid
    elsewhere, or whose merchant is barred, gets a withheld line. A suspended partner's payout is held at once, as is
    one that somebody held before it was returned.

    `shown` is what the person was told that the payouts of `partners` come to, in the policy's currency: where they
    come to something else by now, or one of them gets none, nothing is submitted.

    Raises NotAllowed; BadInput for a missing reason; Conflict where the run isn't the latest published one, or what
    was shown has changed.
    """
    at, reason = at or timezone.now(), (reason or "").strip()
    policies.ensure(policies.can_submit(actor))
    # Submissions and undone voids go one after the other: a second line is then seen, and seldom run into.
    locks.take(locks.Lock.PAYOUT_LINES)
    run = Run.objects.select_related("program", "policy").get(pk=run.pk)
    ensure_submittable(run)
    ensure_reason(run, reason=reason, at=at)
    previews = list(
        PayoutPreview.objects.filter(run=run, **({} if partners is None else {"partner__in": partners}))
        .select_related("partner")
        .order_by("partner__code")
    )
    opened = [code for code in OPENED_BY_A_REASON if reason and (code != "clawed_back" or partners is not None)]
    skipped = {partner: skip for partner, skip in left_out(run, previews).items() if skip.code not in opened}
    chosen = [preview for preview in previews if preview.partner_id not in skipped]
    payouts = _create(actor, run, chosen, at=at)
    if not payouts:
        report = SubmissionReport(run.pk, (), ZERO, run.rules.incentive.currency, tuple(skipped.values()), ())
        if shown is not None:
            _as_shown(report, previews, shown)
        return report
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
    if shown is not None:
        _as_shown(report, previews, shown)
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


def _as_shown(report: SubmissionReport, previews: Iterable[PayoutPreview], shown: Decimal) -> None:
    """Raise Conflict unless every partner that was named gets a payout, and together they come to what was shown."""
    named = {preview.partner_id for preview in previews}
    missing = [skip for skip in report.skipped if skip.partner_id in named]
    if missing:
        words = "; ".join(f"{skip.partner_name}: {skip.why}" for skip in missing[:TOLD])
        raise Conflict(_("Nothing was submitted. %(why)s") % {"why": words}, code="changed")
    if report.payable != shown:
        raise Conflict(
            _("Nothing was submitted: these payouts come to %(now)s %(currency)s now, not to %(shown)s.")
            % {"now": f"{report.payable:,.2f}", "shown": f"{shown:,.2f}", "currency": report.currency},
            code="changed",
        )


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
