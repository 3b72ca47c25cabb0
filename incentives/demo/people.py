"""The demo's people: operators first, as they load and decide; the partners' own when their partners are there."""

from __future__ import annotations

from functools import cache

from django.contrib.auth.hashers import make_password
from django.db import transaction

from core import audit
from core.actors import Actor
from core.models import RoleGrant, User
from incentives.demo.signins import PASSWORD, SIGNINS, SignIn
from partners.models import Membership, Partner
from partners.people import actor_of


@transaction.atomic
def create_people(*, actor: Actor) -> dict[str, Actor]:
    """Create the demo's operators, and return each as an actor by the part of the address before the @."""
    operators = [_create(sign_in) for sign_in in SIGNINS if sign_in.is_operator]
    for user, sign_in in operators:
        RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role) for role in sign_in.roles)
    audit.record(
        actor=actor, action="demo.operators_created", subject=("demo", "people"), details={"users": _ids(operators)}
    )
    return {user.email.partition("@")[0]: actor_of(user) for user, _ in operators}


@transaction.atomic
def create_colleagues(*, actor: Actor) -> None:
    """Create the people of the demo's partners. The partners have been loaded by now."""
    colleagues = [_create(sign_in) for sign_in in SIGNINS if not sign_in.is_operator]
    partners = Partner.objects.in_bulk([sign_in.partner_code for _, sign_in in colleagues], field_name="code")
    Membership.objects.bulk_create(
        Membership(partner=partners[sign_in.partner_code], user=user, role=sign_in.roles[0])
        for user, sign_in in colleagues
    )
    audit.record(
        actor=actor, action="demo.colleagues_created", subject=("demo", "people"), details={"users": _ids(colleagues)}
    )


@cache
def _password_hash() -> str:
    """One hash for all: a good one takes a quarter of a second, and they share the password anyway."""
    return make_password(PASSWORD)


def _create(sign_in: SignIn) -> tuple[User, SignIn]:
    user = User(
        email=sign_in.email,
        name=sign_in.name,
        language=sign_in.language,
        is_staff=sign_in.is_operator,
        password=_password_hash(),
    )
    user.save()
    return user, sign_in


def _ids(created: list[tuple[User, SignIn]]) -> list[int]:
    return [user.pk for user, _ in created]
