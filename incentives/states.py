"""The choices and legal moves of runs, results and payouts (POLICY 3 and 6)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class RunState(TextChoices):
    """How far an evaluation got. Only a finished one publishes anything."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    ABSORBED = "absorbed", _("Absorbed by a later run")


RUN_TRANSITIONS: dict[str, frozenset[str]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.ABSORBED, RunState.CANCELLED}),
    RunState.RUNNING: frozenset({RunState.FINISHED, RunState.FAILED, RunState.CANCELLED}),
}


class RunKind(TextChoices):
    """An official run may be paid; a draft run tries a policy and never is."""

    OFFICIAL = "official", _("Official")
    DRAFT = "draft", _("Draft")


class RunTrigger(TextChoices):
    """What asked for a run."""

    MANUAL = "manual", _("Started by hand")
    NIGHTLY = "nightly", _("Nightly")
    IMPORT = "import", _("After an import")


class Step(TextChoices):
    """The steps of a run, in order; a step's chunks start when the step before is done."""

    FIRST_ENTITIES = "first_entities", _("First entities")
    SHOPS = "shops", _("Freeze and judge")
    PRICE = "price", _("Price")


class ChunkState(TextChoices):
    """A chunk waits (or is leased to a worker: `lease_until`), and is done once."""

    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")


class Verdict(TextChoices):
    """判定: what a run says of a shop."""

    ELIGIBLE = "eligible", _("Eligible")
    PENDING = "pending", _("Pending")
    NEEDS_DATA = "needs_data", _("Needs data")
    NOT_ELIGIBLE = "not_eligible", _("Not eligible")


class Outcome(TextChoices):
    """What a run says of one condition."""

    MET = "met", _("Met")
    NOT_MET = "not_met", _("Not met")
    PENDING = "pending", _("Pending")
    UNKNOWN = "unknown", _("Unknown")
    NOT_APPLICABLE = "not_applicable", _("Not applicable")


class PayoutState(TextChoices):
    """激励单 states. A figure that nobody submitted is a preview of a run, shown as `computed`."""

    COMPUTED = "computed", _("Computed")
    IN_REVIEW = "in_review", _("In review")
    RETURNED = "returned", _("Returned")
    APPROVED = "approved", _("Approved")
    IN_PAYMENT = "in_payment", _("In payment")
    PAID = "paid", _("Paid")
    CLAWED_BACK = "clawed_back", _("Clawed back")
    CLOSED = "closed", _("Closed unpaid")
    VOID = "void", _("Void")


# A returned payout stays as the record of what was returned; the next submission makes a new one.
# A void is undone to exactly the state that it ended. Voiding an approved payout's lines can leave nothing to pay: it
# closes, until that is undone.
PAYOUT_TRANSITIONS: dict[str, frozenset[str]] = {
    PayoutState.IN_REVIEW: frozenset(
        {PayoutState.APPROVED, PayoutState.CLOSED, PayoutState.RETURNED, PayoutState.VOID}
    ),
    PayoutState.APPROVED: frozenset({PayoutState.IN_PAYMENT, PayoutState.VOID, PayoutState.CLOSED}),
    PayoutState.CLOSED: frozenset({PayoutState.APPROVED}),
    PayoutState.IN_PAYMENT: frozenset({PayoutState.PAID, PayoutState.APPROVED}),
    PayoutState.PAID: frozenset({PayoutState.CLAWED_BACK}),
    PayoutState.VOID: frozenset({PayoutState.IN_REVIEW, PayoutState.APPROVED}),
}

# One payout of a partner and a program may be in one of these.
IN_LIFE = (
    PayoutState.IN_REVIEW,
    PayoutState.APPROVED,
    PayoutState.IN_PAYMENT,
    PayoutState.PAID,
    PayoutState.CLOSED,
)
PROVISIONAL = (PayoutState.COMPUTED, PayoutState.IN_REVIEW, PayoutState.RETURNED)


class LineState(TextChoices):
    """Only a live line pays, and only one may live for a merchant, a brand and an entry.

    After approval a later run's difference is settled in the next payout: a line that it adds is `added` here (it takes
    its merchant's place, and isn't in this payout's amount), one that it takes away is `deducted` (it stays in the
    amount, and gives its merchant's place up).
    """

    LIVE = "live", _("Live")
    WITHHELD = "withheld", _("Withheld")
    RETURNED = "returned", _("Returned")
    VOID = "void", _("Void")
    CLAWED_BACK = "clawed_back", _("Clawed back")
    ADDED = "added", _("Paid by an adjustment")
    DEDUCTED = "deducted", _("Taken back by an adjustment")


