"""How lists of the API are cut into pages."""

from __future__ import annotations

from rest_framework.pagination import LimitOffsetPagination


class StablePagination(LimitOffsetPagination):
    """`?limit=50&offset=100`, with a ceiling. A view's queryset has to be ordered by something unique."""

    default_limit = 50
    max_limit = 500
