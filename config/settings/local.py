"""One machine, one person: the demo and development. Not for an address that others reach."""

from __future__ import annotations

import warnings

from config.env import env
from config.settings.base import *  # noqa: F403
from config.settings.base import STATE, STORAGES
from config.settings.parts.payees import payee_keys
from config.settings.parts.signing import signing_key

DEBUG = env.flag("DEBUG")
DEMO_ALLOWED = True
DEMO = env.flag("DINGYAO_DEMO")
OPERATORS_NEED_SECOND_FACTOR = env.flag("OPERATORS_NEED_SECOND_FACTOR")
SECRET_KEY = env.optional("SECRET_KEY") or STATE.secret_key()
STATEMENT_SIGNING_KEY = signing_key(env.optional("STATEMENT_SIGNING_KEY") or STATE.statement_key())
PAYEE_KEYS = payee_keys(env.words("PAYEE_KEYS", []) or [STATE.payee_key()])
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
METRICS_ALLOWED_NETWORKS = env.words("METRICS_ALLOWED_NETWORKS", ["127.0.0.0/8", "::1/128"])

# Mail is written into files that can be read, and goes nowhere.
EMAIL_BACKEND = "config.mailbox.EmailBackend"

# Static files from where they lie: nothing to collect after an edit, no hashed names to chase.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
# Static files are found where they lie; whitenoise needn't say that none have been collected.
warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)
