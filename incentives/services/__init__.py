"""What people decide about payouts (POLICY 6). Each step is one transaction, one decision, one audit row."""

from incentives.services.accounts import carry_account
from incentives.services.adjustments import (
    confirm_adjustment,
    decline_adjustment,
    propose_adjustment,
    propose_difference,
)
from incentives.services.attribution import ensure_attribution_open, settled_shops
from incentives.services.bank_files import export_payment_batch
from incentives.services.bank_results import load_bank_result
from incentives.services.batches import (
    cancel_payment_batch,
    create_payment_batch,
    drop_from_batch,
    lock_payment_batch,
)
from incentives.services.bulk import decide_in_bulk
from incentives.services.holds import (
    hold_line,
    hold_partner,
    hold_payout,
    release_line,
    release_partner,
    release_payout,
)
from incentives.services.invoices import BadInvoice, accept_invoice, hand_in_invoice, refuse_invoice
from incentives.services.notes import note_payout
from incentives.services.payments import claw_back, mark_paid, refuse_payment, start_payment
from incentives.services.reviews import approve_payout, approve_payouts, return_payout
from incentives.services.stale import Stale
from incentives.services.standing import suspend_partner_and_hold, terminate_partner_and_hold
from incentives.services.submission import SubmissionReport, Withheld, submit_run
from incentives.services.submittable import Skipped
from incentives.services.voids import undo_void, void_line, void_payout

__all__ = [
    "BadInvoice",
    "Skipped",
    "Stale",
    "SubmissionReport",
    "Withheld",
    "accept_invoice",
    "approve_payout",
    "approve_payouts",
    "cancel_payment_batch",
    "carry_account",
    "claw_back",
    "confirm_adjustment",
    "create_payment_batch",
    "decide_in_bulk",
    "decline_adjustment",
    "drop_from_batch",
    "ensure_attribution_open",
    "export_payment_batch",
    "hand_in_invoice",
    "hold_line",
    "hold_partner",
    "hold_payout",
    "load_bank_result",
    "lock_payment_batch",
    "mark_paid",
    "note_payout",
    "propose_adjustment",
    "propose_difference",
    "refuse_invoice",
    "refuse_payment",
    "release_line",
    "release_partner",
    "release_payout",
    "return_payout",
    "settled_shops",
    "start_payment",
    "submit_run",
    "suspend_partner_and_hold",
    "terminate_partner_and_hold",
    "undo_void",
    "void_line",
    "void_payout",
]