# Lines whose amounts make up the payout's base.
COUNTED = (LineState.LIVE, LineState.DEDUCTED)
# Lines of which one may be for a merchant, a brand and an entry.
PLACED = (LineState.LIVE, LineState.ADDED)


class WithheldFor(TextChoices):
    """Why a line of a submission doesn't live. Never says which partner the other shop belongs to."""

    MERCHANT_BARRED = "merchant_barred", _("This merchant was voided in this program")
    SAME_MERCHANT = "same_merchant", _("Another shop of this merchant is already in a payout")
    SAME_BRAND = "same_brand", _("Another shop of this brand is already in a payout")
    SAME_ENTRY = "same_entry", _("Another shop of this target entry is already in a payout")


class DecisionKind(TextChoices):
    """What a person decided about a payout."""

    SUBMIT = "submit", _("Submitted")
    RETURN = "return", _("Returned")
    APPROVE = "approve", _("Approved")
    CLOSE = "close", _("Closed unpaid")
    HOLD = "hold", _("Held")
    RELEASE = "release", _("Released")
    VOID = "void", _("Voided")
    VOID_LINE = "void_line", _("Line voided")
    UNDO_VOID = "undo_void", _("Void undone")
    START_PAYMENT = "start_payment", _("Sent to payment")
    PAY = "pay", _("Paid")
    REFUSE = "refuse", _("Refused by the bank")
    CLAW_BACK = "claw_back", _("Clawed back")
    CARRY = "carry", _("Account carried over anew")
    ADJUST = "adjust", _("Difference settled by an adjustment")


class AdjustmentKind(TextChoices):
    """Why something is added to or taken from a partner's running account."""

    MANUAL = "manual", _("Manual")
    DIFFERENCE = "difference", _("Difference of a later run")
    RECOVERY = "recovery", _("Debt recovered")
    WRITE_OFF = "write_off", _("Debt written off")


# These lower what the partner owes, and never more than that.
REPAYING = (AdjustmentKind.RECOVERY, AdjustmentKind.WRITE_OFF)


class AdjustmentState(TextChoices):
    """One person proposes, another confirms; whoever proposed it can withdraw it."""

    PROPOSED = "proposed", _("Proposed")
    CONFIRMED = "confirmed", _("Confirmed")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")


ADJUSTMENT_TRANSITIONS: dict[str, frozenset[str]] = {
    AdjustmentState.PROPOSED: frozenset(
        {AdjustmentState.CONFIRMED, AdjustmentState.DECLINED, AdjustmentState.WITHDRAWN}
    ),
}


class BatchState(TextChoices):
    """How far a payment batch is. Locked, its payouts are in payment; exported, its file may be with the bank."""

    DRAFT = "draft", _("Draft")
    LOCKED = "locked", _("Locked")
    EXPORTED = "exported", _("Exported")
    CANCELLED = "cancelled", _("Cancelled")


BATCH_TRANSITIONS: dict[str, frozenset[str]] = {
    BatchState.DRAFT: frozenset({BatchState.LOCKED, BatchState.CANCELLED}),
    BatchState.LOCKED: frozenset({BatchState.EXPORTED, BatchState.CANCELLED}),
}


class ItemState(TextChoices):
    """What became of one payment of a batch."""

    WAITING = "waiting", _("Waiting")
    PAID = "paid", _("Paid")
    REFUSED = "refused", _("Refused by the bank")
    DROPPED = "dropped", _("Taken out")


ITEM_TRANSITIONS: dict[str, frozenset[str]] = {
    ItemState.WAITING: frozenset({ItemState.PAID, ItemState.REFUSED, ItemState.DROPPED}),
}


class BulkOutcome(TextChoices):
    """What became of one payout of a bulk decision."""

    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    REFUSED = "refused", pgettext_lazy("decision", "Refused")


class Account(TextChoices):
    """The ledger's accounts. Amounts are signed: debits above zero, credits below."""

    INCENTIVE_EXPENSE = "incentive_expense", _("Incentive expense")
    PARTNER_PAYABLE = "partner_payable", _("Payable to partners")
    IN_TRANSIT = "in_transit", _("Payments under way")
    CASH = "cash", _("Cash")
    PARTNER_RECEIVABLE = "partner_receivable", _("Receivable from partners")
    WRITTEN_OFF = "written_off", _("Written off")
