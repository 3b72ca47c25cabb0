"""Addresses of the database and the broker: how a URL is read, and each library's way to write it.

One URL of each kind is given (`DATABASE_URL`, `REDIS_URL`), but Django, Celery and redis-py each want it differently;
a Unix socket is where they differ most.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, parse_qs, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

REDIS_SCHEMES = {"redis", "rediss", "valkey", "valkeys", "unix", "redis+socket"}


def database_from_url(url: str) -> dict[str, Any]:
    """Read `postgresql://user:password@host:port/name?option=…` as an entry of Django's DATABASES.

    The host may be a folder of Unix sockets, as `?host=/run/postgresql` or percent-encoded in the host's place.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql", "pgsql"}:
        raise ImproperlyConfigured(
            f"DATABASE_URL has the scheme {parts.scheme!r}; only postgresql://user:password@host:port/name "
            "is understood."
        )
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no database: it ends in /name.")
    try:
        port = str(parts.port or "")
    except ValueError:
        raise ImproperlyConfigured("DATABASE_URL: the port is not a number between 1 and 65535.") from None
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": options.pop("port", "") or port,
        "OPTIONS": options,
    }


def socket_database_url(folder: str, *, user: str = "dingyao", name: str = "dingyao") -> str:
    """Return the URL of a database that listens on a Unix socket in this folder."""
    return f"postgresql://{quote(user)}@/{quote(name)}?{urlencode({'host': folder})}"


def socket_redis_url(path: str, number: int = 0) -> str:
    """Return the URL of a Valkey or Redis server that listens on this Unix socket."""
    return f"unix://{quote(path)}?db={number}"


def redis_number(url: str) -> int:
    """Return the number of the database inside the server that the URL names."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    text = (query.get("db") or query.get("virtual_host") or [""])[0]
    if not text and parts.scheme not in {"unix", "redis+socket"}:
        text = parts.path.strip("/")
    if not text:
        return 0
    if not text.isdigit():
        raise ImproperlyConfigured(f"REDIS_URL: the database {text!r} is not a number.")
    return int(text)


def client_url(url: str, number: int | None = None) -> str:
    """Write the URL for redis-py and Django's cache, with another database number where one is given."""
    parts = _checked(url)
    chosen = redis_number(url) if number is None else number
    query = [(key, value) for key, value in parse_qsl(parts.query) if key not in {"db", "virtual_host"}]
    if parts.scheme in {"unix", "redis+socket"}:
        return f"unix://{_credentials(parts.netloc)}{parts.path}?{urlencode([*query, ('db', chosen)])}"
    scheme = {"valkey": "redis", "valkeys": "rediss"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, f"/{chosen}", urlencode(query), ""))


def celery_url(url: str, number: int | None = None) -> str:
    """Write the URL for Celery, with another database number where one is given."""
    parts = urlsplit(client_url(url, number))
    if parts.scheme != "unix":
        return urlunsplit(parts)
    query = [("virtual_host" if key == "db" else key, value) for key, value in parse_qsl(parts.query)]
    return f"redis+socket://{parts.netloc}{parts.path}?{urlencode(query)}"


def _checked(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in REDIS_SCHEMES:
        raise ImproperlyConfigured(
            f"REDIS_URL has the scheme {parts.scheme!r}; redis://host:6379/0, rediss://… or "
            "unix:///path/to/socket?db=0 is understood."
        )
    return parts


def _credentials(netloc: str) -> str:
    # A socket has no host; only user and password may stand before the path.
    return netloc if netloc.endswith("@") else ""
