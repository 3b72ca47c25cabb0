"""A person's inbox and how they want to be told: what the pages and the API show and change."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.urls import NoReverseMatch
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import NotAllowed
from core.models import User
from core.notices.kinds import Kind, all_kinds, kind_of
from core.notices.links import Link
from core.notices.models import Notice, NoticePreference


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice in the reader's language. `path` is where it leads, empty where it leads nowhere (any more)."""

    id: int
    kind: str
    title: str
    sentence: str
    path: str
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Channels:
    """How somebody is told of one kind. `mail_fixed`: the mail can't be switched off."""

    kind: str
    title: str
    inbox: bool
    mail: bool
    mail_fixed: bool


def notice_views(notices: Iterable[Notice]) -> list[NoticeView]:
    """The notices as the present language says them. No query."""
    return [
        NoticeView(notice.pk, notice.kind, *_words(notice), _path(notice), notice.created_at, notice.read_at)
        for notice in notices
    ]


def unread_count(*, actor: Actor) -> int:
    """How many notices in the actor's inbox are unread."""
    count: int = Notice.objects.visible_to(actor).unread().count()
    return count


def mark_read(*, actor: Actor, notices: Collection[int] | None = None, at: datetime | None = None) -> int:
    """Tick off notices of the actor's own inbox, by id, or all; return how many were unread.

    What a person has read is nobody else's business and decides nothing: it leaves no row in the audit trail.
    """
    mine = Notice.objects.visible_to(actor).unread()
    if notices is not None:
        mine = mine.filter(pk__in=notices)
    count: int = mine.update(read_at=at or timezone.now())
    return count


def kinds_for(actor: Actor) -> list[Kind]:
    """The kinds that the actor can be told of."""
    audiences = {"everyone"}
    if actor.is_operator:
        audiences.add("operators")
    if actor.partner_ids or not actor.is_operator:
        audiences.add("partners")
    return [kind for kind in all_kinds() if kind.audience in audiences]


def channels_of(*, actor: Actor) -> list[Channels]:
    """How the actor is told of each kind: as chosen, else as the kind is. One query."""
    chosen = {row.kind: row for row in NoticePreference.objects.filter(user=actor.user_id)}
    found = []
    for kind in kinds_for(actor):
        own = chosen.get(kind.key)
        inbox, mail = (own.inbox, own.mail) if own else (kind.inbox, kind.mail)
        found.append(Channels(kind.key, str(kind.title), inbox, mail or kind.mail_fixed, kind.mail_fixed))
    return found


@transaction.atomic
def choose_channels(*, actor: Actor, chosen: Mapping[str, tuple[bool, bool]]) -> None:
    """Keep how the actor wants to be told: by a kind's key, whether in the inbox and whether by mail.

    Kinds that aren't named stay as they are. Raises NotAllowed for nobody in particular, and where a mail that can't be
    switched off would be.
    """
    if actor.user_id is None:
        raise NotAllowed(_("Only people have settings for their notices."))
    kinds = {kind.key: kind for kind in kinds_for(actor)}
    wanted = {key: ways for key, ways in chosen.items() if key in kinds}
    for key, (_inbox, mail) in wanted.items():
        if kinds[key].mail_fixed and not mail:
            raise NotAllowed(_("The mail about “%(kind)s” can't be switched off.") % {"kind": kinds[key].title})
    # One after the other, so that two windows of one person don't mix.
    User.objects.select_for_update().get(pk=actor.user_id)
    NoticePreference.objects.bulk_create(
        [
            NoticePreference(user_id=actor.user_id, kind=key, inbox=inbox, mail=mail)
            for key, (inbox, mail) in sorted(wanted.items())
        ],
        update_conflicts=True,
        unique_fields=["user", "kind"],
        update_fields=["inbox", "mail"],
    )
    audit.record(
        actor=actor,
        action="notices.chosen",
        subject=("core.user", actor.user_id),
        details={key: {"inbox": inbox, "mail": mail} for key, (inbox, mail) in sorted(wanted.items())},
    )


def _words(notice: Notice) -> tuple[str, str]:
    """Title and sentence; where a kind is gone or has changed since, what can still be said."""
    kind = kind_of(notice.kind)
    if kind is None:
        return notice.kind, notice.kind
    try:
        return str(kind.title), kind.told(notice.params)
    except (KeyError, ValueError, TypeError):
        return str(kind.title), str(kind.title)


def _path(notice: Notice) -> str:
    if not notice.url_name:
        return ""
    try:
        return Link(notice.url_name, tuple(notice.url_args), notice.url_query).path()
    except NoReverseMatch:
        return ""
