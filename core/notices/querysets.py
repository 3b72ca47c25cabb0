"""The only way from a view to somebody's notices."""

from typing import Self

from django.db import models

from core.actors import Actor


class NoticeQuerySet(models.QuerySet):  # type: ignore[type-arg]  # the model imports this module
    """Notices."""

    def visible_to(self, actor: Actor) -> Self:
        """The actor's own inbox; nobody, whatever the role, reads another person's."""
        if actor.user_id is None:
            return self.none()
        return self.filter(user=actor.user_id, in_inbox=True)

    def unread(self) -> Self:
        """Those that their reader hasn't opened or ticked off. The index `notice_unread`."""
        return self.filter(read_at=None)
