"""What is decided about a payout is told to the partner's people, in the decision's own transaction."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from core.actors import Role
from core.errors import DomainError
from core.models import Notice, NoticePreference
from core.notices import mailing
from core.notices.inbox import notice_views
from incentives.models import Decision, Payout
from incentives.services import (
    approve_payout,
    claw_back,
    hold_payout,
    mark_paid,
    refuse_payment,
    release_payout,
    return_payout,
    start_payment,
    submit_run,
    undo_void,
    void_line,
    void_payout,
)
from incentives.services.standing import suspend_partner_and_hold
from incentives.states import DecisionKind
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_partner, make_run, make_user

pytestmark = pytest.mark.django_db


def submitted(world: World) -> Payout:
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    return Payout.objects.get(partner=world.haiqiao)


def told(name: str) -> list[tuple[str, str]]:
    """What a person was told, the newest first: kind and sentence."""
    mine = Notice.objects.filter(user__email=f"{name}@example.com").order_by("-pk")
    return [(view.kind, view.sentence) for view in notice_views(mine)]


def test_every_kind_of_decision_has_its_notice(world: World) -> None:
    from incentives.notices import KINDS

    assert set(KINDS) == set(DecisionKind)


def test_a_submission_tells_each_partner_of_its_own_payout(world: World) -> None:
    submitted(world)
    [(kind, sentence)] = told("alice")
    assert kind == "payout.submit"
    assert sentence.startswith("Spring: your payout of 4,000.00 CNY is in review and provisional.")
    assert told("bob") == told("alice")
    [(_, other)] = told("charlie")
    assert "2,000.00 CNY" in other
    assert told("olga") == told("omar") == []


STEPS: dict[str, Callable[[World, Payout], object]] = {
    "approve": lambda world, payout: approve_payout(actor=world.actor("omar"), payout=payout),
    "return": lambda world, payout: return_payout(actor=world.actor("omar"), payout=payout, reason="Look again"),
    "hold": lambda world, payout: hold_payout(actor=world.actor("olga"), payout=payout, reason="A question"),
    "void": lambda world, payout: void_payout(actor=world.actor("olga"), payout=payout, reason="Invented shops"),
    "void_line": lambda world, payout: void_line(
        actor=world.actor("olga"), line=payout.lines.order_by("pk")[0], reason="Invented"
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_decision_is_told_to_the_partner_and_to_nobody_else(world: World, step: str) -> None:
    payout = submitted(world)
    Notice.objects.all().delete()
    STEPS[step](world, payout)
    for name in ("alice", "bob"):
        [(kind, sentence)] = told(name)
        assert kind == f"payout.{step}"
        assert "Spring" in sentence
        assert ("2,000.00 CNY" if step == "void_line" else "4,000.00 CNY") in sentence
    assert told("charlie") == []
    # The reason is the statement's, where it can be erased.
    assert not {"Look again", "A question", "Invented"} & set(str(Notice.objects.values_list("params")).split("'"))


def test_a_payouts_whole_way_is_told(world: World) -> None:
    omar, olga, fiona = world.actor("omar"), world.actor("olga"), world.actor("fiona")
    payout = submitted(world)
    hold_payout(actor=olga, payout=payout, reason="A question")
    release_payout(actor=olga, payout=payout)
    void_payout(actor=olga, payout=payout, reason="Invented")
    undo_void(actor=olga, decision=Decision.objects.get(kind=DecisionKind.VOID), reason="Not invented")
    approve_payout(actor=omar, payout=payout)
    start_payment(actor=fiona, payout=payout)
    refuse_payment(actor=fiona, payout=payout, reason="No such account")
    start_payment(actor=fiona, payout=payout)
    mark_paid(actor=fiona, payout=payout, reference="B-1")
    claw_back(actor=olga, payout=payout, reason="Cheating")
    kinds = [kind.removeprefix("payout.") for kind, _ in reversed(told("alice"))]
    assert kinds == [
        *("submit", "hold", "release", "void", "undo_void", "approve"),
        *("start_payment", "refuse", "start_payment", "pay", "claw_back"),
    ]


def test_a_refused_decision_tells_nobody(world: World) -> None:
    payout = submitted(world)
    Notice.objects.all().delete()
    with pytest.raises(DomainError):
        approve_payout(actor=world.actor("olga"), payout=payout)  # its own submission
    assert not Notice.objects.exists()


def test_a_suspended_partner_is_told_that_its_payout_is_held(world: World) -> None:
    submitted(world)
    rita = make_user("rita", Role.RISK)
    from partners.people import actor_of

    suspend_partner_and_hold(actor=actor_of(rita), partner=world.haiqiao, reason="Cheating")
    assert told("alice")[0][0] == "payout.hold"
    assert told("charlie")[0][0] == "payout.submit"


def test_preferences_and_languages_rule_the_mail(world: World) -> None:
    world.bob.language = "zh-hans"
    world.bob.save()
    NoticePreference.objects.create(user=world.alice, kind="payout.approve", inbox=True, mail=False)
    payout = submitted(world)
    mailing.send_waiting(seconds=20)
    mail.outbox.clear()
    approve_payout(actor=world.actor("omar"), payout=payout)
    mailing.send_waiting(seconds=20)
    [only] = mail.outbox
    assert only.to == ["bob@example.com"]
    assert "春季" in only.subject
    assert "¥4,000.00" in only.body
    assert "/partner/POP-2026Q1/payout?partner=haiqiao" in only.body
    assert told("alice")[0][0] == "payout.approve"
    with translation.override("zh-hans"):
        assert told("alice")[0][1].startswith("春季")


def test_more_partners_take_no_more_queries_to_tell(world: World) -> None:
    from incentives.notices import tell_of

    specs = []
    for number in range(6):
        partner = make_partner(f"P-{number}", (make_user(f"person-{number}"), Role.OWNER))
        specs.append(Spec(f"X-{number}", partner))
    submit_run(actor=world.actor("olga"), run=make_run(world.program, specs), at=AFTER_CLOSE)
    many = list(Payout.objects.select_related("program", "partner").filter(state="in_review"))
    assert len(many) == 6
    with CaptureQueriesContext(connection) as few:
        tell_of(DecisionKind.SUBMIT, many[:1], at=AFTER_CLOSE)
    with CaptureQueriesContext(connection) as all_of_them:
        tell_of(DecisionKind.SUBMIT, many, at=AFTER_CLOSE)
    assert len(all_of_them) <= len(few)
