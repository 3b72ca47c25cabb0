"""A small world for tests of payouts: people, partners, a program, and runs as the engine leaves them.

Everything is invented; every row keeps the constraints that the database keeps.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.actors import Actor, Role
from core.models import FactBatch, PolicyVersion, Program, RoleGrant, User
from core.policy import Policy
from core.recording import open_batch, seal
from core.values import round_money
from incentives.models import FrozenFacts, Judgement, PayoutPreview, Run
from incentives.states import Outcome, RunKind, RunState, RunTrigger, Verdict
from merchants.models import Attribution, Brand, Merchant, Registration, Shop, TargetEntry
from merchants.states import Cause, Review, Track
from partners.models import InviteLink, Membership, Partner, Payee
from partners.people import actor_of
from partners.services.payees import cipher
from partners.states import PayeeState

PASSWORD = "a long and invented sentence"
CONDITIONS = (
    "listed",
    "first_entity",
    "partner_certified",
    "exclusive_link",
    "onboarded",
    "activated",
    "stocked",
    "shop_normal",
)
_numbers = count(1)


def batch() -> FactBatch:
    with transaction.atomic():
        return seal(open_batch(source="feed", actor_id=None))


def make_user(name: str, *roles: Role, language: str = "en", **extra: Any) -> User:
    user = User.objects.create_user(
        f"{name}@example.com", PASSWORD, name=name.capitalize(), language=language, is_staff=bool(roles), **extra
    )
    RoleGrant.objects.bulk_create(RoleGrant(user=user, role=role) for role in roles)
    return user


def make_partner(code: str, *members: tuple[User, Role], name: str = "", payee: bool = True) -> Partner:
    """A partner with its people, and with an account that it can be paid to."""
    partner = Partner.objects.create(
        code=code, name=name or f"{code.capitalize()} Services", category="logistics", batch=batch()
    )
    Membership.objects.bulk_create(Membership(partner=partner, user=user, role=role) for user, role in members)
    if payee:
        make_payee(partner)
    return partner


def make_payee(partner: Partner, *, account_number: str = "6228480402564890018") -> Payee:
    """A confirmed account, stated and confirmed by two people who have nothing else to do with the tests."""
    stated_by, decided_by = (
        User.objects.get_or_create(email=f"{name}@payees.example.com", defaults={"name": name.capitalize()})[0]
        for name in ("stating", "confirming")
    )
    payee = Payee(
        partner=partner,
        number=1,
        holder=partner.name,
        bank_name="Example Bank",
        bank_code="102584004017",
        country="CN",
        currency="CNY",
        account_end=account_number[-4:],
        stated_by=stated_by,
        stated_at=datetime(2026, 1, 1, tzinfo=UTC),
        state=PayeeState.CONFIRMED,
        decided_by=decided_by,
        decided_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    payee.account_sealed = cipher().seal(account_number, owner=payee.sealed_for)
    payee.save(force_insert=True)
    return payee


def make_program(code: str = "POP-2026Q1", *, year: int = 2026, **document: Any) -> Program:
    """A program over the first quarter of a year, with one published policy."""
    policy = Policy.parse({"name": {"en": f"Program {code}", "zh-hans": f"计划 {code}"}, **document})
    program = Program.objects.create(code=code, starts_on=date(year, 1, 1), ends_on=date(year, 3, 31))
    PolicyVersion.objects.create(
        program=program,
        number=1,
        document=policy.document(),
        fingerprint=policy.fingerprint(),
        published_at=timezone.now(),
    )
    return program


@dataclass
class Spec:
    """One shop of a run: whose, and what the run says of it."""

    code: str
    partner: Partner
    verdict: Verdict = Verdict.ELIGIBLE
    merchant: Merchant | None = None
    brand: Brand | None = None
    entry: TargetEntry | None = None
    high_risk: bool = False
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    market: str = "DE"


def make_merchant(name: str = "") -> Merchant:
    number = f"9144{next(_numbers):014d}"
    return Merchant.objects.create(
        country="CN", registration_key=number, registration_no=number, name=name or f"Merchant {number}"
    )


def make_brand(name: str) -> Brand:
    return Brand.objects.create(key=name.lower(), name=name)


def make_entry(
    program: Program, merchant: Merchant, code: str = "", *, assigned_to: Partner | None = None
) -> TargetEntry:
    return TargetEntry.objects.create(
        program=program,
        code=code or f"T-{next(_numbers)}",
        merchant=merchant,
        track=Track.DIRECTED if assigned_to else Track.TARGET,
        assigned_to=assigned_to,
        listed_on=date(2025, 12, 1),
        review=Review.APPROVED,
        batch=batch(),
    )


def make_shop(spec: Spec) -> Shop:
    """The shop of this code, made and attributed unless it is there."""
    known: Shop | None = Shop.objects.filter(code=spec.code).first()
    if known is not None:
        return known
    landed = batch()
    merchant = spec.merchant or make_merchant()
    shop = Shop.objects.create(
        code=spec.code,
        merchant=merchant,
        merchant_name=merchant.name,
        brand=spec.brand,
        brand_name=spec.brand.name if spec.brand else None,
        market=spec.market,
        registered_at=datetime(2026, 1, 5, 2, 0, tzinfo=UTC),
        certified_at=datetime(2026, 1, 10, 2, 0, tzinfo=UTC),
        batch=landed,
    )
    Attribution.objects.create(shop=shop, partner=spec.partner, cause=Cause.RECORD, batch=landed)
    return shop


_TELLING = {
    Verdict.ELIGIBLE: Outcome.MET,
    Verdict.PENDING: Outcome.PENDING,
    Verdict.NEEDS_DATA: Outcome.UNKNOWN,
    Verdict.NOT_ELIGIBLE: Outcome.NOT_MET,
}


def make_run(
    program: Program,
    specs: Iterable[Spec],
    *,
    kind: RunKind = RunKind.OFFICIAL,
    state: RunState = RunState.FINISHED,
    as_of: datetime | None = None,
) -> Run:
    """A run as the engine leaves it: frozen facts, results, previews, counts, fingerprint."""
    specs = list(specs)
    rules = program.current_policy.rules
    moment = as_of or timezone.now()
    verdicts = Counter(spec.verdict for spec in specs)
    run = Run.objects.create(
        program=program,
        policy=program.current_policy,
        document=program.current_policy.document,
        kind=kind,
        trigger=RunTrigger.MANUAL,
        state=RunState.RUNNING if state == RunState.FINISHED else state,
        as_of=moment,
        requested_at=moment,
        started_at=moment,
        shops=len(specs),
        **{verdict.value: verdicts[verdict] for verdict in Verdict},
    )
    run.chain = run
    run.save(update_fields=["chain"])
    for spec in specs:
        shop = make_shop(spec)
        certified_on = date(2026, 1, 10)
        FrozenFacts.objects.create(
            chain_id=run.pk,
            since_id=run.pk,
            shop=shop,
            partner=spec.partner,
            cause=Cause.RECORD,
            merchant=shop.merchant,
            brand=shop.brand,
            brand_name=shop.brand.name if shop.brand else None,
            market=shop.market,
            registered_at=shop.registered_at,
            certified_at=shop.certified_at,
            certified_on=certified_on,
            window_ends_on=rules.window_ends_on(certified_on),
            settles_by=rules.settles_by(certified_on),
            entry=spec.entry,
            track=spec.entry.track if spec.entry else None,
            entry_in_force=spec.entry is not None,
            entry_review=spec.entry.review if spec.entry else None,
            partner_certified=True,
            gmv=Decimal("1204.77") if spec.verdict == Verdict.ELIGIBLE else Decimal("817.60"),
            lines=3,
            stock_countries=["DE", "ES", "FR", "IT"],
            stock_seen=True,
            status="open",
            status_at=shop.certified_at,
            high_risk=spec.high_risk,
        )
        outcomes: dict[str, str] = dict.fromkeys(CONDITIONS, Outcome.MET)
        outcomes["exclusive_link"] = Outcome.NOT_APPLICABLE
        outcomes["activated"] = _TELLING[spec.verdict]
        outcomes |= spec.outcomes
        Judgement.objects.create(
            chain_id=run.pk,
            since_id=run.pk,
            shop=shop,
            partner=spec.partner,
            verdict=spec.verdict,
            amount=rules.incentive.amount if spec.verdict == Verdict.ELIGIBLE else Decimal(0),
            introduced=True,
            high_risk=spec.high_risk,
            fingerprint=hashlib.sha256(spec.code.encode()).digest(),
            **outcomes,
        )
    base, net = _price(run, specs)
    if state == RunState.FINISHED:
        run.state, run.finished_at = RunState.FINISHED, moment + timedelta(seconds=3)
        run.digest = hashlib.sha256(str(run.pk).encode()).hexdigest()
        run.base_amount, run.net_amount = base, net
        run.save()
    return run


def _price(run: Run, specs: list[Spec]) -> tuple[Decimal, Decimal]:
    rules, base_all, net_all = run.rules, Decimal(0), Decimal(0)
    for partner in {spec.partner.pk: spec.partner for spec in specs}.values():
        own = [spec for spec in specs if spec.partner == partner]
        verdicts = Counter(spec.verdict for spec in own)
        high_risk = sum(spec.high_risk for spec in own)
        base = rules.incentive.amount * verdicts[Verdict.ELIGIBLE]
        factor = rules.discount.factor(high_risk=high_risk, introduced=len(own))
        net = round_money(base * factor)
        PayoutPreview.objects.create(
            run=run,
            partner=partner,
            introduced=len(own),
            high_risk=high_risk,
            base_amount=base,
            factor=factor,
            net_amount=net,
            currency=rules.incentive.currency,
            **{verdict.value: verdicts[verdict] for verdict in Verdict},
        )
        base_all, net_all = base_all + base, net_all + net
    return base_all, net_all


@dataclass
class World:
    """The personas, two partners, a program that has closed for observation, and a finished run."""

    alice: User
    bob: User
    charlie: User
    olga: User
    omar: User
    fiona: User
    haiqiao: Partner
    rival: Partner
    program: Program
    run: Run

    def actor(self, name: str) -> Actor:
        """The actor behind a persona, as a request would see it."""
        user: User = getattr(self, name)
        return actor_of(user)


AFTER_CLOSE = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)


def make_world(**document: Any) -> World:
    """Two eligible shops and one that failed for Haiqiao (alice, bob), one eligible for the rival (charlie)."""
    alice, bob, charlie = make_user("alice"), make_user("bob"), make_user("charlie")
    olga = make_user("olga", Role.REVIEWER)
    omar = make_user("omar", Role.APPROVER)
    fiona = make_user("fiona", Role.FINANCE)
    haiqiao = make_partner("haiqiao", (alice, Role.OWNER), (bob, Role.MEMBER), name="海桥物流")
    rival = make_partner("rival", (charlie, Role.OWNER))
    program = make_program(**document)
    run = make_run(
        program,
        [
            Spec("S-1", haiqiao),
            Spec("S-2", haiqiao),
            Spec("S-3", haiqiao, Verdict.NOT_ELIGIBLE, high_risk=True),
            Spec("S-4", rival),
        ],
    )
    return World(alice, bob, charlie, olga, omar, fiona, haiqiao, rival, program, run)


def make_registration(partner: Partner, *, code: str, receipt: str) -> Registration:
    """A merchant that came through a link of this partner; the link still works."""
    link = InviteLink.objects.create(
        code=code,
        partner=partner,
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        expires_at=datetime(2099, 1, 1, tzinfo=UTC),
        uses=1,
        batch=batch(),
    )
    made: Registration = Registration.objects.create(
        receipt=receipt,
        link=link,
        registered_at=datetime(2026, 1, 10, tzinfo=UTC),
        merchant_name="虚构商家",
        country="HK",
        registration_no="INV-1",
        registration_key="INV1",
        market="DE",
        batch=batch(),
    )
    return made
