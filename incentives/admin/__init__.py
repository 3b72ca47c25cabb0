"""The back office of what is computed and paid: to look at, and to decide on payouts through the services."""

from incentives.admin import ledger, payouts, runs

__all__ = ["ledger", "payouts", "runs"]
