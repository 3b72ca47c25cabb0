"""What changed about one shop since the run before, and which facts changed it (POLICY 8.2)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext_lazy as _

from incentives.engine.changes import CAUSES, REACHES
from incentives.engine.conditions import CONDITIONS, ConditionLine, explain
from incentives.models import FrozenShop, Result, Run
from incentives.states import Verdict

CAUSE_WORDS = {
    "listing": _("the target list changed"),
    "certification": _("a shop was certified: this one or an earlier one"),
    "partner": _("the partner's certification changed"),
    "link": _("the link changed"),
    "attribution": _("the shop was attributed anew"),
    "settlement": _("settlements arrived"),
    "rate": _("exchange rates arrived"),
    "stock": _("stock observations arrived"),
    "status": _("a status arrived"),
    "violation": _("a violation was recorded or overturned"),
    "policy": _("another policy version judged"),
    "time": _("time passed"),
}

DIFFERS = f"""
SELECT {", ".join(f"coalesce({sql}, false)" for sql in CAUSES.values())}
FROM incentives_frozenshop a JOIN incentives_frozenshop b ON b.shop_id = a.shop_id
WHERE a.run_id = %(after)s AND b.run_id = %(before)s AND a.shop_id = %(shop)s
"""  # noqa: S608 (names of columns, from the engine)


@dataclass(frozen=True, slots=True)
class Moved:
    """A condition that stands differently than in the run before: both sentences, and why."""

    title: str
    before: ConditionLine
    after: ConditionLine
    causes: tuple[str, ...]

    @property
    def why(self) -> tuple[str, ...]:
        """The causes in words."""
        return tuple(str(CAUSE_WORDS[cause]) for cause in self.causes)


@dataclass(frozen=True, slots=True)
class SinceRun:
    """The run before and what moved since. `is_new`: that run did not judge the shop for this partner."""

    run_id: int
    as_of: datetime
    is_new: bool
    verdict: str
    verdict_label: str
    moved: tuple[Moved, ...]
    new_policy: bool


def since_run(run: Run, result: Result, frozen: FrozenShop, lines: tuple[ConditionLine, ...]) -> SinceRun | None:
    """Compare the shop with the published run before; None where there is none. Four queries.

    What another partner's shop was like before it was attributed anew is not told.
    """
    before = (
        Run.objects.published()
        .filter(program=run.program_id, pk__lt=run.pk)
        .select_related("program", "policy")
        .order_by("-pk")
        .first()
    )
    if before is None or before.as_of is None:
        return None
    old = (
        Result.objects.filter(run=before, shop=result.shop_id, partner=result.partner_id)
        .select_related("facts__entry")
        .first()
    )
    new_policy = run.document != before.document
    if old is None:
        return SinceRun(before.pk, before.as_of, True, "", "", (), new_policy)
    with connection.cursor() as cursor:
        cursor.execute(DIFFERS, {"after": run.pk, "before": before.pk, "shop": result.shop_id})
        row = cursor.fetchone() or ()
    differs = {cause for cause, differing in zip(CAUSES, row, strict=False) if differing}
    old_lines = explain(old.facts, old, before.rules, before)
    moved = []
    for condition, was, now in zip(CONDITIONS, old_lines, lines, strict=True):
        causes = [cause for cause in REACHES[condition.key] if cause in differs]
        if was.outcome == now.outcome and (not causes or was.sentence == now.sentence):
            continue
        if new_policy:
            causes.append("policy")
        moved.append(Moved(now.title, was, now, tuple(causes or ["time"])))
    return SinceRun(
        before.pk,
        before.as_of,
        False,
        old.verdict,
        str(Verdict(old.verdict).label),
        tuple(moved),
        new_policy,
    )
