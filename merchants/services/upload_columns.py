"""Which of the feed's columns each heading of a file holds, where whoever made it has words of her own."""

from collections.abc import Sequence
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, Capability
from core.errors import BadInput, Conflict
from merchants.imports.kinds import KINDS
from merchants.imports.kinds.base import Kind
from merchants.imports.preview import header_of, look
from merchants.imports.reader import shown
from merchants.imports.source import inspect
from merchants.models import FeedUpload
from merchants.states import FeedKind, UploadState


def map_upload(*, actor: Actor, upload: FeedUpload, columns: Sequence[str]) -> FeedUpload:
    """Read the kept file's headings as `columns` says, one for each in the file's order, and look at it anew.

    An empty one leaves the heading's column out. Raises NotAllowed; BadInput for a column that the feed doesn't have
    or that is chosen twice; Conflict where the file is loaded or thrown away already.
    """
    actor.require(Capability.LOAD_FEED)
    if not upload.content:
        raise Conflict(_("This was done already."))
    kind = KINDS[FeedKind(upload.kind)]
    source = inspect(Path(upload.content.path), name=upload.name)
    mapping = _pairs(kind, header_of(source), columns)
    preview = look(kind=kind, source=source, actor_id=actor.user_id, mapping=mapping)
    with transaction.atomic():
        found: FeedUpload = FeedUpload.objects.select_for_update().get(pk=upload.pk)
        if found.state != UploadState.KEPT:
            raise Conflict(_("This was done already."))
        found.mapping, found.preview, found.total = mapping, preview.document(), preview.total
        found.save()
        audit.record(
            actor=actor,
            action="feed_upload.mapped",
            subject=found,
            # The feed's own names only: a file's headings may be anything.
            details={"kind": found.kind, "sha256": found.sha256, "columns": [column for _heading, column in mapping]},
        )
    return found


def _pairs(kind: Kind, header: Sequence[str], columns: Sequence[str]) -> list[list[str]]:
    """Each heading with its column; none at all where that says nothing that the headings don't say themselves."""
    if len(columns) != len(header):
        raise BadInput(_("Choose for each of the file's columns."))
    chosen: dict[str, str] = {}
    for heading, column in zip(header, columns, strict=True):
        if not column:
            continue
        if column not in kind.by_name:
            raise BadInput(_("The feed has no column %(column)s.") % {"column": shown(column)})
        if not heading:
            raise BadInput(_("A column without a heading can't be read; give it one in the file."))
        if column in chosen:
            raise BadInput(
                _("Both “%(one)s” and “%(other)s” are to be %(column)s; leave one of them out.")
                % {"one": shown(chosen[column]), "other": shown(heading), "column": column}
            )
        chosen[column] = heading
    pairs = [[heading, column] for heading, column in zip(header, columns, strict=True)]
    own = all(column == (heading if heading in kind.by_name else "") for heading, column in pairs)
    return [] if own else pairs
