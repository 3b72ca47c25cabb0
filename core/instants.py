"""Moments that people type: on the command line and in forms."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from core.errors import BadInput


def parse_instant(text: str, *, what: str) -> datetime:
    """Read an ISO 8601 timestamp; one without an offset is in the platform's time zone.

    Raises BadInput, naming `what` it was given for.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        if "T" not in text and " " not in text.strip():
            raise ValueError
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(settings.PLATFORM_TIME_ZONE))
        # An offset that leaves the calendar is no moment either.
        moment.astimezone(ZoneInfo("UTC"))
    except (ValueError, OverflowError):
        raise BadInput(
            f"{what}: {text!r} is no ISO 8601 timestamp; write for example 2026-03-31T23:59:59+08:00."
        ) from None
    return moment
