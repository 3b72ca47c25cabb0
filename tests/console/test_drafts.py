"""The next version of a policy: written by one person, published by another, and who takes part is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.actors import Role
from core.audit import verify_chain
from core.errors import BadInput, Conflict, DomainError, NotAllowed
from core.models import AuditEvent, DraftState, Notice, PolicyDraft, PolicyVersion, Program, RoleGrant
from core.policy import Policy
from core.policy_forms import FIELDS, PolicyForm
from core.policy_words import WORDED, flat
from core.services import drop_policy_draft, publish_policy, publish_policy_draft, save_policy_draft
from partners.models import Joining
from tests.console.reading import text
from tests.incentives.factories import World, make_user

SignIn = Callable[..., Client]
PAGE = "/operator/programs/POP-2026Q1/draft"


def longer(policy: Policy, days: int = 45) -> Policy:
    return replace(policy, activation=replace(policy.activation, window_days=days))


def begin(world: World, who: str = "olga", *, days: int = 45, revision: int = 0) -> PolicyDraft:
    policy = longer(PolicyVersion.objects.order_by("-number")[0].rules, days)
    code = world.program.code
    return save_policy_draft(actor=world.actor(who), program_code=code, policy=policy, revision=revision)


def posted(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What a browser sends of the form, some fields changed."""
    form = PolicyForm(document=document, in_force=document)
    data: dict[str, Any] = {}
    for name in form.fields:
        value = form[name].value()
        if value is not None and value is not False:
            data[name] = "on" if value is True else value
    return {key: value for key, value in {**data, "revision": "0", **changes}.items() if value is not None}


# --- Writing ------------------------------------------------------------------------------------------------


def test_the_form_has_every_key() -> None:
    assert set(FIELDS) | {"name", "discount.tiers"} == set(WORDED) == set(flat(Policy().document()))
    shown = [asked.key for _heading, keys in _form(Policy()).groups() for asked in keys]
    assert sorted(shown) == sorted(FIELDS)


def _form(policy: Policy, **changes: Any) -> PolicyForm:
    document = policy.document()
    return PolicyForm(posted(document, **changes) if changes else None, document=document, in_force=document)


def test_a_form_sent_as_it_came_says_what_the_document_said(world: World) -> None:
    rules = world.program.current_policy.rules
    form = _form(rules, revision="0")
    assert form.is_valid(), form.errors
    assert form.policy is not None
    assert form.policy.document() == rules.document()


def test_a_draft_is_begun_in_the_form_and_said_in_words(world: World, sign_in: SignIn) -> None:
    olga = sign_in("olga")
    said = text(olga.get(PAGE))
    assert "Nobody has begun one. What you save here starts from version 1, which stays in force." in said
    document = world.program.current_policy.document
    changes = {"activation.window_days": "45", "stock.countries": "DE，FR", "stock.minimum": "2", "name.en": "Q1 anew"}
    answer = olga.post(PAGE, posted(document, **changes), follow=True)
    said = text(answer)
    assert answer.redirect_chain, said
    assert "Revision 1, by Olga" in said
    assert "Time to sell after the certification activation.window_days 30 days 45 days" in said
    draft = PolicyDraft.objects.get()
    assert draft.rules.stock.countries == ("DE", "FR")
    assert draft.rules.name["en"] == "Q1 anew"
    assert world.program.current_policy.number == 1
    event = AuditEvent.objects.get(action="policy_draft.saved")
    assert sorted(event.details["changed"]) == ["activation.window_days", "name", "stock.countries", "stock.minimum"]
    assert "Q1 anew" not in json.dumps(event.details)


def test_tiers_are_added_changed_and_taken_away(world: World) -> None:
    rules = replace(world.program.current_policy.rules)
    count = len(rules.discount.tiers)
    added = {f"tier-{count}-from": "0.9", f"tier-{count}-pay": "0"}
    form = _form(rules, **added)
    assert form.is_valid(), form.errors
    assert form.policy is not None
    assert [(tier.start, tier.pay) for tier in form.policy.discount.tiers][-1] == (Decimal("0.9"), Decimal(0))
    assert len(form.policy.discount.tiers) == count + 1
    gone = {f"tier-{n}-{end}": "" for n in range(count) for end in ("from", "pay")}
    form = _form(rules, **gone)
    assert form.is_valid(), form.errors
    assert form.policy is not None
    assert form.policy.discount.tiers == ()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"activation.window_days": "-1"}, "activation.window_days"),
        ({"activation.gmv_above": "much"}, "activation.gmv_above"),
        ({"markets": "Germany"}, "markets"),
        ({"stock.minimum": "9"}, "stock.minimum"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"attribution.order": "claim, luck"}, "attribution.order"),
        ({"tier-0-from": "2"}, "__all__"),
    ],
)
def test_what_cant_be_is_said_beside_its_key(
    world: World, sign_in: SignIn, changes: dict[str, str], field: str
) -> None:
    document = world.program.current_policy.document
    if "tier-0-from" in changes:
        changes = {**changes, "tier-0-pay": "0.5"}
    answer = sign_in("olga").post(PAGE, posted(document, **changes))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert "Not saved:" in text(answer)
    assert not PolicyDraft.objects.exists()


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
def test_json_that_cant_be_is_refused_in_words(world: World, sign_in: SignIn, document: str, words: str) -> None:
    answer = sign_in("olga").post(PAGE, {"document": document, "revision": "0"})
    assert answer.status_code == 422
    assert words in text(answer)
    assert not PolicyDraft.objects.exists()


