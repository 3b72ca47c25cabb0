"""Settings that every environment shares. The environment's own say what differs and why.

`parts` has those of one matter each; here stand what the house is put together from, logs and mail.
"""

from __future__ import annotations

from config.env import env
from config.logging import build_logging, configure_structlog
from config.settings.parts.api import *  # noqa: F403
from config.settings.parts.invites import *  # noqa: F403
from config.settings.parts.language import *  # noqa: F403
from config.settings.parts.pages import *  # noqa: F403
from config.settings.parts.payees import *  # noqa: F403
from config.settings.parts.people import *  # noqa: F403
from config.settings.parts.servers import *  # noqa: F403
from config.settings.parts.servers import BASE_DIR
from config.settings.parts.signing import *  # noqa: F403
from config.settings.parts.targets import *  # noqa: F403
from config.settings.parts.work import *  # noqa: F403

# The demo's people have known passwords: only the settings of one machine allow it, and only `up --demo` turns it on.
DEMO_ALLOWED = False
DEMO = False

# --- Applications -------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "config",
    # The floors, highest first: a template or command of a higher one wins.
    "governance",
    "incentives",
    "merchants",
    "partners",
    "core",
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
    "allauth.usersessions",
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
    "config.second_factor.SecondFactorMiddleware",
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

# --- Logs, metrics, mail ------------------------------------------------------------------------------------

LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
LOG_JSON = env.flag("LOG_JSON")
LOGGING = build_logging(level=LOG_LEVEL, as_json=LOG_JSON)
configure_structlog()

# Addresses (CIDR) that may read /metrics; empty closes it.
METRICS_ALLOWED_NETWORKS = env.words("METRICS_ALLOWED_NETWORKS", [])

DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Dingyao <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
