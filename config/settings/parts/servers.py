"""The state folder, the database, the broker's address and the cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.addresses import client_url, database_from_url, socket_database_url, socket_redis_url
from config.env import env
from config.state import ROOT, State

BASE_DIR: Path = ROOT
STATE = State.from_environment()


# From the environment; else what `manage.py up` runs; else where it would run it: then importing works, and the first
# query fails with a line that says what to start (see config.commandline).

_running = STATE.services()
DATABASE_URL = (
    env.optional("DATABASE_URL")
    or (_running.database_url if _running else None)
    or socket_database_url(str(STATE.sockets / "pg"))
)
REDIS_URL = (
    env.optional("REDIS_URL")
    or (_running.redis_url if _running else None)
    or socket_redis_url(str(STATE.sockets / "kv" / "valkey.sock"))
)


def database(url: str) -> dict[str, Any]:
    """Build the database's entry for this URL."""
    entry = database_from_url(url)
    entry["OPTIONS"] = {"connect_timeout": 5, **entry["OPTIONS"]}
    # The pool belongs to the web server, which sets this (config.wsgi): workers fork, and commands need one connection.
    if env.flag("DATABASE_POOL"):
        entry["OPTIONS"]["pool"] = {
            "min_size": 1,
            "max_size": env.integer("DATABASE_POOL_SIZE", 8, minimum=1),
            "timeout": 5,  # a busy or absent database shall be an error soon, not half a minute of waiting
        }
    else:
        entry["CONN_HEALTH_CHECKS"] = True
    return entry


DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        # One server is enough for a small house; a prefix keeps the two apart.
        "LOCATION": client_url(env.text("CACHE_URL", REDIS_URL)),
        "KEY_PREFIX": "dingyao",
        "OPTIONS": {"socket_connect_timeout": 3, "socket_timeout": 3},
    }
}
