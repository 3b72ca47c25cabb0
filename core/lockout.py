"""How often a password or a second factor may be tried in a row, counted in the database.

A cache can be wiped, and with it whatever it counted; these rows stay. An address is counted whether or not it has an
account, and answers the same, so that nobody learns here which addresses have one. Nothing readable is kept: the key is
a keyed hash.
"""

import hashlib
import hmac
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from core import audit
from core.actors import Actor
from core.models import SignInTries, User

PASSWORD = "password"  # noqa: S105 (what is tried, and none)
SECOND_FACTOR = "second_factor"


@transaction.atomic
def begin_try(*, address: str, what: str, at: datetime) -> bool:
    """Count one more try of `what` for the address, before it is looked at; return whether it may be.

    The try after SIGN_IN_TRIES of them within SIGN_IN_LOCK_MINUTES locks the address for as many minutes, and leaves a
    row in the audit trail. Counting first keeps a hundred tries at the same moment from all being the first. Tries at a
    locked address are refused and don't prolong the lock.
    """
    span = timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES)
    key = _key(address, what)
    tries, last_at, locked_until = _row(key, at)
    if locked_until is not None and locked_until > at:
        return False
    starts_anew = locked_until is not None or last_at <= at - span
    tries = 1 if starts_anew else tries + 1
    until = at + span if tries > settings.SIGN_IN_TRIES else None
    SignInTries.objects.filter(key=key).update(tries=tries, last_at=at, locked_until=until)
    if until is None:
        return True
    user = User.objects.filter(email__iexact=address.strip()).values_list("pk", flat=True).first()
    audit.record(
        actor=Actor.system("sign-in"),
        action="sign_in.locked",
        subject=("core.user", user) if user is not None else ("address", key[:16]),
        details={"what": what, "tries": tries - 1, "until": until.isoformat()},
        at=at,
    )
    return False


def forget_tries(*, address: str, what: str) -> None:
    """Count from nothing again: the password or code was right, or a new password was set by mail.

    Each for itself: whoever has a password must not thereby get new tries at the second factor.
    """
    SignInTries.objects.filter(key=_key(address, what)).delete()


def _key(address: str, what: str) -> str:
    text = f"sign-in:{what}:{address.strip().lower()}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def _row(key: str, at: datetime) -> tuple[int, datetime, datetime | None]:
    """The key's row, made where there is none, and locked: how many tries, the last one, until when locked."""
    with connection.cursor() as cursor:
        # The update changes nothing; it locks the row, which a sweep could else take away before it is read.
        cursor.execute(
            "INSERT INTO core_signintries (key, tries, last_at) VALUES (%s, 0, %s)"
            " ON CONFLICT (key) DO UPDATE SET key = EXCLUDED.key RETURNING tries, last_at, locked_until, xmax = 0",
            [key, at],
        )
        tries, last_at, locked_until, is_new = cursor.fetchone()
        if is_new:
            # Whoever opens a row sweeps: there are never more of them than addresses that were tried lately.
            cursor.execute(
                "DELETE FROM core_signintries WHERE id IN (SELECT id FROM core_signintries"
                " WHERE last_at < %s AND coalesce(locked_until, last_at) < %s FOR UPDATE SKIP LOCKED)",
                [at - timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES), at],
            )
    return tries, last_at, locked_until
