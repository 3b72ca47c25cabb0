"""How the API says what the services refuse."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import Http404
from rest_framework import exceptions, status

from core.errors import BadInput, Conflict, DomainError, NotAllowed, NotFound


class StateConflict(exceptions.APIException):
    """Somebody was quicker, or the thing is not in a state in which this can be done."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


@contextmanager
def answers() -> Iterator[None]:
    """Turn a refusal into the API's answer: 403, 404, 409 or 400, with its words.

    A refusal that has `fields` (which one, and what is wrong with it) is said field by field.
    """
    try:
        yield
    except NotAllowed as refused:
        raise exceptions.PermissionDenied(refused.message) from None
    except NotFound:
        raise Http404 from None
    except Conflict as refused:
        raise StateConflict(refused.message) from None
    except BadInput as refused:
        raise exceptions.ValidationError(getattr(refused, "fields", None) or refused.message) from None
    except DomainError as refused:
        raise exceptions.APIException(refused.message) from None
