"""How URLs of databases and brokers are read and rewritten."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.addresses import celery_url, client_url, database_from_url, redis_number, socket_database_url


def test_a_full_database_url() -> None:
    entry = database_from_url("postgres://alice:p%40ss@db.example.com:5433/portal?sslmode=require")
    assert entry["NAME"] == "portal"
    assert (entry["USER"], entry["PASSWORD"]) == ("alice", "p@ss")
    assert (entry["HOST"], entry["PORT"]) == ("db.example.com", "5433")
    assert entry["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://dingyao@/dingyao?host=/run/a%20b",
        "postgresql://dingyao@%2Frun%2Fa%20b/dingyao",
        socket_database_url("/run/a b"),
    ],
)
def test_a_folder_of_sockets(url: str) -> None:
    entry = database_from_url(url)
    assert entry["HOST"].lower() == "/run/a b"
    assert entry["PORT"] == ""
    assert entry["OPTIONS"] == {}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root@localhost/x", "only postgresql://"),
        ("postgresql://localhost", "names no database"),
        ("postgresql://localhost:port/x", "port is not a number"),
        ("dingyao", "has the scheme ''"),
    ],
)
def test_a_wrong_database_url_says_what_is_wrong(url: str, words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=words):
        database_from_url(url)


@pytest.mark.parametrize(
    ("given", "celery", "client"),
    [
        ("redis://cache:6379/3", "redis://cache:6379/3", "redis://cache:6379/3"),
        ("redis://cache", "redis://cache/0", "redis://cache/0"),
        ("valkeys://:secret@cache:1/2", "rediss://:secret@cache:1/2", "rediss://:secret@cache:1/2"),
        ("unix:///run/v.sock?db=2", "redis+socket:///run/v.sock?virtual_host=2", "unix:///run/v.sock?db=2"),
        ("redis+socket:///run/v.sock", "redis+socket:///run/v.sock?virtual_host=0", "unix:///run/v.sock?db=0"),
    ],
)
def test_each_library_gets_its_own_spelling(given: str, celery: str, client: str) -> None:
    assert celery_url(given) == celery
    assert client_url(given) == client
    assert client_url(celery) == client


def test_another_database_number() -> None:
    assert redis_number(client_url("redis://cache/0", 7)) == 7
    assert redis_number(celery_url("unix:///run/v.sock?db=0", 7)) == 7


def test_a_wrong_broker_url_says_what_is_wrong() -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL has the scheme 'amqp'"):
        client_url("amqp://localhost")
    with pytest.raises(ImproperlyConfigured, match="not a number"):
        client_url("redis://localhost/first")
