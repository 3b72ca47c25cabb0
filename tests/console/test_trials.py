"""A policy draft tried on real facts: what it shows is what publishing and running it then gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client

from core.models import PolicyVersion, Program
from core.policy import Policy
from core.services import publish_policy
from incentives.engine.run import start_run, work
from incentives.models import Result, Run
from incentives.queries.trials import trial_of
from incentives.states import RunKind, RunState
from tests.console.reading import text
from tests.merchants.imports.feeds import ACTOR, GOOD, Feeds
from tests.people import person


def easier(policy: Policy) -> Policy:
    """One country is enough, and 900 CNY."""
    return replace(
        policy,
        stock=replace(policy.stock, minimum=1),
        activation=replace(policy.activation, gmv_above=Decimal(900)),
    )


@pytest.fixture
def official(db: None, tmp_path: Path) -> Run:
    """One shop that sold for 987 CNY and has stock in one country, judged by the policy in force."""
    feeds = Feeds(tmp_path)
    feeds.world(until="violations")
    feeds.load("fx", {**GOOD["fx"], "rate_date": "2026-02-01", "rate": "8.19"})
    run = start_run(actor=ACTOR, program=Program.objects.get(code="Q1"), inline=True)
    work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.eligible, run.not_eligible) == (RunState.FINISHED, 0, 1)
    return run


@pytest.fixture
def browser(official: Run) -> Callable[[str], Client]:
    def opened(name: str) -> Client:
        client = Client(headers={"accept-language": "en"})
        client.force_login(person(name))
        return client

    return opened


def try_it(client: Client, policy: Policy) -> Run:
    answer = client.post("/operator/programs/Q1/try", {"document": json.dumps(policy.document())})
    assert answer.status_code == 302, text(answer)
    return Run.objects.get(pk=int(answer.headers["Location"].rpartition("/")[2]))


def test_a_trial_shows_what_publishing_then_gives(official: Run, browser: Callable[[str], Client]) -> None:
    olga = browser("olga")
    draft = easier(official.rules)
    run = try_it(olga, draft)
    assert (run.kind, run.as_of, run.policy) == (RunKind.DRAFT, official.as_of, None)
    page = olga.get(f"/operator/trials/{run.pk}")
    assert 'hx-trigger="every 2s"' in page.content.decode()
    work(run.pk)
    run.refresh_from_db()

    said = text(olga.get(f"/operator/trials/{run.pk}"))
    assert "1 shop would change its verdict; after discounts 0.00 would become 2,000.00." in said
    assert "Settled GMV to exceed activation.gmv_above" in said
    trial = trial_of(run, official)
    assert [(move.shops, move.flips, move.amount) for move in trial.conditions] == [(1, 1, Decimal("2000.00"))] * 2
    assert [(move.code, move.difference) for move in trial.partners] == [("P-1", Decimal("2000.00"))]

    publish_policy(actor=ACTOR, program_code="Q1", policy=draft, accept_example_tiers=True)
    real = start_run(actor=ACTOR, program=official.program, as_of=official.as_of, inline=True)
    work(real.pk)
    real.refresh_from_db()
    assert real.policy is not None
    assert real.policy.number == 2
    verdicts = [list(Result.objects.filter(run=one).values_list("shop", "verdict", "amount")) for one in (run, real)]
    assert verdicts[0] == verdicts[1]
    assert (run.eligible, run.net_amount) == (real.eligible, real.net_amount) == (1, Decimal("2000.00"))


def test_trying_publishes_nothing_and_shows_partners_nothing(official: Run, browser: Callable[[str], Client]) -> None:
    run = try_it(browser("olga"), easier(official.rules))
    assert PolicyVersion.objects.count() == 1
    charlie = browser("charlie")
    assert charlie.get(f"/operator/trials/{run.pk}").status_code == 404
    assert charlie.get("/operator/programs/Q1/try").status_code == 404
    assert charlie.post("/operator/programs/Q1/try", {"document": "{}"}).status_code == 404


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "The policy is no JSON"),
        ('{"markets": ["DE"], "colour": 1}', "colour"),
        ('{"incentive": {"amount": "-1"}}', "incentive.amount"),
        ("", "The policy is no JSON"),
        ("[" * 5000, "The policy is no JSON"),
    ],
)
def test_a_draft_that_cant_be_is_refused_in_words(
    official: Run, browser: Callable[[str], Client], document: str, words: str
) -> None:
    answer = browser("olga").post("/operator/programs/Q1/try", {"document": document})
    assert answer.status_code == 422
    assert words in text(answer)
    assert not Run.objects.filter(kind=RunKind.DRAFT).exists()


def test_whoever_may_not_start_runs_tries_nothing(official: Run, browser: Callable[[str], Client]) -> None:
    omar = browser("omar")
    assert "Try it on" not in text(omar.get("/operator/programs/Q1/try"))
    answer = omar.post("/operator/programs/Q1/try", {"document": "{}"})
    assert "Your role doesn't allow" in text(answer)
    assert not Run.objects.filter(kind=RunKind.DRAFT).exists()


def test_one_draft_of_a_program_is_tried_at_a_time(official: Run, browser: Callable[[str], Client]) -> None:
    olga = browser("olga")
    run = try_it(olga, easier(official.rules))
    answer = olga.post("/operator/programs/Q1/try", {"document": "{}"})
    assert f"A draft of Q1 is being tried already, as run {run.pk}." in text(answer)
