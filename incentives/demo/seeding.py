"""Brings the planned season into the database the way that real ones come: programs, feeds, runs, decisions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.apps import apps
from django.db import connection, transaction

from core.actors import Actor, Role
from core.errors import Conflict
from core.models import PolicyVersion, Program, User
from core.policy import Policy
from core.services import create_program
from incentives.demo.applicants import let_organisations_apply
from incentives.demo.claims import make_claims
from incentives.demo.decisions import decide_payouts
from incentives.demo.invites import make_invites
from incentives.demo.leads import leave_leads
from incentives.demo.moments import CLOSED_QUARTER, ZONE
from incentives.demo.people import create_colleagues, create_people
from incentives.demo.season import ProgramPlan, Season, plan_season, program_code
from incentives.demo.signins import ALICE_PARTNER, SIGNINS
from incentives.demo.undecided import leave_undecided
from incentives.engine.run import start_run, work
from incentives.models import Run
from incentives.services import ensure_attribution_open
from merchants.models import Shop
from merchants.services import assign_shop, load_feed
from partners.models import Membership, Partner
from partners.people import actor_of
from partners.services import join_program

SYSTEM = Actor.system("demo")


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a seeding brought: its plan, and the two runs that it left to the workers."""

    season: Season
    rows: int
    rejected: int
    runs: tuple[Run, ...]


def is_seeded() -> bool:
    """Whether the demo is there. Raises Conflict where something else has taken its names."""
    programs = Program.objects.filter(code=program_code(CLOSED_QUARTER)).exists()
    people = User.objects.filter(email__in=[sign_in.email for sign_in in SIGNINS]).count()
    if programs and people == len(SIGNINS):
        return True
    if programs or people:
        raise Conflict(
            "This database holds the demo's program or people, but not the demo. Give the demo an empty database: "
            "set DINGYAO_STATE to another folder."
        )
    return False


def seed(*, now: datetime, folder: Path, live: bool = True, say: Callable[[str], None] = lambda _: None) -> Seeded:
    """Plan the demo as of `now` and load it, all or nothing, through files in a temporary folder inside `folder`.

    With `live` the last feeds count as recorded when they are loaded, and the newest runs look at that moment;
    without, at `now`: for a plan of another day. The newest runs are started, not worked on.
    """
    season = plan_season(now=now)
    with transaction.atomic():
        people = create_people(actor=SYSTEM)
        for plan in season.programs:
            create_program(
                actor=people["omar"],
                code=plan.code,
                start=plan.period.first,
                end=plan.period.last,
                policy=Policy.parse(plan.document),
                # Invented tiers for invented partners.
                accept_example_tiers=True,
            )
        say(f"loading {len(season.files)} feed files")
        rows, rejected = _load(season, people["olga"], folder, live=live)
        create_colleagues(actor=SYSTEM)
        _take_stock()
        say("running and deciding")
        first = _run(season.closed, people["olga"])
        _run(season.running, people["olga"])
        _assign(season, people["olga"])
        _join(season.running, season.moments.now)
        make_claims(now=season.moments.now, program=season.running.code, keeper=people["olga"], folder=folder)
        make_invites(now=season.moments.now, program=season.running.code, keeper=people["olga"], folder=folder)
        decide_payouts(run=first, people=people, now=season.moments.now)
        leave_leads(now=season.moments.now, program=season.running.code, keeper=people["olga"], folder=folder)
        let_organisations_apply(recruiter=people["rosa"], now=season.moments.now)
        leave_undecided(
            run=first,
            running=Program.objects.get(code=season.running.code),
            people=people,
            now=season.moments.now,
        )
    # After the commit: the feeds have asked for an automatic run by now, and these take its place.
    as_of = None if live else season.moments.now
    newest = tuple(
        start_run(actor=people["olga"], program=Program.objects.get(code=plan.code), as_of=as_of)
        for plan in season.programs
    )
    return Seeded(season, rows, rejected, newest)


def _load(season: Season, actor: Actor, folder: Path, *, live: bool) -> tuple[int, int]:
    last = len(season.moments.waves) - 1
    rows = rejected = 0
    with tempfile.TemporaryDirectory(dir=folder, prefix="demo-") as place:
        for file in season.files:
            # What arrived by now is loaded now; the rest is history.
            recorded_at = None if live and file.wave == last else file.recorded_at
            path = file.write(Path(place))
            loaded = load_feed(actor=actor, kind=file.kind, path=path, recorded_at=recorded_at)
            rows, rejected = rows + loaded.rows, rejected + loaded.rejected
            path.unlink()
    return rows, rejected


def _take_stock() -> None:
    """Let the planner know how large the tables have grown: no autovacuum sees them before the commit."""
    tables = ", ".join(
        connection.ops.quote_name(model._meta.db_table)
        for app in ("core", "partners", "merchants")
        for model in apps.get_app_config(app).get_models()
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {tables}")


def _assign(season: Season, actor: Actor) -> None:
    """Two shops that nobody had brought in are given to a partner by decision, this morning."""
    period = season.running.period
    lost = Shop.objects.filter(attributions=None, certified_at__gte=period.starts_at(ZONE)).order_by("code")
    for shop in lost[:2]:
        assign_shop(
            actor=actor,
            shop=shop,
            partner=Partner.objects.get(code=ALICE_PARTNER),
            reason="服务商提供了与商家的签约邮件。The partner showed the merchant's letter of engagement.",
            guard=ensure_attribution_open,
        )


def _join(plan: ProgramPlan, at: datetime) -> None:
    """Their owners have accepted the running program's rules, with the commitment that the feed states."""
    policy = PolicyVersion.objects.get(program__code=plan.code)
    for owner in Membership.objects.filter(role=Role.OWNER).select_related("user", "partner"):
        commitment = owner.partner.commitment
        if commitment is not None:
            join_program(actor=actor_of(owner.user), partner=owner.partner, policy=policy, commitment=commitment, at=at)


def _run(plan: ProgramPlan, actor: Actor) -> Run:
    """A finished run as of the plan's moment, done here and now."""
    program = Program.objects.get(code=plan.code)
    run = start_run(actor=actor, program=program, as_of=plan.as_of, inline=True)
    work(run.pk)
    run.refresh_from_db()
    return run
