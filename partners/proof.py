"""When the person behind a request last gave the password or a second factor *again*, for what needs it."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from django.http import HttpRequest
from django.urls import reverse

from core.models import User


def proved_at(request: HttpRequest) -> datetime | None:
    """The last time of it in this session; None where there is none. Signing in doesn't count: it was not again."""
    user = request.user
    if not isinstance(user, User) or not get_reauthentication_flows(user):
        return None
    times = [record["at"] for record in get_authentication_records(request, user) if record.get("reauthenticated")]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def can_prove(request: HttpRequest) -> bool:
    """Whether the person has a password or a second factor at all."""
    return isinstance(request.user, User) and bool(get_reauthentication_flows(request.user))


def proof_page(then: str) -> str:
    """Where the password or the second factor is asked for; from there people come back to the path `then`."""
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': then})}"
