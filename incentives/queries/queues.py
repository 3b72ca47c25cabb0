"""What waits for an operator, by what they may do: each queue with its size, and the list that it leads to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.actors import Actor, Capability
from core.models import DraftState, PolicyDraft
from incentives import policies
from incentives.invoice_states import InvoiceState
from incentives.models import Invoice, PaymentBatch, Payout
from incentives.queries.payments import adjustments, batches_that_wait
from incentives.states import AdjustmentState, PayoutState
from merchants.listing import platform_date
from merchants.models import Import, Registration, Shop, TargetEntry
from merchants.states import Review
from partners.application_pages import applications, waits_for
from partners.models import Payee
from partners.states import PayeeState


@dataclass(frozen=True, slots=True)
class Queue:
    """Something that waits: how much of it, and where it is worked off. `amount` where it is money."""

    label: Promise
    count: int
    url_name: str
    query: str = ""
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A kind of queue: its words, who works it off, the address of its list, and the rows that wait for an actor.

    `money`: the rows are payouts, and what they come to is told, too.
    """

    label: Promise
    needs: Capability
    url_name: str
    query: str
    rows: Callable[[Actor], QuerySet[Any]]
    money: bool = False


def _applications(actor: Actor) -> QuerySet[Any]:
    return applications(actor).filter(waits_for(actor))


def _to_approve(actor: Actor) -> QuerySet[Any]:
    waiting = Payout.objects.visible_to(actor).filter(state=PayoutState.IN_REVIEW, held=False)
    return waiting.exclude(policies.own_to_approve(actor, waiting))


def _to_pay(actor: Actor) -> QuerySet[Any]:
    return Payout.objects.visible_to(actor).filter(state=PayoutState.APPROVED, held=False)


def _held(actor: Actor) -> QuerySet[Any]:
    return Payout.objects.visible_to(actor).filter(held=True)


def _returned(actor: Actor) -> QuerySet[Any]:
    return Payout.objects.visible_to(actor).filter(state=PayoutState.RETURNED)


def _adjustments(actor: Actor) -> QuerySet[Any]:
    proposed = adjustments(actor).filter(state=AdjustmentState.PROPOSED)
    return proposed.exclude(Q(proposed_by=actor.user_id) | Q(partner__in=actor.partner_ids))


def _drafts(actor: Actor) -> QuerySet[Any]:
    return PolicyDraft.objects.filter(state=DraftState.OPEN).exclude(edits__by=actor.user_id)


def _to_send(_actor: Actor) -> QuerySet[Any]:
    return batches_that_wait(PaymentBatch.objects.all(), "to_send")


def _unanswered(_actor: Actor) -> QuerySet[Any]:
    return batches_that_wait(PaymentBatch.objects.all(), "unanswered")


def _invoices(actor: Actor) -> QuerySet[Any]:
    handed_in = Invoice.objects.visible_to(actor).filter(state=InvoiceState.HANDED_IN)
    return handed_in.exclude(Q(uploaded_by=actor.user_id) | Q(partner__in=actor.partner_ids))


def _payees(actor: Actor) -> QuerySet[Any]:
    return Payee.objects.visible_to(actor).filter(state=PayeeState.WAITING)


def _imports(actor: Actor) -> QuerySet[Any]:
    return Import.objects.visible_to(actor).troubled()


def _unattributed(actor: Actor) -> QuerySet[Any]:
    return Shop.objects.visible_to(actor).unattributed()


def _reviews(actor: Actor) -> QuerySet[Any]:
    today = platform_date(timezone.now())
    pending = TargetEntry.objects.visible_to(actor).filter(review=Review.PENDING)
    return pending.filter(Q(delisted_on=None) | Q(delisted_on__gt=today))


def _conflicts(actor: Actor) -> QuerySet[Any]:
    return Registration.objects.visible_to(actor).contested()


