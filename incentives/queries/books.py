"""The ledger as it is read: balances that add up, movements, and partners' running accounts."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from core.actors import Actor, Capability
from incentives.exports import Cell, Table
from incentives.models import LedgerEntry, Payout
from incentives.states import Account, PayoutState
from partners.models import Partner

ZERO = Decimal(0)
LEDGER_COLUMNS = (
    "posting",
    "at",
    "cause",
    "program",
    "partner_code",
    "payout",
    "account",
    "debit",
    "credit",
    "currency",
    "reverses",
)


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's sums in one currency. `balance` is debits less credits; over all accounts it is zero."""

    account: str
    label: str
    currency: str
    debits: Decimal
    credits: Decimal

    @property
    def balance(self) -> Decimal:
        """Debits less credits."""
        return self.debits - self.credits


@dataclass(frozen=True, slots=True)
class EntryView:
    """One side of a posting: a debit or a credit, the other zero."""

    posting: int
    at: datetime
    cause: str
    program: str
    partner_code: str
    payout: int | None
    account: str
    account_label: str
    debit: Decimal
    credit: Decimal
    currency: str
    reverses: int | None


@dataclass(frozen=True, slots=True)
class AccountView:
    """A partner's running account. `owes`: what it owes the marketplace; `owed`: what it is owed besides its payouts.

    One of both is zero. `carried`: what payouts in review settle of it, once they are approved.
    """

    partner_code: str
    partner_name: str
    currency: str
    owes: Decimal
    owed: Decimal
    carried: Decimal


def ledger_entries(actor: Actor) -> QuerySet[LedgerEntry]:
    """The ledger's entries for operators, none for others; the newest posting first."""
    entries = LedgerEntry.objects.select_related("posting__program", "posting__partner").order_by("-posting", "account")
    return entries if actor.can(Capability.VIEW_EVERYTHING) else entries.none()


def ledger_balances(entries: QuerySet[LedgerEntry]) -> tuple[Balance, ...]:
    """The balance of each account that moves in `entries`, by currency, in the accounts' order. One query."""
    rows = (
        entries.order_by()
        .values("account", "currency")
        .annotate(debits=Sum("amount", filter=Q(amount__gt=0)), credits=Sum("amount", filter=Q(amount__lt=0)))
    )
    order = {account.value: place for place, account in enumerate(Account)}
    return tuple(
        Balance(
            account=row["account"],
            label=str(Account(row["account"]).label),
            currency=row["currency"],
            debits=row["debits"] or ZERO,
            credits=-(row["credits"] or ZERO),
        )
        for row in sorted(rows, key=lambda row: (row["currency"], order[row["account"]]))
    )


def entry_views(entries: Iterable[LedgerEntry]) -> list[EntryView]:
    """These entries to show; they were read with what they name."""
    return [
        EntryView(
            posting=entry.posting_id,
            at=entry.posting.at,
            cause=entry.posting.cause,
            program=entry.posting.program.code,
            partner_code=entry.posting.partner.code,
            payout=entry.posting.payout_id,
            account=entry.account,
            account_label=entry.get_account_display(),
            debit=max(entry.amount, ZERO),
            credit=max(-entry.amount, ZERO),
            currency=entry.currency,
            reverses=entry.posting.reverses_id,
        )
        for entry in entries
    ]


def ledger_table(entries: QuerySet[LedgerEntry]) -> Table:
    """The entries as a table to take along, oldest posting first. Read it inside a transaction: memory stays flat."""
    return Table(LEDGER_COLUMNS, _cells(entries.order_by("posting", "account")))


def _cells(entries: QuerySet[LedgerEntry]) -> Iterator[list[Cell]]:
    rows = entries.values_list(
        "posting",
        "posting__at",
        "posting__cause",
        "posting__program__code",
        "posting__partner__code",
        "posting__payout",
        "account",
        "amount",
        "currency",
        "posting__reverses",
    )
    for posting, at, cause, program, partner, payout, account, amount, currency, reverses in rows.iterator(2000):
        sides = [amount, None] if amount > 0 else [None, -amount]
        yield [posting, at, cause, program, partner, payout, account, *sides, currency, reverses]


def account_views(actor: Actor, *, partner_ids: Collection[int] | None = None) -> list[AccountView]:
    """Partners whose running account isn't even, by what they owe; for operators. Three queries."""
    if not actor.can(Capability.VIEW_EVERYTHING):
        return []
    entries = LedgerEntry.objects.filter(account=Account.PARTNER_RECEIVABLE)
    if partner_ids is not None:
        entries = entries.filter(posting__partner__in=partner_ids)
    rows = entries.values_list("posting__partner", "currency").annotate(total=Sum("amount")).order_by()
    found = [(partner, currency, total) for partner, currency, total in rows if total]
    ids = {partner for partner, _, _ in found}
    partners = Partner.objects.in_bulk(ids)
    reviewed = Payout.objects.filter(partner__in=ids, state=PayoutState.IN_REVIEW)
    sums = reviewed.values_list("partner", "currency").annotate(total=Sum("adjustments")).order_by()
    carried = {(partner, currency): total for partner, currency, total in sums}
    return [
        AccountView(
            partner_code=partners[partner].code,
            partner_name=partners[partner].name,
            currency=currency,
            owes=max(total, ZERO),
            owed=max(-total, ZERO),
            carried=carried.get((partner, currency), ZERO),
        )
        for partner, currency, total in sorted(found, key=lambda row: (-row[2], partners[row[0]].code))
    ]
