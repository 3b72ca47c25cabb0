"""A server that others reach. What is secret or particular comes from the environment; its absence stops the start."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from config.env import env
from config.logging import build_logging
from config.settings.base import *  # noqa: F403
from config.settings.base import LOG_LEVEL
from config.settings.parts.payees import payee_keys
from config.settings.parts.signing import signing_key

DEBUG = False
SECRET_KEY = env.text("SECRET_KEY")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured(
        "SECRET_KEY is shorter than 50 characters. Make one: "
        "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS", [])
STATEMENT_SIGNING_KEY = signing_key(env.text("STATEMENT_SIGNING_KEY"))
PAYEE_KEYS = payee_keys(env.words("PAYEE_KEYS"))
# The base looks for servers of this machine; here they have to be named.
env.text("DATABASE_URL")
env.text("REDIS_URL")
# The two last are for health checks from inside the machine or container.
ALLOWED_HOSTS = [*env.words("ALLOWED_HOSTS"), "localhost", "127.0.0.1"]
PORTAL_URL = env.text("PORTAL_URL", f"https://{ALLOWED_HOSTS[0].lstrip('.')}/")

# TLS ends at a proxy, which has to replace this header from outside.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
# Health checks and the scraper come over plain HTTP, from inside.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 365 * 24 * 3600, minimum=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD", default=True)
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_NAME = "__Host-csrftoken"

LOGGING = build_logging(level=LOG_LEVEL, as_json=env.flag("LOG_JSON", default=True))

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 587, minimum=1, maximum=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
