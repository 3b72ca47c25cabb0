"""Typed readers of the environment, which fail loudly: what is wrong, where, and what to write instead."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured

TRUE: Final = frozenset({"1", "true", "yes", "on"})
FALSE: Final = frozenset({"0", "false", "no", "off"})


class Environment:
    """Reads variables from a mapping, by default the process's environment.

    A variable that is set but empty counts as absent: that is what `NAME=` in an env file and an
    undefined `${NAME}` in a compose file come to.
    """

    def __init__(self, source: Mapping[str, str] | None = None) -> None:
        self._source: Mapping[str, str] = os.environ if source is None else source

    def optional(self, name: str) -> str | None:
        """Return the variable's text, or None where it is absent or empty."""
        return self._source.get(name, "").strip() or None

    def text(self, name: str, default: str | None = None) -> str:
        """Return the variable's text; without a default it is required."""
        value = self.optional(name)
        if value is not None:
            return value
        if default is None:
            raise ImproperlyConfigured(f"{name} is not set. Set it in the environment; it has no default.")
        return default

    def zone(self, name: str, default: str) -> str:
        """Return the variable as the name of a time zone that exists."""
        value = self.text(name, default)
        if value not in available_timezones():
            raise ImproperlyConfigured(f"{name}={value!r} is no time zone. Use an IANA name such as {default}.")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return the variable as yes or no."""
        value = self.optional(name)
        if value is None:
            return default
        if value.lower() in TRUE:
            return True
        if value.lower() in FALSE:
            return False
        raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no. Write true or false.")

    def integer(
        self, name: str, default: int | None = None, *, minimum: int | None = None, maximum: int | None = None
    ) -> int:
        """Return the variable as a whole number between the two limits, both included."""
        value = self.optional(name)
        if value is None:
            if default is None:
                raise ImproperlyConfigured(f"{name} is not set. Set it to a whole number.")
            return default
        try:
            number = int(value)
        except ValueError:
            raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from None
        if minimum is not None and number < minimum:
            raise ImproperlyConfigured(f"{name}={number} is too small: at least {minimum}.")
        if maximum is not None and number > maximum:
            raise ImproperlyConfigured(f"{name}={number} is too large: at most {maximum}.")
        return number

    def words(self, name: str, default: list[str] | None = None, *, separator: str = ",") -> list[str]:
        """Return the variable's parts between separators (a comma, unless another is given), blanks dropped."""
        value = self.optional(name)
        if value is None:
            if default is None:
                raise ImproperlyConfigured(f"{name} is not set. Set it to a list with {separator!r} between its parts.")
            return list(default)
        return [part.strip() for part in value.split(separator) if part.strip()]

    def urls(self, name: str, default: list[str] | None = None) -> list[str]:
        """Return the comma-separated origins of the variable, each with its scheme and host."""
        found = self.words(name, default)
        for url in found:
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.netloc:
                raise ImproperlyConfigured(
                    f"{name}: {url!r} is not a URL. Write the scheme too, like https://portal.example.com."
                )
        return found


env = Environment()
