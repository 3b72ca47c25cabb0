"""Programs and the versions of their policies in the admin dashboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.actors import Actor
from core.models import PolicyVersion
from core.policy import Policy
from core.policy_reader import load_policy
from core.policy_words import WORDED
from core.services import publish_policy
from tests.console.reading import text
from tests.incentives.factories import World

SignIn = Callable[..., Client]
PAGE = "/operator/programs/POP-2026Q1"


def publish(world: World, change: Callable[[Policy], Policy]) -> PolicyVersion:
    """The next version: the one in force, changed."""
    latest = PolicyVersion.objects.filter(program=world.program).order_by("-number")[0]
    return publish_policy(
        actor=Actor.system("tests"),
        program_code=world.program.code,
        policy=change(latest.rules),
        accept_example_tiers=True,
    )


def longer(days: int) -> Callable[[Policy], Policy]:
    return lambda policy: replace(policy, activation=replace(policy.activation, window_days=days))


def test_programs_are_listed_with_the_version_in_force(world: World, sign_in: SignIn) -> None:
    publish(world, longer(45))
    said = text(sign_in("omar").get("/operator/programs"))
    assert "POP-2026Q1" in said
    assert " v2 " in said
    assert "ended" in said


def test_two_versions_are_told_apart_in_words(world: World, sign_in: SignIn) -> None:
    publish(world, longer(45))
    publish(world, longer(60))
    omar = sign_in("omar")
    page = omar.get(PAGE)
    said = text(page)
    assert "Version 3 against version 2" in said
    assert "Time to sell after the certification activation.window_days 45 days 60 days" in said
    assert len(page.context["changed"]) == 1
    said = text(omar.get(f"{PAGE}?version=3&against=1"))
    assert "30 days 60 days" in said
    said = text(omar.get(f"{PAGE}?version=2"))
    assert "This is version 2. Version 3 is in force." in said
    assert "30 days 45 days" in said


def test_a_version_says_every_key(world: World, sign_in: SignIn) -> None:
    page = sign_in("omar").get(PAGE)
    assert [row.key for row in page.context["keys"]] == list(WORDED)
    said = text(page)
    for label, _ in WORDED.values():
        assert str(label) in said


def test_the_file_of_a_version_is_one_to_publish(world: World, sign_in: SignIn) -> None:
    version = publish(world, longer(45))
    answer = sign_in("omar").get(f"{PAGE}/policy.json?version=2")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="POP-2026Q1-v2.json"'
    assert json.loads(answer.content) == version.document
    assert load_policy(answer.content.decode()).fingerprint() == version.fingerprint


def test_what_isnt_there_is_not_found(world: World, sign_in: SignIn) -> None:
    omar = sign_in("omar")
    for address in (
        "/operator/programs/NONE",
        f"{PAGE}?version=9",
        f"{PAGE}?against=x",
        f"{PAGE}/policy.json?version=9",
    ):
        assert omar.get(address).status_code == 404, address
    for name in ("alice", "charlie"):
        for address in ("/operator/programs", PAGE, f"{PAGE}/policy.json"):
            assert sign_in(name).get(address).status_code == 404, address


def test_a_program_asks_the_database_as_often_with_many_versions(world: World, sign_in: SignIn) -> None:
    omar = sign_in("omar")
    omar.get(PAGE)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert omar.get(PAGE).status_code == 200
        return len(queries)

    few = asked()
    for days in range(31, 41):
        publish(world, longer(days))
    assert asked() == few
    assert few <= 12
