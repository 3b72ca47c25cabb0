"""May I recruit this merchant? The same answer whoever has it, and not too many of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from core.actors import Actor
from merchants.checker import Answer, AskedTooOften, BadQuestion, check_merchant
from tests import people
from tests.merchants.invites import certified
from tests.merchants.targets import claim, entry, merchant, running_program, shop, told_claim

pytestmark = pytest.mark.django_db


def ask(who: str = "alice", code: str = "ALPHA", **asked: Any) -> Answer:
    given = {"country": "HK", **asked} if "registration_no" in asked else asked
    return check_merchant(
        actor=people.actor(who), partner=certified(code), program=running_program(), at=timezone.now(), **given
    )


def told(**asked: Any) -> tuple[str, bool, bool | None, bool]:
    found = ask(**asked)
    return found.answer, found.listed, found.free, found.has_shop


def test_each_answer() -> None:
    entry("T-FREE", number="F-1")
    claim(entry("T-MINE", number="M-1"))
    claim(entry("T-TAKEN", number="T-1"), "charlie", "GAMMA")
    told_claim(entry("T-WAITING", number="W-1"), "ALPHA", status="pending")
    entry("T-DIRECTED", number="D-1", assigned_to="ALPHA")
    entry("T-REVIEW", number="R-1", review="pending")
    entry("T-SHOP", number="S-1")
    shop("S-1")
    assert told(registration_no="F-1") == ("yes", True, True, False)
    assert told(registration_no="M-1") == ("mine", True, True, False)
    assert told(registration_no="T-1") == ("taken", True, False, False)
    assert told(registration_no="W-1") == ("waiting", True, True, False)
    assert told(registration_no="D-1") == ("directed", True, True, False)
    assert told(registration_no="R-1") == ("under_review", True, True, False)
    assert told(registration_no="S-1") == ("has_shop", True, True, True)
    assert told(registration_no="UNKNOWN") == ("not_listed", False, None, False)


@pytest.mark.parametrize("typed", ["ab-12 3", "ＡＢ１２３", "AB123", " a b 1–2 3 "])
def test_numbers_are_compared_as_everywhere(typed: str) -> None:
    entry("T-1", number="AB 12-3")
    assert told(registration_no=typed)[0] == "yes"
    assert told(registration_no=typed, country="JP")[0] == "not_listed"


@pytest.mark.parametrize("typed", ["HOSHI  kids", "ｈｏｓｈｉ ｋｉｄｓ"])
def test_brands_are_compared_as_everywhere(typed: str) -> None:
    entry("T-1", brand="Hoshi Kids")
    assert told(brand=typed)[0] == "yes"
    assert told(brand="Hoshi")[0] == "not_listed"  # a part of a name is no answer


def test_a_rivals_directed_merchant_is_one_that_isnt_listed() -> None:
    entry("T-1", number="D-1", brand="Hoshi", assigned_to="GAMMA")
    merchant("NOBODY")
    nobody = ask(registration_no="NOBODY")
    assert replace(ask(registration_no="D-1"), registration_no="NOBODY") == nobody
    assert told(brand="Hoshi") == told(brand="no such brand")
    # Listed for all besides: not free, as with any claim.
    entry("T-2", number="D-1")
    assert told(registration_no="D-1") == ("taken", True, False, False)


def test_answers_to_taken_tell_nothing_of_whose_or_why() -> None:
    claim(entry("T-1", number="A-1"), "charlie", "GAMMA")
    entry("T-2", number="B-1", assigned_to="GAMMA")
    entry("T-3", number="B-1")
    told_claim(entry("T-4", number="C-1"), "GAMMA", status="pending")
    for number in ("A-1", "B-1", "C-1"):
        found = ask(registration_no=number)
        assert (found.answer, found.free) == ("taken", False)
        for row in found.entries:
            assert (row.claimed_at, row.expires_at, row.left) == (None, None, None)
            assert row.track == "target"
        assert "amma" not in repr(found)


def test_only_a_shop_that_comes_first_counts() -> None:
    for number in ("1", "2", "3"):
        entry(f"T-{number}", number=number)
    entry("T-BRAND", brand="Hoshi")
    shop("1", market="US")  # not the program's
    made = shop("2")
    type(made).objects.filter(pk=made.pk).update(certified_at=None)
    shop("other", brand="HOSHI")
    assert told(registration_no="1")[3] is False
    assert told(registration_no="2")[3] is False
    assert told(brand="hoshi") == ("has_shop", True, True, True)


def test_the_policy_says_which_shops_compete() -> None:
    running_program(first_entity={"period": "program", "markets": "all"})
    shop("1", market="US")
    shop("2", certified_at=timezone.now() - timedelta(days=60))  # before the program
    assert told(registration_no="1")[3] is True
    assert told(registration_no="2")[3] is False


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "registration_no"),
        ({"registration_no": " - "}, "registration_no"),
        ({"registration_no": "1", "country": "XX"}, "country"),
        ({"registration_no": "1", "country": ""}, "country"),
        ({"registration_no": "1\u202e"}, "registration_no"),
        ({"brand": "无"}, "brand"),
        ({"brand": "x" * 256}, "brand"),
    ],
)
def test_what_is_no_question_is_told_and_not_counted(asked: dict[str, str], field: str, settings: Settings) -> None:
    settings.CHECKS_PER_MEMBER = 1
    for _ in range(3):
        with pytest.raises(BadQuestion) as refused:
            ask(**asked)
        assert set(refused.value.fields) == {field}
    assert told(registration_no="1")[0] == "not_listed"


def test_each_member_and_each_partner_ask_so_often_and_no_more(settings: Settings) -> None:
    settings.CHECKS_PER_MEMBER, settings.CHECKS_PER_PARTNER = 3, 4
    entry("T-1", number="1")
    for _ in range(3):
        ask(registration_no="1")
    with pytest.raises(AskedTooOften, match="Try again in") as refused:
        ask(registration_no="1")
    assert 0 < refused.value.seconds <= 3600
    assert ask("bob", registration_no="1").answer == "yes"
    with pytest.raises(AskedTooOften):  # the partner's four are over
        ask("bob", registration_no="1")
    assert ask("charlie", "GAMMA", registration_no="1").answer == "yes"
    # An hour later all begins anew.
    later = check_merchant(
        actor=people.actor("alice"),
        partner=certified(),
        program=running_program(),
        at=timezone.now() + timedelta(hours=1),
        country="HK",
        registration_no="1",
    )
    assert later.answer == "yes"


def test_nobody_tells_a_directed_merchant_from_an_unknown_one_by_what_is_asked_of_the_database() -> None:
    claim(entry("T-1", number="1"), "charlie", "GAMMA")
    entry("T-2", number="2", assigned_to="GAMMA")
    entry("T-3", number="3")
    shop("3")
    alice, partner, program = people.actor("alice"), certified(), running_program()
    counted = {number: _queries(alice, partner, program, number) for number in ("0", "1", "2", "3", "4")}
    assert counted["2"] == counted["4"]
    assert counted["1"] == counted["3"]


def _queries(actor: Actor, partner: Any, program: Any, number: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        check_merchant(
            actor=actor, partner=partner, program=program, at=timezone.now(), country="HK", registration_no=number
        )
    # Whoever opens a span sweeps the old ones.
    return len([query for query in caught.captured_queries if "ratecount" not in query["sql"]])
