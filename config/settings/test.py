"""The tests: real PostgreSQL and Valkey, which tests/services.py starts where these settings say they will be."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from pathlib import Path

# One folder for a whole test session. The first process names it; the workers of a parallel run inherit the name.
# It has to be in the environment before the base settings read it.
TEST_FOLDER = Path(
    os.environ.setdefault("DINGYAO_TEST_FOLDER", str(Path(tempfile.gettempdir()) / f"dingyao-test-{os.getpid()}"))
)
os.environ["DINGYAO_STATE"] = str(TEST_FOLDER)
# Parallel workers count their rows from 1 on alike: what is handed in lies apart.
os.environ["UPLOADS_FOLDER"] = str(TEST_FOLDER / f"uploads{os.environ.get('PYTEST_XDIST_WORKER', '')}")

from config.addresses import celery_url, client_url, redis_number  # noqa: E402
from config.settings.base import *  # noqa: E402, F403
from config.settings.base import CELERY_BROKER_TRANSPORT_OPTIONS, REDIS_URL, STORAGES  # noqa: E402

SECRET_KEY = "only-for-tests-" + "x" * 50
STATEMENT_SIGNING_KEY = "only-for-tests-" + "x" * 27 + "A"  # 32 bytes as base64url
PAYEE_KEYS = ("only-for-tests-" + "y" * 27 + "A=",)
OPERATORS_NEED_SECOND_FACTOR = False  # tests of it turn it on
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
METRICS_ALLOWED_NETWORKS = ["127.0.0.0/8"]

# Each parallel worker has a pair of Valkey databases of its own, as it has its own test database.
_worker = int((re.findall(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", "")) or ["0"])[0])
_first = redis_number(REDIS_URL) + 2 * _worker
CELERY_BROKER_URL = celery_url(REDIS_URL, _first)
CELERY_BROKER_TRANSPORT_OPTIONS = {**CELERY_BROKER_TRANSPORT_OPTIONS}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": client_url(REDIS_URL, _first + 1),
        "KEY_PREFIX": "test",
    }
}

# A good hash is slow on purpose, and tests sign in often.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
LOG_LEVEL = "WARNING"
ACCOUNT_RATE_LIMITS = False
# Static files are found where they lie; whitenoise needn't say that none have been collected.
warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)
