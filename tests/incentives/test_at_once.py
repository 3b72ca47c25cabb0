"""Many decisions at once: one wins and the others are told who and when; many payouts in one decision, and how fast.

DESK_PAYOUTS, DESK_ATTEMPTS and DESK_BULK in the environment make the proofs shorter or longer.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from time import monotonic
from typing import NamedTuple

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from config.env import env
from core import audit
from core.actors import Actor, Role
from core.errors import DomainError
from core.models import AuditEvent, User
from incentives import ledger
from incentives.models import BulkDecision, Decision, LedgerEntry, Payout
from incentives.queries.payments import bulk_progress
from incentives.services import approve_payout, approve_payouts, decide_in_bulk, submit_run, void_payout
from incentives.services.bulk import PIECE, work_on_bulk
from incentives.states import Account, PayoutState
from partners.models import Membership, Partner
from tests.incentives.factories import AFTER_CLOSE, Spec, World, batch, make_partner, make_run, make_user, make_world

# The test server's connections are the limit of what is at once; the rest wait for one, as requests do.
THREADS = 64


class Answer(NamedTuple):
    """What an attempt got: the state that it brought, or the refusal's code and words."""

    payout: int
    state: str
    code: str
    message: str


def attempts_at_once(payouts: int, attempts: int) -> None:
    """So many approvals and voids on each of so many payouts; all saw the same version."""
    world = make_world()
    run = make_run(world.program, [Spec(f"C-{number}", make_partner(f"p{number}")) for number in range(payouts)])
    submitted = submit_run(actor=world.actor("olga"), run=run, at=AFTER_CLOSE).payouts
    people = [world.actor("omar"), *(approver(name) for name in ("oscar", "oda", "odin"))]

    def attempt(task: tuple[int, Payout]) -> Answer:
        number, payout = task
        actor = people[number % len(people)]
        translation.activate("en")  # a thread starts with the house's language
        try:
            if number % 2:
                done = void_payout(actor=actor, payout=payout, reason="Forged.", version=payout.version)
            elif number % 4:
                found = approve_payouts(actor=actor, versions={payout.pk: payout.version})[payout.pk]
                if isinstance(found, DomainError):
                    raise found
                done = found
            else:
                done = approve_payout(actor=actor, payout=payout, version=payout.version)
            return Answer(payout.pk, done.state, "", "")
        except DomainError as refusal:
            return Answer(payout.pk, "", refusal.code, refusal.message)

    shuffled = random.Random(20260701)
    tasks = []
    for payout in submitted:
        mine = [(number, payout) for number in range(attempts)]
        shuffled.shuffle(mine)
        tasks += mine
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(attempt, tasks))
        # Each thread has opened a connection of its own, and only it can close it: all of them wait for one another.
        together = Barrier(THREADS)
        for closed in [pool.submit(hang_up, together) for _ in range(THREADS)]:
            closed.result(60)

    won = Counter(answer.payout for answer in answers if answer.state)
    assert won == {payout.pk: 1 for payout in submitted}
    lost = [answer for answer in answers if not answer.state]
    assert {answer.code for answer in lost} == {"stale"}
    told = re.compile(r"(Omar|Oscar|Oda|Odin) changed this payout at \d{4}-\d\d-\d\d \d\d:\d\d \((Approved|Voided)\)")
    assert all(told.match(answer.message) for answer in lost)
    states_ledger_and_trail_agree({answer.payout: answer.state for answer in answers if answer.state})


def hang_up(together: Barrier) -> None:
    together.wait(60)
    connection.close()


def states_ledger_and_trail_agree(winners: dict[int, str]) -> None:
    actions = {PayoutState.APPROVED.value: "payout.approved", PayoutState.VOID.value: "payout.voided"}
    assert dict(Payout.objects.filter(pk__in=winners).values_list("pk", "state")) == winners
    for payout in Payout.objects.filter(pk__in=winners):
        assert payout.version == 2
        decided = Decision.objects.filter(payout=payout).exclude(kind="submit").values_list("state_after", flat=True)
        assert list(decided) == [payout.state]
        trail = AuditEvent.objects.filter(subject_type="incentives.payout", subject_id=str(payout.pk))
        assert list(trail.values_list("action", flat=True)) == [actions[payout.state]]
        owed = payout.payable if payout.state == PayoutState.APPROVED else Decimal(0)
        assert ledger.balances(payout_id=payout.pk)[Account.PARTNER_PAYABLE] == -owed
    assert sum(LedgerEntry.objects.values_list("amount", flat=True), Decimal(0)) == 0
    assert not LedgerEntry.objects.values("posting").annotate(total=Sum("amount")).exclude(total=0).exists()
    assert audit.verify_chain().intact


def approver(name: str) -> Actor:
    return Actor(make_user(name, Role.APPROVER).pk, frozenset({Role.APPROVER}))


