"""Invoices for approved payouts: handed in by the partner, accepted or refused by whoever pays."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, uploads
from core.actors import Actor
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.models import Note
from core.values import local_date
from incentives import invoice_notices
from incentives.invoice_policies import can_decide_invoice, can_hand_in, ensure
from incentives.invoice_states import LIVE_INVOICE, InvoiceState
from incentives.models import Invoice, Payout

FOLDER = "invoices"
LONGEST_NUMBER = 40


class BadInvoice(BadInput):
    """Something about the invoice is missing or can't be; `fields` says what, beside which field."""

    code = "bad_invoice"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = dict(fields)


@transaction.atomic
def hand_in_invoice(
    *,
    actor: Actor,
    payout: Payout,
    number: str,
    amount: Decimal,
    issued_on: date,
    file: "UploadedFile[Any]",
    at: datetime | None = None,
) -> Invoice:
    """Keep the invoice for an approved payout, with its file; the one that was handed in before is replaced.

    An amount that differs from the payout's net is kept, and said on both sides. Raises NotAllowed, also where the
    payout isn't approved; BadInvoice with what is wrong; BadInput for a file that can't be (`core.uploads`); Conflict
    where an invoice was accepted already, or the number stands on another payout's invoice.
    """
    now = at or timezone.now()
    found: Payout | None = (
        Payout.objects.select_for_update(of=("self",), no_key=True)
        .select_related("program", "partner")
        .filter(pk=payout.pk)
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such payout."))
    ensure(can_hand_in(actor, found))
    if actor.user_id is None:
        raise NotAllowed(_("Only a person can do that."))
    number = _number(number)
    _check(number=number, amount=amount, issued_on=issued_on, today=local_date(now, found.program.zone))
    before = Invoice.objects.select_for_update().filter(payout=found, state__in=LIVE_INVOICE).first()
    if before is not None and before.state == InvoiceState.ACCEPTED:
        raise Conflict(_("The invoice of this payout was accepted; it can't be replaced any more."), code="accepted")
    others = Invoice.objects.filter(partner=found.partner_id, number=number, state__in=LIVE_INVOICE)
    if others.exclude(payout=found).exists():
        raise _taken(number)
    upload = uploads.take(file, folder=FOLDER)
    if before is not None:
        _move(before, InvoiceState.REPLACED)
    try:
        with transaction.atomic():  # another payout's may have taken the number meanwhile
            invoice: Invoice = Invoice.objects.create(
                payout=found,
                partner_id=found.partner_id,
                number=number,
                amount=amount,
                currency=found.currency,
                issued_on=issued_on,
                name=upload.name,
                media_type=upload.media_type,
                size=upload.size,
                sha256=upload.sha256,
                content=upload.content,
                uploaded_by_id=actor.user_id,
                uploaded_at=now,
            )
    except IntegrityError:
        raise _taken(number) from None
    invoice_notices.handed_in(invoice)
    audit.record(
        actor=actor,
        action="invoice.handed_in",
        subject=found,
        details={
            "invoice": invoice.pk,
            "replaced": before.pk if before else None,
            "amount": str(amount),
            "net": str(found.net_amount),
            "sha256": upload.sha256,
        },
        at=now,
    )
    return invoice


@transaction.atomic
def accept_invoice(
    *, actor: Actor, invoice: Invoice, version: int | None = None, at: datetime | None = None
) -> Invoice:
    """Accept an invoice: it can't be replaced any more, and a payment that asks for one goes on.

    Raises NotAllowed, Conflict where it has changed since `version` or isn't handed in any more.
    """
    now = at or timezone.now()
    found = _lock(invoice, version)
    ensure(can_decide_invoice(actor, found))
    _move(found, InvoiceState.ACCEPTED, decided_by_id=actor.user_id, decided_at=now)
    invoice_notices.accepted(found, at=now)
    audit.record(
        actor=actor,
        action="invoice.accepted",
        subject=found.payout,
        details={"invoice": found.pk, "amount": str(found.amount), "net": str(found.payout.net_amount)},
        at=now,
    )
    return found


@transaction.atomic
def refuse_invoice(
    *, actor: Actor, invoice: Invoice, reason: str, version: int | None = None, at: datetime | None = None
) -> Invoice:
    """Refuse an invoice with a reason that the partner reads; it may hand in another one.

    Raises NotAllowed, BadInput without a reason, Conflict as `accept_invoice`.
    """
    now, reason = at or timezone.now(), reason.strip()
    found = _lock(invoice, version)
    ensure(can_decide_invoice(actor, found))
    if not reason:
        raise BadInput(_("Give a reason: the partner will read it."), code="reason_needed")
    note = Note.objects.create(text=reason)
    _move(found, InvoiceState.REFUSED, decided_by_id=actor.user_id, decided_at=now, reason_id=note.pk)
    invoice_notices.refused(found, at=now)
    audit.record(
        actor=actor,
        action="invoice.refused",
        subject=found.payout,
        details={"invoice": found.pk, "note": note.pk},
        at=now,
    )
    return found


def ensure_invoiced(payout: Payout) -> None:
    """Raise Conflict (`invoice_needed`) where payments ask for an accepted invoice and the payout has none."""
    if payout.pk in not_invoiced([payout]):
        raise invoice_needed()


def not_invoiced(payouts: Collection[Payout]) -> set[int]:
    """Which of these payouts, by id, aren't paid for want of an accepted invoice; none where nobody asks. One query."""
    if not settings.INVOICE_REQUIRED:
        return set()
    accepted = Invoice.objects.filter(payout__in=payouts, state=InvoiceState.ACCEPTED).values_list("payout", flat=True)
    return {payout.pk for payout in payouts} - set(accepted)


def invoice_needed() -> Conflict:
    """What a payment without one is refused with."""
    return Conflict(_("This payout has no accepted invoice; it isn't paid without one."), code="invoice_needed")


def _lock(invoice: Invoice, version: int | None) -> Invoice:
    found: Invoice | None = (
        Invoice.objects.select_for_update(of=("self",))
        .select_related("payout__partner", "payout__program")
        .filter(pk=invoice.pk)
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such invoice."))
    if found.state != InvoiceState.HANDED_IN or (version is not None and found.version != version):
        raise Conflict(
            _("This invoice is: %(state)s. It has changed since you opened it; look at it again.")
            % {"state": found.get_state_display()},
            code="stale",
        )
    return found


def _move(invoice: Invoice, new: InvoiceState, **values: Any) -> None:
    for name, value in {"state": new, **values}.items():
        setattr(invoice, name, value)
    invoice.version += 1
    invoice.save(update_fields=["state", "version", *values])


def _taken(number: str) -> Conflict:
    words = _("Your invoice %(number)s was handed in for another payout.")
    return Conflict(words % {"number": number}, code="number_taken")


def _number(text: str) -> str:
    """An invoice's number as it is kept: full-width characters made plain, without spaces, upper case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).upper()


def _check(*, number: str, amount: Decimal, issued_on: date, today: date) -> None:
    wrong = {}
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9/._\-]*", number) or len(number) > LONGEST_NUMBER:
        wrong["number"] = _("Give the invoice's number: letters and digits, at most %(count)d.") % {
            "count": LONGEST_NUMBER
        }
    if amount <= 0 or amount != amount.quantize(Decimal("0.01")) or amount >= Decimal(10) ** 15:
        wrong["amount"] = _("Give the amount that stands on the invoice: above zero, two decimals at most.")
    if issued_on > today:
        wrong["issued_on"] = _("The invoice is dated ahead; give the day that stands on it.")
    if wrong:
        raise BadInvoice(wrong)
