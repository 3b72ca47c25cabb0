"""What people decide about payouts (POLICY 6). Each step is one transaction, one decision, one audit row."""

from incentives.services.attribution import ensure_attribution_open, settled_shops
from incentives.services.payments import claw_back, mark_paid, refuse_payment, start_payment
from incentives.services.reviews import approve_payout, hold_payout, release_payout, return_payout
from incentives.services.standing import suspend_partner_and_hold, terminate_partner_and_hold
from incentives.services.submission import Skipped, SubmissionReport, Withheld, submit_run
from incentives.services.voids import undo_void, void_line, void_payout

__all__ = [
    "Skipped",
    "SubmissionReport",
    "Withheld",
    "approve_payout",
    "claw_back",
    "ensure_attribution_open",
    "hold_payout",
    "mark_paid",
    "refuse_payment",
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
