"""A whole house to walk through: the demo of today, and around it people in every situation that has a page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.test import Client
from django.utils import timezone

from config import mailbox
from core.actors import Actor, Role
from core.errors import Conflict
from core.models import Notice, PolicyDraft, Program, RoleGrant, User
from core.notices.mailing import send_waiting
from core.services import save_policy_draft
from core.values import local_date
from incentives.demo.seeding import Seeded, seed
from incentives.demo.signins import PASSWORD
from incentives.digest import send_digests
from incentives.engine.run import try_policy, work
from incentives.invoice_states import InvoiceState
from incentives.models import Invoice, Payout, Result, Run
from incentives.services import (
    confirm_adjustment,
    create_payment_batch,
    decide_in_bulk,
    drop_from_batch,
    export_payment_batch,
    load_bank_result,
    lock_payment_batch,
    propose_adjustment,
)
from incentives.states import PayoutState, RunState, Verdict
from merchants.entrants import Entrant
from merchants.models import TargetEntry
from merchants.services import (
    claim_entry,
    create_link,
    find_duplicates,
    keep_upload,
    load_feed,
    register_merchant,
)
from merchants.states import Consent, Review, Track
from partners.models import Application, Membership, Partner
from partners.people import actor_of
from partners.services import (
    add_application_file,
    ask_for_information,
    certify_application,
    claim_application,
    invite_member,
    reject_application,
    revoke_link,
    save_draft,
    submit_application,
)
from tests.console.feeds import RATES, STRANGE, file
from tests.incentives.factories import make_payee
from tests.partners.test_applications import WHOLE, pdf


@dataclass
class House:
    """The seeded demo, and what the addresses of its pages are made of, by name."""

    seeded: Seeded
    things: dict[str, Any] = field(default_factory=dict)

    def session(self, who: str) -> str:
        """A session of this person, who has just typed the password; `NAME/half` hasn't given the second factor yet."""
        name, _, half = who.partition("/")
        client, user = Client(), User.objects.get(email=f"{name}@example.com")
        if half:
            client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        else:
            client.force_login(user)
            # What allauth keeps of somebody who has typed the password, and once more for what needs it.
            session = client.session
            typed = {"method": "password", "at": time.time(), "email": user.email, "reauthenticated": True}
            session["account_authentication_methods"] = [typed]
            session["account_authentication_methods_user"] = str(user.pk)
            session.save()
            EmailAddress.objects.get_or_create(
                user=user, email=user.email, defaults={"primary": True, "verified": True}
            )
        return client.cookies[settings.SESSION_COOKIE_NAME].value


def build(folder: Path) -> House:
    """Seed the demo as of now, with its runs worked on and its mails written, and add what it doesn't have."""
    seeded = seed(now=timezone.now(), folder=folder)
    for run in seeded.runs:
        work(run.pk)
    house = House(seeded)
    alice = actor("alice")
    partner = Partner.objects.get(pk=next(iter(alice.partner_ids)))
    running, closed = (Program.objects.get(code=plan.code) for plan in (seeded.season.running, seeded.season.closed))
    house.things |= {"partner": partner.code, "running": running.code, "closed": closed.code}
    house.things |= {"run": Run.objects.published().filter(program=running).latest("pk").pk}
    replaced, *_between, submittable = Run.objects.published().filter(program=closed).order_by("pk")
    house.things |= {"replaced run": replaced.pk, "submittable run": submittable.pk}
    house.things |= {"somebody": User.objects.get(email="bob@example.com").pk}
    house.things |= _shops(partner, seeded)
    house.things |= _links(alice, partner, running)
    house.things |= _applications()
    house.things |= _entries(alice, partner, running)
    house.things |= _feeds(folder)
    house.things |= _draft(running)
    approved = Payout.objects.filter(program=closed, state=PayoutState.APPROVED, held=False).order_by("pk")[0]
    house.things["approved"] = approved.pk
    house.things["invoiced"] = Invoice.objects.filter(state=InvoiceState.HANDED_IN).order_by("pk")[0].payout_id
    Membership.objects.create(partner=approved.partner, user=person("ivy"), role=Role.OWNER)
    reviewed = Payout.objects.filter(program=closed, state=PayoutState.IN_REVIEW, held=False).order_by("pk")[0]
    house.things |= {"reviewed": reviewed.pk, "line": reviewed.lines.order_by("pk")[0].pk}
    # Whoever submitted them may hold them; nobody works this off, so that its page shows one under way.
    house.things["bulk"] = decide_in_bulk(actor=actor("olga"), step="release", versions={reviewed.pk: None}).pk
    house.things |= _payments(approved)
    house.things["passkey"] = _second_factors(partner)
    invite_member(actor=alice, partner=partner, email="new-colleague@example.com", role=Role.MEMBER)
    sent = Notice.objects.get(kind="team.invited", address="new-colleague@example.com")
    house.things["token"] = sent.url_args[0]
    person("nobody")
    person("rita", role=Role.RISK)
    person("lena", role=Role.LIST_KEEPER)
    _twins(running)
    send_digests(now=timezone.now(), seconds=60)
    house.things["notice"] = Notice.objects.filter(user__email="alice@example.com", in_inbox=True).order_by("pk")[0].pk
    send_waiting(seconds=20)
    house.things["mail"] = next(mail.id for mail in mailbox.newest(50) if mail.to == "alice@example.com")
    return house


