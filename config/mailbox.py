"""Mails of one's own machine: each becomes a file in the state folder, goes nowhere, and can be read there.

The demo shows them on a page (`config.outbox`).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage as Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

SUFFIX = ".eml"


class EmailBackend(BaseEmailBackend):
    """Writes each mail into a file of its own, whole or not at all. Their names sort by time."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the mails; return how many."""
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
            draft = folder / f".{name}"
            draft.write_bytes(message.message().as_bytes())
            draft.replace(folder / f"{name}{SUFFIX}")
        return len(email_messages)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it was written: `text` is its plain body, `html` the other one, empty where it has none."""

    id: str
    to: str
    subject: str
    at: datetime
    text: str
    html: str


def newest(count: int) -> Iterator[Mail]:
    """The last mails, the newest first."""
    folder = Path(settings.EMAIL_FILE_PATH)
    for path in sorted(folder.glob(f"*{SUFFIX}"), reverse=True)[:count]:
        yield _read(path)


def find(mail_id: str) -> Mail | None:
    """The mail of this id; None where there is none."""
    return next(
        (_read(path) for path in Path(settings.EMAIL_FILE_PATH).glob(f"*{SUFFIX}") if path.stem == mail_id), None
    )


def _read(path: Path) -> Mail:
    with path.open("rb") as file:
        message = BytesParser(_class=Message, policy=policy.default).parse(file)
    return Mail(
        id=path.stem,
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        at=parsedate_to_datetime(str(message["Date"])),
        text=_body(message, "plain"),
        html=_body(message, "html"),
    )


def _body(message: Message, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
