"""What browsers get: static files, policies, limits."""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONE, SELF

from config.env import env
from config.settings.parts.servers import BASE_DIR, STATE

# Where people reach the portal: what the links in mails begin with.
PORTAL_URL: str = env.text("PORTAL_URL", f"http://localhost:{env.text('PORT', '8000')}/")

# Where one's own machine keeps the mails that it doesn't send (config.mailbox).
EMAIL_FILE_PATH: Path = STATE.folder / "mail"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [folder for folder in (BASE_DIR / "static",) if folder.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    # What people hand in: no address leads to it, only pages that look who asks.
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": env.text("UPLOADS_FOLDER", str(STATE.folder / "uploads")),
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
CSRF_TRUSTED_ORIGINS = env.urls("CSRF_TRUSTED_ORIGINS", [])

# What a workbook may unzip to at most: two megabytes can unzip to a thousand.
UPLOAD_MAX_UNZIPPED_BYTES = env.integer("UPLOAD_MAX_UNZIPPED_MEGABYTES", 500, minimum=1) * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# A submission names each of its partners: a few thousand of them, more than Django's thousand fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# The most that one file that somebody hands in may weigh.
UPLOAD_MAX_BYTES = env.integer("UPLOAD_MAX_MEGABYTES", 10, minimum=1) * 1024 * 1024
# And a feed's: the marketplace's own files, which are longer. Loading one takes a worker some seconds for each 10 MB.
FEED_UPLOAD_MAX_BYTES = env.integer("FEED_UPLOAD_MAX_MEGABYTES", 100, minimum=1) * 1024 * 1024
