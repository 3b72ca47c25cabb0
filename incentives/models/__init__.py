"""What is computed (runs, frozen facts, results, previews) and what is paid (payouts, decisions, ledger)."""

from incentives.models.ledger import LedgerEntry, Posting
from incentives.models.payouts import Bar, Decision, Payout, PayoutLine
from incentives.models.runs import FirstEntity, FrozenShop, PayoutPreview, Result, Run, RunChunk

__all__ = [
    "Bar",
    "Decision",
    "FirstEntity",
    "FrozenShop",
    "LedgerEntry",
    "Payout",
    "PayoutLine",
    "PayoutPreview",
    "Posting",
    "Result",
    "Run",
    "RunChunk",
]
