"""The demo's outbox: every mail as a file, shown on a page; elsewhere there is no such page."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test import Client

from config import mailbox


@pytest.fixture
def demo(settings: Any, tmp_path: Path) -> None:
    settings.DEMO = True
    settings.EMAIL_BACKEND = "config.mailbox.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"


def text(response: object) -> str:
    return unescape(response.content.decode())  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_mails_are_kept_and_shown_the_newest_first(demo: None, client: Client) -> None:
    assert "No mail yet." in text(client.get("/demo/outbox", headers={"accept-language": "en"}))
    EmailMessage("First", "How are you?", to=["alice@example.com"]).send()
    second = EmailMultiAlternatives("第二封", "打开 https://portal.example.com/x\n<b>", to=["bob@example.com"])
    second.attach_alternative("<p>ja</p>", "text/html")
    second.send()
    page = text(client.get("/demo/outbox", headers={"accept-language": "en"}))
    assert page.index("第二封") < page.index("First")
    assert "bob@example.com" in page
    found = re.findall(r"/demo/outbox/[\w-]+", page)
    answer = client.get(found[0])
    assert b'<a href="https://portal.example.com/x"' in answer.content
    assert b"&lt;b&gt;" in answer.content
    assert client.get("/demo/outbox/../../etc/passwd").status_code == 404
    assert client.get("/demo/outbox/0").status_code == 404
    assert [(mail.subject, mail.html.strip()) for mail in mailbox.newest(1)] == [("第二封", "<p>ja</p>")]


@pytest.mark.django_db
def test_without_the_demo_there_is_no_outbox(demo: None, settings: Any, client: Client) -> None:
    EmailMessage("First", "How are you?", to=["alice@example.com"]).send()
    [mail] = mailbox.newest(1)
    settings.DEMO = False
    assert client.get("/demo/outbox", headers={"accept-language": "en"}).status_code == 404
    assert client.get(f"/demo/outbox/{mail.id}").status_code == 404
