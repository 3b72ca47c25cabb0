"""Account numbers under a new key."""

from dataclasses import dataclass

from django.db import transaction

from core import audit
from core.actors import Actor
from partners.ciphers import Unreadable
from partners.models import Partner, Payee
from partners.services.payees import cipher

AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a renewal did. `unreadable`: rows that none of the keys opens, by id; they stay as they are."""

    renewed: int
    unchanged: int
    unreadable: tuple[int, ...]


def renew_account_numbers(*, actor: Actor) -> Renewal:
    """Seal every account number with the first of PAYEE_KEYS, so that the earlier ones can be dropped.

    A transaction for each few hundred rows, with its own audit row: one that breaks off is simply started again.
    """
    renewed, unchanged, unreadable, last = 0, 0, [], 0
    while True:
        with transaction.atomic():
            rows = list(
                Payee.objects.select_for_update(no_key=True)
                .filter(pk__gt=last)
                .exclude(account_sealed="")
                .order_by("pk")[:AT_A_TIME]
            )
            if not rows:
                break
            changed = []
            for row in rows:
                try:
                    fresh = cipher().renewed(row.account_sealed)
                except Unreadable:
                    unreadable.append(row.pk)
                    continue
                if fresh is None:
                    unchanged += 1
                    continue
                row.account_sealed, row.version = fresh, row.version + 1
                row.save(update_fields=["account_sealed", "version"])
                changed.append(row.pk)
            last, renewed = rows[-1].pk, renewed + len(changed)
            if changed:
                audit.record(
                    actor=actor,
                    action="payee.numbers_renewed",
                    subject=(Partner._meta.label_lower, "*"),
                    details={"payees": changed},
                )
    return Renewal(renewed, unchanged, tuple(unreadable))
