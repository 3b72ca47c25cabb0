"""What somebody who may would post at each address of docs/roles.md, after what has to have happened before.

The forms really decide: the tests see it of each, so that what they say of an auditor is worth something.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils import timezone

from core.actors import Actor, Capability
from core.models import PolicyDraft, User
from core.services import deactivate_user
from incentives import services
from incentives.engine.run import start_run
from incentives.models import Adjustment, Invoice, PaymentBatch, Payout, PayoutLine, Run
from incentives.services.differences import recompute
from incentives.services.submission_plan import plan_submission
from merchants.listing import platform_date
from merchants.services import assign_entry, delist_entry, review_entries
from partners.models import Application, Payee
from partners.people import actor_of
from partners.services import claim_application, suspend_partner
from tests.architecture.desk import PROGRAM, WHY, Desk, bank_file, listed, rates
from tests.incentives.factories import Spec, make_run
from tests.people import actor


@dataclass
class Posted:
    """A form, and the parts of its address that aren't the house's usual ones."""

    form: dict[str, Any] = field(default_factory=dict)
    at: dict[str, int | str] = field(default_factory=dict)


Post = Callable[[Desk, str, Actor], Posted]


def posted(desk: Desk, address: str, step: str, by: User) -> Posted:
    """What `by` would post there."""
    return POSTS[address](desk, step, actor_of(by))


def _plainly(**form: Any) -> Post:
    return lambda desk, step, by: Posted(form)


def _submission(desk: Desk, step: str, by: Actor) -> Posted:
    plan = plan_submission(actor=actor("olga"), run=Run.objects.get(pk=desk.values["run"]), partners=["late"])
    return Posted({"partner": ["late"], "seen": "1", "shown": str(plan.payable), "text": WHY})


# --- Partners -----------------------------------------------------------------------------------------------


def _application(desk: Desk, step: str, by: Actor) -> Posted:
    application = Application.objects.get(pk=desk.values["application"])
    if step != "claim":
        application = claim_application(actor=actor("rosa"), application=application)
    certificate = {"code": "lantern", "effective_from": "2026-01-01"}
    return Posted({"version": application.version, "text": WHY, **certificate})


def _standing(desk: Desk, step: str, by: Actor) -> Posted:
    if step == "reinstate":
        suspend_partner(actor=actor("rita"), partner=desk.world.haiqiao, reason=WHY)
    return Posted({"reason": WHY})


def _payee(desk: Desk, step: str, by: Actor) -> Posted:
    version = Payee.objects.get(pk=desk.values["payee"]).version
    return Posted({"version": version, "reason": WHY}, {"partner": "late"})


def _account(desk: Desk, step: str, by: Actor) -> Posted:
    if step == "open":
        deactivate_user(actor=actor("ada"), user=User.objects.get(pk=desk.values["user_id"]))
    return Posted({"role": "recruiter" if step == "revoke" else "risk"})


# --- Lists and shops ----------------------------------------------------------------------------------------


def _entry(desk: Desk, step: str, by: Actor) -> Posted:
    entry, lena, today = desk.entry(), actor("lena"), platform_date(timezone.now())
    if step == "reopen":
        review_entries(actor=lena, entries=[entry], review="approved")
    elif step == "open":
        assign_entry(actor=lena, entry=entry, partner=desk.world.rival, reason=WHY)
    elif step == "relist":
        delist_entry(actor=lena, entry=entry, on=today, reason=WHY, today=today)
    given = {"partner": "rival", "on": str(today), "partner_code": "rival", "delisted_on": str(today)}
    return Posted({"seen": _fact(desk), "reason": WHY, "review": "approved", **given})


def _fact(desk: Desk) -> int:
    return int(desk.entry().facts.latest("pk").pk)


def _entries(desk: Desk, step: str, by: Actor) -> Posted:
    return Posted({"entry": f"{desk.entry().pk}.{_fact(desk)}", "review": "approve", "reason": WHY})


def _look_for_pairs(desk: Desk, step: str, by: Actor) -> Posted:
    listed(desk.world, "Harbour Trading GmbH", "T-C")
    return Posted({"program": PROGRAM})


def _upload(desk: Desk, step: str, by: Actor) -> Posted:
    return Posted({"kind": "fx", "file": rates()})


# --- Programs and runs --------------------------------------------------------------------------------------


def _draft(desk: Desk, step: str, by: Actor) -> Posted:
    draft = PolicyDraft.objects.get()
    return Posted({"revision": draft.revision, "examples": "on", "accept_example_tiers": True})


def _draft_saved(as_text: bool) -> Post:
    def save(desk: Desk, step: str, by: Actor) -> Posted:
        draft = PolicyDraft.objects.get()
        document = {**draft.document, "name": {"en": "Later"}}
        return Posted({"revision": draft.revision, "document": json.dumps(document) if as_text else document})

    return save


def _cancel(desk: Desk, step: str, by: Actor) -> Posted:
    run = start_run(actor=desk.world.actor("olga"), program=desk.world.program)
    return Posted(at={"run_id": run.pk})


# --- Payouts ------------------------------------------------------------------------------------------------

PAID = ("start_payment", "mark_paid", "refuse_payment", "claw_back", "settle_difference")


def _brought_to(desk: Desk, step: str) -> Payout:
    """Haiqiao's payout, where the step can be taken."""
    payout, olga, fiona = desk.payout(), desk.world.actor("olga"), desk.world.actor("fiona")
    if step in PAID:
        payout = services.approve_payout(actor=desk.world.actor("omar"), payout=payout)
    if step in PAID[1:4]:
        payout = services.start_payment(actor=fiona, payout=payout)
    if step == "claw_back":
        payout = services.mark_paid(actor=fiona, payout=payout, reference="BANK-9")
    elif step == "settle_difference":
        make_run(desk.world.program, [Spec("S-1", desk.world.haiqiao)])
    elif step == "release":
        payout = services.hold_payout(actor=olga, payout=payout, reason=WHY)
    elif step == "undo_void":
        payout = services.void_payout(actor=olga, payout=payout, reason=WHY)
    elif step == "release_partner":
        services.hold_partner(actor=olga, partner=desk.world.haiqiao, reason=WHY)
    elif step == "carry":
        proposed = Adjustment.objects.get(pk=desk.values["adjustment"])
        services.confirm_adjustment(actor=desk.world.actor("omar"), adjustment=proposed)
    return Payout.objects.get(pk=payout.pk)


