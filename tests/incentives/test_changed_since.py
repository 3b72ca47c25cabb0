"""Who has no role for it doesn't approve; an approval of what has changed since it was opened is refused and shows what
has (POLICY 6)."""

from __future__ import annotations

import pytest

from core.actors import Role
from core.models import User
from incentives.models import Payout
from incentives.services import submit_run, void_line
from incentives.states import PayoutState
from tests.incentives.approving import browser
from tests.incentives.factories import AFTER_CLOSE, World, make_user


@pytest.fixture
def payout(world: World) -> Payout:
    return submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE).payouts[0]


@pytest.mark.parametrize("name", ["olga", "fiona", "aurora"])
def test_who_has_no_such_role_does_not_get_in(world: World, payout: Payout, name: str) -> None:
    make_user("aurora", Role.AUDITOR)
    client = browser(User.objects.get(email=f"{name}@example.com"))
    one = client.post(f"/api/v1/operator/payouts/{payout.pk}/approve", {}, content_type="application/json")
    body = {"step": "approve", "payouts": [{"id": payout.pk}]}
    many = client.post("/api/v1/operator/bulk", body, content_type="application/json")
    assert (one.status_code, many.status_code) == (403, 403)
    found = Payout.objects.get(pk=payout.pk)
    assert (found.state, found.approved_by) == (PayoutState.IN_REVIEW, None)


def test_approving_what_has_changed_shows_what_has(world: World, payout: Payout) -> None:
    omar = browser(world.omar)
    seen = omar.get(f"/api/v1/operator/payouts/{payout.pk}").json()
    assert "approve" in seen["payout"]["steps"]
    void_line(actor=world.actor("olga"), line=payout.lines.order_by("pk")[0], reason="Wrong merchant.", at=AFTER_CLOSE)
    late = omar.post(
        f"/api/v1/operator/payouts/{payout.pk}/approve",
        {"version": seen["payout"]["version"]},
        content_type="application/json",
    )
    assert late.status_code == 409
    told = late.json()
    assert told["errors"][0] == {
        "code": "stale",
        "detail": "Olga changed this payout at 2026-07-01 12:00 (Line voided). Look at it again before you decide.",
        "attr": None,
    }
    assert [(c["kind"], c["who"], c["shop_code"], c["reason"], c["payable"]) for c in told["changes"]] == [
        ("void_line", "Olga", "S-1", "Wrong merchant.", "2000.00")
    ]
    assert told["version"] == seen["payout"]["version"] + 1
    done = omar.post(
        f"/api/v1/operator/payouts/{payout.pk}/approve", {"version": told["version"]}, content_type="application/json"
    )
    assert (done.status_code, done.json()["payout"]["state"]) == (200, "approved")
