"""Language and time, and the words of the feeds that a house may change."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from config.env import env
from config.settings.parts.servers import BASE_DIR
from merchants import naming

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
# Where people and the nightly runs live when no program says otherwise.
PLATFORM_TIME_ZONE = env.zone("PLATFORM_TIME_ZONE", "Asia/Shanghai")

# What stands in a brand's place where there is none (CONTRACT.md), each word compared as brands are. They are looked at
# when a row is recorded: set them before the first feed.
NO_BRAND_WORDS: tuple[str, ...] = tuple(env.words("NO_BRAND_WORDS", list(naming.NO_BRAND_WORDS), separator="|"))
