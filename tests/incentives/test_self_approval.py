"""Nobody approves what they submitted, changed or belong to (POLICY 6): not on a payout's page, not with many, not
through the API, not in the back office, whatever their roles were, are, or become in between."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.urls import reverse

from core import audit
from core.actors import Actor, Role
from core.models import AuditEvent, RoleGrant, User
from incentives.models import Payout
from incentives.services import (
    approve_payout,
    carry_account,
    confirm_adjustment,
    propose_adjustment,
    return_payout,
    submit_run,
    undo_void,
    void_line,
    void_payout,
)
from incentives.states import AdjustmentKind, PayoutState
from partners.models import Membership
from partners.people import actor_of
from tests.console.reading import text
from tests.incentives.approving import OF_MANY, WAYS, Way, browser, left_behind, trail_since
from tests.incentives.factories import AFTER_CLOSE, Spec, World, make_program, make_run, make_user

Before = Callable[[World, Payout], tuple[User, Payout]]

BY_EVERY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
SUBMITTED = "You submitted this payout; a second person has to approve it."
CHANGED = "You changed this payout; a second person has to approve it."
ADJUSTED = "You proposed an adjustment of the account that this payout carries; a second person has to approve it."
BELONGS = "You belong to this partner; somebody else has to decide on its payout."
NO_ROLE = "Your role doesn't allow you to approve payouts."
AT_THE_DOOR = "Your role doesn't allow you to do this."


@pytest.fixture
def payout(world: World) -> Payout:
    return submitted_by(world.actor("olga"), world)


def submitted_by(actor: Actor, world: World) -> Payout:
    submit_run(actor=actor, run=world.run, at=AFTER_CLOSE, partners=[world.haiqiao])
    return Payout.objects.get(partner=world.haiqiao, state=PayoutState.IN_REVIEW)


def takes_role(user: User, *roles: Role) -> User:
    """The person has these roles from now on, and no other."""
    RoleGrant.objects.filter(user=user).delete()
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role) for role in roles)
    return user


def adjust(world: World, amount: str, by: User, kind: AdjustmentKind = AdjustmentKind.MANUAL) -> None:
    """An amount on the partner's account that `by` proposed and Vera, another approver, confirmed."""
    proposed = propose_adjustment(
        actor=actor_of(by),
        partner=world.haiqiao,
        program=world.program,
        amount=Decimal(amount),
        reason="Agreed by phone.",
        kind=kind,
    )
    vera = User.objects.filter(email="vera@example.com").first() or make_user("vera", Role.APPROVER)
    confirm_adjustment(actor=actor_of(vera), adjustment=proposed)


# --- What they did before, and who they are when they try -------------------------------------------------------


def submitted(world: World, payout: Payout) -> tuple[User, Payout]:
    return takes_role(world.olga, Role.REVIEWER, Role.APPROVER), payout


def submitted_in_a_former_role(world: World, payout: Payout) -> tuple[User, Payout]:
    return takes_role(world.olga, Role.APPROVER), payout


def submitted_again_after_a_return(world: World, payout: Payout) -> tuple[User, Payout]:
    return_payout(actor=world.actor("omar"), payout=payout, reason="Look again.")
    again = submitted_by(actor_of(make_user("rhea", Role.REVIEWER)), world)
    return takes_role(User.objects.get(email="rhea@example.com"), Role.APPROVER), again


def voided_a_line(world: World, payout: Payout) -> tuple[User, Payout]:
    void_line(actor=world.actor("omar"), line=payout.lines.order_by("pk")[0], reason="Wrong merchant.")
    return world.omar, payout


def voided_a_line_and_undid_it(world: World, payout: Payout) -> tuple[User, Payout]:
    voided_a_line(world, payout)
    undo_void(actor=world.actor("omar"), decision=payout.decisions.get(kind="void_line"))
    return world.omar, payout


def undid_the_void_of_another(world: World, payout: Payout) -> tuple[User, Payout]:
    void_line(actor=world.actor("olga"), line=payout.lines.order_by("pk")[0], reason="Wrong merchant.")
    undo_void(actor=world.actor("omar"), decision=payout.decisions.get(kind="void_line"))
    return world.omar, payout


