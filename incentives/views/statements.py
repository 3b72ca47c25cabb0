"""Statements to take along, and the keys that they are verified with."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from incentives.keys import published_keys
from incentives.signatures import key_set


@require_safe
@cache_control(public=True, max_age=300)
def keys(request: HttpRequest) -> JsonResponse:
    """The public keys of our statements, for everybody (docs/operations.md)."""
    return JsonResponse(key_set(published_keys()))
