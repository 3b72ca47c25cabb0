"""Colleagues are invited by mail, join with the invited address, get other roles, and leave."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from core.actors import Role
from core.audit import verify_chain
from core.errors import BadInput, Conflict, DomainError, NotAllowed, NotFound
from core.models import AuditEvent, User
from core.notices.models import Notice
from partners.models import Invitation, Membership
from partners.services import (
    accept_invitation,
    change_member_role,
    dismiss_member,
    invite_member,
    withdraw_invitation,
)
from tests.people import actor, partner, person

pytestmark = pytest.mark.django_db
PASSWORD = "calm-river-under-7-bridges"


def browser(name: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person(name))
    return client


def text(answer: Any) -> str:
    page = answer.content.decode().partition("<main")[2].replace("&#x27;", "'")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def invite(email: str, role: Role = Role.MEMBER, by: str = "alice", **given: Any) -> tuple[Invitation, str]:
    """An invitation and the token, which is in the mail's link alone."""
    invitation = invite_member(actor=actor(by), partner=partner("ALPHA"), email=email, role=role, **given)
    notice = Notice.objects.filter(kind="team.invited").latest("pk")
    assert notice.address == invitation.email
    return invitation, notice.url_args[0]


def test_a_colleague_with_an_account_joins() -> None:
    invitation, token = invite("Zoe@Example.com", Role.VIEWER)
    assert token not in str(Invitation.objects.filter(pk=invitation.pk).values())
    assert token not in str(list(AuditEvent.objects.values_list("details", flat=True)))
    zoe = browser("zoe")
    assert "Join the team of Alpha Services" in text(zoe.get(f"/team/invitation/{token}"))
    assert not Membership.objects.filter(user=person("zoe")).exists()  # looking takes nothing up
    done = zoe.post(f"/team/invitation/{token}", follow=True)
    assert done.redirect_chain[-1][0] == "/partner/"
    assert "You are on the team of Alpha Services now." in text(done)
    assert Membership.objects.get(user=person("zoe")).role == "viewer"
    assert zoe.get(f"/team/invitation/{token}").status_code == 404  # once
    assert Notice.objects.filter(user=person("alice"), kind="team.joined").exists()
    assert verify_chain().intact


def test_a_colleague_without_an_account_makes_one() -> None:
    _invitation, token = invite("new@example.com")
    page = f"/team/invitation/{token}"
    stranger = Client(headers={"accept-language": "en"})
    assert "Make your account" in text(stranger.get(page))
    weak = stranger.post(page, {"name": "Nia", "password": "short", "again": "short"})
    assert weak.status_code == 422
    assert 'id="id_password_error"' in weak.content.decode()
    differ = stranger.post(page, {"name": "Nia", "password": PASSWORD, "again": PASSWORD + "!"})
    assert 'id="id_again_error"' in differ.content.decode()
    assert not User.objects.filter(email="new@example.com").exists()
    done = stranger.post(page, {"name": "Nia", "password": PASSWORD, "again": PASSWORD}, follow=True)
    assert "You are on the team of Alpha Services now." in text(done)
    made = User.objects.get(email="new@example.com")
    assert (made.name, made.check_password(PASSWORD), made.language) == ("Nia", True, "en")
    assert Membership.objects.get(user=made).role == "member"
    address = EmailAddress.objects.get(user=made)  # the link went there: nobody asks for it to be proven again
    assert (address.email, address.verified, address.primary) == ("new@example.com", True, True)
    assert "this one" in text(stranger.get("/account/sessions"))
    stranger.post("/accounts/logout/")
    again = stranger.post("/accounts/login/", {"login": "new@example.com", "password": PASSWORD})
    assert again["Location"] == "/"


def test_links_that_do_not_work_look_alike() -> None:
    now = timezone.now()
    _first, over = invite("a@example.com", at=now - timedelta(days=settings.INVITATION_DAYS, seconds=1))
    second, withdrawn = invite("b@example.com")
    withdraw_invitation(actor=actor("alice"), invitation=second)
    _third, replaced = invite("c@example.com")
    _fourth, working = invite("c@example.com")
    _fifth, erased = invite("d@example.com")
    Invitation.objects.filter(email="d@example.com").update(email="")
    answers = {
        re.sub(r'value="[^"]+"', "", Client().get(f"/team/invitation/{token}").content.decode()).replace(token, "")
        for token in (over, withdrawn, replaced, erased, "no-such-token")
    }
    assert len(answers) == 1
    for token in (over, withdrawn, replaced, erased, "no-such-token"):
        assert Client().get(f"/team/invitation/{token}").status_code == 404
        with pytest.raises(NotFound):
            accept_invitation(actor=actor("zoe"), token=token)
    assert Client().get(f"/team/invitation/{working}").status_code == 200


