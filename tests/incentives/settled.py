"""Payouts that are with the bank, its answer, and what that leaves behind, so that two ways of settling compare."""

from __future__ import annotations

import csv
import io
from typing import Any

from core.errors import DomainError
from core.models import AuditEvent, Note, Notice
from incentives.models import Decision, LedgerEntry, PaymentItem, Payout, Posting
from incentives.services import approve_payouts, create_payment_batch, export_payment_batch, lock_payment_batch
from tests.incentives.factories import World, make_payee
from tests.incentives.test_at_once import make_payouts

NOTICE = (
    *("kind", "user", "address", "params", "url_name", "url_args", "url_query", "once_key", "in_inbox"),
    *("created_at", "mail_due_at"),
)
DECISION = (
    *("payout", "kind", "actor", "at", "reason__text", "state_before", "state_after", "details", "line", "undoes"),
)
POSTING = ("posting__at", "posting__payout", "posting__program", "posting__partner")


def result(*rows: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([("reference", "result", "amount", "bank_reference", "reason"), *rows])
    return text.getvalue().encode()


def approved(world: World, count: int) -> list[Payout]:
    """So many approved payouts of 2,000, each of a partner of its own that has an account and an owner who is told."""
    made = make_payouts(world, count)
    for payout in made:
        make_payee(payout.partner)
    answers = approve_payouts(actor=world.actor("omar"), versions=dict.fromkeys([payout.pk for payout in made]))
    assert not [answer for answer in answers.values() if isinstance(answer, DomainError)]
    return made


def with_the_bank(world: World, count: int) -> tuple[list[Payout], list[str]]:
    """So many payouts that the bank was asked to pay, and the references of their payments."""
    payouts, fiona = approved(world, count), world.actor("fiona")
    batch = create_payment_batch(actor=fiona, payouts=payouts).batch
    lock_payment_batch(actor=fiona, batch=batch)
    export_payment_batch(actor=fiona, batch=batch)
    references = dict(batch.items.values_list("payout", "reference"))
    return payouts, [references[payout.pk] for payout in payouts]


def written() -> dict[str, list[Any]]:
    """All payouts, payments, decisions, ledger entries, notices, and the trail; no id of a row that settling makes.

    Only the trail is told in the order in which it was written: it is read so. A loaded file's own row isn't in it.
    """
    decided = {each.pk: f"{each.kind} {each.payout_id}" for each in Decision.objects.all()}
    notes = dict(Note.objects.values_list("pk", "text"))
    causes: dict[int, str] = {}
    for posting in Posting.objects.order_by("pk"):
        what, _, number = posting.cause.partition(":")
        causes[posting.pk] = f"{what} of {decided[int(number)] if what == 'decision' else causes[int(number)]}"
    entries = LedgerEntry.objects.values_list("posting", "posting__reverses", *POSTING, "account", "amount", "currency")
    trail = AuditEvent.objects.exclude(action="payments.result_loaded").order_by("pk")
    return {
        "payouts": list(Payout.objects.order_by("pk").values()),
        "payments": list(PaymentItem.objects.order_by("pk").values()),
        "decisions": sorted(Decision.objects.values_list(*DECISION), key=repr),
        "ledger": sorted(
            ((causes[posting], causes.get(reverses), *rest) for posting, reverses, *rest in entries), key=repr
        ),
        "notices": sorted(Notice.objects.values_list(*NOTICE), key=repr),
        "trail": [
            (
                *(event.at, event.actor_id, event.actor_label, event.action, event.subject_type, event.subject_id),
                event.details
                | {
                    "decision": decided.get(event.details.get("decision", 0)),
                    "note": notes.get(event.details.get("note") or 0),
                },
            )
            for event in trail
        ],
    }