def test_two_who_write_at_once_lose_nothing_of_each_other(world: World, sign_in: SignIn) -> None:
    begin(world)
    document = world.program.current_policy.document
    answer = sign_in("omar").post(PAGE, posted(document, **{"activation.window_days": "60"}))
    assert answer.status_code == 422
    assert "Olga has changed the draft meanwhile. Look at it again." in text(answer)
    draft = PolicyDraft.objects.get()
    assert (draft.revision, draft.rules.activation.window_days) == (1, 45)
    with pytest.raises(BadInput, match="Nothing differs"):
        begin(world, revision=1)


# --- Publishing ---------------------------------------------------------------------------------------------


def test_a_second_person_publishes_and_who_takes_part_is_told(
    world: World, sign_in: SignIn, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    program = world.program
    Joining.objects.create(
        partner=world.haiqiao,
        program=program,
        policy=program.current_policy,
        commitment=3,
        accepted_by=world.alice,
        accepted_at=program.current_policy.published_at,
    )
    draft = begin(world)
    omar = sign_in("omar")
    said = text(omar.get(PAGE))
    assert "Runs judge by version 2 from then on. 1 partner that takes part is told, with what differs." in said
    assert "Publish version 2" in said
    with django_capture_on_commit_callbacks(execute=True):
        said = text(omar.post(f"{PAGE}/publish", {"revision": "1", "examples": "on"}, follow=True))
    assert "Published version 2." in said
    version = PolicyVersion.objects.get(number=2)
    assert (version.published_by, version.rules.activation.window_days) == (world.omar, 45)
    draft.refresh_from_db()
    assert (draft.state, draft.published_as) == (DraftState.PUBLISHED, version)
    told = Notice.objects.filter(kind="program.new_policy").values_list("user__name", flat=True)
    assert sorted(told) == ["Alice", "Bob"]
    event = AuditEvent.objects.get(action="policy.published", subject_id=str(version.pk))
    assert (event.actor, event.details["draft"]) == (world.omar, draft.pk)
    assert verify_chain().intact


def test_nobody_publishes_what_they_have_edited(world: World, sign_in: SignIn) -> None:
    draft = begin(world)
    begin(world, "omar", days=50, revision=1)
    omar = sign_in("omar")
    said = text(omar.get(PAGE))
    assert "You have edited this draft: somebody else publishes it." in said
    assert "Publish version 2" not in said
    said = text(omar.post(f"{PAGE}/publish", {"revision": "2", "examples": "on"}, follow=True))
    assert "You have edited this draft: somebody else publishes it." in said
    # Nor with a role that she is given in between.
    RoleGrant.objects.create(user=world.olga, role=Role.APPROVER)
    with pytest.raises(NotAllowed, match="somebody else"):
        publish_policy_draft(actor=world.actor("olga"), draft=draft, revision=2, accept_example_tiers=True)
    assert PolicyVersion.objects.count() == 1


def test_whoever_may_not_isnt_offered_it_and_is_refused(world: World, sign_in: SignIn) -> None:
    draft = begin(world)
    fiona = sign_in("fiona")
    said = text(fiona.get(PAGE))
    for offered in ("Publish version 2", "Throw the draft away", "Save the policy draft", "Try it on"):
        assert offered not in said
    for address in (f"{PAGE}/publish", f"{PAGE}/drop"):
        assert "Your role doesn't allow" in text(fiona.post(address, {"revision": "1"}, follow=True))
    document = world.program.current_policy.document
    answer = fiona.post(PAGE, posted(document, revision="1", **{"activation.window_days": "99"}))
    assert "Your role doesn't allow" in text(answer)
    for name in ("alice", "charlie"):
        client = sign_in(name)
        assert client.get(PAGE).status_code == 404
        for address in (PAGE, f"{PAGE}/publish", f"{PAGE}/drop"):
            assert client.post(address, {"revision": "1"}).status_code == 404
    draft.refresh_from_db()
    assert (draft.state, draft.revision) == (DraftState.OPEN, 1)


def test_what_changed_since_it_was_read_isnt_published(world: World) -> None:
    draft = begin(world)
    begin(world, days=50, revision=1)
    with pytest.raises(Conflict, match="Olga has changed the draft meanwhile"):
        publish_policy_draft(actor=world.actor("omar"), draft=draft, revision=1, accept_example_tiers=True)
    later = longer(world.program.current_policy.rules, 20)
    publish_policy(actor=world.actor("omar"), program_code=world.program.code, policy=later, accept_example_tiers=True)
    with pytest.raises(Conflict, match="Version 2 was published meanwhile"):
        publish_policy_draft(actor=world.actor("omar"), draft=draft, revision=2, accept_example_tiers=True)
    saved = begin(world, days=51, revision=2)
    version = publish_policy_draft(actor=world.actor("omar"), draft=saved, revision=3, accept_example_tiers=True)
    assert version.number == 3


def test_example_tiers_are_published_only_by_who_says_so(world: World, sign_in: SignIn) -> None:
    rules = world.program.current_policy.rules
    draft = save_policy_draft(
        actor=world.actor("olga"),
        program_code=world.program.code,
        policy=replace(longer(rules), discount=replace(rules.discount, example=True)),
        revision=0,
    )
    omar = sign_in("omar")
    assert "example tiers" in text(omar.get(PAGE))
    assert "marked as an example" in text(omar.post(f"{PAGE}/publish", {"revision": "1"}, follow=True))
    draft.refresh_from_db()
    assert draft.state == DraftState.OPEN


def test_a_draft_is_published_or_thrown_away_once(world: World) -> None:
    draft = begin(world)
    drop_policy_draft(actor=world.actor("olga"), draft=draft, revision=1)
    for act in (
        lambda: drop_policy_draft(actor=world.actor("olga"), draft=draft, revision=1),
        lambda: publish_policy_draft(actor=world.actor("omar"), draft=draft, revision=1),
        lambda: begin(world, days=50, revision=1),
    ):
        with pytest.raises(DomainError, match="published or thrown away meanwhile"):
            act()
    assert begin(world).pk != draft.pk


def test_the_page_asks_the_database_as_often_after_many_edits(world: World, sign_in: SignIn) -> None:
    begin(world)
    omar = sign_in("omar")
    omar.get(PAGE)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert omar.get(PAGE).status_code == 200
        return len(queries)

    few = asked()
    for number in range(1, 12):
        begin(world, days=45 + number, revision=number)
    assert asked() == few
    assert few <= 20


# --- A new program ------------------------------------------------------------------------------------------

NEW = {
    "code": "POP-2026Q2",
    "name.zh-hans": "二季度",
    "name.en": "Second quarter",
    "first": "2026-04-01",
    "last": "2026-06-30",
    "markets": "DE, JP",
    "amount": "2500",
}


def test_a_program_is_made_with_its_first_rules(world: World, sign_in: SignIn) -> None:
    omar = sign_in("omar")
    data = {**NEW, "rules_of": str(world.program.pk), "examples": "on"}
    said = text(omar.post("/operator/new-program", data, follow=True))
    assert "Made the program POP-2026Q2, with version 1 of its policy." in said
    made = Program.objects.get(code="POP-2026Q2")
    rules = made.current_policy.rules
    assert (rules.markets, rules.incentive.amount) == (("DE", "JP"), Decimal(2500))
    assert rules.discount == world.program.current_policy.rules.discount
    assert made.current_policy.published_by == world.omar


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "POP-2026Q1"}, "exists already"),
        ({"last": "2026-03-01"}, "before it starts"),
        ({"code": "two words"}, "is no program code"),
        ({"markets": "Germany"}, "markets"),
        ({"first": ""}, "This field is required."),
    ],
)
def test_a_program_that_cant_be_is_refused_in_words(
    world: World, sign_in: SignIn, changes: dict[str, str], words: str
) -> None:
    answer = sign_in("omar").post("/operator/new-program", {**NEW, **changes})
    assert answer.status_code == 422
    assert words in text(answer)
    assert Program.objects.count() == 1


def test_whoever_publishes_no_policies_makes_no_program(world: World, sign_in: SignIn) -> None:
    make_user("ann", Role.AUDITOR)
    olga = sign_in("olga")
    assert "Make a program" not in text(olga.get("/operator/programs"))
    assert "Your role makes no programs." in text(olga.get("/operator/new-program"))
    answer = olga.post("/operator/new-program", NEW)
    assert answer.status_code == 403
    assert Program.objects.count() == 1
    assert {sign_in(name).post("/operator/new-program", NEW).status_code for name in ("alice", "charlie")} == {404}
