"""A real quarter, from its feeds to two people's decisions, what its partner sees and what the API answers.

It needs a folder with feeds (README of `DINGYAO_REALQUARTER`, or ../shared/realquarter beside the project), whose
figures an independent computation gave. Without it the test is skipped; test_example.py walks an invented quarter.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from core import audit
from core.models import RoleGrant, User
from incentives import ledger
from incentives.models import LedgerEntry, Payout, Run
from incentives.states import PayoutState
from partners.models import Membership, Partner
from tests.realquarter import FOLDER, needed

PROGRAM = "olist-2026"
PASSWORD = "a-long-enough-secret"
Browser = Callable[[User], Client]

pytestmark = needed


def command(*arguments: object) -> str:
    """Run a management command and return its last line."""
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue().strip().splitlines()[-1]


def operator(name: str, role: str) -> User:
    user = User.objects.create_user(f"{name}@example.com", PASSWORD, is_staff=True, language="en")
    RoleGrant.objects.create(user=user, role=role)
    return user


def sign_in(user: User) -> Client:
    """Sign in as a person does, through the form."""
    client = Client(headers={"accept-language": "en"})
    answer = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    return client


def decide(client: Client, step: str, payout: Payout, text: str = "", *, answered: int = 200) -> None:
    """Walk the back office's page of one step, as it is shown."""
    address = f"{reverse('admin:incentives_payout_step', args=[step])}?ids={payout.pk}"
    page = client.get(address)
    assert page.status_code == 200
    answer = client.post(address, {f"version_{payout.pk}": str(payout.version), "text": text}, follow=True)
    assert answer.status_code == answered
    payout.refresh_from_db()


@pytest.fixture
def run(db: None) -> Run:
    """The quarter, loaded and evaluated."""
    command(
        "create_program",
        PROGRAM,
        *("--start", "2026-01-01", "--end", "2026-03-31", "--policy", FOLDER / "policy.json"),
        "--accept-example-tiers",
    )
    for kind in ("partners", "targets", "fx", "shops", "shop_statuses", "settlements"):
        assert command("load", kind, FOLDER / f"{kind}.csv").endswith("unchanged 0 updated 0 rejected 0")
    first, second = (command("recompute", PROGRAM, "--inline") for _ in range(2))
    figures = r"run \d+ (digest [0-9a-f]{64} eligible 6 pending 0 needs_data 0 not_eligible 327 base 12000\.00 net .*)"
    found = re.fullmatch(figures, first)
    assert found, first
    assert second.endswith(found[1])
    latest: Run = Run.objects.published().order_by("-pk")[0]
    return latest


def test_the_quarter_closes(run: Run, tmp_path: Path) -> None:
    olga, omar = operator("olga", "reviewer"), operator("omar", "approver")
    reviewer, approver = sign_in(olga), sign_in(omar)

    submitted = reviewer.post(
        reverse("admin:incentives_run_submit", args=[run.pk]), {"text": "All facts are in."}, follow=True
    )
    assert submitted.status_code == 200
    payouts = list(Payout.objects.order_by("partner__code"))
    assert sum(payout.base_amount for payout in payouts) == Decimal("12000.00")
    assert {payout.state for payout in payouts} == {PayoutState.IN_REVIEW}

    first, second = payouts[:2]
    decide(reviewer, "approve", first, answered=403)
    assert first.state == PayoutState.IN_REVIEW, "a reviewer doesn't approve"
    decide(approver, "approve", first)
    decide(approver, "void", second, text="The orders were made up.")
    assert (first.state, second.state) == (PayoutState.APPROVED, PayoutState.VOID)
    assert sum(LedgerEntry.objects.values_list("amount", flat=True)) == 0
    assert ledger.balances(partner_id=first.partner_id)
    assert audit.verify_chain().intact

    alice = User.objects.create_user("alice@example.com", PASSWORD, language="en")
    Membership.objects.create(user=alice, partner=first.partner, role="owner")
    portal = sign_in(alice)
    page = portal.get(reverse("portal-shops", args=[PROGRAM]), {"sort": "code"}).content.decode()
    own = run.results.filter(partner=first.partner).select_related("shop").order_by("shop__code")
    assert own[0].shop.code in page
    statement = portal.get(reverse("portal-payout", args=[PROGRAM])).content.decode()
    assert "Approved" in statement
    stranger = run.results.exclude(partner=first.partner).select_related("shop")[0].shop.code
    assert portal.get(reverse("portal-shop", args=[PROGRAM, stranger])).status_code == 404

    target = tmp_path / "results.csv"
    call_command("export", "results", PROGRAM, "-o", str(target), stderr=io.StringIO())
    exported = list(csv.DictReader(target.open(encoding="utf-8", newline="")))
    assert len(exported) == 333
    assert Counter(row["verdict"] for row in exported) == {"eligible": 6, "not_eligible": 327}
    everything, scoped = rows(reviewer), rows(portal)
    assert {row["shop_code"]: row["verdict"] for row in everything} == {
        row["shop_code"]: row["verdict"] for row in exported
    }
    assert everything[0].keys() == exported[0].keys()
    assert {row["shop_code"] for row in scoped} == {
        row["shop_code"] for row in exported if row["partner_code"] == first.partner.code
    }
    assert Partner.objects.count() == 22


def rows(client: Client) -> list[dict[str, str]]:
    """All pages of the API's results."""
    found: list[dict[str, str]] = []
    address: str | None = f"/api/v1/results?program={PROGRAM}"
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.content
        found += answer.json()["results"]
        address = answer.json()["next"]
    return found
