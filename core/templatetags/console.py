"""The admin dashboard's rail, for its pages' frame."""

from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.urls import reverse

from core.actors import Role
from core.forms import ROLE_NAMES
from core.models import Program
from core.rail import RAIL

register = template.Library()


@register.inclusion_tag("console/rail.html", takes_context=True)
def console_rail(context: Context) -> dict[str, Any]:
    """The groups that this page shows: `here` is the entry it belongs to, `program` the one at hand, if any."""
    program: Program | None = context.get("program")
    here = context.get("here")
    groups = []
    for group in RAIL:
        entries = [
            {
                "label": entry.label,
                "icon": entry.icon,
                "here": entry.key == here,
                "url": reverse(entry.url_name, args=[program.code] if program and entry.of_program else None),
            }
            for entry in group.entries
            if program or not entry.of_program
        ]
        if entries:
            groups.append({"heading": group.heading, "entries": entries})
    return {
        "groups": groups,
        "user": context.get("user"),
        "without_second_factor": not settings.OPERATORS_NEED_SECOND_FACTOR,
    }


@register.filter
def role_name(role: str) -> str:
    """An operator role in words."""
    return str(ROLE_NAMES[Role(role)])
