"""The ledger's only writer, and what the portal derives from it: what is owed, under way, paid, claimed back.

Every amount of POLICY 6 is a posting whose entries sum to zero (debits above zero, credits below):

    approved           incentive_expense  → partner_payable; a debt of the partner is settled first
    sent to payment    partner_payable    → in_transit
    paid               in_transit         → cash
    refused            the reversal of "sent"
    void               the reversal of what approval had posted
    clawed back        partner_receivable → incentive_expense: the partner owes it, until a later payout settles it
    adjusted           incentive_expense  ↔ partner_receivable: a later payout pays or keeps it
    recovered          partner_receivable → cash: the partner has paid its debt
    written off        partner_receivable → written_off: nobody expects it any more

`partner_receivable` is the partner's running account with the marketplace; below zero, the partner is owed.

A posting has one cause, named by the decision that made it, and is reversed at most once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext as _

from core.errors import Conflict
from incentives.models import LedgerEntry, Payout, Posting
from incentives.states import Account

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Movement:
    """One posting to be written. `cause` is unique for ever; `payout` is None where money moves besides a payout."""

    cause: str
    program_id: int
    partner_id: int
    currency: str
    entries: Mapping[Account, Decimal]
    payout_id: int | None = None
    reverses_id: int | None = None


def movement(*, cause: str, payout: Payout, entries: Mapping[Account, Decimal]) -> Movement:
    """The movement of `entries` for a payout."""
    return Movement(cause, payout.program_id, payout.partner_id, payout.currency, entries, payout.pk)


def post(
    *,
    cause: str,
    at: datetime,
    payout: Payout,
    entries: Mapping[Account, Decimal],
    reverses: Posting | None = None,
) -> Posting | None:
    """Write one posting for `payout`; accounts that don't move are left out, and with none there is no posting.

    `cause` is unique for ever: the same cause twice is refused by the database. Raises RuntimeError outside a
    transaction, ValueError where the entries don't sum to zero.
    """
    moved = movement(cause=cause, payout=payout, entries=entries)
    if reverses is not None:
        moved = replace(moved, reverses_id=reverses.pk)
    done = post_all([moved], at=at)
    return done[0] if done else None


def post_all(movements: Iterable[Movement], *, at: datetime) -> list[Posting]:
    """Write a posting for each of `movements` that moves anything, in two statements; else as `post`."""
    if not connection.in_atomic_block:
        raise RuntimeError("money moves inside the transaction that decides it")
    moving: list[tuple[Movement, dict[Account, Decimal]]] = []
    for each in movements:
        moved = {account: amount for account, amount in each.entries.items() if amount}
        if sum(moved.values(), ZERO):
            raise ValueError(f"the entries of {each.cause} don't sum to zero")
        if moved:
            moving.append((each, moved))
    postings = Posting.objects.bulk_create(
        Posting(
            cause=each.cause,
            at=at,
            program_id=each.program_id,
            partner_id=each.partner_id,
            payout_id=each.payout_id,
            reverses_id=each.reverses_id,
        )
        for each, _moved in moving
    )
    # One statement: the database looks at a posting's sum when a statement ends.
    LedgerEntry.objects.bulk_create(
        LedgerEntry(posting=posting, account=account, amount=amount, currency=each.currency)
        for posting, (each, moved) in zip(postings, moving, strict=True)
        for account, amount in sorted(moved.items())
    )
    return postings


def reverse(*, posting: Posting, at: datetime, payout: Payout) -> Posting:
    """Write the exact opposite of `posting`. Raises Conflict where that was done before."""
    if Posting.objects.filter(reverses=posting).exists():
        raise Conflict(_("This posting was reversed before."))
    opposite = {Account(entry.account): -entry.amount for entry in posting.entries.all()}
    done = post(cause=f"reverse:{posting.pk}", at=at, payout=payout, entries=opposite, reverses=posting)
    if done is None:
        raise RuntimeError(f"posting {posting.pk} has no entries")
    return done


def standing(payout: Payout) -> Iterable[Posting]:
    """The postings of `payout` that still count: neither reversed, nor reversals themselves. Oldest first."""
    return (
        Posting.objects.filter(payout=payout, reverses=None, reversed_by=None)
        .prefetch_related("entries")
        .order_by("pk")
    )


def balances(
    *,
    currency: str = "CNY",
    partner_id: int | None = None,
    program_id: int | None = None,
    payout_id: int | None = None,
) -> dict[Account, Decimal]:
    """Each account's balance in `currency`, of everything or of one partner, program or payout."""
    entries = LedgerEntry.objects.filter(currency=currency)
    for field, value in (("partner", partner_id), ("program", program_id), ("payout", payout_id)):
        if value is not None:
            entries = entries.filter(**{f"posting__{field}": value})
    found = dict(entries.values_list("account").annotate(total=Sum("amount")).order_by())
    return {account: found.get(account.value, ZERO) for account in Account}


def accounts(partner_ids: Iterable[int], *, currency: str) -> dict[int, Decimal]:
    """Each partner's running account, where it isn't even: above zero what it owes, below zero what it is owed besides
    its payouts. The next payout settles it."""
    rows = (
        LedgerEntry.objects.filter(
            currency=currency, account=Account.PARTNER_RECEIVABLE, posting__partner__in=list(partner_ids)
        )
        .values_list("posting__partner")
        .annotate(total=Sum("amount"))
        .order_by()
    )
    return {partner: total for partner, total in rows if total}


def adjusting(adjustment_id: int) -> str:
    """The cause under which a confirmed adjustment is posted."""
    return f"adjustment:{adjustment_id}"


def unsettled(partner_ids: Iterable[int]) -> dict[tuple[int, str], set[str]]:
    """What has moved each running account since a payout last left it even: causes, by partner and currency.

    Only a payout settles: an amount that happens to even the account out is still part of what the next one carries.
    """
    moves = (
        LedgerEntry.objects.filter(account=Account.PARTNER_RECEIVABLE, posting__partner__in=list(partner_ids))
        .order_by("posting")
        .values_list("posting__partner", "currency", "amount", "posting__cause", "posting__payout")
    )
    balances_now: defaultdict[tuple[int, str], Decimal] = defaultdict(Decimal)
    found: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for partner, currency, amount, cause, payout in moves:
        account = (partner, currency)
        balances_now[account] += amount
        found[account].add(cause)
        is_payouts = bool(payout)  # money moves besides payouts too
        if is_payouts and not balances_now[account]:
            found[account].clear()
    return dict(found)


def receivables(partner_ids: Iterable[int], *, currency: str) -> dict[int, Decimal]:
    """What each of these partners owes the marketplace, where it owes anything."""
    return {partner: total for partner, total in accounts(partner_ids, currency=currency).items() if total > 0}
