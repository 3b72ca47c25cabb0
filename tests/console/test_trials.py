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


def saved(client: Client, policy: Policy, *, revision: int = 0) -> str:
    """Save the draft as JSON; what the page then says."""
    posted = {"document": json.dumps(policy.document()), "revision": str(revision)}
    return text(client.post("/operator/programs/Q1/draft", posted, follow=True))


def try_it(client: Client, policy: Policy) -> Run:
    said = saved(client, policy)
    assert "Revision 1, by Olga" in said, said
    answer = client.post("/operator/programs/Q1/draft/try")
    return Run.objects.get(pk=int(answer.headers["Location"].rpartition("/")[2]))


def test_a_trial_shows_what_publishing_then_gives(official: Run, browser: Callable[[str], Client]) -> None:
    olga = browser("olga")
    run = try_it(olga, easier(official.rules))
    assert (run.kind, run.as_of, run.policy) == (RunKind.DRAFT, official.as_of, None)
    page = olga.get(f"/operator/trials/{run.pk}")
    assert 'hx-trigger="every 2s"' in page.content.decode()
    work(run.pk)
    run.refresh_from_db()

    said = text(olga.get(f"/operator/trials/{run.pk}"))
    told = "1 shop would change its verdict; after discounts 0.00 would become 2,000.00."
    assert told in said
    assert "This is the draft as it now is." in said
    assert "Settled GMV to exceed activation.gmv_above" in said
    assert told in text(olga.get("/operator/programs/Q1/draft"))
    trial = trial_of(run, official)
    assert [(move.shops, move.flips, move.amount) for move in trial.conditions] == [(1, 1, Decimal("2000.00"))] * 2
    assert [(move.code, move.difference) for move in trial.partners] == [("P-1", Decimal("2000.00"))]
    rows = b"".join(olga.get(f"/operator/trials/{run.pk}/changes.csv")).decode().splitlines()
    assert rows[1].startswith("S-1,P-1,not_eligible,eligible,0.00,2000.00,")
    assert browser("charlie").get(f"/operator/trials/{run.pk}/changes.csv").status_code == 404

    omar = browser("omar")
    said = text(omar.post("/operator/programs/Q1/draft/publish", {"revision": "1", "examples": "on"}, follow=True))
    assert "Published version 2. Runs judge by it from now on, and who takes part is told." in said
    real = start_run(actor=ACTOR, program=official.program, as_of=official.as_of, inline=True)
    work(real.pk)
    real.refresh_from_db()
    assert real.policy is not None
    assert real.policy.number == 2
    verdicts = [list(Result.objects.filter(run=one).values_list("shop", "verdict", "amount")) for one in (run, real)]
    assert verdicts[0] == verdicts[1]
    assert (run.eligible, run.net_amount) == (real.eligible, real.net_amount) == (1, Decimal("2000.00"))
    said = text(olga.get(f"/operator/trials/{run.pk}"))
    assert told in said, "what the draft was compared with stays what it was"
    assert "The draft was published or thrown away since." in said


def test_trying_publishes_nothing_and_shows_partners_nothing(official: Run, browser: Callable[[str], Client]) -> None:
    run = try_it(browser("olga"), easier(official.rules))
    assert PolicyVersion.objects.count() == 1
    charlie = browser("charlie")
    assert charlie.get(f"/operator/trials/{run.pk}").status_code == 404
    assert charlie.post("/operator/programs/Q1/draft/try").status_code == 404


def test_what_was_changed_since_is_said_to_be_tried_no_more(official: Run, browser: Callable[[str], Client]) -> None:
    olga = browser("olga")
    run = try_it(olga, easier(official.rules))
    work(run.pk)
    saved(olga, replace(official.rules, markets=("DE",)), revision=1)
    assert "The draft was changed since; try it again." in text(olga.get(f"/operator/trials/{run.pk}"))
    assert "Not tried as it now is." in text(olga.get("/operator/programs/Q1/draft"))


def test_whoever_may_not_draft_tries_nothing(official: Run, browser: Callable[[str], Client]) -> None:
    saved(browser("olga"), easier(official.rules))
    fiona = browser("fiona")
    assert "Try it on" not in text(fiona.get("/operator/programs/Q1/draft"))
    assert "Your role doesn't allow" in text(fiona.post("/operator/programs/Q1/draft/try", follow=True))
    assert not Run.objects.filter(kind=RunKind.DRAFT).exists()


def test_without_a_draft_there_is_nothing_to_try(official: Run, browser: Callable[[str], Client]) -> None:
    said = text(browser("olga").post("/operator/programs/Q1/draft/try", follow=True))
    assert "There is no draft to try." in said
    assert not Run.objects.filter(kind=RunKind.DRAFT).exists()


def test_one_draft_of_a_program_is_tried_at_a_time(official: Run, browser: Callable[[str], Client]) -> None:
    olga = browser("olga")
    run = try_it(olga, easier(official.rules))
    answer = olga.post("/operator/programs/Q1/draft/try", follow=True)
    assert f"A draft of Q1 is being tried already, as run {run.pk}." in text(answer)
