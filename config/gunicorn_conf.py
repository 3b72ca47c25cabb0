"""How the web server runs, here and in the container: `gunicorn config.wsgi -c python:config.gunicorn_conf`."""

from __future__ import annotations

import os
import signal
from typing import Any

from config.embedded.launch import end_with_parent
from config.env import env
from config.logging import build_logging

bind = f"{env.text('HOST', '127.0.0.1')}:{env.integer('PORT', 8000, minimum=0, maximum=65535)}"
workers = env.integer("WEB_WORKERS", 2, minimum=1)
worker_class = "gthread"
threads = env.integer("WEB_THREADS", 4, minimum=1)
# Django is imported once, before the workers are forked: the second worker costs nothing.
preload_app = True
control_socket_disable = True
timeout = 60
graceful_timeout = 6
keepalive = 5
max_requests = 5000
max_requests_jitter = 500
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - heartbeats; a slow disk would look like a dead worker
forwarded_allow_ips = env.text("FORWARDED_ALLOW_IPS", "127.0.0.1")

_on_a_server = env.flag("LOG_JSON", default=os.environ.get("DJANGO_SETTINGS_MODULE") == "config.settings.production")
logconfig_dict = build_logging(level=env.text("LOG_LEVEL", "INFO").upper(), as_json=_on_a_server)
logconfig_dict["loggers"] |= {
    "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
    # A line for each request is for a server's logs; on one's own machine it hides the rest.
    "gunicorn.access": {"handlers": [], "level": "INFO" if _on_a_server else "WARNING", "propagate": True},
}


def child_exit(server: Any, worker: Any) -> None:
    """Forget an ended worker's gauges, where several processes add their metrics up."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def post_fork(server: Any, worker: Any) -> None:
    """Let a worker end when the master is killed; by itself it notices only at its next heartbeat."""
    end_with_parent(worker.ppid, signal.SIGKILL)