def _payout(desk: Desk, step: str, by: Actor) -> Posted:
    payout = _brought_to(desk, step)
    form = {"version": payout.version, "text": WHY, "reason": WHY, "reference": "BANK-1"}
    if step == "settle_difference":
        form["amount"] = str(recompute(payout).amount)
    return Posted(form)


def _line(desk: Desk, step: str, by: Actor) -> Posted:
    line, olga = desk.line(), desk.world.actor("olga")
    if step == "undo_void":
        services.void_line(actor=olga, line=line, reason=WHY)
    elif step == "release":
        services.hold_line(actor=olga, line=line, reason=WHY)
    elif step == "claw_back":
        _brought_to(desk, step)
    version = PayoutLine.objects.get(pk=line.pk).payout.version
    return Posted({"version": version, "text": WHY, "reason": WHY})


def _partner_held(desk: Desk, step: str, by: Actor) -> Posted:
    _brought_to(desk, "release_partner" if step == "release" else "hold")
    return Posted({"reason": WHY})


def _in_bulk(desk: Desk, step: str, by: Actor) -> Posted:
    payout = desk.payout()
    form = {"step": step, "chosen": f"{payout.pk}:{payout.version}", "text": WHY, "reason": WHY}
    return Posted({**form, "payouts": [{"id": payout.pk, "version": payout.version}]})


def _proposer(desk: Desk, step: str, by: Actor) -> Actor:
    """Who confirms doesn't propose; who can't confirm withdraws."""
    withdraws = step == "decline" and by.can(Capability.PAY)
    withdraws |= step == "decline" and by.can(Capability.SUBMIT_PAYOUT)
    return by if withdraws else desk.world.actor("olga")


def _answer(desk: Desk, step: str, by: Actor) -> Posted:
    made = services.propose_adjustment(
        actor=_proposer(desk, step, by),
        partner=desk.world.haiqiao,
        program=desk.world.program,
        amount=Decimal("250.00"),
        reason=WHY,
    )
    return Posted({"version": made.version, "text": WHY, "reason": WHY}, {"adjustment": made.pk})


def _answer_on_payout(desk: Desk, step: str, by: Actor) -> Posted:
    payout = _brought_to(desk, "settle_difference")
    made = services.propose_difference(actor=_proposer(desk, step, by), payout=payout, reason=WHY)
    version = {"version": made.version}
    return Posted({**version, "text": WHY}, {"adjustment": made.pk})


def _on_invoice(desk: Desk, step: str, by: Actor) -> Posted:
    invoice = Invoice.objects.get(pk=desk.values["invoice"])
    return Posted({"version": invoice.version, "text": WHY}, {"payout": invoice.payout_id})


def _adjust(desk: Desk, step: str, by: Actor) -> Posted:
    given = {"kind": "manual", "program": PROGRAM, "amount": "500.00", "reason": WHY}
    return Posted({**given, "partner_code": "haiqiao", "sure": "1"})


# --- Payments -----------------------------------------------------------------------------------------------


def _new_batch(desk: Desk, step: str, by: Actor) -> Posted:
    payout = services.approve_payout(actor=desk.world.actor("omar"), payout=desk.payout())
    return Posted({"payout": f"{payout.pk}:{payout.version}", "payouts": [payout.pk]})