@pytest.mark.django_db(transaction=True)
def test_of_many_approvals_and_voids_at_once_one_wins() -> None:
    attempts_at_once(payouts=4, attempts=24)


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_of_two_hundred_approvals_and_voids_on_each_of_a_hundred_payouts_one_wins() -> None:
    attempts_at_once(
        payouts=env.integer("DESK_PAYOUTS", 100, minimum=1), attempts=env.integer("DESK_ATTEMPTS", 200, minimum=2)
    )


# --- Many payouts in one decision -----------------------------------------------------------------------------------


def make_payouts(world: World, count: int) -> list[Payout]:
    """So many payouts in review, each of a partner with an owner who is told."""
    marks = [f"b{number:05d}" for number in range(count)]
    landed = batch()
    partners = Partner.objects.bulk_create(
        Partner(code=mark, name=f"Partner {mark}", category="logistics", batch=landed) for mark in marks
    )
    users = User.objects.bulk_create(User(email=f"{mark}@example.com", name=mark, language="en") for mark in marks)
    Membership.objects.bulk_create(
        Membership(partner=partner, user=user, role=Role.OWNER) for partner, user in zip(partners, users, strict=True)
    )
    made: list[Payout] = Payout.objects.bulk_create(
        Payout(
            program=world.program,
            partner=partner,
            run=world.run,
            policy=world.program.current_policy,
            introduced=1,
            high_risk=0,
            currency="CNY",
            base_amount=Decimal("2000.00"),
            factor=Decimal(1),
            net_amount=Decimal("2000.00"),
            payable=Decimal("2000.00"),
            submitted_by=world.olga,
            submitted_at=AFTER_CLOSE,
        )
        for partner in partners
    )
    return made


def test_approving_more_is_no_more_queries(world: World) -> None:
    payouts, counts = make_payouts(world, 90), []
    for part in (payouts[:30], payouts[30:]):
        with CaptureQueriesContext(connection) as queries:
            answers = approve_payouts(actor=world.actor("omar"), versions={each.pk: each.version for each in part})
        assert all(isinstance(answer, Payout) for answer in answers.values())
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert AuditEvent.objects.filter(action="payout.approved").count() == 90
    assert audit.verify_chain().intact


def test_a_bulk_decision_goes_piece_by_piece_and_refuses_one_by_one(world: World) -> None:
    payouts = make_payouts(world, PIECE + 20)
    omar = world.actor("omar")
    versions: dict[int, int | None] = {each.pk: each.version for each in payouts}
    void_payout(actor=world.actor("olga"), payout=payouts[5], reason="Forged.")
    bulk = decide_in_bulk(actor=omar, step="approve", versions=versions)
    assert work_on_bulk(bulk.pk, seconds=0)  # no time: one piece
    part = bulk_progress(actor=omar, bulk_id=bulk.pk)
    assert part is not None
    assert (part.done, part.refused, part.waiting, part.finished_at) == (PIECE - 1, 1, 20, None)
    assert not work_on_bulk(bulk.pk)
    assert not work_on_bulk(bulk.pk)  # twice is once
    whole = bulk_progress(actor=omar, bulk_id=bulk.pk)
    assert whole is not None
    assert (whole.done, whole.refused, whole.waiting) == (PIECE + 19, 1, 0)
    assert whole.finished_at is not None
    assert [(pk, code) for pk, code, _ in whole.refusals] == [(payouts[5].pk, "stale")]
    assert AuditEvent.objects.filter(action="payout.approved").count() == PIECE + 19


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Lines to print past pytest's capture at the end: a proof tells its figures."""
    lines: list[str] = []
    yield lines
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        print("\n" + "\n".join(lines))


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_two_thousand_payouts_are_approved_within_ten_seconds(told: list[str]) -> None:
    world = make_world()
    count = env.integer("DESK_BULK", 2000, minimum=1)
    payouts = make_payouts(world, count)
    bulk = decide_in_bulk(
        actor=world.actor("omar"), step="approve", versions={each.pk: each.version for each in payouts}
    )
    reverse("home")  # a house that is up has its addresses at hand
    began, seen = monotonic(), []
    while work_on_bulk(bulk.pk, seconds=0):
        progress = bulk_progress(actor=world.actor("omar"), bulk_id=bulk.pk)
        assert progress is not None
        seen.append(progress.done)
    took = monotonic() - began
    told.append(f"{count} payouts approved in {took:.1f} s, in {len(seen)} pieces with progress between them")
    assert Payout.objects.filter(state=PayoutState.APPROVED).count() == count
    assert AuditEvent.objects.filter(action="payout.approved").count() == count
    assert seen == sorted(set(seen))
    assert BulkDecision.objects.get().finished_at is not None
    assert audit.verify_chain().intact
    assert took < 10
