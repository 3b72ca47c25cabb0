"""What is computed (runs, frozen facts, results, previews) and what is paid (payouts, decisions, ledger)."""

from incentives.models.findings import (
    FirstEntity,
    FrozenFacts,
    FrozenShop,
    Judgement,
    Reached,
    Result,
)
from incentives.models.ledger import LedgerEntry, Posting
from incentives.models.payouts import Bar, Decision, Payout, PayoutLine
from incentives.models.runs import PayoutPreview, Run, RunChunk

__all__ = [
    "Bar",
    "Decision",
    "FirstEntity",
    "FrozenFacts",
    "FrozenShop",
    "Judgement",
    "LedgerEntry",
    "Payout",
    "PayoutLine",
    "PayoutPreview",
    "Posting",
    "Reached",
    "Result",
    "Run",
    "RunChunk",
]
