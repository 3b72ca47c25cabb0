"""Small things that the pages about shops say."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def of_key(values: Mapping[str, Any] | str | None, key: str) -> Any:
    """What a mapping has under a key; nothing without a mapping, as in a template that wasn't given one."""
    return values.get(key) if isinstance(values, Mapping) else None
