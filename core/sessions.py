"""Where a person is signed in, and signing out there. Sessions are rows of the database; a wiped cache ends none."""

import re
from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, Capability
from core.errors import NotAllowed, NotFound
from core.models import User

# What a browser calls itself by, the more particular first: most also name the ones that they descend from.
_BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class SessionView:
    """One place where the person is signed in. `address` is the network address that it began from."""

    id: int
    browser: str
    system: str
    address: str
    began_at: datetime
    is_here: bool


def sessions_of(*, user: User, here: str | None) -> list[SessionView]:
    """Where the person is signed in now, the present session first, then the newest. Two queries.

    `here` is the present session's key. Sessions that have expired, or that a change of the password has ended, are
    left out.
    """
    known = {row.session_key: row for row in UserSession.objects.filter(user=user).order_by("-created_at", "-pk")}
    current = user.get_session_auth_hash()
    live = {
        row.session_key
        for row in Session.objects.filter(pk__in=known, expire_date__gt=timezone.now())
        if constant_time_compare(row.get_decoded().get(HASH_SESSION_KEY, ""), current)
    }
    views = [_view(row, is_here=key == here) for key, row in known.items() if key in live]
    return sorted(views, key=lambda view: not view.is_here)


@transaction.atomic
def end_session(*, actor: Actor, session: int) -> None:
    """Sign the actor out in one of their own sessions. Raises NotFound for one that is over or not theirs."""
    row = UserSession.objects.filter(pk=session, user=actor.user_id).first() if actor.user_id is not None else None
    if row is None:
        raise NotFound(_("This session is over already."))
    Session.objects.filter(pk=row.session_key).delete()
    row.delete()
    audit.record(
        actor=actor, action="session.ended", subject=("core.user", actor.user_id), details={"session": session}
    )


@transaction.atomic
def end_other_sessions(*, actor: Actor, here: str | None) -> int:
    """Sign the actor out everywhere but in the session of this key; return in how many places that was."""
    rows = list(UserSession.objects.filter(user=actor.user_id).exclude(session_key=here or ""))
    if actor.user_id is None or not rows:
        return 0
    ended, _by_model = Session.objects.filter(pk__in=[row.session_key for row in rows]).delete()
    UserSession.objects.filter(pk__in=[row.pk for row in rows]).delete()
    audit.record(
        actor=actor,
        action="session.others_ended",
        subject=("core.user", actor.user_id),
        details={"sessions": [row.pk for row in rows]},
    )
    return ended


@transaction.atomic
def sign_out_everywhere(*, actor: Actor, user: User) -> int:
    """Sign somebody else out on all their devices; return on how many that was. They may sign in again.

    Raises NotAllowed without the capability, and for the actor's own account, which has a page of its own.
    """
    actor.require(Capability.MANAGE_USERS)
    if actor.user_id == user.pk:
        raise NotAllowed(_("Sign yourself out on your own devices under your account."))
    rows = list(UserSession.objects.filter(user=user))
    ended, _by_model = Session.objects.filter(pk__in=[row.session_key for row in rows]).delete()
    UserSession.objects.filter(pk__in=[row.pk for row in rows]).delete()
    audit.record(actor=actor, action="session.all_ended", subject=user, details={"sessions": [row.pk for row in rows]})
    return ended


def forget_ended_sessions() -> int:
    """Drop what is kept of sessions that are over, network addresses among it; return how many rows that were."""
    Session.objects.filter(expire_date__lte=timezone.now()).delete()
    live = Session.objects.values("session_key")
    dropped, _by_model = UserSession.objects.exclude(session_key__in=live).delete()
    return int(dropped)


def _view(row: UserSession, *, is_here: bool) -> SessionView:
    agent = row.user_agent
    return SessionView(
        id=row.pk,
        browser=next((name for sign, name in _BROWSERS if sign in agent), ""),
        system=next((name for sign, name in _SYSTEMS if re.search(rf"\b{re.escape(sign)}", agent)), ""),
        address=row.ip,
        began_at=row.created_at,
        is_here=is_here,
    )
