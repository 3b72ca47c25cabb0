"""The house that the table of docs/roles.md is tried on: in the middle of its work, something at each address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core.actors import OPERATOR_ROLES, Role
from core.models import User
from core.policy import Policy
from core.services import save_policy_draft
from incentives import services
from incentives.models import Payout, PayoutLine
from incentives.services.bulk import decide_in_bulk
from incentives.states import RunKind
from merchants.models import EntryPair, Shop, TargetEntry, TargetFact
from merchants.services import find_duplicates, keep_upload, load_feed
from merchants.states import Review, Track
from partners.models import Application
from partners.services import add_application_file, save_draft, submit_application
from tests.incentives.factories import (
    AFTER_CLOSE,
    Spec,
    World,
    batch,
    make_entry,
    make_merchant,
    make_partner,
    make_run,
    make_user,
    make_world,
)
from tests.incentives.test_invoices import hand_in
from tests.partners.payees import OTHER_NUMBER, state
from tests.partners.test_applications import WHOLE, pdf
from tests.people import actor

PROGRAM = "POP-2026Q1"
WHY = "There is a reason."
RATES = "rate_date,currency,rate\n2026-01-21,EUR,8.19\n2026-01-22,EUR,0\n"


@dataclass
class Desk:
    """The house, one person of each role who had no part in anything yet, and what its addresses name."""

    world: World
    people: Mapping[Role, User]
    values: Mapping[str, int | str]

    def payout(self) -> Payout:
        """Haiqiao's as it is now: in review, of two shops."""
        return Payout.objects.get(pk=self.values["payout"])

    def line(self) -> PayoutLine:
        """That payout's line of S-1."""
        return PayoutLine.objects.get(pk=self.values["line"])

    def entry(self) -> TargetEntry:
        """One that waits for its review."""
        return TargetEntry.objects.get(code=self.values["code"])


def make_desk(folder: Path) -> Desk:
    """Something of everything that has an address. `folder`: for the files that are handed in."""
    world = make_world(discount={"example": True, "tiers": [{"from": "0.10", "pay": "0.50"}]})
    people = {role: make_user(f"the-{role}", role) for role in sorted(OPERATOR_ROLES)}
    olga, fiona = world.actor("olga"), world.actor("fiona")
    shops = [Spec("S-1", world.haiqiao), Spec("S-2", world.haiqiao), Spec("S-4", world.rival)]
    late = make_partner("late", (make_user("lou"), Role.OWNER))
    last = make_run(world.program, [*shops, Spec("S-5", late)], as_of=world.run.as_of)
    trial = make_run(world.program, shops[:1], kind=RunKind.DRAFT, as_of=last.as_of)
    services.submit_run(actor=olga, run=last, at=AFTER_CLOSE, partners=[world.haiqiao, world.rival])
    payout, other = (Payout.objects.get(partner=each) for each in (world.haiqiao, world.rival))
    approved = services.approve_payout(actor=world.actor("omar"), payout=other)
    adjustment = services.propose_adjustment(
        actor=olga, partner=world.haiqiao, program=world.program, amount=Decimal("500.00"), reason=WHY
    )
    entry, twin = listed(world, "Harbour Trading", "T-A"), listed(world, "Harbour Trading Ltd", "T-B")
    find_duplicates(actor=actor("lena"), program=world.program, at=timezone.now())
    pair = EntryPair.objects.get(first=entry, second=twin)
    make_orphan("S-9")
    save_policy_draft(actor=olga, program_code=PROGRAM, policy=Policy.parse({"name": {"en": "Next"}}), revision=0)
    values: dict[str, int | str] = {
        "program": PROGRAM,
        "shop_code": "S-1",
        "partner": "haiqiao",
        "application": apply(world).pk,
        "payee": state(actor("lou"), late, account_number=OTHER_NUMBER).pk,
        "code": entry.code,
        "pair": pair.pk,
        "pk": pair.pk,
        "run": last.pk,
        "run_id": last.pk,
        "trial": trial.pk,
        "payout": payout.pk,
        "line": payout.lines.get(shop__code="S-1").pk,
        "adjustment": adjustment.pk,
        "invoice": hand_in(world, approved, by="charlie", at=timezone.now()).pk,
        "batch": services.create_payment_batch(actor=fiona, payouts=[approved]).batch.pk,
        "result": services.load_bank_result(actor=fiona, content=bank_file("NOBODY").read()).result.pk,
        "bulk": decide_in_bulk(actor=olga, step="hold", versions={payout.pk: payout.version}, reason=WHY).pk,
        "upload_id": keep_upload(actor=olga, kind="fx", file=rates()).pk,
        "import_id": load(world, folder),
        "user_id": make_user("somebody", Role.RECRUITER).pk,
    }
    return Desk(world, people, values)


def listed(world: World, name: str, code: str) -> TargetEntry:
    """An entry as a feed lands it, with its fact; its review is open."""
    entry = make_entry(world.program, make_merchant(name), code)
    entry.review, entry.merchant_name = Review.PENDING, name
    entry.save(update_fields=["review", "merchant_name"])
    TargetFact.objects.create(
        entry=entry, track=Track.TARGET, listed_on=entry.listed_on, review=entry.review, batch=batch()
    )
    return entry


def make_orphan(code: str) -> None:
    """A shop that nobody brought."""
    Shop.objects.create(
        code=code,
        merchant=make_merchant(),
        merchant_name="Nobody's",
        market="DE",
        registered_at=datetime(2026, 1, 5, tzinfo=UTC),
        batch=batch(),
    )


def apply(world: World) -> Application:
    """Alice applies for a second organisation."""
    alice = world.actor("alice")
    application = save_draft(actor=alice, data=WHOLE)
    add_application_file(actor=alice, application=application, file=pdf())
    return submit_application(actor=alice, application=application)


def load(world: World, folder: Path) -> int:
    """An import with one good row and one that is rejected."""
    path = folder / "rates.csv"
    path.write_text(RATES)
    return load_feed(actor=world.actor("olga"), kind="fx", path=path).pk


def rates() -> SimpleUploadedFile:
    """A feed's file, as a browser sends it."""
    return SimpleUploadedFile("rates.csv", RATES.encode())


def bank_file(reference: str) -> SimpleUploadedFile:
    """A bank's result file about a payment that isn't ours."""
    rows = f"reference,result,amount,bank_reference,reason\n{reference},paid,1.00,BANK-1,\n"
    return SimpleUploadedFile("result.csv", rows.encode(), "text/csv")
