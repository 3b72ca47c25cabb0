"""The people of the tests: Alice owns a partner, Bob is her colleague, Charlie owns a rival one, and the operators.

Anybody else has an account and nothing more.
"""

from __future__ import annotations

from django.db import transaction

from core.actors import Actor, Role
from core.models import RoleGrant, User
from core.recording import open_batch, seal
from partners.models import Membership, Partner
from partners.people import actor_of

OPERATORS = {
    "olga": Role.REVIEWER,
    "omar": Role.APPROVER,
    "lena": Role.LIST_KEEPER,
    "rita": Role.RISK,
    "fiona": Role.FINANCE,
    "rosa": Role.RECRUITER,
    "remo": Role.RECRUITER,
    "ada": Role.ADMINISTRATOR,
}
COLLEAGUES = {"alice": ("ALPHA", Role.OWNER), "bob": ("ALPHA", Role.MEMBER), "charlie": ("GAMMA", Role.OWNER)}


def person(name: str) -> User:
    """The account of one of them, made at the first call with its role and its partner."""
    user = User.objects.filter(email=f"{name}@example.com").first()
    if user is not None:
        return user
    user = User.objects.create_user(
        f"{name}@example.com", name=name.capitalize(), language="en", is_staff=name in OPERATORS
    )
    if name in OPERATORS:
        RoleGrant.objects.create(user=user, role=OPERATORS[name])
    elif name in COLLEAGUES:
        code, role = COLLEAGUES[name]
        Membership.objects.create(user=user, partner=partner(code), role=role)
    return user


def actor(name: str) -> Actor:
    """What one of them may do and see."""
    return actor_of(person(name))


def partner(code: str) -> Partner:
    """A partner, made at the first call."""
    found: Partner | None = Partner.objects.filter(code=code).first()
    if found is not None:
        return found
    with transaction.atomic():
        batch = open_batch(source="operator", actor_id=None)
        made: Partner = Partner.objects.create(
            code=code, name=f"{code.title()} Services", category="logistics", batch=batch
        )
        seal(batch)
    return made
