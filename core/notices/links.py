"""Where a notice leads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin

from django.conf import settings
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Link:
    """A page by its name, what its address is made of, and its query. Plain values: they are kept as JSON."""

    name: str
    args: tuple[str | int, ...] = ()
    query: Mapping[str, str | int] = field(default_factory=dict)

    def path(self) -> str:
        """The address within the portal. Raises NoReverseMatch where there is no such page."""
        found = reverse(self.name, args=list(self.args))
        return f"{found}?{urlencode(self.query)}" if self.query else found


def absolute(path: str) -> str:
    """The whole address of a page, for a mail: `PORTAL_URL` and the path behind it."""
    return urljoin(f"{settings.PORTAL_URL.rstrip('/')}/", path.lstrip("/"))
