"""The ledger: balanced, append-only. Written by `incentives.ledger` alone."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.models import Program
from core.triggers import append_only
from incentives.models.payouts import Payout
from incentives.states import Account
from partners.models import Partner


class Posting(models.Model):
    """One movement of money, for one cause: a cause is posted once, and a posting reversed once."""

    cause = models.CharField(_("cause"), max_length=80, unique=True)
    at = models.DateTimeField(_("at"))
    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="postings")
    payout = models.ForeignKey(Payout, models.PROTECT, null=True, related_name="postings")
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        triggers: ClassVar = append_only()

    def __str__(self) -> str:
        return self.cause


class LedgerEntry(models.Model):
    """One account's side of a posting: debit above zero, credit below. A posting's entries sum to zero."""

    posting = models.ForeignKey(Posting, models.PROTECT, related_name="entries")
    account = models.CharField(_("account"), max_length=20, choices=Account)
    amount = models.DecimalField(_("amount"), max_digits=19, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(amount=0), name="entry_moves_something"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="entry_currency"),
            models.CheckConstraint(condition=Q(account__in=Account.values), name="entry_account_known"),
        ]
        triggers: ClassVar = [
            *append_only(),
            # Statement-level: all entries of a posting arrive in one statement, and its sum is looked at whole.
            pgtrigger.Trigger(
                name="balanced",
                level=pgtrigger.Statement,
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                referencing=pgtrigger.Referencing(new="arrived"),
                func=pgtrigger.Func(
                    "IF EXISTS (SELECT 1 FROM incentives_ledgerentry e"
                    " WHERE e.posting_id IN (SELECT posting_id FROM arrived)"
                    " GROUP BY e.posting_id, e.currency HAVING sum(e.amount) <> 0)"
                    " THEN RAISE EXCEPTION 'pgtrigger: the ledger entries of a posting must sum to zero'; END IF;"
                    " RETURN NULL;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount}"
