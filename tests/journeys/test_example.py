"""The quarter in docs/example, closed as the README tells it: ten feeds, a run, two people, the figures."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from config.state import ROOT
from core.models import RoleGrant, User
from incentives.models import Run
from incentives.services import approve_payout, submit_run
from partners.models import Membership, Partner
from partners.people import actor_of

EXAMPLE = ROOT / "docs" / "example"
PROGRAM = "example-2025q1"
# The order in which feeds reach each other by codes.
FEEDS = (
    "partners",
    "targets",
    "invites",
    "claims",
    "shops",
    "shop_statuses",
    "settlements",
    "stock",
    "violations",
    "fx",
)


def command(*arguments: object) -> str:
    """Run a management command and return its last line."""
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue().strip().splitlines()[-1]


def exported(what: str, folder: Path) -> list[dict[str, str]]:
    target = folder / f"{what}.csv"
    call_command("export", what, PROGRAM, "-o", str(target), stderr=io.StringIO())
    return list(csv.DictReader(target.open(encoding="utf-8", newline="")))


def person(address: str, *, role: str = "", partner: str = "") -> User:
    user = User.objects.create_user(address, "quite-a-long-secret")
    if role:
        RoleGrant.objects.create(user=user, role=role)
    if partner:
        Membership.objects.create(user=user, partner=Partner.objects.get(code=partner), role="owner")
    return user


@pytest.fixture
def loaded(db: None) -> None:
    command(
        "create_program", PROGRAM, "--start", "2025-01-01", "--end", "2025-03-31", "--policy", EXAMPLE / "policy.json"
    )
    for kind in FEEDS:
        assert command("load", kind, EXAMPLE / f"{kind}.csv").endswith("unchanged 0 updated 0 rejected 0")


@pytest.mark.usefixtures("loaded")
def test_every_shop_gets_the_verdict_that_the_readme_tells(tmp_path: Path) -> None:
    last = command("recompute", PROGRAM, "--inline")
    assert re.fullmatch(
        r"run \d+ digest [0-9a-f]{64} eligible 1 pending 1 needs_data 1 not_eligible 3 base 2000\.00 net 1800\.00", last
    )
    assert {row["shop_code"]: (row["verdict"], row["gmv_cny"]) for row in exported("results", tmp_path)} == {
        "S-1": ("eligible", "1049.00"),
        "S-2": ("not_eligible", "960.00"),
        "S-3": ("pending", "1200.00"),
        "S-4": ("not_eligible", "0.00"),
        "S-5": ("not_eligible", "0.00"),
        "S-6": ("needs_data", ""),
    }
    # README.md shows these lines.
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.sub(r"^run \d+ digest [0-9a-f]{64} ", "", last) in readme
    for row in exported("results", tmp_path):
        assert f"| `{row['shop_code']}` | `{row['verdict']}` |" in readme


@pytest.mark.usefixtures("loaded")
def test_loading_it_again_changes_nothing(tmp_path: Path) -> None:
    before = command("recompute", PROGRAM, "--inline")
    for kind in FEEDS:
        assert re.search(r" rows (\d+) new 0 unchanged \1 ", command("load", kind, EXAMPLE / f"{kind}.csv"))
    after = command("recompute", PROGRAM, "--inline")
    assert after.split(" ", 2)[2] == before.split(" ", 2)[2]
    assert exported("changes", tmp_path) == []


@pytest.mark.usefixtures("loaded")
def test_two_people_make_it_a_payout(tmp_path: Path) -> None:
    command("recompute", PROGRAM, "--inline")
    olga, omar = person("olga@example.com", role="reviewer"), person("omar@example.com", role="approver")
    run = Run.objects.get()
    assert not submit_run(actor=actor_of(olga), run=run).payouts  # one shop waits for a rate
    (payout,) = submit_run(actor=actor_of(olga), run=run, reason="The rate of SEK comes in April.").payouts
    approve_payout(actor=actor_of(omar), payout=payout)
    assert [(row["partner_code"], row["net_amount"], row["state"]) for row in exported("payouts", tmp_path)] == [
        ("HARBOUR", "1800.00", "approved"),
        ("YUNFAN", "0.00", "computed"),
    ]


@pytest.mark.usefixtures("loaded")
def test_each_partner_sees_its_own(client: Client) -> None:
    command("recompute", PROGRAM, "--inline")
    client.force_login(person("charlie@example.org", partner="YUNFAN"))
    answer = client.get("/api/v1/results").json()["results"]
    assert [row["shop_code"] for row in answer] == ["S-2", "S-3"]
