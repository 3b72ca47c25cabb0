"""The sign-in page: plain, and with the address that the demo's front page links it with."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "shown"), [("", 'value=""'), ("?email=ann%40example.com", 'value="ann@example.com"')]
)
def test_it_opens_with_the_address_that_it_was_given(client: Client, query: str, shown: str) -> None:
    answer = client.get(f"/accounts/login/{query}")
    assert answer.status_code == 200
    (field,) = [line for line in answer.content.decode().splitlines() if 'id="id_login"' in line]
    assert shown in field


@pytest.mark.django_db
def test_a_wrong_password_keeps_the_address(client: Client) -> None:
    answer = client.post("/accounts/login/", {"login": "ann@example.com", "password": "not the one"})
    assert answer.status_code == 200
    assert 'value="ann@example.com"' in answer.content.decode()
