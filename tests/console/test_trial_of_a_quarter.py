"""A draft tried on a whole quarter: shop by shop and partner by partner it shows what publishing it then gives."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client

from core.models import User
from core.policy import Policy
from incentives.demo.seeding import seed
from incentives.engine.run import start_run, work
from incentives.models import PayoutPreview, Result, Run
from incentives.queries.run_pages import all_changes
from incentives.queries.trials import trial_of
from incentives.states import RunState
from partners.people import actor_of
from tests.console.reading import text
from tests.demo.test_season import MID_QUARTER

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

Verdicts = dict[str, tuple[str, Decimal]]


def other(policy: Policy) -> Policy:
    """Easier to sell, harder to stock, a market less, another amount, and a harder discount: both ways and by price."""
    return replace(
        policy,
        markets=tuple(market for market in policy.markets if market != "IE"),
        incentive=replace(policy.incentive, amount=Decimal("1750.00")),
        activation=replace(policy.activation, gmv_above=Decimal(600), window_days=40),
        stock=replace(policy.stock, exempt_markets=(), minimum=3),
        shop=replace(policy.shop, normal_statuses=("open", "restricted")),
        discount=replace(policy.discount, tiers=tuple(replace(t, pay=t.pay / 2) for t in policy.discount.tiers)),
    )


def verdicts(run: Run) -> Verdicts:
    rows = Result.objects.filter(run=run).values_list("shop__code", "verdict", "amount")
    return {code: (verdict, amount) for code, verdict, amount in rows}


def nets(run: Run) -> dict[str, Decimal]:
    return dict(PayoutPreview.objects.filter(run=run).values_list("partner__code", "net_amount"))


def browser(name: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    user = User.objects.get(email__startswith=f"{name}@")
    user.language = "en"
    user.save()
    client.force_login(user)
    return client


def test_the_flips_shown_are_those_that_publishing_gives(tmp_path: Path) -> None:
    official = seed(now=MID_QUARTER, folder=tmp_path, live=False).runs[1]
    work(official.pk)
    official.refresh_from_db()
    assert official.state == RunState.FINISHED
    page = f"/operator/programs/{official.program.code}/draft"
    olga, omar = browser("olga"), browser("omar")

    # Tried, in place of what the demo's draft says.
    olga.post(page, {"document": json.dumps(other(official.rules).document()), "revision": "1"})
    tried = Run.objects.get(pk=int(olga.post(f"{page}/try").headers["Location"].rpartition("/")[2]))
    work(tried.pk)
    tried.refresh_from_db()
    trial = trial_of(tried, official)

    # Published by another person, and run.
    said = text(omar.post(f"{page}/publish", {"revision": "2", "examples": "on"}, follow=True))
    assert "Published version 2." in said
    real = start_run(actor=actor_of(User.objects.get(email__startswith="olga@")), program=official.program,
                     as_of=official.as_of, inline=True)  # fmt: skip
    work(real.pk)
    real.refresh_from_db()
    assert (real.state, real.policy and real.policy.number) == (RunState.FINISHED, 2)

    # Verdict by verdict: what the trial says is the difference of the two official runs, read from their rows.
    before, after = verdicts(official), verdicts(real)
    assert verdicts(tried) == after
    moved = {
        code: (before.get(code, ("", Decimal(0)))[0], after.get(code, ("", Decimal(0)))[0])
        for code in before.keys() | after.keys()
        if before.get(code, ("",))[0] != after.get(code, ("",))[0]
    }
    shown = {change.shop_code: (change.before, change.after) for change in all_changes(tried, official) if change.flips}
    assert shown == moved
    assert trial.comparison.flips == len(moved)
    ways = Counter(moved.values())
    assert len(ways) >= 3, "the draft moves shops in several ways"
    assert ("pending", "eligible") in ways
    assert sorted(count for _before, _after, count in trial.comparison.verdicts) == sorted(ways.values())

    # Partner by partner, and the whole.
    now, then = nets(official), nets(real)
    assert nets(tried) == then
    expected = {
        code: then.get(code, Decimal(0)) - now.get(code, Decimal(0))
        for code in now.keys() | then.keys()
        if then.get(code, Decimal(0)) != now.get(code, Decimal(0))
    }
    assert {move.code: move.difference for move in trial.partners} == expected
    assert len(expected) > 10
    assert (trial.before, trial.after) == (official.net_amount, real.net_amount)
    assert trial.difference == sum(expected.values())
    assert tried.digest == real.digest
