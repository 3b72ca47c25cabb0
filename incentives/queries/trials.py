"""A policy draft tried on real facts: who would flip, which way, and what it costs (POLICY 8.3)."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from core.actors import Actor
from core.models import DraftState, PolicyDraft, Program
from incentives.engine.conditions import CONDITIONS
from incentives.models import PayoutPreview, Run
from incentives.queries.run_pages import Comparison, all_changes, compare
from incentives.states import RunKind, RunState


@dataclass(frozen=True, slots=True)
class ConditionMove:
    """One condition under the draft: how many shops it moves for, how many of these flip, and by what amount."""

    title: str
    shops: int
    flips: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PartnerMove:
    """What a partner's quarter would come to, after its discount."""

    code: str
    name: str
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        """What the draft adds, or takes away where it is below zero."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Trial:
    """A draft's run against the official one of the same moment. `before` and `after` are nets, after discounts.

    A shop that several conditions move counts with each of them: their amounts don't add up to the difference.
    """

    comparison: Comparison
    conditions: tuple[ConditionMove, ...]
    partners: tuple[PartnerMove, ...]
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        """What the draft costs more, or less where it is below zero."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Tried:
    """The last time that a draft was tried as it now is: its run, and what it changes once that is over."""

    run: Run
    trial: Trial | None


def open_draft(program: Program) -> PolicyDraft | None:
    """The program's draft that is being written, if there is one. One query."""
    drafts = PolicyDraft.objects.filter(program=program, state=DraftState.OPEN)
    return drafts.select_related("based_on", "program").first()


def tried(draft: PolicyDraft, actor: Actor) -> Tried | None:
    """Find the last run of this very document; None where it was never tried."""
    runs = Run.objects.visible_to(actor).filter(program=draft.program_id, kind=RunKind.DRAFT, document=draft.document)
    run = runs.exclude(state=RunState.CANCELLED).order_by("-pk").first()
    if run is None:
        return None
    against = official_of(run, actor)
    finished = run.state == RunState.FINISHED and against is not None
    return Tried(run, trial_of(run, against, size=0) if finished and against is not None else None)


def official_of(run: Run, actor: Actor) -> Run | None:
    """The last run published before the draft's, as of the same moment: they differ by the policy alone."""
    runs = Run.objects.visible_to(actor).published().filter(program=run.program_id, as_of=run.as_of, pk__lt=run.pk)
    found: Run | None = runs.select_related("policy").order_by("-pk").first()
    return found


def trial_of(run: Run, against: Run, *, start: int = 0, size: int = 50) -> Trial:
    """Read what the draft's `run` changes against the official one. Four queries, each read as it goes."""
    shops: dict[str, int] = defaultdict(int)
    flips: dict[str, int] = defaultdict(int)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for change in all_changes(run, against):
        for key in change.conditions:
            shops[key] += 1
            flips[key] += change.flips
            amounts[key] += (change.amount_after or 0) - (change.amount_before or 0)
    moves = [
        ConditionMove(str(condition.title), shops[condition.key], flips[condition.key], amounts[condition.key])
        for condition in CONDITIONS
        if shops[condition.key]
    ]
    partners = _partners(run, against)
    return Trial(
        comparison=compare(run, against, start=start, size=size),
        conditions=tuple(sorted(moves, key=lambda move: -move.shops)),
        partners=tuple(partners),
        before=against.net_amount,
        after=run.net_amount,
    )


def _partners(run: Run, against: Run) -> list[PartnerMove]:
    """The partners whose net differs, the largest difference first."""
    found: dict[int, dict[int, Decimal]] = defaultdict(dict)
    names: dict[int, tuple[str, str]] = {}
    for preview in PayoutPreview.objects.filter(run__in=[run, against]).select_related("partner"):
        found[preview.partner_id][preview.run_id] = preview.net_amount
        names[preview.partner_id] = (preview.partner.code, preview.partner.name)
    moves = [
        PartnerMove(*names[partner], nets.get(against.pk, Decimal(0)), nets.get(run.pk, Decimal(0)))
        for partner, nets in found.items()
    ]
    return sorted((move for move in moves if move.difference), key=lambda move: (-abs(move.difference), move.code))