WAITING: tuple[Waiting, ...] = (
    Waiting(
        _("Applications to look at"),
        Capability.CERTIFY_PARTNER,
        "console-applications",
        "whose=todo",
        _applications,
    ),
    Waiting(
        _("Payouts that you may approve"),
        Capability.APPROVE_PAYOUT,
        "console-payouts",
        "state=in_review",
        _to_approve,
        money=True,
    ),
    Waiting(
        _("Payouts returned to you"),
        Capability.SUBMIT_PAYOUT,
        "console-payouts",
        "state=returned",
        _returned,
        money=True,
    ),
    Waiting(
        _("Payouts to pay"),
        Capability.PAY,
        "console-payments",
        "",
        _to_pay,
        money=True,
    ),
    Waiting(
        _("Batches to hand to the bank"),
        Capability.PAY,
        "console-payments",
        "show=batches&waits=to_send",
        _to_send,
    ),
    Waiting(
        _("Batches that the bank owes answers to"),
        Capability.PAY,
        "console-payments",
        "show=batches&waits=unanswered",
        _unanswered,
    ),
    Waiting(
        _("Invoices to decide on"),
        Capability.PAY,
        "console-payouts",
        "invoice=handed_in",
        _invoices,
    ),
    Waiting(
        _("Payouts on hold"),
        Capability.HOLD_PAYOUT,
        "console-payouts",
        "held=true",
        _held,
        money=True,
    ),
    Waiting(
        _("Adjustments to confirm"),
        Capability.APPROVE_PAYOUT,
        "console-ledger",
        "show=adjustments&state=proposed",
        _adjustments,
    ),
    Waiting(
        _("Policy drafts to publish"),
        Capability.PUBLISH_POLICY,
        "console-programs",
        "draft=open",
        _drafts,
    ),
    Waiting(
        _("Accounts to confirm"),
        Capability.CONFIRM_PAYEE,
        "console-partners",
        "payee=waiting",
        _payees,
    ),
    Waiting(
        _("Entries to review"),
        Capability.KEEP_LISTS,
        "console-lists-newest",
        "review=pending",
        _reviews,
    ),
    Waiting(
        _("Imports with rows set aside"),
        Capability.LOAD_FEED,
        "console-feeds",
        "outcome=troubled",
        _imports,
    ),
    Waiting(
        _("Shops that nobody brought"),
        Capability.ASSIGN_SHOP,
        "console-unattributed",
        "",
        _unattributed,
    ),
    Waiting(
        _("Registrations that contradict each other"),
        Capability.ASSIGN_SHOP,
        "console-contested",
        "",
        _conflicts,
    ),
)


def queues(actor: Actor) -> list[Queue]:
    """What waits for this person, by what they may do; the auditor has nothing to work off.

    One query for all of them, and up to four for what the person may not approve (`policies.own_to_approve`).
    """
    theirs = [waiting for waiting in WAITING if actor.can(waiting.needs)]
    sizes = _sizes([(waiting.rows(actor), waiting.money) for waiting in theirs])
    return [
        Queue(waiting.label, count, waiting.url_name, waiting.query, amount)
        for waiting, (count, amount) in zip(theirs, sizes, strict=True)
    ]


def _sizes(parts: Sequence[tuple[QuerySet[Any], bool]]) -> list[tuple[int, Decimal | None]]:
    """How many rows each query finds, and what they come to where they are payouts."""
    selects: list[str] = []
    params: list[Any] = []
    for place, (rows, money) in enumerate(parts):
        try:
            sql, given = rows.order_by().values("pk", *(("payable",) if money else ())).query.sql_with_params()
        except EmptyResultSet:
            continue
        amount = "sum(q.payable)" if money else "NULL::numeric"
        selects.append(f"SELECT {place}, count(*), {amount} FROM ({sql}) q")  # noqa: S608 (a query's own text)
        params += given
    sizes: list[tuple[int, Decimal | None]] = [(0, None)] * len(parts)
    if selects:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(selects), params)
            for place, count, total in cursor.fetchall():
                sizes[place] = (count, total)
    return sizes