def voided_it_whole_and_another_undid_it(world: World, payout: Payout) -> tuple[User, Payout]:
    void_payout(actor=world.actor("omar"), payout=payout, reason="Forged papers.")
    undo_void(actor=world.actor("olga"), decision=payout.decisions.get(kind="void"))
    return world.omar, payout


def voided_a_line_in_a_former_role(world: World, payout: Payout) -> tuple[User, Payout]:
    rhea = make_user("rhea", Role.REVIEWER)
    void_line(actor=actor_of(rhea), line=payout.lines.order_by("pk")[0], reason="Wrong merchant.")
    return takes_role(rhea, Role.APPROVER), payout


def carried_the_account_anew(world: World, payout: Payout) -> tuple[User, Payout]:
    adjust(world, "-500.00", world.fiona)
    carry_account(actor=actor_of(takes_role(world.omar, Role.REVIEWER)), payout=payout)
    return takes_role(world.omar, Role.APPROVER), payout


def proposed_what_it_carries(world: World, payout: Payout) -> tuple[User, Payout]:
    adjust(world, "500.00", world.omar)
    carry_account(actor=world.actor("olga"), payout=payout)
    return world.omar, payout


def proposed_it_in_a_former_role(world: World, payout: Payout) -> tuple[User, Payout]:
    adjust(world, "500.00", world.fiona)
    adjust(world, "-200.00", world.olga)
    carry_account(actor=world.actor("olga"), payout=payout)
    return takes_role(world.fiona, Role.APPROVER), payout


def proposed_to_write_off_what_it_had_to_settle(world: World, payout: Payout) -> tuple[User, Payout]:
    adjust(world, "-500.00", world.fiona)
    carry_account(actor=world.actor("olga"), payout=payout)
    adjust(world, "500.00", world.omar, AdjustmentKind.WRITE_OFF)
    again = carry_account(actor=world.actor("olga"), payout=payout)
    assert again.adjustments == 0
    return world.omar, payout


def belongs_to_the_partner(world: World, payout: Payout) -> tuple[User, Payout]:
    Membership.objects.create(partner=world.haiqiao, user=world.omar, role="viewer")
    return world.omar, payout


REASONS: dict[Before, str] = {
    submitted: SUBMITTED,
    submitted_in_a_former_role: SUBMITTED,
    submitted_again_after_a_return: SUBMITTED,
    voided_a_line: CHANGED,
    voided_a_line_and_undid_it: CHANGED,
    undid_the_void_of_another: CHANGED,
    voided_it_whole_and_another_undid_it: CHANGED,
    voided_a_line_in_a_former_role: CHANGED,
    carried_the_account_anew: CHANGED,
    proposed_what_it_carries: ADJUSTED,
    proposed_it_in_a_former_role: ADJUSTED,
    proposed_to_write_off_what_it_had_to_settle: ADJUSTED,
    belongs_to_the_partner: BELONGS,
}
FOR_EVERY_REASON = pytest.mark.parametrize("before", REASONS, ids=lambda before: before.__name__)


def nothing() -> None:
    """Nothing happens in between."""


def refused(way: Way, user: User, payout: Payout, meanwhile: Callable[[], object] = nothing) -> str:
    """Try; nothing at all may come of it. Returns what the person was told.

    A refusal leaves no row in the trail, as nothing was decided. That many were to be decided on is a decision of its
    own: asking for it has its row, whatever becomes of its payouts.
    """
    then, last = left_behind(payout), AuditEvent.objects.order_by("pk").values_list("pk", flat=True).last() or 0
    told = way(user, payout, meanwhile)
    assert left_behind(payout) == then
    assert trail_since(last) == ([("payouts.bulk_asked", user.email)] if way in OF_MANY else [])
    assert audit.verify_chain().intact
    return told


# --- By every way -----------------------------------------------------------------------------------------------


@BY_EVERY_WAY
def test_a_second_person_approves(world: World, payout: Payout, way: Way) -> None:
    told = way(world.omar, payout, nothing)
    assert "approve" in told.lower(), told
    found = Payout.objects.get(pk=payout.pk)
    assert (found.state, found.approved_by) == (PayoutState.APPROVED, world.omar)
    assert AuditEvent.objects.filter(action="payout.approved", actor=world.omar).count() == 1


