"""The API's schema: complete, valid, and told without a warning; its page keeps the content security policy."""

from __future__ import annotations

import io
import re

import pytest
from django.core.management import call_command
from django.test import Client


def test_the_schema_is_valid_and_leaves_nothing_to_guess(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert "/api/v1/payouts:" in out.getvalue()
    assert capsys.readouterr().err == ""


@pytest.mark.django_db
def test_its_page_has_nothing_inline_and_nothing_foreign(client: Client) -> None:
    page = client.get("/api/docs")
    body = page.content.decode()
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "<style" not in body
    assert " style=" not in body
    assert re.findall(r"<script(?! src=)", body) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", body) == []