def person(name: str, *, partner: Partner | None = None, language: str = "zh-hans", role: Role | None = None) -> User:
    """An account that the demo doesn't have."""
    user = User.objects.create_user(
        f"{name}@example.com", PASSWORD, name=name.capitalize(), language=language, is_staff=role is not None
    )
    if partner is not None:
        Membership.objects.create(partner=partner, user=user, role=Role.VIEWER)
    if role is not None:
        RoleGrant.objects.create(user=user, role=role)
    return user


def actor(name: str) -> Actor:
    """The actor behind an account."""
    return actor_of(User.objects.get(email=f"{name}@example.com"))


def _twins(program: Program) -> None:
    """Two entries that look like one: the second is the first again, under another width and legal form."""
    one = TargetEntry.objects.filter(program=program).exclude(merchant_name=None).order_by("pk")[0]
    TargetEntry.objects.create(
        program=program,
        code="T-TWIN",
        merchant_name=f"{one.merchant_name} Ｌｔｄ．",
        merchant=one.merchant,
        track=Track.TARGET,
        listed_on=one.listed_on,
        review=Review.PENDING,
        batch=one.batch,
    )
    find_duplicates(actor=actor("lena"), program=program, at=timezone.now())


def _shops(partner: Partner, seeded: Seeded) -> Mapping[str, str]:
    """A shop of each verdict in whichever program has one."""
    own = Result.objects.filter(run__in=seeded.runs, partner=partner).select_related("shop", "run__program")
    found = {}
    for verdict in Verdict:
        result = own.filter(verdict=verdict).order_by("-run", "shop__code")[0]
        found[verdict.value] = result.shop.code
        found[f"{verdict.value} in"] = result.run.program.code
    return found


def _feeds(folder: Path) -> Mapping[str, int]:
    """A file that was loaded, with bad rows; two that were handed in only, one of them with headings of its own."""
    olga = actor("olga")
    path = folder / "rates-with-errors.csv"
    path.write_text(RATES)
    loaded = load_feed(actor=olga, kind="fx", path=path)
    return {
        "import": loaded.pk,
        "upload": keep_upload(actor=olga, kind="fx", file=file(RATES)).pk,
        "strange": keep_upload(actor=olga, kind="fx", file=file(STRANGE, "bank.csv")).pk,
    }


def _draft(program: Program) -> Mapping[str, int]:
    """A draft of the running program's policy, tried on the facts of its last run."""
    olga, rules = actor("olga"), program.current_policy.rules
    easier = replace(
        rules,
        activation=replace(rules.activation, gmv_above=Decimal(500)),
        stock=replace(rules.stock, minimum=2),
    )
    begun = PolicyDraft.objects.get(program=program)  # the demo's
    save_policy_draft(actor=olga, program_code=program.code, policy=easier, revision=begun.revision)
    run = Run.objects.filter(program=program, state=RunState.FINISHED).order_by("-pk")[0]
    return {"trial": try_policy(actor=olga, program=program, rules=easier, as_of=run.as_of).pk}


def _links(alice: Actor, partner: Partner, program: Program) -> Mapping[str, str]:
    now = timezone.now()
    end = now + timedelta(days=20)
    link = create_link(actor=alice, partner=partner, expires_at=end, at=now, label="深圳展会 3 号馆", program=program)
    dead = create_link(actor=alice, partner=partner, expires_at=end, at=now, label="已停用")
    revoke_link(actor=alice, link=dead, at=now)
    receipts = []
    for number in range(3):
        entrant = Entrant(
            merchant_name=f"虚构商家{number}号有限公司",
            country="HK",
            registration_no=f"INV-{number:04}",
            market="DE",
            phone=f"1390000000{number}",
            contact_name="王小明",
            consents=frozenset({Consent.PRIVACY, Consent.SHARE_CONTACT} if number else {Consent.PRIVACY}),
        )
        receipts.append(register_merchant(code=link.code, entrant=entrant, at=now).receipt)
    return {"link": link.code, "dead": dead.code, "receipt": receipts[0]}


