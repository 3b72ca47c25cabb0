"""Accounts and operator roles. Whoever manages them does so for others: nobody changes their own.

The audit trail names people by id; addresses, names and passwords never enter it.
"""

from collections.abc import Callable

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import OPERATOR_ROLES, Actor, Capability, Role
from core.errors import BadInput, Conflict, NotAllowed
from core.models import RoleGrant, User


@transaction.atomic
def create_user(*, actor: Actor, email: str, name: str, password: str, language: str) -> User:
    """Make an account without any role, for an address that is vouched for: nobody is asked to prove it.

    Addresses are compared without case; `language` is one of LANGUAGES.

    Raises NotAllowed; BadInput for a malformed address, an unknown language or a password that the validators refuse;
    Conflict where the address has an account.
    """
    actor.require(Capability.MANAGE_USERS)
    email = email.strip().lower()
    _read(lambda: validate_email(email), code="bad_email")
    _ensure_language(language)
    user = User(email=email, name=name.strip(), language=language)
    _read(lambda: validate_password(password, user), code="weak_password")
    user.set_password(password)
    _read(lambda: user.clean_fields(exclude=["password"]), code="bad_account")
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise Conflict(_("%(email)s has an account already.") % {"email": email}, code="email_taken") from None
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    audit.record(actor=actor, action="user.created", subject=user, details={"language": language})
    return user


@transaction.atomic
def describe_self(*, actor: Actor, name: str, language: str) -> User:
    """Change the own name, and the language that mails come in. Raises NotAllowed for nobody, BadInput as above."""
    if actor.user_id is None:
        raise NotAllowed(_("Sign in first."))
    _ensure_language(language)
    user = User.objects.select_for_update().get(pk=actor.user_id)
    user.name, user.language = name.strip(), language
    _read(lambda: user.clean_fields(exclude=["password"]), code="bad_account")
    user.save(update_fields=["name", "language"])
    audit.record(actor=actor, action="user.described", subject=user, details={"language": language})
    return user


@transaction.atomic
def grant_role(*, actor: Actor, user: User, role: Role) -> RoleGrant:
    """Give an operator role, and with it the back office.

    Raises NotAllowed, also for the actor's own account; BadInput for a role that only partners give; Conflict where the
    person has it.
    """
    user = _lock(actor, user)
    if role not in OPERATOR_ROLES:
        raise BadInput(_("%(role)s is a role in a partner's team, not an operator's.") % {"role": role.value})
    grant, is_new = RoleGrant.objects.get_or_create(user=user, role=role.value)
    if not is_new:
        raise Conflict(_("%(who)s has the role %(role)s already.") % {"who": user, "role": role.value})
    _keep_back_office(user, is_open=True)
    audit.record(actor=actor, action="role.granted", subject=user, details={"role": role.value})
    return grant


@transaction.atomic
def revoke_role(*, actor: Actor, user: User, role: Role) -> None:
    """Take an operator role back; the last one takes the back office along.

    Raises NotAllowed, also for the actor's own account; Conflict where the person doesn't have it.
    """
    user = _lock(actor, user)
    taken, _by_model = user.role_grants.filter(role=role.value).delete()
    if not taken:
        raise Conflict(_("%(who)s doesn't have the role %(role)s.") % {"who": user, "role": role.value})
    _keep_back_office(user, is_open=user.is_superuser or user.role_grants.exists())
    audit.record(actor=actor, action="role.revoked", subject=user, details={"role": role.value})


@transaction.atomic
def deactivate_user(*, actor: Actor, user: User) -> User:
    """Close an account: its sessions end at once, and nobody signs in with it. What the person did stays.

    Raises NotAllowed, also for the actor's own account; Conflict where it is closed already.
    """
    user = _lock(actor, user)
    if not user.is_active:
        raise Conflict(_("The account of %(who)s is closed already.") % {"who": user})
    user.is_active = False
    user.save(update_fields=["is_active"])
    audit.record(actor=actor, action="user.deactivated", subject=user)
    return user


@transaction.atomic
def reactivate_user(*, actor: Actor, user: User) -> User:
    """Open a closed account again, with the roles that it has. Raises NotAllowed, Conflict where it is open."""
    user = _lock(actor, user)
    if user.is_active:
        raise Conflict(_("The account of %(who)s is open.") % {"who": user})
    user.is_active = True
    user.save(update_fields=["is_active"])
    audit.record(actor=actor, action="user.reactivated", subject=user)
    return user


def _ensure_language(language: str) -> None:
    known = [code for code, _name in settings.LANGUAGES]
    if language not in known:
        raise BadInput(
            _("%(given)s is no language of the portal: choose %(known)s.")
            % {"given": language, "known": ", ".join(known)}
        )


def _lock(actor: Actor, user: User) -> User:
    """Lock the account's row, once it is clear that the actor may change it."""
    actor.require(Capability.MANAGE_USERS)
    if actor.user_id == user.pk:
        raise NotAllowed(_("Nobody changes their own account's roles or standing: ask another administrator."))
    return User.objects.select_for_update().get(pk=user.pk)


def _keep_back_office(user: User, *, is_open: bool) -> None:
    if user.is_staff != is_open:
        user.is_staff = is_open
        user.save(update_fields=["is_staff"])


def _read(check: Callable[[], object], *, code: str) -> None:
    """Run one of Django's validators, and refuse with its words in one line."""
    try:
        check()
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), code=code) from None
