"""Signed-in browsers for the operators' pages."""

from tests.console.payouts import others, payout
from tests.web.conftest import sign_in, world

__all__ = ["others", "payout", "sign_in", "world"]