def _entries(alice: Actor, partner: Partner, program: Program) -> Mapping[str, str]:
    """An entry that anybody may claim, and one that alice has claimed."""
    free, claimed = [], ""
    entries = TargetEntry.objects.filter(program=program, track=Track.TARGET, review=Review.APPROVED, delisted_on=None)
    for entry in entries.order_by("-code"):
        if not claimed:
            with suppress(Conflict):
                claim_entry(actor=alice, partner=partner, entry=entry, at=timezone.now())
                claimed = entry.code
        elif not entry.claims.exists():
            free.append(entry.code)
    return {"free entry": free[0], "claimed entry": claimed}


def _applications() -> Mapping[str, int]:
    """Four organisations: one writes, one is asked, one was certified, one rejected."""
    rosa, made = actor("rosa"), {}
    for name in ("zoe", "yan", "cai", "rex"):
        person(name)
        data = WHOLE | {"name": f"灯塔物流 {name.upper()}", "registration_no": f"INV-{name}"}
        if name == "zoe":  # a draft that isn't complete
            data |= {"category": "", "services": [], "contact_name": ""}
        application: Application = save_draft(actor=actor(name), data=data)
        add_application_file(actor=actor(name), application=application, file=pdf())
        made[name] = application.pk
        if name == "zoe":
            continue
        application = submit_application(actor=actor(name), application=application)
        application = claim_application(actor=rosa, application=application)
        if name == "yan":
            ask_for_information(actor=rosa, application=application, question="请补充营业执照的彩色扫描件。")
        elif name == "cai":
            today = local_date(timezone.now(), ZoneInfo(settings.PLATFORM_TIME_ZONE))
            certify_application(actor=rosa, application=application, code="TSP-9001", effective_from=today)
        else:
            reject_application(actor=rosa, application=application, reason="登记号与营业执照不符。")
    return made


def _payments(kept: Payout) -> Mapping[str, Any]:
    """A batch that the bank has answered in part, with a refusal and a row that is none of ours, and a draft.

    `kept` stays as it is.
    """
    fiona = actor("fiona")
    ready = Payout.objects.filter(state=PayoutState.APPROVED, held=False).exclude(pk=kept.pk).order_by("pk")
    for payout in ready.filter(partner__payees=None)[:3]:
        make_payee(payout.partner)
    batch = create_payment_batch(actor=fiona, payouts=list(ready)).batch
    waiting = list(batch.items.order_by("reference"))
    drop_from_batch(actor=fiona, batch=batch, payouts=[item.payout for item in waiting[3:]])
    lock_payment_batch(actor=fiona, batch=batch)
    export_payment_batch(actor=fiona, batch=batch)
    answer = [
        "reference,result,bank_reference,reason",
        f"{waiting[0].reference},paid,BOC-2026-0001,",
        f"{waiting[1].reference},refused,,账户已注销",
        "DY-999999-999999,paid,BOC-2026-0002,",
    ]
    loaded = load_bank_result(actor=fiona, content="\n".join(answer).encode()).result
    # One adjustment waits for a second person, and one was confirmed: the partner owes.
    owing = waiting[0].payout
    propose_adjustment(actor=fiona, partner=owing.partner, program=owing.program, amount=Decimal(500), reason="更正。")
    taken = propose_adjustment(
        actor=actor("olga"), partner=owing.partner, program=owing.program, amount=Decimal(-800), reason="重复发放。"
    )
    confirm_adjustment(actor=actor("omar"), adjustment=taken)
    draft = create_payment_batch(actor=fiona, payouts=[waiting[1].payout]).batch
    return {"batch": batch.pk, "draft": draft.pk, "result": loaded.pk, "owing": owing.partner.code}


def _second_factors(partner: Partner) -> int:
    """Tara signs in with a code; Pia has a passkey, with which nobody can sign in as no device has it."""
    tara, pia = person("tara", partner=partner), person("pia", partner=partner)
    TOTP.activate(tara, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(tara)
    passkey = Authenticator.objects.create(
        user=pia, type=Authenticator.Type.WEBAUTHN, data={"name": "2026", "credential": {}}
    )
    return int(passkey.pk)
