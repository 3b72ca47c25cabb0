"""`tell`: people learn of something, in the transaction in which it happens."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Message:
    """Who is told what: `people` and `addresses` of the same `params`, `link` and `once` (see `tell`)."""

    people: Collection[User | int] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    link: Link | None = None
    addresses: Collection[str] = ()
    once: str | None = None


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
    message = Message(tuple(people), params or {}, link, tuple(addresses), once)
    return tell_each(kind=kind, messages=[message], language=language, at=at)


def tell_each(
    *, kind: str, messages: Sequence[Message], language: str = settings.LANGUAGE_CODE, at: datetime | None = None
) -> int:
    """Tell different people different things of one kind, as `tell` does, in as many queries however many they are."""
    if not connection.in_atomic_block:
        raise RuntimeError("a notice belongs into the transaction that it tells of")
    found, now = kind_of(kind), at or timezone.now()
    if found is None:
        raise KeyError(f"nobody has declared the kind of notice {kind!r}")
    ways = _ways(found, {_id(each) for message in messages for each in message.people})
    rows: list[Notice] = []
    _try(found, messages)
    for message in messages:
        shared: dict[str, Any] = {
            "kind": kind,
            "params": dict(message.params),
            "created_at": now,
            "once_key": message.once,
            **_columns(message.link),
        }
        rows += [
            Notice(user_id=user, in_inbox=ways[user][0], mail_due_at=now if ways[user][1] else None, **shared)
            for user in sorted({_id(each) for each in message.people} & ways.keys())
        ]
        rows += [
            Notice(address=address, language=language, in_inbox=False, mail_due_at=now, **shared)
            for address in message.addresses
        ]
    Notice.objects.bulk_create(rows, ignore_conflicts=any(row.once_key for row in rows), batch_size=1000)
    if any(row.mail_due_at for row in rows):
        transaction.on_commit(wake.mailer, robust=True)
    return len(rows)


def _id(person: User | int) -> int:
    return person.pk if isinstance(person, User) else person


def _ways(kind: Kind, people: Collection[int]) -> dict[int, tuple[bool, bool]]:
    """Who of the people is told in which way: inbox, mail. Closed accounts and those who want neither are left out."""
    if not people:
        return {}
    ids = User.objects.filter(pk__in=people, is_active=True).values_list("pk", flat=True)
    chosen = {row.user_id: row for row in NoticePreference.objects.filter(user__in=people, kind=kind.key)}
    ways = {}
    for user in ids:
        own = chosen.get(user)
        inbox, mail = (own.inbox, own.mail) if own else (kind.inbox, kind.mail)
        if inbox or mail or kind.mail_fixed:
            ways[user] = (inbox, mail or kind.mail_fixed)
    return ways


def _columns(link: Link | None) -> dict[str, Any]:
    if link is None:
        return {}
    return {"url_name": link.name, "url_args": list(link.args), "url_query": dict(link.query)}


def _try(kind: Kind, messages: Sequence[Message]) -> None:
    """Make the sentences in every language, and the addresses: what can't be made then is refused now."""
    # A language is switched on once for all of them: that costs more than the sentences do.
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            for message in messages:
                kind.told(message.params)
                kind.headed(message.params)
    # What a query holds can't be wrong; pages that differ in nothing else are looked for once.
    pages = {(message.link.name, message.link.args): message.link for message in messages if message.link is not None}
    for link in pages.values():
        link.path()
