"""`tell`: people learn of something, in the transaction in which it happens."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone, translation

from core.models import User
from core.notices import wake
from core.notices.kinds import Kind, kind_of
from core.notices.links import Link
from core.notices.models import Notice, NoticePreference


def tell(
    *,
    kind: str,
    people: Iterable[User | int] = (),
    params: Mapping[str, Any] | None = None,
    link: Link | None = None,
    addresses: Iterable[str] = (),
    language: str = settings.LANGUAGE_CODE,
    once: str | None = None,
    at: datetime | None = None,
) -> int:
    """Tell `people` (accounts or their ids) of something, each as they prefer it; return how many rows that makes.

    To be called inside the transaction of what it tells of, before its audit row: both happen or neither. Mails are
    sent after the commit, at least once, by whichever worker comes first. `params` are the values of the kind's
    sentence, JSON of ids and plain values that each of the people may see: amounts and dates as text, a name in several
    languages as a mapping. No names of people, no free text. `link` is the page where one reads on. `addresses` are
    people without an account, who get a mail in `language`. With `once` (a key such as ``digest:2026-W14:7``) nobody
    is told the same a second time. Closed accounts are passed over.

    Raises RuntimeError outside a transaction, KeyError for an unknown kind or a value that its sentence lacks,
    NoReverseMatch for a link to no page: defects, that are found here and not when somebody reads.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a notice belongs into the transaction that it tells of")
    found, values, now = kind_of(kind), dict(params or {}), at or timezone.now()
    if found is None:
        raise KeyError(f"nobody has declared the kind of notice {kind!r}")
    _try(found, values, link)
    shared: dict[str, Any] = {"kind": kind, "params": values, "created_at": now, **_columns(link)}
    rows = [
        Notice(user_id=user, in_inbox=inbox, mail_due_at=now if mail else None, once_key=once, **shared)
        for user, inbox, mail in _channels(found, people)
        if inbox or mail
    ]
    rows += [
        Notice(address=address, language=language, in_inbox=False, mail_due_at=now, **shared) for address in addresses
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=once is not None, batch_size=1000)
    if any(row.mail_due_at for row in rows):
        transaction.on_commit(wake.mailer, robust=True)
    return len(rows)


def _channels(kind: Kind, people: Iterable[User | int]) -> list[tuple[int, bool, bool]]:
    """Who is told in which way: id, inbox, mail; by id, each once, closed accounts left out."""
    wanted = {each.pk if isinstance(each, User) else each for each in people}
    if not wanted:
        return []
    ids = User.objects.filter(pk__in=wanted, is_active=True).order_by("pk").values_list("pk", flat=True)
    chosen = {row.user_id: row for row in NoticePreference.objects.filter(user__in=wanted, kind=kind.key)}
    told = []
    for user in ids:
        own = chosen.get(user)
        mail = (own.mail if own else kind.mail) or kind.mail_fixed
        told.append((user, own.inbox if own else kind.inbox, mail))
    return told


def _columns(link: Link | None) -> dict[str, Any]:
    if link is None:
        return {}
    return {"url_name": link.name, "url_args": list(link.args), "url_query": dict(link.query)}


def _try(kind: Kind, params: Mapping[str, Any], link: Link | None) -> None:
    """Make the sentence in every language, and the address: what can't be made then is refused now."""
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            kind.told(params)
            kind.headed(params)
    if link is not None:
        link.path()
