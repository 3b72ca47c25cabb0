"""How often is enough: counts in the database, which a cache that is wiped doesn't forget.

A hall in which two hundred people open one link behind one address has to get in; a script that tries codes or floods
a link has not. Nothing readable is kept: the key is a keyed hash, and rows go when their span is over.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from partners.models import RateCount


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `most` times in each span of `seconds`; `name` keeps one rule's counts from another's."""

    name: str
    most: int
    seconds: int


def take(rate: Rate, *, what: str, at: datetime) -> int:
    """Count one more of `what` and return 0, or where it was enough, the seconds until it may be tried again."""
    key = hmac.new(settings.SECRET_KEY.encode(), f"{rate.name}:{what}".encode(), hashlib.sha256).hexdigest()
    span = int(at.timestamp()) // rate.seconds
    ends = (span + 1) * rate.seconds
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO partners_ratecount (key, span, ends_at, count) VALUES (%s, %s, %s, 1)"
            " ON CONFLICT (key, span) DO UPDATE SET count = partners_ratecount.count + 1 RETURNING count",
            [key, span, datetime.fromtimestamp(ends, UTC)],
        )
        (count,) = cursor.fetchone()
    if count == 1:
        # Whoever opens a span sweeps: there is no more of them than of callers.
        RateCount.objects.filter(ends_at__lt=at).delete()
    return 0 if count <= rate.most else max(1, ends - int(at.timestamp()))
