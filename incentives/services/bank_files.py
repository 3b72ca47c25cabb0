"""The file that goes to the bank: the only place where account numbers stand in clear."""

import csv
import hashlib
import io
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict
from incentives import policies
from incentives.bank_formats import BANK_COLUMNS
from incentives.exports import cell_text
from incentives.models import PaymentBatch, PaymentItem
from incentives.services.batches import ensure_batch
from incentives.states import BatchState, ItemState
from partners.models import Payee
from partners.payees import payment_obstacles
from partners.services.payees import cipher
from partners.states import PayeeState


@transaction.atomic
def export_payment_batch(*, actor: Actor, batch: PaymentBatch, at: datetime | None = None) -> bytes:
    """Return the batch's file for the bank (docs/payouts.md), and keep in the trail who took it, and its fingerprint.

    The first time the batch becomes exported. Every later time gives the very same bytes, or Conflict where that isn't
    possible: an account was changed or erased since. Raises NotAllowed, Conflict where it isn't locked.
    """
    at = at or timezone.now()
    policies.ensure(policies.can_prepare_payment(actor))
    batch = ensure_batch(batch, None, BatchState.LOCKED, BatchState.EXPORTED)
    items = _items(batch)
    if batch.state == BatchState.LOCKED:
        _ensure_payable(items)
    content = _file(items, batch.currency)
    fingerprint = hashlib.sha256(content).hexdigest()
    if batch.file_sha256 and batch.file_sha256 != fingerprint:
        raise Conflict(_("The file can't be made again as it was: an account was erased since."), code="file_changed")
    if batch.state == BatchState.LOCKED:
        batch.exported_by_id, batch.exported_at, batch.file_sha256 = actor.user_id, at, fingerprint
        batch.state, batch.version = BatchState.EXPORTED, batch.version + 1
        batch.save(update_fields=["state", "version", "exported_by", "exported_at", "file_sha256"])
    audit.record(
        actor=actor,
        action="payments.exported",
        subject=batch,
        details={
            "sha256": fingerprint,
            "payments": len(items),
            "total": str(sum(item.amount for item in items)),
            "currency": batch.currency,
            "payees": sorted({item.payee_id for item in items if item.payee_id is not None}),
        },
        at=at,
    )
    return content


def _items(batch: PaymentBatch) -> list[PaymentItem]:
    """The payments that the file has: those that wait, or waited when it was made first."""
    items = batch.items.select_related("payout__program", "payout__partner", "payee").order_by("reference")
    if batch.exported_at is None:
        return list(items.filter(state=ItemState.WAITING))
    return list(items.exclude(state=ItemState.DROPPED).exclude(settled_at__lt=batch.exported_at))


def _ensure_payable(items: list[PaymentItem]) -> None:
    """Nothing of it is held, and the accounts are those that the batch was locked with; they are locked from here."""
    if not items:
        raise Conflict(_("No payment of this batch waits any more."), code="stale")
    held = [item.payout.partner.code for item in items if item.payout.held]
    if held:
        raise Conflict(
            _("Held since the batch was locked: %(partners)s. Release them, or refuse these payments first.")
            % {"partners": ", ".join(held[:5])},
            code="held",
        )
    ids = [item.payee_id for item in items if item.payee_id is not None]
    rows = Payee.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    confirmed = {payee.pk for payee in rows if payee.state == PayeeState.CONFIRMED}
    waiting = payment_obstacles({item.payout.partner_id for item in items})
    changed = [
        item.payout.partner.code
        for item in items
        if item.payout.partner_id in waiting or (item.payee_id is not None and item.payee_id not in confirmed)
    ]
    if changed:
        raise Conflict(
            _("The account of %(partners)s was changed since the batch was locked: refuse these payments first.")
            % {"partners": ", ".join(changed[:5])},
            code="payee",
        )


def _file(items: list[PaymentItem], currency: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(BANK_COLUMNS)
    keys = cipher()
    for item in items:
        payee, payout = item.payee, item.payout
        account = keys.open(payee.account_sealed, owner=payee.sealed_for) if payee and payee.account_sealed else ""
        writer.writerow(
            [
                item.reference,
                cell_text(payee.holder if payee else ""),
                cell_text(payee.bank_name if payee else ""),
                payee.bank_code if payee else "",
                payee.country if payee else "",
                account,
                f"{item.amount:.2f}",
                currency,
                cell_text(f"{payout.program.code} {payout.partner.code}"),
            ]
        )
    return text.getvalue().encode("utf-8")