@BY_EVERY_WAY
@FOR_EVERY_REASON
def test_who_had_a_hand_in_it_does_not_approve_it(world: World, payout: Payout, way: Way, before: Before) -> None:
    user, payout = before(world, payout)
    assert REASONS[before] in refused(way, user, payout)
    # It was they alone who couldn't.
    tess = make_user("tess", Role.APPROVER)
    assert approve_payout(actor=actor_of(tess), payout=payout).state == PayoutState.APPROVED


@BY_EVERY_WAY
def test_who_joined_the_partner_in_between_does_not(world: World, payout: Payout, way: Way) -> None:
    told = refused(
        way,
        world.omar,
        payout,
        lambda: Membership.objects.create(partner=world.haiqiao, user=world.omar, role="viewer"),
    )
    assert BELONGS in told


@BY_EVERY_WAY
def test_whose_role_was_taken_in_between_does_not(world: World, payout: Payout, way: Way) -> None:
    told = NO_ROLE if way in OF_MANY else AT_THE_DOOR  # many are asked for while the role is still there
    assert told in refused(way, world.omar, payout, lambda: takes_role(world.omar, Role.REVIEWER))


@BY_EVERY_WAY
def test_a_role_that_was_given_in_between_opens_nothing_of_ones_own(world: World, payout: Payout, way: Way) -> None:
    """An approver who submitted it; the role goes and comes back while the page is open."""
    olga = takes_role(world.olga, Role.APPROVER)
    told = refused(way, olga, payout, lambda: takes_role(olga, Role.REVIEWER, Role.APPROVER))
    assert SUBMITTED in told


# --- What is offered ------------------------------------------------------------------------------------------------


@FOR_EVERY_REASON
def test_it_is_not_offered_and_the_reason_stands_there(world: World, payout: Payout, before: Before) -> None:
    user, payout = before(world, payout)
    client, reason = browser(user), REASONS[before]
    page = client.get(f"/operator/payouts/{payout.pk}")
    assert f"You can't approve this one: {reason}" in text(page)
    assert f"/operator/payouts/{payout.pk}/approve" not in page.content.decode()
    assert "You can approve 0; 1 you submitted, changed or belong to." in text(client.get("/operator/payouts"))
    chosen = f"{payout.pk}:{Payout.objects.get(pk=payout.pk).version}"
    many = text(client.get(f"/operator/payouts/decide?step=approve&payout={chosen}"))
    assert "None of the chosen payouts is open to this step." in many
    assert reason in many
    assert "approve" not in client.get(f"/api/v1/operator/payouts/{payout.pk}").json()["payout"]["steps"]
    office = client.get(reverse("admin:incentives_payout_change", args=[payout.pk]))
    assert "approve" not in [address.split("/")[-2] for address, _label in office.context["steps"]]
    today = text(client.get("/operator/"))
    assert re.search(r"\b0 ?Payouts that you may approve", today), today


# --- Adjustments: how far a proposer's hand reaches ----------------------------------------------------------------


def test_who_confirmed_an_adjustment_is_its_second_person_and_may_approve(world: World, payout: Payout) -> None:
    adjust(world, "500.00", world.fiona)
    carry_account(actor=world.actor("olga"), payout=payout)
    vera = User.objects.get(email="vera@example.com")
    assert approve_payout(actor=actor_of(vera), payout=payout).payable == Decimal("4500.00")


def test_what_a_payout_does_not_carry_bars_nobody_from_it(world: World, payout: Payout) -> None:
    """An amount that an earlier payout has settled, and an amount on another partner's account."""
    adjust(world, "500.00", world.fiona)
    carry_account(actor=world.actor("olga"), payout=payout)
    approve_payout(actor=world.actor("omar"), payout=payout)
    adjust(world, "70.00", world.olga)
    program = make_program("POP-2")
    run = make_run(program, [Spec("P-1", world.haiqiao), Spec("P-2", world.rival)])
    later, rivals = submit_run(actor=actor_of(make_user("rhea", Role.REVIEWER)), run=run, at=AFTER_CLOSE).payouts
    assert (later.adjustments, rivals.adjustments) == (Decimal("70.00"), Decimal(0))
    for user in (world.fiona, world.olga):
        takes_role(user, Role.APPROVER)
    assert approve_payout(actor=world.actor("olga"), payout=rivals).state == PayoutState.APPROVED
    assert ADJUSTED in refused(WAYS[0], world.olga, later)
    assert approve_payout(actor=world.actor("fiona"), payout=later).state == PayoutState.APPROVED
