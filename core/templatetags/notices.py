"""How many notices somebody hasn't read, for the top bar of every page."""

from typing import Any

from django import template
from django.template import Context

from core.actors import Actor
from core.models import User
from core.notices.inbox import unread_count

register = template.Library()

MANY = 99


@register.inclusion_tag("components/notices.html", takes_context=True)
def notices_link(context: Context) -> dict[str, Any]:
    """The way to the inbox with the number of unread notices; nothing for strangers. One query."""
    user = context.get("user")
    if not isinstance(user, User):
        return {"signed_in": False}
    count = unread_count(actor=Actor(user_id=user.pk))
    return {"signed_in": True, "unread": count, "shown": f"{MANY}+" if count > MANY else str(count)}
