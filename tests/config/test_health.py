"""What those who run the portal can ask it."""

from __future__ import annotations

import pytest
import redis
from django.test import Client, override_settings

from config import health
from core.models import User
from tests.services import TestServices


def test_alive_without_a_database(client: Client) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_when_everything_answers(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200, response.json()
    assert response.json()["checks"] == {"database": "ok", "migrations": "ok", "broker": "ok"}


@pytest.mark.django_db
def test_not_ready_names_what_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> str:
        raise redis.ConnectionError("secret-host:6379 refused")

    monkeypatch.setitem(health.CHECKS, "broker", away)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["broker"] == "does not answer"
    assert response.json()["checks"]["database"] == "ok"
    assert "secret-host" not in response.text


def test_metrics_are_for_inside_addresses(client: Client) -> None:
    assert "python_info" in client.get("/metrics").text
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    with override_settings(METRICS_ALLOWED_NETWORKS=[]):
        assert client.get("/metrics").status_code == 404


def test_a_request_has_a_name(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "from-the-proxy-1"})["X-Request-ID"] == "from-the-proxy-1"
    made = client.get("/healthz", headers={"X-Request-ID": "bad\tname"})["X-Request-ID"]
    assert made != "bad\tname"
    assert len(made) == 32


def test_pages_forbid_inline_scripts_and_strangers(client: Client) -> None:
    policy = client.get("/healthz")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_the_back_office_sends_to_the_one_sign_in(client: Client) -> None:
    response = client.get("/admin/login/")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.django_db
@override_settings(SIGN_UP_OPEN=False)
def test_nobody_signs_up_where_it_is_closed(client: Client) -> None:
    response = client.post(
        "/accounts/signup/", {"email": "x@example.com", "password1": "a-long-one-1", "password2": "a-long-one-1"}
    )
    assert response.status_code == 200
    assert 'name="password1"' not in response.text
    assert not User.objects.filter(email="x@example.com").exists()


def test_the_servers_belong_to_this_session(services: TestServices) -> None:
    assert services.folder.name.startswith("dingyao-test-")


@pytest.mark.django_db
def test_the_sign_in_page_is_there(client: Client) -> None:
    response = client.get("/accounts/login/")
    assert response.status_code == 200
    assert 'type="email"' in response.text
