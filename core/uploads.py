"""Files that people hand in: which may come, judged by what is in them and not by what they are called.

Whoever keeps one gives it a name of its own in the private storage, and hands it out as an attachment through a page
that looks who asks. Nothing here opens a document.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse
from django.utils.translation import gettext as _

from core.errors import BadInput

# Documents and pictures that no browser runs. The first bytes tell.
SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "application/pdf", ".pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
)
ACCEPTED = ".pdf,.png,.jpg,.jpeg"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was looked at: the name to show, what it is, and its content under a name to keep it by."""

    name: str
    media_type: str
    size: int
    sha256: str
    content: "ContentFile[Any]"


def take(file: "UploadedFile[Any]", *, folder: str) -> Upload:
    """Read an upload, to be kept below `folder` under a name that nobody can guess.

    Raises BadInput for an empty file, one above `UPLOAD_MAX_BYTES`, and one that is neither PDF, PNG nor JPEG.
    """
    limit: int = settings.UPLOAD_MAX_BYTES
    shown = shown_name(file.name or "")
    size = file.size or 0
    if size == 0:
        raise BadInput(_("%(name)s is empty.") % {"name": shown}, code="empty_file")
    if size > limit:
        raise BadInput(
            _("%(name)s is larger than %(limit)d MB; make it smaller or split it.")
            % {"name": shown, "limit": limit // (1024 * 1024)},
            code="file_too_large",
        )
    file.seek(0)
    data = file.read(limit + 1)
    found = next(((kind, ending) for start, kind, ending in SIGNATURES if data.startswith(start)), None)
    if found is None:
        raise BadInput(
            _("%(name)s is neither a PDF nor a PNG or JPEG picture. Save it as one of these.") % {"name": shown},
            code="file_type",
        )
    media_type, ending = found
    return Upload(
        name=shown,
        media_type=media_type,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        content=ContentFile(data, name=f"{folder}/{uuid4().hex}{ending}"),
    )


def shown_name(name: str) -> str:
    """A file's name as it can be shown and sent: no folders, no control or direction characters, not too long."""
    last = PurePath(name.replace("\\", "/")).name
    clean = "".join(char for char in last if unicodedata.category(char)[0] != "C")
    clean = re.sub(r"\s+", " ", clean).strip(" .") or "file"
    stem, dot, ending = clean.rpartition(".")
    return f"{stem[:160]}.{ending[:10]}" if dot and stem else clean[:170]


def handed_out(*, content: object, name: str, media_type: str) -> FileResponse:
    """A kept file as an attachment: saved, never shown in the portal's own origin."""
    answer = FileResponse(content, as_attachment=True, filename=name, content_type=media_type)
    answer["Cache-Control"] = "private, no-store"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
