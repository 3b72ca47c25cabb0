"""What is computed (runs, frozen facts, results, previews) and what is paid (payouts, decisions, ledger)."""

from incentives.models.adjustments import Adjustment
from incentives.models.bulk import BulkDecision, BulkItem
from incentives.models.findings import (
    FirstEntity,
    FrozenFacts,
    FrozenShop,
    Judgement,
    Reached,
    Result,
)
from incentives.models.holds import Hold, PayoutNote
from incentives.models.invoices import Invoice
from incentives.models.ledger import LedgerEntry, Posting
from incentives.models.payments import BankResult, BankResultRow, PaymentBatch, PaymentItem
from incentives.models.payouts import Bar, Decision, Payout, PayoutLine
from incentives.models.runs import PayoutPreview, Run, RunChunk

__all__ = [
    "Adjustment",
    "BankResult",
    "BankResultRow",
    "Bar",
    "BulkDecision",
    "BulkItem",
    "Decision",
    "FirstEntity",
    "FrozenFacts",
    "FrozenShop",
    "Hold",
    "Invoice",
    "Judgement",
    "LedgerEntry",
    "PaymentBatch",
    "PaymentItem",
    "Payout",
    "PayoutLine",
    "PayoutNote",
    "PayoutPreview",
    "Posting",
    "Reached",
    "Result",
    "Run",
    "RunChunk",
]
