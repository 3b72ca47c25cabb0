"""What an inbox can be narrowed to; the page and the API share it."""

from typing import Any

import django_filters
from django.utils.translation import gettext_lazy as _

from core.notices.kinds import all_kinds
from core.notices.models import Notice


def _kinds() -> list[tuple[str, Any]]:
    return [(kind.key, kind.title) for kind in all_kinds()]


class NoticeFilter(django_filters.FilterSet):  # type: ignore[misc]  # untyped
    """Unread ones; those of a kind."""

    unread = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull", label=_("unread"))
    kind = django_filters.ChoiceFilter(choices=_kinds, label=_("kind"))

    class Meta:
        model = Notice
        fields = ("unread", "kind")