def test_an_invitation_is_for_its_address_alone() -> None:
    _invitation, token = invite("zoe@example.com")
    person("zoe")
    charlie = browser("charlie")
    assert "signed in with another address" in text(charlie.get(f"/team/invitation/{token}"))
    charlie.post(f"/team/invitation/{token}")
    with pytest.raises(NotAllowed):
        accept_invitation(actor=actor("charlie"), token=token)
    # A stranger can't make a second account for an address that has one: it is signed in to.
    stranger = Client(headers={"accept-language": "en"})
    assert "Sign in and join" in text(stranger.get(f"/team/invitation/{token}"))
    stranger.post(f"/team/invitation/{token}", {"name": "X", "password": PASSWORD, "again": PASSWORD})
    assert Membership.objects.filter(partner=partner("ALPHA")).count() == 1  # alice


def test_only_owners_of_this_very_team_invite() -> None:
    person("alice"), person("bob")
    # Charlie owns a rival, and merely looks at this one.
    Membership.objects.create(partner=partner("ALPHA"), user=person("charlie"), role="viewer")
    for name in ("bob", "charlie", "olga", "zoe"):
        with pytest.raises(NotAllowed):
            invite_member(actor=actor(name), partner=partner("ALPHA"), email="x@example.com", role=Role.MEMBER)
    for email, role in (("nonsense", Role.MEMBER), ("x@example.com", Role.REVIEWER)):
        with pytest.raises(BadInput):
            invite_member(actor=actor("alice"), partner=partner("ALPHA"), email=email, role=role)
    with pytest.raises(Conflict, match="on the team already"):
        invite_member(actor=actor("alice"), partner=partner("ALPHA"), email="BOB@example.com", role=Role.MEMBER)
    assert not Invitation.objects.exists()


def test_the_team_page() -> None:
    person("bob")
    alice = browser("alice")
    page = text(alice.get("/partner/team"))
    assert "bob@example.com" in page
    assert "Invite a colleague" in page
    wrong = alice.post("/partner/team", {"do": "invite", "email": "nonsense", "role": "member"})
    assert wrong.status_code == 422
    sent = alice.post("/partner/team", {"do": "invite", "email": "zoe@example.com", "role": "viewer"}, follow=True)
    assert "An invitation is on its way to zoe@example.com." in text(sent)
    bob_id, invitation = person("bob").pk, Invitation.objects.get()
    alice.post("/partner/team", {"do": "role", "user": bob_id, "role": "viewer"})
    assert Membership.objects.get(user=bob_id).role == "viewer"
    alice.post("/partner/team", {"do": "withdraw", "invitation": invitation.pk})
    invitation.refresh_from_db()
    assert invitation.withdrawn_at is not None
    # Bob looks, and changes nothing.
    bob = browser("bob")
    assert "Invite a colleague" not in text(bob.get("/partner/team"))
    bob.post("/partner/team", {"do": "invite", "email": "x@example.com", "role": "owner"})
    refused = bob.post("/partner/team", {"do": "dismiss", "user": person("alice").pk}, follow=True)
    assert "Only an owner can change the team." in text(refused)
    assert Invitation.objects.count() == 1
    gone = alice.post("/partner/team", {"do": "dismiss", "user": bob_id}, follow=True)
    assert "Bob is off the team." in text(gone)
    assert bob.get("/partner/team").status_code == 404


def test_a_rival_reaches_nobody() -> None:
    person("alice"), person("bob")
    invitation, _token = invite("zoe@example.com")
    charlie = browser("charlie")
    assert "bob@example.com" not in charlie.get("/partner/team").content.decode()
    assert "zoe@example.com" not in charlie.get("/partner/team").content.decode()
    assert charlie.get("/partner/team?partner=ALPHA").status_code == 404
    for wish in (
        {"do": "dismiss", "user": person("bob").pk},
        {"do": "role", "user": person("bob").pk, "role": "viewer"},
        {"do": "withdraw", "invitation": invitation.pk},
        {"do": "withdraw", "invitation": 999999},
        {"do": "nonsense"},
    ):
        assert charlie.post("/partner/team", wish).status_code == 404, wish
    assert Client().post("/partner/team", {"do": "nonsense"}).status_code == 302
    assert Membership.objects.filter(partner=partner("ALPHA")).count() == 2
    invitation.refresh_from_db()
    assert invitation.withdrawn_at is None


def test_an_owner_is_always_left() -> None:
    alice = actor("alice")
    for act in (
        lambda: dismiss_member(actor=alice, partner=partner("ALPHA"), user=person("alice")),
        lambda: change_member_role(actor=alice, partner=partner("ALPHA"), user=person("alice"), role=Role.VIEWER),
    ):
        with pytest.raises(NotAllowed, match="own place"):
            act()


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_take_each_other_off_one_stays() -> None:
    Membership.objects.filter(user=person("bob")).update(role="owner")
    alpha, owners = partner("ALPHA"), {name: (actor(name), person(name)) for name in ("alice", "bob")}
    start, refused = threading.Barrier(2), []

    def dismiss(mine: str, other: str) -> None:
        try:
            start.wait(10)
            dismiss_member(actor=owners[mine][0], partner=alpha, user=owners[other][1])
        except DomainError as refusal:
            refused.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=dismiss, args=pair) for pair in (("alice", "bob"), ("bob", "alice"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(refused) == 1
    assert Membership.objects.filter(partner=alpha, role="owner").count() == 1
