"""A feed's file handed in on a page: looked at, then loaded by a worker, or thrown away."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, Capability
from core.errors import BadInput, Conflict, DomainError, NotAllowed
from core.states import ensure_transition
from core.uploads import shown_name
from merchants import waking
from merchants.imports.kinds import KINDS
from merchants.imports.load import SYSTEM
from merchants.imports.preview import Preview, look
from merchants.imports.source import inspect
from merchants.models import FeedUpload, Import
from merchants.services.feeds import load_feed
from merchants.states import UPLOAD_TRANSITIONS, FeedKind, ImportState, UploadState
from partners.models.applications import private_files
from partners.people import actor_of

FOLDER = "feeds"
# Above a task's hard time limit: whoever has loaded for so long is dead.
LOST = timedelta(minutes=5)
# Above what a message takes to reach a worker that has nothing to do.
UNHEARD = timedelta(seconds=45)
TRIES = 3
# What nobody has loaded by then is thrown away: it may name people.
FORGOTTEN = timedelta(days=7)
TOLD_FOR = 3600  # seconds that a load's progress is remembered


def keep_upload(*, actor: Actor, kind: str, file: "UploadedFile[Any]", at: datetime | None = None) -> FeedUpload:
    """Keep a feed's file privately, with a preview of what loading it would come to. Nothing of it is recorded.

    Raises NotAllowed; BadInput for an unknown feed, an empty file, one above `FEED_UPLOAD_MAX_BYTES`, and one that
    can't be read as a feed at all: of those nothing is kept. A file that only lacks columns is kept, to show which.
    """
    actor.require(Capability.LOAD_FEED)
    if actor.user_id is None:
        raise NotAllowed(_("A file is handed in by a person."))
    if kind not in FeedKind.values:
        raise BadInput(_("There is no such feed; choose one of the list."))
    name = shown_name(file.name or "")
    _insist_on_size(name, file.size or 0)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    storage = private_files()
    stored = storage.save(f"{FOLDER}/{uuid4().hex}", file)
    try:
        preview = _look(kind, Path(storage.path(stored)), name, actor)
        now = at or timezone.now()
        with transaction.atomic():
            upload = FeedUpload.objects.create(
                kind=kind,
                name=name,
                size=file.size or 0,
                sha256=digest.hexdigest(),
                content=stored,
                preview=preview.document(),
                total=preview.total,
                uploaded_by_id=actor.user_id,
                uploaded_at=now,
                moved_at=now,
            )
            _audit(upload, actor)
    except BaseException:
        storage.delete(stored)
        raise
    return upload


def _look(kind: str, path: Path, name: str, actor: Actor) -> Preview:
    return look(kind=KINDS[FeedKind(kind)], source=inspect(path, name=name), actor_id=actor.user_id)


def _insist_on_size(name: str, size: int) -> None:
    if size == 0:
        raise BadInput(_("%(name)s is empty.") % {"name": name}, code="empty_file")
    limit: int = settings.FEED_UPLOAD_MAX_BYTES
    if size > limit:
        raise BadInput(
            _("%(name)s is larger than %(limit)d MB; split it, or pack it as .csv.gz.")
            % {"name": name, "limit": limit // (1024 * 1024)},
            code="file_too_large",
        )


def queue_upload(*, actor: Actor, upload: FeedUpload, strict: bool = False, at: datetime | None = None) -> FeedUpload:
    """Have a worker load the file, as `actor`. With `strict` nothing lands when any row is bad.

    Raises NotAllowed; BadInput where columns are missing; IllegalTransition where it is loaded or thrown away already.
    """
    actor.require(Capability.LOAD_FEED)
    with transaction.atomic():
        found: FeedUpload = FeedUpload.objects.select_for_update().get(pk=upload.pk)
        if found.preview.get("refused"):
            raise BadInput(str(found.preview["refused"]))
        _move(found, UploadState.QUEUED, at)
        found.asked_by_id, found.strict = actor.user_id, strict
        found.save()
        _audit(found, actor)
        transaction.on_commit(lambda: waking.loader(found.pk))
    return found


def drop_upload(*, actor: Actor, upload: FeedUpload, at: datetime | None = None) -> FeedUpload:
    """Throw the file away unloaded. Raises NotAllowed, and IllegalTransition where it is no longer waiting."""
    actor.require(Capability.LOAD_FEED)
    with transaction.atomic():
        found: FeedUpload = FeedUpload.objects.select_for_update().get(pk=upload.pk)
        _move(found, UploadState.DROPPED, at)
        _forget(found)
        found.save()
        _audit(found, actor)
    return found


def carry_out_upload(*, upload_id: int, at: datetime | None = None) -> Import | None:
    """Load a queued file, as whoever asked for it; None where it isn't queued any more, or could not begin.

    Their roles are looked up now: who may no longer load feeds has nothing loaded.
    """
    with transaction.atomic():
        upload = (
            FeedUpload.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("asked_by")
            .filter(pk=upload_id, state=UploadState.QUEUED)
            .first()
        )
        if upload is None or upload.asked_by is None:
            return None
        _move(upload, UploadState.LOADING, at)
        upload.tries += 1
        upload.save()
    loaded = None
    try:
        loaded = load_feed(
            actor=actor_of(upload.asked_by),
            kind=upload.kind,
            path=upload.content.path,
            strict=upload.strict,
            file_name=upload.name,
            progress=_teller(upload),
            began=lambda row: _tell_import(upload, row),
            mapping=upload.mapping,
        )
    except DomainError as refusal:
        _finish(upload, UploadState.FAILED, refusal.message)
    except Exception:
        _finish(upload, UploadState.FAILED, _("Something went wrong that shouldn't. Nothing was recorded; try again."))
        raise
    else:
        landed = loaded.state == ImportState.LANDED
        _finish(upload, UploadState.LOADED if landed else UploadState.FAILED, loaded.error)
    return loaded


def rows_read(upload: FeedUpload) -> int | None:
    """How many rows of a file that is being loaded were read; None where nothing is known of it."""
    try:
        found = cache.get(_key(upload))
    except Exception:  # noqa: BLE001 - whatever the cache's driver raises: a page without a figure is still a page
        return None
    return found if isinstance(found, int) else None


def sweep_uploads(*, actor: Actor, at: datetime | None = None) -> int:
    """Call workers to uploads that none has heard of, queue again what died with its worker, drop what is forgotten.

    Returns how many of them there were.
    """
    actor.require(Capability.LOAD_FEED)
    now = at or timezone.now()
    rows = FeedUpload.objects.order_by("pk")
    unheard = list(rows.filter(state=UploadState.QUEUED, moved_at__lt=now - UNHEARD))
    for upload in unheard:
        waking.loader(upload.pk)
    lost = rows.filter(state=UploadState.LOADING, moved_at__lt=now - LOST)
    forgotten = rows.filter(state=UploadState.KEPT, moved_at__lt=now - FORGOTTEN)
    swept = [
        _sweep(actor, pk, now) for pk in [*lost.values_list("pk", flat=True), *forgotten.values_list("pk", flat=True)]
    ]
    return len(unheard) + sum(swept)


def _sweep(actor: Actor, pk: int, now: datetime) -> bool:
    with transaction.atomic():
        found = FeedUpload.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
        if found is None:
            return False
        if found.state == UploadState.KEPT and found.moved_at < now - FORGOTTEN:
            _move(found, UploadState.DROPPED, now)
            _forget(found)
        elif found.state == UploadState.LOADING and found.moved_at < now - LOST:
            again = found.tries < TRIES
            _move(found, UploadState.QUEUED if again else UploadState.FAILED, now)
            if again:
                transaction.on_commit(lambda: waking.loader(pk))
            else:
                found.error = _("Its worker ended without a word, %(tries)d times.") % {"tries": found.tries}
                _forget(found)
        else:
            return False
        found.save()
        _audit(found, actor)
    return True


def _finish(upload: FeedUpload, state: UploadState, error: str) -> None:
    """Write down how the load ended, and let the file go."""
    with transaction.atomic():
        found = FeedUpload.objects.select_for_update().get(pk=upload.pk)
        if found.state != UploadState.LOADING or found.tries != upload.tries:
            return  # the sweep took this worker for dead; loading a file twice records nothing twice
        _move(found, state, None)
        found.error = error
        _forget(found)
        found.save()
        _audit(found, SYSTEM)


def _teller(upload: FeedUpload) -> Callable[[int], None]:
    # Through the cache: what the load writes to the database is seen by nobody before it ends.
    def tell(rows: int) -> None:
        try:
            cache.set(_key(upload), rows, TOLD_FOR)
        except Exception:  # noqa: BLE001 - as above: nobody's load fails because its progress can't be told
            return

    return tell


def _tell_import(upload: FeedUpload, row: Import) -> None:
    FeedUpload.objects.filter(pk=upload.pk).update(import_of=row)


def _key(upload: FeedUpload) -> str:
    return f"feed-upload-{upload.pk}-{upload.tries}"


def _move(upload: FeedUpload, to: UploadState, at: datetime | None) -> None:
    if upload.state == to:
        raise Conflict(_("This was done already."))
    ensure_transition(UPLOAD_TRANSITIONS, upload.state, to, what=upload.name)
    upload.state, upload.moved_at = to, at or timezone.now()


def _forget(upload: FeedUpload) -> None:
    """Let the file and what was seen in it go, once this is committed."""
    name, storage = upload.content.name, upload.content.storage
    upload.content, upload.preview = "", {}
    if name:
        transaction.on_commit(lambda: storage.delete(name))


def _audit(upload: FeedUpload, actor: Actor) -> None:
    details = {"kind": upload.kind, "sha256": upload.sha256, "size": upload.size, "strict": upload.strict}
    audit.record(actor=actor, action=f"feed_upload.{upload.state}", subject=upload, details=details)
