"""Whether a run can be submitted, and which of its partners get no payout out of it, why (POLICY 6).

The submission itself and the page before it ask here, so that nobody reads one thing and gets another.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from core.errors import BadInput, Conflict
from incentives.models import Bar, Payout, PayoutPreview, Run
from incentives.states import IN_LIFE, PayoutState, RunKind, RunState

# What a reason opens; a clawed-back payout's partner has to be named besides.
OPENED_BY_A_REASON = ("needs_reason", "clawed_back")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A partner that gets no payout out of a submission. `code`: in_life, barred, clawed_back, needs_reason, nothing.

    `payout_id` is the payout that stands in the way, where one does.
    """

    partner_id: int
    partner_code: str
    partner_name: str
    code: str
    why: str
    payout_id: int | None = None


def ensure_submittable(run: Run) -> None:
    """Raise Conflict unless the run's figures are the ones that people are shown: the latest published ones."""
    if run.kind != RunKind.OFFICIAL:
        raise Conflict(_("A draft run tries a policy; it is never paid."), code="draft_run")
    if run.state != RunState.FINISHED:
        raise Conflict(
            _("The run is %(state)s; only a finished one can be submitted.") % {"state": run.get_state_display()},
            code="unfinished_run",
        )
    latest = latest_published(run)
    if latest != run.pk:
        raise Conflict(
            _("Run %(later)s has replaced the figures of run %(run)s; submit that one.")
            % {"later": latest, "run": run.pk},
            code="superseded_run",
        )


def latest_published(run: Run) -> int | None:
    """The run of the same program whose figures people are shown now."""
    published = Run.objects.published().filter(program=run.program_id)
    return published.order_by("-pk").values_list("pk", flat=True).first()


def ensure_reason(run: Run, *, reason: str, at: datetime) -> None:
    """Raise BadInput where the program is still open for observation at `at` and nobody says why now (POLICY 6)."""
    closes_at = run.rules.closes_at(run.program.period)
    if at < closes_at and not reason:
        raise BadInput(
            _("The program is open for observation until %(moment)s: refunds may come. Give a reason to submit now.")
            % {"moment": _local(closes_at, run)},
            code="reason_needed",
        )


def left_out(run: Run, previews: Iterable[PayoutPreview]) -> dict[int, Skipped]:
    """Why which partner gets no payout as things stand, by partner id. Three queries.

    `OPENED_BY_A_REASON` says which of these a reason opens.
    """
    mine = Payout.objects.filter(program=run.program_id)
    in_life = {payout.partner_id: payout for payout in mine.filter(state__in=IN_LIFE).select_related("submitted_by")}
    clawed_back = dict(mine.filter(state=PayoutState.CLAWED_BACK).order_by("pk").values_list("partner", "pk"))
    bars = Bar.objects.filter(program=run.program_id, merchant=None, lifted_by=None)
    barred = dict(bars.order_by("pk").values_list("partner", "decision__payout"))
    found: dict[int, Skipped] = {}
    for preview in previews:
        code, why, payout = "", "", None
        if preview.partner_id in in_life:
            there = in_life[preview.partner_id]
            code, payout = "in_life", there.pk
            why = _("%(who)s submitted its payout on %(moment)s; it is: %(state)s.") % {
                "who": there.submitted_by.get_full_name(),
                "moment": _local(there.submitted_at, run),
                "state": there.get_state_display(),
            }
        elif preview.partner_id in barred:
            code, payout = "barred", barred[preview.partner_id]
            why = _("Its payout was voided; undo that first.")
        elif not preview.eligible:
            code, why = "nothing", _("None of its shops is eligible.")
        elif preview.partner_id in clawed_back:
            code, payout = "clawed_back", clawed_back[preview.partner_id]
            why = _("Its payout was clawed back; name it, with a reason, to pay it again.")
        elif preview.pending or preview.needs_data:
            code, why = "needs_reason", _("It has shops that are pending or need data; give a reason to submit it.")
        if code:
            partner = preview.partner
            found[preview.partner_id] = Skipped(partner.pk, partner.code, partner.name, code, why, payout)
    return found


def _local(moment: datetime, run: Run) -> str:
    return f"{moment.astimezone(run.rules.zone):%Y-%m-%d %H:%M}"
