"""The back office of what is computed and paid: to look at, and to decide on payouts through the services."""

from incentives.admin import invoices, ledger, money, payouts, runs

__all__ = ["invoices", "ledger", "money", "payouts", "runs"]
