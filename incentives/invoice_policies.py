"""Who may hand in an invoice, and who decides on it: True, or the reason why not, for people."""

from django.utils.translation import gettext_lazy as _

from core.actors import Actor, Capability
from incentives.invoice_states import InvoiceState
from incentives.models import Invoice, Payout
from incentives.policies import Answer, ensure
from incentives.states import PayoutState
from partners.policies import has

__all__ = ["Answer", "can_decide_invoice", "can_hand_in", "ensure", "takes_invoice"]

# From the approval on the amount is owed and can be invoiced; many hand the paper in after the money has come.
INVOICED = (PayoutState.APPROVED, PayoutState.IN_PAYMENT, PayoutState.PAID)


def takes_invoice(payout: Payout) -> bool:
    """Whether the payout is in a state in which an invoice for it is taken."""
    return payout.state in INVOICED


def can_hand_in(actor: Actor, payout: Payout) -> Answer:
    """Hand an invoice in: the partner's owners and members, for an approved payout. One query."""
    if not has(actor, payout.partner, Capability.HAND_IN_INVOICE):
        return _("Only an owner or a member of the organisation can hand in its invoices.")
    if not takes_invoice(payout):
        return _("An invoice is handed in once the payout is approved.")
    return True


def can_decide_invoice(actor: Actor, invoice: Invoice) -> Answer:
    """Accept or refuse: whoever pays, outside of the partner."""
    if not actor.can(Capability.PAY):
        return _("Your role doesn't allow you to decide on invoices.")
    if actor.user_id is None:
        return _("Invoices are decided on by a person.")
    if invoice.partner_id in actor.partner_ids or actor.user_id == invoice.uploaded_by_id:
        return _("You belong to this partner; somebody else has to decide on its invoice.")
    if invoice.state != InvoiceState.HANDED_IN:
        return _("This invoice doesn't wait for a decision any more.")
    return True