def _batch(desk: Desk, step: str, by: Actor) -> Posted:
    batch = PaymentBatch.objects.get(pk=desk.values["batch"])
    payout = Payout.objects.get(partner=desk.world.rival).pk
    if step in ("export", ""):
        batch = services.lock_payment_batch(actor=desk.world.actor("fiona"), batch=batch, version=batch.version)
    return Posted({"version": batch.version, "text": WHY, "reason": WHY, "payout": payout, "payouts": [payout]})


def _dropped(desk: Desk, step: str, by: Actor) -> Posted:
    return _batch(desk, "drop", by)


def _bank_result(desk: Desk, step: str, by: Actor) -> Posted:
    return Posted({"file": bank_file("SOMEBODY")})


API = "api/v1/operator"
UPLOADS = f"{API}/uploads"
POSTS: dict[str, Post] = {
    "operator/applications/<application>/<step>": _application,
    "operator/partners/<partner>/<step>": _standing,
    "operator/partners/<partner>/payee/<payee>/<answer>": _payee,
    "operator/people/<user_id>/<step>": _account,
    "operator/duplicates/look": _look_for_pairs,
    "operator/duplicates/<pair>": _plainly(answer="first", reason=WHY),
    "operator/<program>/lists/review": _entries,
    "operator/<program>/entries/<code>/<step>": _entry,
    f"{API}/entries/<program>/<code>/review": _entry,
    f"{API}/entries/<program>/<code>/direct": _entry,
    f"{API}/entries/<program>/<code>/delist": _entry,
    f"{API}/duplicates/<pk>/keep": _plainly(reason=WHY),
    f"{API}/duplicates/<pk>/reject": _plainly(reason=WHY, target_code="T-A"),
    "operator/unattributed/apply": _plainly(),
    "operator/attribution/<shop_code>/assign": lambda desk, step, by: Posted(
        {"seen": 0, "partner": "haiqiao", "reason": WHY}, {"shop_code": "S-9"}
    ),
    "operator/feeds/upload": _upload,
    "operator/feeds/uploads/<upload_id>/columns": _plainly(
        **{"column-0": "rate_date", "column-1": "currency", "column-2": "rate"}
    ),
    "operator/feeds/uploads/<upload_id>/load": _plainly(),
    "operator/feeds/uploads/<upload_id>/drop": _plainly(),
    UPLOADS: _upload,
    f"{UPLOADS}/<upload_id>/columns": _plainly(columns=["rate_date", "currency", "rate"]),
    f"{UPLOADS}/<upload_id>/load": _plainly(),
    f"{UPLOADS}/<upload_id>/drop": _plainly(),
    "operator/new-program": _plainly(
        **{"code": "POP-2027Q1", "name.en": "Next", "name.zh-hans": "下一季度"},
        first="2027-01-01",
        last="2027-03-31",
        examples="on",
    ),
    "operator/programs/<program>/draft": _draft_saved(as_text=True),
    "operator/programs/<program>/draft/try": _draft,
    "operator/programs/<program>/draft/publish": _draft,
    "operator/programs/<program>/draft/drop": _draft,
    f"{API}/programs/<program>/draft": _draft_saved(as_text=False),
    f"{API}/programs/<program>/draft/try": _draft,
    f"{API}/programs/<program>/draft/publish": _draft,
    f"{API}/programs/<program>/draft/drop": _draft,
    "operator/runs/start": _plainly(program=PROGRAM),
    "operator/runs/<run_id>/cancel": _cancel,
    "operator/runs/<run_id>/submit": _submission,
    "operator/payouts/decide": _in_bulk,
    "operator/payouts/<payout>/<step>": _payout,
    "operator/payouts/<payout>/lines/<line>/<step>": _line,
    "operator/payouts/<payout>/adjustments/<adjustment>/<answer>": _answer_on_payout,
    "operator/payouts/<payout>/invoices/<invoice>/<answer>": _on_invoice,
    f"{API}/bulk": _in_bulk,
    f"{API}/holds/<partner>/<step>": _partner_held,
    f"{API}/lines/<line>/<step>": _line,
    f"{API}/payouts/<payout>/<step>": _payout,
    f"{API}/payouts/<payout>/notes": _plainly(text=WHY),
    f"{API}/runs/<run>/submit": _plainly(reason=WHY, partners=["late"]),
    "operator/payments/batches": _new_batch,
    "operator/payments/batches/<batch>/<move>": _batch,
    "operator/payments/results": _bank_result,
    f"{API}/batches": _new_batch,
    f"{API}/batches/<batch>/drop": _dropped,
    f"{API}/batches/<batch>/export": _batch,
    f"{API}/batches/<batch>/<move>": _batch,
    f"{API}/bank-results": _bank_result,
    "operator/ledger/partners/<partner>/adjust": _adjust,
    "operator/ledger/adjustments/<adjustment>/<answer>": _answer,
    f"{API}/adjustments": _adjust,
    f"{API}/adjustments/<adjustment>/<answer>": _answer,
}
