"""Whether the portal lives, is ready, and how it fares: for those who run it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import redis
import structlog
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from config.addresses import client_url
from config.env import env

logger = structlog.get_logger(__name__)


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer without touching anything else: the process serves. Restart it where this fails."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Say of each thing that the portal stands on whether it is ready: 200, or 503 with what is not."""
    checks = {name: _outcome(check) for name, check in CHECKS.items()}
    is_ready = all(outcome == "ok" for outcome in checks.values())
    return JsonResponse(
        {"status": "ready" if is_ready else "not ready", "checks": checks}, status=200 if is_ready else 503
    )


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give Prometheus its numbers, to addresses inside METRICS_ALLOWED_NETWORKS; to others there is nothing here."""
    address = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104 - "unknown", no binding
    # Through a proxy every stranger has the proxy's address, which may well be inside.
    forwarded = "X-Forwarded-For" in request.headers
    if forwarded or not any(address in ipaddress.ip_network(network) for network in settings.METRICS_ALLOWED_NETWORKS):
        raise Http404
    registry = REGISTRY
    if env.optional("PROMETHEUS_MULTIPROC_DIR"):  # several server processes add theirs up
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def check_database() -> str:
    """Ask the database a question."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def check_migrations() -> str:
    """Say how many migrations are still to be applied."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return "ok" if missing == 0 else f"{missing} migrations to apply: run manage.py migrate"


def check_broker() -> str:
    """Ask the broker for a sign of life."""
    client = redis.Redis.from_url(client_url(settings.CELERY_BROKER_URL), socket_connect_timeout=2, socket_timeout=2)
    try:
        client.ping()
    finally:
        client.close()
    return "ok"


CHECKS: dict[str, Callable[[], str]] = {
    "database": check_database,
    "migrations": check_migrations,
    "broker": check_broker,
}


def _outcome(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception:  # whatever it is, it is what is not ready; details (hosts, users) stay in the log
        logger.warning("not ready", check=check.__name__, exc_info=True)
        return "does not answer"
