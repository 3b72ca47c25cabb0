"""Signed-in browsers for the operators' pages."""

from tests.web.conftest import sign_in, world

__all__ = ["sign_in", "world"]
