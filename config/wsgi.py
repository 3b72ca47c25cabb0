"""The web server's entrance."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
# A server with threads shares connections; read by config.settings.base.
os.environ.setdefault("DATABASE_POOL", "true")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
