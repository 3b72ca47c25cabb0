"""Settings that every environment shares. The environment's own say what differs and why."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config.addresses import celery_url, client_url, database_from_url, socket_database_url, socket_redis_url
from config.env import env
from config.logging import build_logging, configure_structlog
from config.state import ROOT, State

BASE_DIR: Path = ROOT
STATE = State.from_environment()

# The demo's people have known passwords: only the settings of one machine allow it, and only `up --demo` turns it on.
DEMO_ALLOWED = False
DEMO = False

# --- Database and broker ------------------------------------------------------------------------------------
# From the environment; else what `manage.py up` runs; else where it would run it: then importing works, and the first
# query fails with a line that says what to start (see config.commandline).

_running = STATE.services()
DATABASE_URL = (
    env.optional("DATABASE_URL")
    or (_running.database_url if _running else None)
    or socket_database_url(str(STATE.sockets / "pg"))
)
REDIS_URL = (
    env.optional("REDIS_URL")
    or (_running.redis_url if _running else None)
    or socket_redis_url(str(STATE.sockets / "kv" / "valkey.sock"))
)


def database(url: str) -> dict[str, Any]:
    """Build the database's entry for this URL."""
    entry = database_from_url(url)
    entry["OPTIONS"] = {"connect_timeout": 5, **entry["OPTIONS"]}
    # The pool belongs to the web server, which sets this (config.wsgi): workers fork, and commands need one connection.
    if env.flag("DATABASE_POOL"):
        entry["OPTIONS"]["pool"] = {
            "min_size": 1,
            "max_size": env.integer("DATABASE_POOL_SIZE", 8, minimum=1),
            "timeout": 5,  # a busy or absent database shall be an error soon, not half a minute of waiting
        }
    else:
        entry["CONN_HEALTH_CHECKS"] = True
    return entry


DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        # One server is enough for a small house; a prefix keeps the two apart.
        "LOCATION": client_url(env.text("CACHE_URL", REDIS_URL)),
        "KEY_PREFIX": "dingyao",
        "OPTIONS": {"socket_connect_timeout": 3, "socket_timeout": 3},
    }
}

# --- Applications -------------------------------------------------------------------------------------------

# The floors, highest first: a template or command of a higher one wins. Only those that have landed, for now.
FLOORS = [
    name
    for name in ("governance", "incentives", "merchants", "partners", "core")
    if importlib.util.find_spec(name) is not None and importlib.util.find_spec(f"{name}.apps") is not None
]

INSTALLED_APPS = [
    "config",
    *FLOORS,
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
    "pgtrigger",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_htmx",
    "template_partials",
    "csp",
]

MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Language and time --------------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
# Where people and the nightly runs live when no program says otherwise.
PLATFORM_TIME_ZONE = env.text("PLATFORM_TIME_ZONE", "Asia/Shanghai")

# --- People -------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email",)},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "config.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
# An invitation proves the address; there is nothing to verify at sign-in.
ACCOUNT_EMAIL_VERIFICATION = "none"
# The same answer for known and unknown addresses.
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = "定邀 Dingyao"
# Passkeys need a name: they work on localhost, not on 127.0.0.1.
MFA_PASSKEY_LOGIN_ENABLED = True

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600

# --- Pages --------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [folder for folder in (BASE_DIR / "static",) if folder.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Private: nothing serves this folder; files go out as attachments through a view that checks who asks.
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(STATE.folder / "media")))

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

# An upload larger than this is refused; what a spreadsheet unzips to is checked by its reader.
UPLOAD_MAX_BYTES = env.integer("UPLOAD_MAX_MEGABYTES", 50, minimum=1) * 1024 * 1024
UPLOAD_MAX_UNZIPPED_BYTES = env.integer("UPLOAD_MAX_UNZIPPED_MEGABYTES", 500, minimum=1) * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

# --- API ----------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "config.pagination.StablePagination",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_standardized_errors.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    # Money and rates travel as text: a JSON number is a float to most readers.
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Dingyao 定邀",
    "DESCRIPTION": "Partners, merchants, eligibility and payouts of incentive programs, scoped to the caller.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "OutcomeEnum": "incentives.states.Outcome.choices",
        "ValidationErrorEnum": "drf_standardized_errors.openapi_serializers.ValidationErrorEnum.choices",
        "ClientErrorEnum": "drf_standardized_errors.openapi_serializers.ClientErrorEnum.choices",
        "ServerErrorEnum": "drf_standardized_errors.openapi_serializers.ServerErrorEnum.choices",
    },
    "POSTPROCESSING_HOOKS": ["drf_standardized_errors.openapi_hooks.postprocess_schema_enums"],
}

# --- Work ---------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = celery_url(REDIS_URL)
CELERY_TIMEZONE = PLATFORM_TIME_ZONE
# Rows in PostgreSQL are the queue; a message only says "look". So nobody reads results.
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
# Acknowledge late and, as that alone loses the task of a killed child, reject on worker lost.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# All three together: with kombu's defaults an abandoned message comes back after 100 s more.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 3,
    "socket_timeout": 10,
    "socket_keepalive": True,
}
# Below the visibility timeout: a message is not handed out again while its first worker still has time.
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 270
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10.0
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker as long as it takes
# Whoever publishes learns within some three seconds that the broker is away; the rows are safe, the sweep sends again.
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_TASK_PUBLISH_RETRY = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 2,
    "interval_start": 0.2,
    "interval_step": 0.5,
    "interval_max": 1,
}
CELERY_TASK_DEFAULT_QUEUE = "dingyao"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]

# The beat table is code: reviewed and deployed with what it calls. Each task is harmless when called twice. A message
# that nobody took in time is dropped: the next one says the same.
CELERY_BEAT_SCHEDULE = {
    "start-nightly-runs": {
        "task": "incentives.tasks.start_nightly_runs",
        "schedule": crontab(hour=2, minute=30),  # platform time: after the day's feeds, before people come
        "options": {"expires": 3600},
    },
    "start-requested-runs": {
        "task": "incentives.tasks.start_requested_runs",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "sweep-overdue-chunks": {
        "task": "incentives.tasks.sweep_overdue_chunks",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
}

# --- Logs, metrics, mail ------------------------------------------------------------------------------------

LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
LOG_JSON = env.flag("LOG_JSON")
LOGGING = build_logging(level=LOG_LEVEL, as_json=LOG_JSON)
configure_structlog()

# Addresses (CIDR) that may read /metrics; empty closes it.
METRICS_ALLOWED_NETWORKS = env.words("METRICS_ALLOWED_NETWORKS", [])

DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Dingyao <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

SILENCED_SYSTEM_CHECKS: list[str] = []

# --- The engine ---------------------------------------------------------------------------------------------

# Shops in one chunk: large enough that a statement's own cost doesn't count, small enough to retry and to show
# progress.
ENGINE_CHUNK_SHOPS = env.integer("ENGINE_CHUNK_SHOPS", 2500, minimum=1)
# How long a worker may hold a chunk before another takes it.
ENGINE_LEASE_SECONDS = env.integer("ENGINE_LEASE_SECONDS", 30, minimum=1)
# How many messages call workers to a run's shops.
ENGINE_FAN_OUT = env.integer("ENGINE_FAN_OUT", 8, minimum=1)
# A run after imports waits until they have been quiet for so long, and at most for so long in all.
ENGINE_QUIET_SECONDS = env.integer("ENGINE_QUIET_SECONDS", 60, minimum=0)
ENGINE_QUIET_AT_MOST_SECONDS = env.integer("ENGINE_QUIET_AT_MOST_SECONDS", 600, minimum=0)
