"""Where a partner's money goes (收款账户): every version that was stated, and what was decided about it."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import Note, User
from core.triggers import frozen, legal_transitions, no_delete
from partners.models.organisations import Partner
from partners.querysets import PayeeQuerySet
from partners.states import PAYEE_TRANSITIONS, PayeeState

# What names people or leads to money: it can be emptied, and never be changed into something else.
ERASABLE = ("holder", "account_end")


def only_emptied(*fields: str) -> pgtrigger.Trigger:
    """A trigger that refuses to change any of `fields` (column names) into anything but an empty text."""
    changed = " OR ".join(f'(NEW."{f}" IS DISTINCT FROM OLD."{f}" AND NEW."{f}" <> \'\')' for f in fields)
    return pgtrigger.Trigger(
        name="only_emptied",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        func=pgtrigger.Func(
            f"IF {changed} THEN RAISE EXCEPTION 'pgtrigger: {', '.join(fields)} can only be emptied "
            "in table %', TG_TABLE_NAME; END IF; RETURN NEW;"
        ),
    )


class Payee(models.Model):
    """One stated account of a partner. A change is a new row; one waits at most, and one is confirmed at most.

    `account_sealed` is the whole number, readable with PAYEE_KEYS alone (`partners.ciphers`), `account_end` the end of
    it that is shown. `country` is the bank's. Holder and account can be erased; what was decided stays.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="payees")
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=10, choices=PayeeState, default=PayeeState.WAITING)
    version = models.IntegerField(_("version"), default=1)
    holder = models.CharField(_("account holder"), max_length=120, blank=True)
    bank_name = models.CharField(_("bank"), max_length=120)
    bank_code = models.CharField(_("bank code"), max_length=12)
    country = models.CharField(_("country"), max_length=2)
    currency = models.CharField(_("currency"), max_length=3)
    account_sealed = models.TextField(_("account number, sealed"), blank=True)
    account_end = models.CharField(_("end of the account number"), max_length=4, blank=True)
    stated_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("stated by"))
    stated_at = models.DateTimeField(_("stated"))
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    reason = models.ForeignKey(Note, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reason"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = PayeeQuerySet.as_manager()

    class Meta:
        verbose_name = _("payee")
        verbose_name_plural = _("payees")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner", "number"], name="payee_number_once"),
            models.UniqueConstraint(
                fields=["partner"], condition=Q(state=PayeeState.WAITING), name="payee_one_waiting"
            ),
            models.UniqueConstraint(
                fields=["partner"], condition=Q(state=PayeeState.CONFIRMED), name="payee_one_confirmed"
            ),
            models.CheckConstraint(condition=Q(state__in=PayeeState.values), name="payee_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=[PayeeState.WAITING, PayeeState.WITHDRAWN], decided_by=None, decided_at=None)
                | Q(
                    state__in=[PayeeState.CONFIRMED, PayeeState.REFUSED, PayeeState.REPLACED],
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                ),
                name="payee_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("stated_by")), name="payee_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(state=PayeeState.REFUSED) | Q(reason__isnull=False), name="payee_refused_for_a_reason"
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="payee_currency"),
        ]
        triggers: ClassVar = [
            *legal_transitions(PAYEE_TRANSITIONS),
            frozen(
                "partner_id", "number", "bank_name", "bank_code", "country", "currency", "stated_by_id", "stated_at"
            ),
            only_emptied(*ERASABLE),
            *no_delete(),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} #{self.number}"

    @property
    def sealed_for(self) -> str:
        """Which row the sealed account number belongs to."""
        return f"payee:{self.partner_id}:{self.number}"

    @property
    def masked(self) -> str:
        """The account number as everybody sees it: dots and its end."""
        return f"•••• {self.account_end}" if self.account_end else "••••"
