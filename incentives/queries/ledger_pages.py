"""The ledger as its pages show it: what each partner's accounts stand at, what moved them, and one running account."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from core.actors import Actor, Capability
from incentives.models import Adjustment, Decision, LedgerEntry, Payout, Posting
from incentives.queries.books import Balance, EntryView
from incentives.states import Account, PayoutState
from partners.models import Partner

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Total:
    """All debits and all credits of one currency. `difference` is zero: each posting is balanced."""

    currency: str
    debits: Decimal
    credits: Decimal

    @property
    def difference(self) -> Decimal:
        """Debits less credits."""
        return self.debits - self.credits


@dataclass(frozen=True, slots=True)
class PartnerBalances:
    """What each account stands at for one partner, in the accounts' order; `total` of them all is zero."""

    code: str
    name: str
    currency: str
    balances: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        """All of them together."""
        return sum(self.balances, ZERO)

    @property
    def labelled(self) -> list[tuple[str, Decimal]]:
        """Each balance with its account's name."""
        return [(str(account.label), balance) for account, balance in zip(Account, self.balances, strict=True)]


@dataclass(frozen=True, slots=True)
class ReviewedPayout:
    """A payout in review of a partner, and what it carries of the partner's running account."""

    id: int
    program: str
    currency: str
    net: Decimal
    carried: Decimal
    payable: Decimal


@dataclass(frozen=True, slots=True)
class Effect:
    """What an adjustment would do to a running account. `before`, `after`: above zero what the partner owes.

    `payout`: the only payout in review, which would come to `then` once the account is carried over anew.
    """

    amount: Decimal
    currency: str
    before: Decimal
    after: Decimal
    payout: ReviewedPayout | None
    then: Decimal

    @property
    def owes_before(self) -> Decimal:
        """What the partner owes before, zero where it owes nothing."""
        return max(self.before, ZERO)

    @property
    def owed_before(self) -> Decimal:
        """What the partner is owed before besides its payouts."""
        return max(-self.before, ZERO)

    @property
    def owes_after(self) -> Decimal:
        """What the partner owes afterwards."""
        return max(self.after, ZERO)

    @property
    def owed_after(self) -> Decimal:
        """What the partner is owed afterwards besides its payouts."""
        return max(-self.after, ZERO)


def totals(balances: Iterable[Balance]) -> list[Total]:
    """All debits against all credits, by currency. No query."""
    found: dict[str, Total] = {}
    for each in balances:
        so_far = found.get(each.currency, Total(each.currency, ZERO, ZERO))
        found[each.currency] = Total(each.currency, so_far.debits + each.debits, so_far.credits + each.credits)
    return [found[currency] for currency in sorted(found)]


def partners_with_postings(actor: Actor, *, search: str = "") -> QuerySet[Partner]:
    """Partners in whose name something was posted, by code; for operators."""
    found: QuerySet[Partner] = Partner.objects.visible_to(actor).order_by("code")
    if not actor.can(Capability.VIEW_EVERYTHING):
        return found.none()
    if search:
        found = found.filter(Q(code__icontains=search) | Q(name__icontains=search))
    return found.filter(pk__in=Posting.objects.values("partner"))


def partner_balances(partners: Collection[Partner]) -> list[PartnerBalances]:
    """Each account's balance for these partners, by currency. One query, however many they are."""
    rows = (
        LedgerEntry.objects.filter(posting__partner__in=partners)
        .values_list("posting__partner", "currency", "account")
        .annotate(total=Sum("amount"))
        .order_by()
    )
    found: dict[tuple[int, str], dict[str, Decimal]] = {}
    for partner, currency, account, total in rows:
        found.setdefault((partner, currency), {})[account] = total
    named = {partner.pk: partner for partner in partners}
    return [
        PartnerBalances(
            code=named[partner].code,
            name=named[partner].name,
            currency=currency,
            balances=tuple(sums.get(account.value, ZERO) for account in Account),
        )
        for (partner, currency), sums in sorted(found.items(), key=lambda each: (named[each[0][0]].code, each[0][1]))
    ]


def causes(entries: Iterable[EntryView]) -> dict[str, str]:
    """What moved these entries, in words, by their causes. Two queries."""
    parts = {entry.cause: entry.cause.partition(":") for entry in entries}
    ids: dict[str, set[int]] = {"decision": set(), "adjustment": set()}
    for kind, _colon, ident in parts.values():
        if kind in ids and ident.isdecimal():
            ids[kind].add(int(ident))
    decisions = {each.pk: each.get_kind_display() for each in Decision.objects.filter(pk__in=ids["decision"])}
    adjusted = {each.pk: each.get_kind_display() for each in Adjustment.objects.filter(pk__in=ids["adjustment"])}
    found = {}
    for cause, (kind, _colon, ident) in parts.items():
        if kind == "decision" and int(ident) in decisions:
            found[cause] = decisions[int(ident)]
        elif kind == "adjustment" and int(ident) in adjusted:
            found[cause] = _("Adjustment: %(kind)s") % {"kind": adjusted[int(ident)]}
        elif kind == "reverse":
            found[cause] = _("Reverses posting %(number)s") % {"number": ident}
        else:
            found[cause] = cause
    return found


def payouts_in_review(partner: Partner) -> list[ReviewedPayout]:
    """The partner's payouts that wait for approval, with what they carry of its account. One query."""
    found = Payout.objects.filter(partner=partner, state=PayoutState.IN_REVIEW)
    return [
        ReviewedPayout(each.pk, each.program.code, each.currency, each.net_amount, each.adjustments, each.payable)
        for each in found.select_related("program").order_by("pk")
    ]


def effect_of(*, amount: Decimal, currency: str, before: Decimal, reviewed: Collection[ReviewedPayout]) -> Effect:
    """What adding `amount` to a running account that stands at `before` would do. No query.

    Of several payouts in review none is named: which of them carries it is decided when it is carried over.
    """
    of_currency = [each for each in reviewed if each.currency == currency]
    only = of_currency[0] if len(of_currency) == 1 else None
    after = before - amount
    return Effect(amount, currency, before, after, only, only.net - after if only is not None else ZERO)
