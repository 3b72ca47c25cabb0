"""Sending the mails of rows that wait for it: a row is the outbox, and its lock the claim on it.

A worker locks one row, sends its mail and writes `mailed_at` in the same transaction; others pass a locked row over. A
worker that dies frees its row, and the mail is sent again unless the mail server had taken it in the moment between its
answer and the commit: that doubling no outbox can rule out. Such twins carry the same Message-ID.
"""

import logging
import time
from datetime import datetime, timedelta
from email.utils import parseaddr
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from core.notices.kinds import Kind, kind_of
from core.notices.links import Link, absolute
from core.notices.models import Notice

log = logging.getLogger(__name__)

# Minutes until the next try after each one in vain; then it is given up. A server that is away is no try.
PAUSES = (1, 5, 30, 120, 720)


class ServerAway(Exception):
    """The mail server can't be reached or doesn't let us in: nothing is wrong with the mail, the next one fails too."""


def send_waiting(*, seconds: float, now: datetime | None = None) -> int:
    """Send mails one after the other until none is due or `seconds` have passed; return how many were sent.

    A server that is away ends the round and leaves every row as it is; the sweep tries again.
    """
    limit, sent = time.monotonic() + seconds, 0
    server = get_connection()
    try:
        while time.monotonic() < limit:
            done = _send_next(server, now or timezone.now())
            if done is None:
                break
            sent += done
    except ServerAway as error:
        log.warning("mails wait: the mail server can't be reached (%s)", error)
    finally:
        server.close()
    return sent


def waiting(now: datetime | None = None) -> bool:
    """Whether a mail is due."""
    return Notice.objects.filter(mail_due_at__lte=now or timezone.now()).exists()


@transaction.atomic
def _send_next(server: Any, now: datetime) -> int | None:
    """Send the mail that is due longest. 1 where it went out, 0 where it didn't, None where none is due."""
    # The partial index notice_mail_due. Locked are the row and nothing besides.
    notice = (
        Notice.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(mail_due_at__lte=now)
        .order_by("mail_due_at", "pk")
        .first()
    )
    if notice is None:
        return None
    kind = kind_of(notice.kind)
    reader = notice.user
    if kind is None or (reader is not None and not reader.is_active):
        _close(notice, tries=notice.mail_tries)
        return 0
    try:
        mail = build_mail(notice, kind)
    except Exception:  # one mail that can't be made must not stop the others
        log.exception("the mail of notice %s can't be made", notice.pk)
        _postpone(notice, now)
        return 0
    try:
        server.open()  # once a round: what a mail opens by itself it closes again
        mail.connection = server
        mail.send()
    except (SMTPRecipientsRefused, SMTPDataError) as error:
        log.warning("the mail of notice %s was refused (%s)", notice.pk, type(error).__name__)
        _postpone(notice, now)
        return 0
    except OSError as error:  # SMTPException is one, too
        raise ServerAway(type(error).__name__) from error
    if reader is None:
        notice.delete()  # there is no inbox, and the address of a stranger isn't kept longer than needed
    else:
        notice.mailed_at, notice.mail_due_at = timezone.now(), None
        notice.save(update_fields=["mailed_at", "mail_due_at"])
    return 1


def build_mail(notice: Notice, kind: Kind) -> EmailMultiAlternatives:
    """The mail of a notice in its reader's language, as text and as HTML."""
    reader = notice.user
    address, language = (reader.email, reader.language) if reader else (notice.address, notice.language)
    with translation.override(language):
        link = Link(notice.url_name, tuple(notice.url_args), notice.url_query) if notice.url_name else None
        context: dict[str, Any] = {
            "subject": kind.headed(notice.params),
            "sentence": kind.told(notice.params),
            "url": absolute(link.path()) if link else "",
            "portal": absolute("/"),
            "settings_url": absolute(reverse("notice-settings")) if reader else "",
            "params": notice.params,
            "title": kind.title,
            "language": "zh-Hans" if language.startswith("zh") else language,
        }
        if kind.details is not None and reader is not None:
            context |= kind.details(reader, notice.params)
        mail = EmailMultiAlternatives(
            subject=context["subject"],
            body=render_to_string(f"{kind.template}.txt", context),
            to=[address],
            headers={"Message-ID": _message_id(notice), "Auto-Submitted": "auto-generated"},
        )
        mail.attach_alternative(render_to_string(f"{kind.template}.html", context), "text/html")
    return mail


def _message_id(notice: Notice) -> str:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<notice-{notice.pk}-{notice.created_at:%Y%m%d%H%M%S}@{domain}>"


def _postpone(notice: Notice, now: datetime) -> None:
    """Try later, each time after a longer pause; after the last one give up."""
    if notice.mail_tries == len(PAUSES):
        _close(notice, tries=notice.mail_tries + 1)
        return
    notice.mail_due_at = now + timedelta(minutes=PAUSES[notice.mail_tries])
    notice.mail_tries += 1
    notice.save(update_fields=["mail_tries", "mail_due_at"])


def _close(notice: Notice, *, tries: int) -> None:
    """Send nothing any more. The inbox keeps the notice; of a stranger, who has none, nothing is kept."""
    if notice.user_id is None:
        notice.delete()
        return
    notice.mail_tries, notice.mail_due_at = tries, None
    notice.save(update_fields=["mail_tries", "mail_due_at"])
